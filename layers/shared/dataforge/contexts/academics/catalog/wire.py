"""Requests and answers about the catalog."""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from dataforge.contexts.academics.catalog.domain import CourseState, RequirementKind
from dataforge.contexts.academics.wire import (
    OMITTED,
    Code,
    Credits,
    Day,
    In,
    Line,
    Number,
    Prose,
    Score,
    Seats,
    SourcedId,
    TimeZone,
    Versioned,
)
from dataforge.http.list_columns import CsvRows


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


class CourseNameOut(BaseModel):
    """Which course it is."""

    id: UUID
    code: str
    title: str


class PrerequisiteEvidenceOut(BaseModel):
    """What meets a requirement; of a course that is taken beside it there is the enrollment only."""

    source: str
    reference: str
    score: Number | None = None
    completed_on: date | None = None


class PrerequisiteOptionOut(BaseModel):
    """A course that meets its group, with what it requires itself; `expanded` is false where that was shown before."""

    course: CourseNameOut
    kind: str
    min_score: Number | None
    met: bool | None = None
    evidence: PrerequisiteEvidenceOut | None = None
    expanded: bool
    groups: "list[PrerequisiteGroupOut]"


class PrerequisiteGroupOut(BaseModel):
    """Courses one of which is required."""

    group_no: int
    options: list[PrerequisiteOptionOut]
    met: bool | None = None


class PrerequisitesOut(BaseModel):
    """The tree of requirements; `met` and evidence for a student only."""

    course: CourseNameOut
    revision: int
    groups: Annotated[list[PrerequisiteGroupOut], CsvRows()]
    student_id: UUID | None = None
    met: bool | None = None


class LessonsOut(BaseModel):
    """Lessons that count as completing a course."""

    course_id: UUID
    lesson_ids: Annotated[list[UUID], CsvRows("lesson_id")]
