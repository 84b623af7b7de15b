"""Request bodies. PUT takes the same body as POST; PATCH any part of it."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from dataforge.contexts.academics.domain.roster_uploads import MAX_FILE_BYTES
from dataforge.contexts.academics.domain.status import CourseState, RequirementKind, Rule, SectionState
from dataforge.kernel.email import MAX_EMAIL, is_email
from dataforge.kernel.text import composed_if_text

MAX_SEATS = 1_000_000
# The default of PATCH members: never read, because only members that were sent are (`exclude_unset`).
OMITTED: Any = Field(default_factory=lambda: None)


def _time_zone(value: str) -> str:
    if value not in available_timezones():
        message = "must be an IANA time zone such as Europe/Berlin"
        raise ValueError(message)
    return value


def _email(value: str) -> str:
    if not is_email(value):
        message = "must be an e-mail address such as ada@example.org"
        raise ValueError(message)
    return value


def _local(value: time) -> time:
    if value.tzinfo is not None:
        message = "must be a local time without an offset, such as 09:00"
        raise ValueError(message)
    return value


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        message = "must have an offset, such as 2026-09-01T12:00:00Z"
        raise ValueError(message)
    return value


Code = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/+-]*$")]
Line = Annotated[
    str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f]+$"), BeforeValidator(composed_if_text)
]
Prose = Annotated[str, Field(max_length=20_000)]
Reason = Annotated[str, Field(min_length=1, max_length=1_000)]
Credits = Annotated[Decimal, Field(ge=0, le=999, max_digits=5, decimal_places=2)]
Score = Annotated[Decimal, Field(ge=0, le=100, max_digits=5, decimal_places=2)]
Seats = Annotated[int, Field(ge=0, le=MAX_SEATS)]
SourcedId = Line
StudentNumber = Annotated[
    str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f]+$"), BeforeValidator(composed_if_text)
]
TimeZone = Annotated[str, Field(max_length=64), AfterValidator(_time_zone)]
LocalTime = Annotated[time, AfterValidator(_local)]
Instant = Annotated[datetime, AfterValidator(_aware)]
Email = Annotated[str, Field(max_length=MAX_EMAIL), AfterValidator(_email)]
Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(9998, 12, 31))]


class In(BaseModel):
    """A request body: unknown members are refused, so that a typing error is not silently ignored."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class DepartmentIn(In):
    """A department."""

    code: Code
    name: Line
    sourced_id: SourcedId | None = None


class DepartmentPatch(In):
    """Any part of a department."""

    code: Code = OMITTED
    name: Line = OMITTED
    sourced_id: SourcedId | None = None


class CourseIn(In):
    """A course; `capacity` is what its sections get when they name none."""

    code: Code
    title: Line
    description: Prose = ""
    credits: Credits = Decimal(0)
    capacity: Seats = 0
    department_id: UUID
    state: CourseState = CourseState.DRAFT
    sourced_id: SourcedId | None = None


class CoursePatch(In):
    """Any part of a course; `state` moves from draft to published to archived."""

    code: Code = OMITTED
    title: Line = OMITTED
    description: Prose = OMITTED
    credits: Credits = OMITTED
    capacity: Seats = OMITTED
    department_id: UUID = UUID(int=0)
    state: CourseState = OMITTED
    sourced_id: SourcedId | None = None


class SemesterIn(In):
    """A semester: each deadline is the last day on which the step is possible."""

    code: Code
    starts_on: Day
    ends_on: Day
    add_by: Day
    drop_by: Day
    withdraw_by: Day
    max_credits: Credits
    time_zone: TimeZone = "UTC"
    sourced_id: SourcedId | None = None


class SemesterPatch(In):
    """Any part of a semester."""

    code: Code = OMITTED
    starts_on: Day = OMITTED
    ends_on: Day = OMITTED
    add_by: Day = OMITTED
    drop_by: Day = OMITTED
    withdraw_by: Day = OMITTED
    max_credits: Credits = OMITTED
    time_zone: TimeZone = OMITTED
    sourced_id: SourcedId | None = None


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


