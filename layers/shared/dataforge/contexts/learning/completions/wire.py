"""Wire models of completions."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, BaseModel

from dataforge.contexts.learning.wire import PageOut


def _utc(instant: datetime | None) -> datetime | None:
    return instant.replace(tzinfo=UTC) if instant is not None and instant.tzinfo is None else instant


AsOf = Annotated[
    datetime | None,
    AfterValidator(_utc),
    Query(description="the watermark of an earlier answer, to have the same one again; the newest without it"),
]


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


class CompletionPage(PageOut):
    """Completions; as they were known at `watermark`."""

    cohort_id: UUID
    watermark: datetime
    items: list[CompletionOut]


class IncompletePage(PageOut):
    """Who is missing; as they were known at `watermark`."""

    lesson_id: UUID
    watermark: datetime
    items: list[LearnerOut]
