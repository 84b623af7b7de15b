"""Wire models of completions since a watermark."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from dataforge.contexts.reports.completions.domain import CompletionChanges
from dataforge.contexts.reports.completions.picture import picture_of_completions
from dataforge.contexts.reports.tabular import Kind, Tabular
from dataforge.contexts.reports.wire import ReportPageOut, Representations
from dataforge.http.wire import Instant

DEFAULT_CHANGES, MOST_CHANGES = 1_000, 10_000
Since = Annotated[
    Instant, Query(description="`next_since` of the call before; an instant before the first statement for everything")
]
ChangeLimit = Annotated[
    int | None, Query(ge=1, le=MOST_CHANGES, description=f"rows per page, default {DEFAULT_CHANGES:,}")
]


class CompletionChangeOut(BaseModel):
    """The first completion of a lesson by a learner, as it is known now.

    Without `completed_at` there is none any more: what said so was voided, or is somebody else's.
    """

    user_id: UUID
    lesson_id: UUID
    completed_at: datetime | None
    statement_id: UUID | None
    score_scaled: float | None
    changed_at: datetime = Field(description="when this became known")


class CompletionsOut(ReportPageOut):
    """What changed after `since`; `next_since` is what to ask for next, null while there are more pages."""

    since: datetime
    next_since: datetime | None
    items: list[CompletionChangeOut]


_COLUMNS = {
    "user_id": Kind.TEXT,
    "lesson_id": Kind.TEXT,
    "completed_at": Kind.TIME,
    "statement_id": Kind.TEXT,
    "score_scaled": Kind.NUMBER,
    "changed_at": Kind.TIME,
}


def _body(report: CompletionChanges) -> dict[str, Any]:
    # Slotted dataclasses are written by orjson as they are.
    return {"since": report.since, "next_since": report.next_since, "items": report.changes}


def _table(report: CompletionChanges) -> Tabular:
    return Tabular(
        _COLUMNS,
        [
            (
                str(change.user_id),
                str(change.lesson_id),
                change.completed_at,
                None if change.statement_id is None else str(change.statement_id),
                change.score_scaled,
                change.changed_at,
            )
            for change in report.changes
        ],
    )


COMPLETIONS = Representations("completions", _body, _table, picture_of_completions, columns=_COLUMNS)
