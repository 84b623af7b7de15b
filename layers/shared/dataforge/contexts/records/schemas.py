"""Wire models of records."""

import re
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from dataforge.kernel.text import composed_if_text

_ABSOLUTE_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\x00-\x20<>\"{}|\\^`]+")


def _iri(value: str) -> str:
    if not _ABSOLUTE_IRI.fullmatch(value):
        message = "must be an absolute IRI such as https://lms.example.org/course/42"
        raise ValueError(message)
    return value


Line = Annotated[
    str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f]+$"), BeforeValidator(composed_if_text)
]
Short = Annotated[str, Field(max_length=120, pattern=r"^[^\x00-\x1f]*$"), BeforeValidator(composed_if_text)]
LessonUrl = Annotated[str, Field(min_length=3, max_length=500), AfterValidator(_iri)]
LessonNumber = Annotated[int, Field(ge=0, le=2_147_483_647)]


class In(BaseModel):
    """A request body: unknown members are refused, so that a typing error is not silently ignored."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class CohortIn(In):
    """A new cohort."""

    name: Line
    group_name: Short = ""
    team: Short = ""
    active: bool = True
    workspace_id: UUID | None = None


class CohortChangesIn(In):
    """Changes to a cohort; what is left out stays."""

    name: Line | None = None
    group_name: Short | None = None
    team: Short | None = None
    active: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_null(cls, value: Any) -> Any:  # noqa: ANN401 - whatever was sent
        return refuse_null(value, frozenset())


class LessonIn(In):
    """A new lesson; `lesson_url` is the activity id of its statements."""

    lesson_url: LessonUrl
    title: Line
    lesson_number: LessonNumber | None = None
    lesson_date: date | None = None
    required: bool = True
    cohort_id: UUID | None = None
    section_id: UUID | None = None


class LessonChangesIn(In):
    """Changes to a lesson; what is left out stays, null clears number, date, cohort and section."""

    lesson_url: LessonUrl | None = None
    title: Line | None = None
    lesson_number: LessonNumber | None = None
    lesson_date: date | None = None
    required: bool | None = None
    cohort_id: UUID | None = None
    section_id: UUID | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_null(cls, value: Any) -> Any:  # noqa: ANN401 - whatever was sent
        return refuse_null(value, frozenset({"lesson_number", "lesson_date", "cohort_id", "section_id"}))


def refuse_null(value: Any, clearable: frozenset[str]) -> Any:  # noqa: ANN401 - whatever was sent
    """Refuse null for what cannot be empty; raises ValueError."""
    if isinstance(value, dict):
        wrong = sorted(str(name) for name, item in value.items() if item is None and name not in clearable)
        if wrong:
            message = f"cannot be empty: {', '.join(wrong)}; leave it out to keep it as it is"
            raise ValueError(message)
    return value


class CohortOut(BaseModel):
    """A cohort."""

    id: UUID
    workspace_id: UUID | None
    name: str
    group_name: str
    team: str
    active: bool
    revision: int
    created_at: datetime
    updated_at: datetime


class LessonOut(BaseModel):
    """A lesson."""

    id: UUID
    section_id: UUID | None
    cohort_id: UUID | None
    lesson_url: str
    lesson_number: int | None
    title: str
    lesson_date: date | None
    required: bool
    revision: int
    created_at: datetime
    updated_at: datetime


class MemberOut(BaseModel):
    """A member of a cohort."""

    user_id: UUID
    display_name: str
    email: str
    joined_at: datetime


class CompletionOut(BaseModel):
    """The first statement that says a member has completed a lesson."""

    user_id: UUID
    display_name: str
    email: str
    lesson_id: UUID
    lesson_url: str
    lesson_number: int | None
    lesson_title: str
    statement_id: UUID
    completed_at: datetime
    score_scaled: float | None


class LearnerOut(BaseModel):
    """Somebody who has not completed a lesson."""

    user_id: UUID
    display_name: str
    email: str


class PageOut(BaseModel):
    """What every list has."""

    limit: int
    next_cursor: str | None
    next: str | None


class CohortPage(PageOut):
    """Cohorts."""

    items: list[CohortOut]


class LessonPage(PageOut):
    """Lessons."""

    items: list[LessonOut]


class MemberPage(PageOut):
    """Members."""

    items: list[MemberOut]


class CompletionPage(PageOut):
    """Completions; complete for everything stored up to `watermark`."""

    cohort_id: UUID
    watermark: datetime
    items: list[CompletionOut]


class IncompletePage(PageOut):
    """Who is missing; complete for everything stored up to `watermark`."""

    lesson_id: UUID
    watermark: datetime
    items: list[LearnerOut]


class PlannedRowOut(BaseModel):
    """What becomes of one line."""

    line: int
    email: str
    name: str
    cohort: str
    action: str
    account: str


class ProblemOut(BaseModel):
    """A line that is not used, and why."""

    line: int
    code: str
    detail: str
    email: str | None


class LearnerPlanOut(BaseModel):
    """The plan of an import, or what was applied."""

    plan_hash: str
    applied: bool
    counts: dict[str, int]
    new_cohorts: list[str]
    rows: list[PlannedRowOut]
    problems: list[ProblemOut]
