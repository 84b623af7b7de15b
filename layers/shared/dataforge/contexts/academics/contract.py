"""What other contexts may know of academics: the events it publishes and ids."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import NewType
from uuid import UUID

from dataforge.kernel.events import Event

StudentId = NewType("StudentId", UUID)
CourseId = NewType("CourseId", UUID)
SectionId = NewType("SectionId", UUID)
EnrollmentId = NewType("EnrollmentId", UUID)


@dataclass(frozen=True, slots=True)
class EnrollmentChanged(Event):
    """An enrolment went from one status to another; `from_` is None for a new one, `email` is the student's own.

    `wait_no` is the number on the waitlist; `rule` names the rule that refused.
    """

    name = "academics.enrollment_changed"
    about = "enrollment_id"

    enrollment_id: UUID
    student_id: UUID
    student_name: str
    user_id: UUID | None
    email: str | None
    section_id: UUID
    section_code: str
    course_id: UUID
    course_code: str
    course_title: str
    semester_code: str
    from_: str | None
    to: str
    wait_no: int | None
    reason: str | None
    rule: str | None
    actor_id: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True)
class PromotionDue(Event):
    """Seats of a section may be given to those who wait with a number above `after_wait_no`."""

    name = "academics.promotion_due"
    about = "section_id"

    section_id: UUID
    after_wait_no: int


@dataclass(frozen=True, slots=True)
class RosterApplied(Event):
    """A planned roster was carried out; `changes` are the rows that changed something."""

    name = "academics.roster_applied"
    about = "plan_id"

    plan_id: UUID
    semester_code: str
    changes: int
    applied_by: UUID | None


@dataclass(frozen=True, slots=True)
class MeetingChanged(Event):
    """A single meeting of a section is `cancelled`, `moved` or, after that, `restored`; `new_…` are for where it is
    moved to, in local times of the semester.

    Mails go to `people`, by their accounts, and to `addresses` of students without one, but not about what is over.
    """

    name = "academics.meeting_changed"
    about = "section_id"

    section_id: UUID
    section_code: str
    course_code: str
    course_title: str
    change: str
    held_on: date
    starts: time
    new_on: date | None
    new_starts: time | None
    new_ends: time | None
    new_room: str
    note: str
    people: tuple[UUID, ...]
    addresses: tuple[str, ...]
