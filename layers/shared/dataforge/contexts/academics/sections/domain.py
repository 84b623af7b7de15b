"""A section: when it meets, and its seats, of which never more are taken than there are."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from dataforge.kernel.errors import Conflict, invalid
from dataforge.kernel.texts import Text


class CapacityBelowEnrolled(Conflict):
    """A capacity below the seats taken, or a waitlist below those who wait."""

    code = "capacity_below_enrolled"
    title = "More seats are taken than that"


class SectionState(StrEnum):
    """Whether a section takes enrolments."""

    OPEN = "open"
    CLOSED = "closed"


_DAY = timedelta(days=1)
_DAYS_OF_WEEK = 7
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Meeting:
    """A weekly hour: ISO weekday 1 (Monday) to 7, local times of the semester's zone, half-open [starts, ends).

    One that ends at an earlier time than it starts goes on over midnight, and ends on the next day; it belongs to the
    day on which it starts.
    """

    weekday: int
    starts: time
    ends: time
    room: str = ""

    @property
    def over_midnight(self) -> bool:
        """Whether it ends on the day after."""
        return self.ends < self.starts

    def last_day(self, day: date) -> date:
        """The day on which the meeting ends that starts on a day."""
        return day + _DAY if self.over_midnight else day

    def overlaps(self, other: "Meeting") -> bool:
        """Whether both take place at some same minute of the week."""
        return bool(self._shared_starts(other))

    def overlaps_on_days(self, other: "Meeting", mine: tuple[date, date], theirs: tuple[date, date]) -> bool:
        """Whether both take place at some same minute, each from its first possible day to its last one, included."""
        for later in self._shared_starts(other):
            first, last = max(mine[0], theirs[0] - later * _DAY), min(mine[1], theirs[1] - later * _DAY)
            if next(_days(self, first, last), None) is not None:
                return True
        return False

    def _shared_starts(self, other: "Meeting") -> list[int]:
        """By how many days the other starts later (-1, 0, 1) where the two share a minute; there can be two ways."""
        apart = (other.weekday - self.weekday) % _DAYS_OF_WEEK
        (begins, ends), (their_begin, their_end) = _since_midnight(self), _since_midnight(other)
        return [
            later
            for later in (-1, 0, 1)
            if later % _DAYS_OF_WEEK == apart
            if begins < their_end + later * _DAY and their_begin + later * _DAY < ends
        ]

    def __str__(self) -> str:
        last = f"{WEEKDAYS[self.weekday % _DAYS_OF_WEEK]} " if self.over_midnight else ""
        return f"{WEEKDAYS[self.weekday - 1]} {self.starts:%H:%M}–{last}{self.ends:%H:%M}"


def _since_midnight(meeting: Meeting) -> tuple[timedelta, timedelta]:
    """How long after the midnight before it a meeting starts and ends."""
    begins, ends = (
        timedelta(hours=at.hour, minutes=at.minute, seconds=at.second) for at in (meeting.starts, meeting.ends)
    )
    return begins, ends + _DAY if meeting.over_midnight else ends


def check_length(pointer: str, starts: time, ends: time) -> None:
    """Raise ValidationFailed, about what the pointer names, for a meeting without a length."""
    if starts == ends:
        message = Text("A meeting ends at another time than it starts; at an earlier one, it ends on the next day.")
        raise invalid(pointer, message)


def check_meetings(meetings: tuple[Meeting, ...]) -> None:
    """Raise ValidationFailed when a meeting has no length or two of one section overlap."""
    for index, meeting in enumerate(meetings):
        check_length(f"/meetings/{index}/ends", meeting.starts, meeting.ends)
        for earlier in meetings[:index]:
            if meeting.overlaps(earlier):
                raise invalid(
                    f"/meetings/{index}", Text("It overlaps with {earlier} of the same section.", earlier=earlier)
                )


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
        # Rosters take a hundred thousand: `replace` looks at each field by name.
        return Seats(
            self.section_id,
            self.capacity,
            self.waitlist_capacity,
            self.enrolled_count + 1,
            self.waitlisted_count,
            self.wait_seq,
        )

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
            message = Text(
                "{enrolled_count} seats are taken and {waitlisted_count} students wait; "
                "drop some first or choose a higher capacity.",
                enrolled_count=self.enrolled_count,
                waitlisted_count=self.waitlisted_count,
            )
            facts = {"enrolled_count": self.enrolled_count, "waitlisted_count": self.waitlisted_count}
            raise CapacityBelowEnrolled(message, facts=facts)
        return replace(self, capacity=capacity, waitlist_capacity=waitlist_capacity)


_WEEK = timedelta(weeks=1)
# Clocks of two zones differ by up to 26 hours, and so do the days they call by one name; a meeting can end a day later.
_MARGIN = timedelta(days=3)
# The differences between two zones repeat every year; ten years show all of them, however long a semester is.
_HORIZON = timedelta(days=3653)


@dataclass(frozen=True, slots=True)
class Timetable:
    """Weekly meetings from the first day to the last, both included."""

    meetings: tuple[Meeting, ...]
    starts_on: date
    ends_on: date
    time_zone: str

    def clash(self, other: "Timetable") -> tuple[Meeting, Meeting] | None:
        """A meeting of this timetable and one of the other that take place at some same minute; None without any.

        Within one zone the wall clocks are compared. Between zones the instants are, date by date, because summer time
        begins and ends on other days in each.
        """
        if not self.meetings or not other.meetings:
            return None
        if self.time_zone == other.time_zone:
            return self._clash_on_one_clock(other)
        return self._clash_of_instants(other)

    def _clash_on_one_clock(self, other: "Timetable") -> tuple[Meeting, Meeting] | None:
        days, their_days = (self.starts_on, self.ends_on), (other.starts_on, other.ends_on)
        for mine in self.meetings:
            for theirs in other.meetings:
                if mine.overlaps_on_days(theirs, days, their_days):
                    return mine, theirs
        return None

    def _clash_of_instants(self, other: "Timetable") -> tuple[Meeting, Meeting] | None:
        first, last = max(self.starts_on, other.starts_on), min(self.ends_on, other.ends_on)
        if last < first - _MARGIN:
            return None
        first, last = first - _MARGIN, min(last, first + _HORIZON) + _MARGIN
        mine, theirs = self.instants(first, last), other.instants(first, last)
        here, there = next(mine, None), next(theirs, None)
        while here is not None and there is not None:
            if here[0] < there[1] and there[0] < here[1]:
                return here[2], there[2]
            # Whichever ends first cannot meet anything later.
            if here[1] <= there[1]:
                here = next(mine, None)
            else:
                there = next(theirs, None)
        return None

    def instants(self, first: date, last: date) -> Iterator[tuple[datetime, datetime, Meeting]]:
        """Every meeting between two days as (from, until, meeting) in UTC, in order of time."""
        zone = ZoneInfo(self.time_zone)
        day, last = max(first, self.starts_on), min(last, self.ends_on)
        while day <= last:
            met = [
                (*instants_of((day, meeting.starts), (meeting.last_day(day), meeting.ends), zone), meeting)
                for meeting in self.meetings
                if meeting.weekday == day.isoweekday()
            ]
            yield from sorted(met, key=lambda item: item[0])
            day += _DAY


def _days(meeting: Meeting, first: date, last: date) -> Iterator[date]:
    """The days of a weekly meeting between two days."""
    day = first + timedelta(days=(meeting.weekday - first.isoweekday()) % 7)
    while day <= last:
        yield day
        day += _WEEK


def instant_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Of an hour that is there twice the first; of one that is left out, as long after midnight as it would be."""
    return datetime.combine(day, at, zone).astimezone(UTC)


def instants_of(starts: tuple[date, time], ends: tuple[date, time], zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When a meeting starts and ends, in UTC.

    One that starts in an hour that spring leaves out starts later by it; where that is not before its end, it lasts
    as long as it was planned.
    """
    begins, over = instant_of(*starts, zone), instant_of(*ends, zone)
    if over > begins:
        return begins, over
    return begins, begins + (datetime.combine(*ends) - datetime.combine(*starts))