class OptionIn(In):
    """One course of a group; `kind` co allows it in the same semester too."""

    course_id: UUID
    min_score: Score | None = None
    kind: RequirementKind = RequirementKind.PRE


class PrerequisitesIn(In):
    """Groups: one option of each group must be met."""

    groups: Annotated[list[Annotated[list[OptionIn], Field(min_length=1, max_length=50)]], Field(max_length=50)]


class LessonsIn(In):
    """Lessons whose completion, by an xAPI statement, counts as completing the course."""

    lesson_ids: Annotated[list[UUID], Field(max_length=1_000)]


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


class EnrollmentIn(In):
    """Who wants to be enrolled, in a section or in the one open section of a course."""

    student_id: UUID
    course_id: UUID | None = None
    section_id: UUID | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "EnrollmentIn":
        if (self.course_id is None) == (self.section_id is None):
            message = "send either course_id or section_id"
            raise ValueError(message)
        return self


class ReasonIn(In):
    """Why, for the log."""

    reason: Annotated[str, Field(max_length=1_000)] = ""


class CompleteIn(ReasonIn):
    """The score from 0 to 100; none for a pass without one."""

    score: Score | None = None


class RosterOptionsIn(In):
    """How a roster is read.

    `mode` additive: only rows that say so drop; full: whoever no line speaks of is dropped too, from seats and from
    waitlists, except those who enrolled themselves (`drop_self_enrolled` drops them as well). Applying a plan needs
    `confirm_drops` when it drops anybody the file only leaves out, or more than `drop_threshold`. `waive` lifts rules
    for the whole roster, with a reason.
    """

    mode: Literal["full", "additive"] = "additive"
    drop_threshold: Annotated[int, Field(ge=0, le=1_000_000)] = 10
    drop_self_enrolled: bool = False
    default_capacity: Seats = 30
    waive: Annotated[list[Rule], Field(max_length=10)] = []
    waive_reason: Annotated[str, Field(max_length=1_000)] = ""

    @model_validator(mode="after")
    def _reason_for_waivers(self) -> "RosterOptionsIn":
        if self.waive and not self.waive_reason:
            message = "rules are waived with a waive_reason"
            raise ValueError(message)
        if {Rule.DUPLICATE, Rule.CAPACITY} & set(self.waive):
            message = "duplicate and capacity cannot be waived for a whole roster"
            raise ValueError(message)
        return self


class RosterFileIn(RosterOptionsIn):
    """How a file in the body of a request is read."""

    format: Literal["simple", "oneroster"] = "simple"


class RosterPlanIn(RosterFileIn):
    """A plan from an upload (`upload_key`, as POST /api/rosters/uploads gave it)."""

    semester_id: UUID
    upload_key: Annotated[str, Field(min_length=1, max_length=500)]


class RosterDatasetIn(RosterOptionsIn):
    """A plan from a commit of a dataset: `version` is a branch, a tag or a commit; one sheet needs no name.

    The columns are those of the simple CSV, in any order and case.
    """

    dataset_id: UUID
    version: Annotated[str, Field(min_length=1, max_length=100)]
    sheet: Annotated[str, Field(min_length=1, max_length=255)] | None = None


class RosterApplyIn(In):
    """The hash of the plan that was read, and its number of drops where that must be confirmed."""

    plan_hash: Annotated[str, Field(min_length=64, max_length=64, pattern=r"^[0-9a-f]+$")]
    confirm_drops: Annotated[int, Field(ge=0)] | None = None


class RosterUploadIn(In):
    """A file to upload: its size in bytes, and its SHA-256 as 64 hex digits."""

    filename: Annotated[str, Field(min_length=1, max_length=255)]
    size_bytes: Annotated[int, Field(ge=1, le=MAX_FILE_BYTES)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$"), AfterValidator(str.lower)]
