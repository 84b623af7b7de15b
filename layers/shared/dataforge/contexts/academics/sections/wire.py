"""Requests and answers about sections."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from dataforge.contexts.academics.enrollment.domain.statuses import EnrollmentStatus
from dataforge.contexts.academics.sections.domain import SectionState
from dataforge.contexts.academics.wire import OMITTED, Code, In, LocalTime, Number, Seats, SourcedId, Versioned


class MeetingIn(In):
    """A weekly meeting: ISO weekday (1 Monday … 7 Sunday), local times of the semester's time zone."""

    weekday: Annotated[int, Field(ge=1, le=7)]
    starts: LocalTime
    ends: LocalTime
    room: Annotated[str, Field(max_length=100)] = ""


Meetings = Annotated[list[MeetingIn], Field(max_length=50)]


class SectionIn(In):
    """A section; without `capacity` the course's is taken."""

    course_id: UUID
    semester_id: UUID
    code: Code
    capacity: Seats | None = None
    waitlist_capacity: Seats = 0
    instructor_id: UUID | None = None
    state: SectionState = SectionState.OPEN
    meetings: Meetings = []
    sourced_id: SourcedId | None = None


class SectionPut(In):
    """A section whole; course and semester stay what they are."""

    code: Code
    capacity: Seats
    waitlist_capacity: Seats = 0
    instructor_id: UUID | None = None
    state: SectionState = SectionState.OPEN
    meetings: Meetings = []
    sourced_id: SourcedId | None = None


class SectionPatch(In):
    """Any part of a section."""

    code: Code = OMITTED
    capacity: Seats = OMITTED
    waitlist_capacity: Seats = OMITTED
    instructor_id: UUID | None = None
    state: SectionState = OMITTED
    meetings: Meetings = OMITTED
    sourced_id: SourcedId | None = None


class MeetingOut(BaseModel):
    """A weekly meeting, times as HH:MM."""

    weekday: int
    starts: str
    ends: str
    room: str


class SectionOut(Versioned):
    """A section; `open_seats` are those a newcomer may take (none while somebody waits)."""

    course_id: UUID
    course_code: str
    course_title: str
    credits: Number
    department_id: UUID
    semester_id: UUID
    semester_code: str
    code: str
    state: SectionState
    instructor_id: UUID | None
    instructor_name: str | None
    capacity: int
    waitlist_capacity: int
    enrolled_count: int
    waitlisted_count: int
    open_seats: int
    meetings: list[MeetingOut]


class InstructorOut(BaseModel):
    """Somebody who teaches."""

    instructor_id: UUID
    display_name: str | None
    sections: int


class RosterEntry(BaseModel):
    """A student in a section."""

    enrollment_id: UUID
    status: EnrollmentStatus
    wait_no: int | None
    failure: dict[str, Any] | None
    score: Number | None
    requested_at: datetime
    decided_at: datetime | None
    student_id: UUID
    number: str
    first_name: str
    last_name: str
    email: str | None
