"""`lesson_progress`, kept right: by adding what is new (flat_rows.repository), or worked out from all matches again.

The row of a person and a lesson is locked first, and worked out by the next statement: that one sees whatever was
committed by those who had the lock before.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.kernel.ids import uuid7

Pair = tuple[UUID, UUID]
"""A person and a lesson."""

_PAIRS = "unnest(CAST(:users AS uuid[]), CAST(:lessons AS uuid[])) AS g (user_id, lesson_id)"
_LOCK = text(
    "INSERT INTO records.lesson_progress (user_id, lesson_id, statements, changed_at, withdrawn) "
    f"SELECT user_id, lesson_id, 0, '-infinity', true FROM {_PAIRS} ORDER BY user_id, lesson_id "
    "ON CONFLICT (user_id, lesson_id) DO UPDATE SET withdrawn = true"
)
_OF_STATEMENTS = text(
    "SELECT user_id, lesson_id FROM records.statements_flat WHERE statement_id = ANY(CAST(:ids AS uuid[])) "
    "AND user_id IS NOT NULL AND lesson_id IS NOT NULL "
    "UNION SELECT user_id, lesson_id FROM records.former_matches WHERE statement_id = ANY(CAST(:ids AS uuid[]))"
)
_FORGET_FORMER = text("DELETE FROM records.former_matches WHERE statement_id = ANY(CAST(:ids AS uuid[]))")
_REMOVED = text("INSERT INTO records.removals (id, at, kind, statements) VALUES (:id, :at, :kind, :statements)")
_COMPUTED = (
    "started_at",
    "last_at",
    "statements",
    "completed_at",
    "completed_by",
    "score_scaled",
    "completion_changed_at",
    "changed_at",
    "withdrawn",
)
_COMPUTE = text(
    f"UPDATE records.lesson_progress p SET {', '.join(f'{name} = t.{name}' for name in _COMPUTED)} "
    f"FROM {_PAIRS} CROSS JOIN LATERAL learning.progress_of('infinity', g.user_id, g.lesson_id) t "
    "WHERE p.user_id = g.user_id AND p.lesson_id = g.lesson_id AND t.changed_at IS NOT NULL"
)
# Nothing was ever known of such a pair, or it is gone for good.
_FORGET = text(
    f"DELETE FROM records.lesson_progress p USING {_PAIRS} WHERE p.user_id = g.user_id AND p.lesson_id = g.lesson_id "
    "AND NOT EXISTS (SELECT FROM learning.matches m WHERE m.user_id = g.user_id AND m.lesson_id = g.lesson_id)"
)


async def count_again(connection: AsyncConnection, pairs: Iterable[Pair]) -> None:
    """Work the progress of pairs out from all their matches, as the transaction has left them."""
    ordered = sorted(set(pairs))
    if not ordered:
        return
    values = {"users": [user for user, _ in ordered], "lessons": [lesson for _, lesson in ordered]}
    for statement in (_LOCK, _COMPUTE, _FORGET):
        await connection.execute(statement, values)


async def pairs_of_statements(connection: AsyncConnection, ids: Iterable[UUID]) -> set[Pair]:
    """Whose progress the statements are part of, or were."""
    rows = await connection.execute(_OF_STATEMENTS, {"ids": list(ids)})
    return {(row.user_id, row.lesson_id) for row in rows}


async def forget_former(connection: AsyncConnection, ids: Iterable[UUID]) -> None:
    """Forget whose the statements were: they are erased or purged."""
    await connection.execute(_FORGET_FORMER, {"ids": list(ids)})


async def register_removal(connection: AsyncConnection, kind: str, statements: int, revision: datetime) -> None:
    """Answers as of a time before the revision lack so many statements, because of an `erasure` or a `purge`."""
    if statements:
        values = {"id": uuid7(), "at": revision, "kind": kind, "statements": statements}
        await connection.execute(_REMOVED, values)


def pairs_of(rows: Iterable[tuple[UUID | None, UUID | None]]) -> set[Pair]:
    """Those of which both are known."""
    return {(user, lesson) for user, lesson in rows if user is not None and lesson is not None}
