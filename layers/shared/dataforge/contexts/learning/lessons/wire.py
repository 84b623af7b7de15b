"""Wire models of lessons."""

import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from dataforge.contexts.learning.launches.domain import MoveOn
from dataforge.contexts.learning.launches.wire import WebAddress
from dataforge.contexts.learning.lessons.domain import MAX_ADDRESS, MAX_ALIASES, MOST_MINUTES
from dataforge.contexts.learning.wire import Line, PageOut
from dataforge.http.list_columns import CsvRows
from dataforge.http.wire import PartialUpdate, RequestModel, TimeZone, WallTime
from dataforge.kernel.iri import normal_iri
from dataforge.kernel.texts import Text

_ABSOLUTE_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\x00-\x20<>\"{}|\\^`]+")


def _iri(value: str) -> str:
    if not _ABSOLUTE_IRI.fullmatch(value):
        message = Text("must be an absolute IRI such as https://lms.example.org/course/42")
        raise ValueError(message)
    if len(normal_iri(value)) > MAX_ADDRESS:
        message = Text(
            "must not be longer than {max_address} characters with what has to be escaped escaped",
            max_address=MAX_ADDRESS,
        )
        raise ValueError(message)
    return value


LessonUrl = Annotated[str, Field(min_length=3, max_length=500), AfterValidator(_iri)]
LessonNumber = Annotated[int, Field(ge=0, le=2_147_483_647)]
MasteryScore = Annotated[Decimal, Field(ge=0, le=1, max_digits=5, decimal_places=4)]
Parameters = Annotated[str, Field(max_length=4000)]
Minutes = Annotated[int, Field(ge=1, le=MOST_MINUTES)]


class LessonIn(RequestModel):
    """A new lesson; `lesson_url` is the activity id of its statements.

    A lesson with a `lesson_date` only takes the whole day. With `start_time` and `duration_minutes` it is held then, by
    the clocks of `time_zone`, or of each learner where that is left out.
    With `content_url`, the address of a cmi5 unit, it can be launched; `move_on` says what satisfies it,
    `mastery_score` (0 to 1) what is passed, `publisher_id` what its author calls it.
    It belongs to the workspace of its cohort. Without a cohort it is for all cohorts of `workspace_id`, or of the
    organisation; lessons of a workspace are of no section.
    """

    lesson_url: LessonUrl
    title: Line
    lesson_number: LessonNumber | None = None
    lesson_date: date | None = None
    start_time: WallTime | None = None
    duration_minutes: Minutes | None = None
    time_zone: TimeZone | None = None
    required: bool = True
    workspace_id: UUID | None = None
    cohort_id: UUID | None = None
    section_id: UUID | None = None
    content_url: WebAddress | None = None
    publisher_id: LessonUrl | None = None
    move_on: MoveOn = "CompletedOrPassed"
    mastery_score: MasteryScore | None = None
    launch_parameters: Parameters | None = None


class LessonChangesIn(PartialUpdate):
    """Changes to a lesson; what is left out stays, null clears what can be empty."""

    clearable = frozenset(
        {"lesson_number", "lesson_date", "cohort_id", "section_id", "content_url", "publisher_id", "mastery_score"}
        | {"launch_parameters", "start_time", "duration_minutes", "time_zone"}
    )

    lesson_url: LessonUrl | None = None
    title: Line | None = None
    lesson_number: LessonNumber | None = None
    lesson_date: date | None = None
    start_time: WallTime | None = None
    duration_minutes: Minutes | None = None
    time_zone: TimeZone | None = None
    required: bool | None = None
    cohort_id: UUID | None = None
    section_id: UUID | None = None
    content_url: WebAddress | None = None
    publisher_id: LessonUrl | None = None
    move_on: MoveOn | None = None
    mastery_score: MasteryScore | None = None
    launch_parameters: Parameters | None = None


class AliasesIn(RequestModel):
    """All other activity ids by which statements mean the lesson."""

    aliases: Annotated[list[LessonUrl], Field(max_length=MAX_ALIASES)]


class AliasesOut(BaseModel):
    """The other activity ids by which statements mean the lesson, in their normal form."""

    lesson_id: UUID
    lesson_url: str
    aliases: Annotated[list[str], CsvRows("alias")]


class LessonOut(BaseModel):
    """A lesson."""

    id: UUID
    workspace_id: UUID | None
    section_id: UUID | None
    cohort_id: UUID | None
    lesson_url: str
    lesson_number: int | None
    title: str
    lesson_date: date | None
    start_time: time | None
    duration_minutes: int | None
    time_zone: str | None
    required: bool
    content_url: str | None
    publisher_id: str | None
    move_on: MoveOn
    mastery_score: float | None
    launch_parameters: str | None
    revision: int
    created_at: datetime
    updated_at: datetime


class LessonPage(PageOut):
    """Lessons."""

    items: list[LessonOut]
