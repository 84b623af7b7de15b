"""Requests and answers about students."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field

from dataforge.contexts.academics.enrollment.domain.statuses import Rule
from dataforge.contexts.academics.sections.wire import MeetingOut
from dataforge.contexts.academics.wire import (
    OMITTED,
    Day,
    Email,
    In,
    Instant,
    Line,
    Number,
    Reason,
    Score,
    SourcedId,
    Versioned,
)
from dataforge.http.list_columns import CsvRows
from dataforge.kernel.text import composed_if_text

StudentNumber = Annotated[
    str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f]+$"), BeforeValidator(composed_if_text)
]


class StudentIn(In):
    """A student, perhaps with the user who signs in as them."""

    first_name: Line
    last_name: Line
    number: StudentNumber
    email: Email | None = None
    user_id: UUID | None = None
    sourced_id: SourcedId | None = None


class StudentPatch(In):
    """Any part of a student."""

    first_name: Line = OMITTED
    last_name: Line = OMITTED
    number: StudentNumber = OMITTED
    email: Email | None = None
    user_id: UUID | None = None
    sourced_id: SourcedId | None = None


class HoldIn(In):
    """A hold on a student."""

    code: Annotated[str, Field(min_length=1, max_length=50)]
    reason: Reason


class OverrideIn(In):
    """Rules that do not apply to a student in a section, why, and until when."""

    section_id: UUID
    rules: Annotated[list[Rule], Field(min_length=1, max_length=20)]
    reason: Reason
    expires_at: Instant | None = None


class CompletionIn(In):
    """Evidence from outside; `reference` tells the same evidence apart from other."""

    course_id: UUID
    score: Score | None = None
    completed_on: Day
    reference: Annotated[str, Field(min_length=1, max_length=255)]


class StudentOut(Versioned):
    """A student."""

    user_id: UUID | None
    number: str
    first_name: str
    last_name: str
    email: str | None


class HoldOut(BaseModel):
    """A hold."""

    id: UUID
    student_id: UUID
    code: str
    reason: str
    placed_by: UUID | None
    placed_at: datetime
    released_by: UUID | None
    released_at: datetime | None


class OverrideOut(BaseModel):
    """An override."""

    id: UUID
    student_id: UUID
    section_id: UUID
    rules: list[str]
    reason: str
    granted_by: UUID | None
    granted_at: datetime
    expires_at: datetime | None
    revoked_by: UUID | None
    revoked_at: datetime | None


class CourseCompletionOut(BaseModel):
    """Evidence that a course was completed."""

    student_id: UUID
    course_id: UUID
    score: Number | None
    completed_on: date
    source: str
    reference: str


class ScheduleEntryOut(BaseModel):
    """A section that a student is in, or waits for."""

    enrollment_id: UUID
    status: str
    wait_no: int | None
    failure: str | None
    section_id: UUID
    section_code: str
    instructor_id: UUID | None
    instructor_name: str | None
    course_id: UUID
    course_code: str
    course_title: str
    credits: Number
    semester_id: UUID
    semester_code: str
    starts_on: date
    ends_on: date
    time_zone: str
    meetings: list[MeetingOut]


class ScheduleOut(BaseModel):
    """What a student is in or waits for."""

    student_id: UUID
    semester_id: UUID | None
    credits: Number
    entries: Annotated[list[ScheduleEntryOut], CsvRows()]


class StudentNameOut(BaseModel):
    """Which student it is."""

    id: UUID
    number: str
    first_name: str
    last_name: str


class CompletedCourseOut(BaseModel):
    """A course that a student has completed, with the evidence."""

    course_id: UUID
    course_code: str
    course_title: str
    credits: Number
    score: Number | None
    completed_on: date
    source: str
    reference: str
    semester_code: str | None


class WithdrawnCourseOut(BaseModel):
    """A course that a student has withdrawn from."""

    enrollment_id: UUID
    course_id: UUID
    course_code: str
    course_title: str
    semester_code: str
    decided_at: datetime | None


class TranscriptOut(BaseModel):
    """What a student has completed; as CSV a line for each completion."""

    student: StudentNameOut
    completions: Annotated[list[CompletedCourseOut], CsvRows()]
    withdrawals: list[WithdrawnCourseOut]
    credits_earned: Number


class RequiredCourseOut(BaseModel):
    """How far a student is in one required course; the evidence is there when it is completed."""

    course_id: UUID
    course_code: str
    course_title: str
    credits: Number
    score: Number | None
    completed_on: date | None
    source: str | None
    reference: str | None
    enrollment_id: UUID | None
    state: Literal["completed", "in_progress", "waitlisted", "missing"]


class ProgressOut(BaseModel):
    """How far a student is in a set of required courses."""

    student_id: UUID
    required: int
    completed: int
    credits_required: Number
    credits_completed: Number
    percent: float
    courses: Annotated[list[RequiredCourseOut], CsvRows()]
