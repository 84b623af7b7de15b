"""The seats of one section: never more taken than there are, waitlist numbers given once."""

from dataclasses import dataclass, replace
from uuid import UUID

from dataforge.contexts.academics.domain.errors import CapacityBelowEnrolled


@dataclass(frozen=True, slots=True)
class Seats:
    """Counts of one section under its row lock; each method gives the counts after the step."""

    section_id: UUID
    capacity: int
    waitlist_capacity: int
    enrolled_count: int = 0
    waitlisted_count: int = 0
    wait_seq: int = 0

    @property
    def free(self) -> int:
        """Seats nobody holds."""
        return self.capacity - self.enrolled_count

    @property
    def waitlist_has_room(self) -> bool:
        """Whether one more may wait."""
        return self.waitlisted_count < self.waitlist_capacity

    @property
    def promotion_possible(self) -> bool:
        """Whether a seat is free that somebody waits for."""
        return self.free > 0 and self.waitlisted_count > 0

    def take(self) -> "Seats":
        """One more seat taken."""
        return replace(self, enrolled_count=self.enrolled_count + 1)

    def release(self) -> "Seats":
        """One seat given back."""
        return replace(self, enrolled_count=self.enrolled_count - 1)

    def wait(self) -> "Seats":
        """One more waits, with the number `wait_seq` of the result."""
        return replace(self, waitlisted_count=self.waitlisted_count + 1, wait_seq=self.wait_seq + 1)

    def stop_waiting(self) -> "Seats":
        """One fewer waits."""
        return replace(self, waitlisted_count=self.waitlisted_count - 1)

    def raise_capacity(self) -> "Seats":
        """One seat more, for an over-enrolment that was granted."""
        return replace(self, capacity=self.capacity + 1)

    def resize(self, capacity: int, waitlist_capacity: int) -> "Seats":
        """New limits; raises CapacityBelowEnrolled when more seats are taken or more students wait."""
        if capacity < self.enrolled_count or waitlist_capacity < self.waitlisted_count:
            message = (
                f"{self.enrolled_count} seats are taken and {self.waitlisted_count} students wait; "
                "drop some first or choose a higher capacity."
            )
            facts = {"enrolled_count": self.enrolled_count, "waitlisted_count": self.waitlisted_count}
            raise CapacityBelowEnrolled(message, facts=facts)
        return replace(self, capacity=capacity, waitlist_capacity=waitlist_capacity)
