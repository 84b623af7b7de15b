"""Completions that changed, read in the order in which that became known."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.basis import Window
from dataforge.contexts.reports.completions.domain import CompletionChange, CompletionChanges
from dataforge.contexts.reports.reading import basis_of

_CHANGES = text(
    "SELECT user_id, lesson_id, completed_at, completed_by, CAST(score_scaled AS double precision), "
    "completion_changed_at FROM learning.completions_page(:watermark, :changed_at, :user_id, :lesson_id, :limit)"
)
_LAST = UUID(int=2**128 - 1)


async def read_completions(
    connection: AsyncConnection, statements: StatementMatching, since: datetime, window: Window
) -> CompletionChanges:
    """Completions of all learners that changed after `since`, up to the watermark."""
    basis = await basis_of(connection, statements, window)
    # Behind everything that became known at `since` itself.
    changed_at, user_id, lesson_id = window.key or (since.isoformat(), _LAST, _LAST)
    given = {
        "watermark": basis.watermark,
        "changed_at": datetime.fromisoformat(changed_at),
        "user_id": UUID(str(user_id)),
        "lesson_id": UUID(str(lesson_id)),
        "limit": window.limit + 1,
    }
    found = [CompletionChange(*row) for row in await connection.execute(_CHANGES, given)]
    changes, last = found[: window.limit], None
    if len(found) > window.limit:
        end = changes[-1]
        last = window.next_key(basis, end.changed_at.isoformat(), end.user_id, end.lesson_id)
    return CompletionChanges(basis, since, changes, last)
