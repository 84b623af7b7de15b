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
    "SELECT c.user_id, c.lesson_id, c.completed_at, c.completed_by, CAST(c.score_scaled AS double precision), "
    "c.completion_changed_at, l.workspace_id IS NOT NULL AS elsewhere "
    "FROM learning.completions_page(:watermark, :changed_at, :user_id, :lesson_id, :limit) c "
    "LEFT JOIN learning.lessons l ON l.lesson_id = c.lesson_id "
    "ORDER BY c.completion_changed_at, c.user_id, c.lesson_id"
)
_LAST = UUID(int=2**128 - 1)


async def read_completions(
    connection: AsyncConnection, statements: StatementMatching, since: datetime, window: Window
) -> CompletionChanges:
    """Completions of all learners that changed after `since`, up to the watermark.

    Those of lessons of workspaces are left out; a page may therefore have fewer than the limit.
    """
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
    found = (await connection.execute(_CHANGES, given)).all()
    rows, last = found[: window.limit], None
    changes = [CompletionChange(*row[:-1]) for row in rows if not row.elsewhere]
    if len(found) > window.limit:
        end = CompletionChange(*rows[-1][:-1])
        last = window.next_key(basis, end.changed_at.isoformat(), end.user_id, end.lesson_id)
    return CompletionChanges(basis, since, changes, last)
