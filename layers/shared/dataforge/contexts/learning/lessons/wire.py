"""Wire models of lessons."""

import re
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from dataforge.contexts.learning.wire import Line, PageOut
from dataforge.http.wire import PartialUpdate, RequestModel

_ABSOLUTE_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\x00-\x20<>\"{}|\\^`]+")


def _iri(value: str) -> str:
    if not _ABSOLUTE_IRI.fullmatch(value):
        message = "must be an absolute IRI such as https://lms.example.org/course/42"
        raise ValueError(message)
    return value


LessonUrl = Annotated[str, Field(min_length=3, max_length=500), AfterValidator(_iri)]
LessonNumber = Annotated[int, Field(ge=0, le=2_147_483_647)]


class LessonIn(RequestModel):
    """A new lesson; `lesson_url` is the activity id of its statements."""

    lesson_url: LessonUrl
    title: Line
    lesson_number: LessonNumber | None = None
    lesson_date: date | None = None
    required: bool = True
    cohort_id: UUID | None = None
    section_id: UUID | None = None


class LessonChangesIn(PartialUpdate):
    """Changes to a lesson; what is left out stays, null clears number, date, cohort and section."""

    clearable = frozenset({"lesson_number", "lesson_date", "cohort_id", "section_id"})

    lesson_url: LessonUrl | None = None
    title: Line | None = None
    lesson_number: LessonNumber | None = None
    lesson_date: date | None = None
    required: bool | None = None
    cohort_id: UUID | None = None
    section_id: UUID | None = None


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


class LessonPage(PageOut):
    """Lessons."""

    items: list[LessonOut]
