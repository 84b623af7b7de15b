"""Answers, for the OpenAPI document."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field, WithJsonSchema

from dataforge.contexts.academics.domain.status import CourseState, EnrollmentStatus, SectionState

Item = TypeVar("Item")
# Pydantic would document a decimal as a string; answers have it as a number (see `dump_json`).
Number = Annotated[Decimal, WithJsonSchema({"type": "number"})]


class Page(BaseModel, Generic[Item]):
    """A page of a list."""

    items: list[Item]
    limit: int
    next_cursor: str | None
    next: str | None


class Versioned(BaseModel):
    """What every versioned thing has; `revision` is in the ETag too."""

    id: UUID
    sourced_id: str | None
    revision: int
    created_at: datetime
    updated_at: datetime


class DepartmentOut(Versioned):
    """A department."""

    code: str
    name: str


class CourseOut(Versioned):
    """A course."""

    code: str
    title: str
    description: str
    credits: Number
    capacity: int
    department_id: UUID
    state: CourseState


class SemesterOut(Versioned):
    """A semester."""

    code: str
    starts_on: date
    ends_on: date
    add_by: date
    drop_by: date
    withdraw_by: date
    max_credits: Number
    time_zone: str


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


class EnrollmentOut(BaseModel):
    """An enrolment as a command left it."""

    id: UUID
    student_id: UUID
    section_id: UUID
    status: EnrollmentStatus
    wait_no: int | None
    failure: dict[str, Any] | None
    score: Number | None
    requested_at: datetime
    decided_at: datetime | None


class EnrollmentDetail(EnrollmentOut):
    """An enrolment with the names of what it refers to."""

    section_code: str
    course_id: UUID
    course_code: str
    course_title: str
    semester_id: UUID
    semester_code: str
    student_number: str


class EventOut(BaseModel):
    """One step of an enrolment."""

    id: int
    enrollment_id: UUID
    from_: str | None = Field(alias="from")
    to: str
    reason: str
    rule: str | None
    facts: dict[str, Any]
    actor_id: UUID | None
    actor: str | None
    at: datetime


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


class ScheduleOut(BaseModel):
    """What a student is in or waits for."""

    student_id: UUID
    semester_id: UUID | None
    credits: Number
    entries: list[dict[str, Any]]


class TranscriptOut(BaseModel):
    """What a student has completed."""

    student: dict[str, Any]
    completions: list[dict[str, Any]]
    withdrawals: list[dict[str, Any]]
    credits_earned: Number


class ProgressOut(BaseModel):
    """How far a student is in a set of required courses."""

    student_id: UUID
    required: int
    completed: int
    credits_required: Number
    credits_completed: Number
    percent: float
    courses: list[dict[str, Any]]


class PrerequisitesOut(BaseModel):
    """The tree of requirements; `met` and evidence for a student only."""

    course: dict[str, Any]
    revision: int
    groups: list[dict[str, Any]]
    student_id: UUID | None = None
    met: bool | None = None


class LessonsOut(BaseModel):
    """Lessons that count as completing a course."""

    course_id: UUID
    lesson_ids: list[UUID]


class RosterUploadOut(BaseModel):
    """Where to PUT the file, the headers the PUT must carry, and the key to plan from."""

    upload_key: str
    url: str
    method: str
    headers: dict[str, str]
    expires_in: int


class RosterPlanOut(BaseModel):
    """A plan: counts by kind of row and action; it is applied by its id and hash.

    `implied_drops` of the `drops` are asked for by no line: the file only leaves the student out.
    """

    id: UUID
    semester_id: UUID
    format: str
    state: str
    plan_hash: str
    inputs_sha256: str
    counts: dict[str, dict[str, int]]
    drops: int
    implied_drops: int
    options: dict[str, Any]
    source: dict[str, Any]
    created_at: datetime
    created_by: UUID | None
    applied_at: datetime | None
    applied_by: UUID | None


class RosterPreparingOut(BaseModel):
    """The rows of a dataset's commit are being made readable: repeat the request after Retry-After seconds.

    Repeat it with `commit_id` as the version to plan this commit even if the branch moves meanwhile.
    """

    status: Literal["preparing"]
    job_id: UUID
    dataset_id: UUID
    commit_id: str
    sheet: str
    row_count: int


class RosterRowOut(BaseModel):
    """What a plan decides for one row."""

    row_no: int
    file: str
    line: int | None
    kind: str
    sourced_id: str | None
    action: str
    reason: dict[str, Any] | None
    outcome: str | None
    wait_no: int | None
    data: dict[str, Any]
