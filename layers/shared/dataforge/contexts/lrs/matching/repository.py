"""What is matched to statements that came before it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.consistency import MARGIN_SECONDS
from dataforge.contexts.lrs.contract import MatchedStatement

_RETURNED = "f.statement_id, f.user_id, f.lesson_id, f.completes, f.voided, f.score_scaled, f.occurred_at"
_MATCH_LESSONS = text(
    "UPDATE records.statements_flat f SET lesson_id = l.id "
    "FROM unnest(CAST(:ids AS uuid[]), CAST(:urls AS text[])) AS l (id, url) "
    f"WHERE f.lesson_id IS NULL AND f.lesson_url = l.url RETURNING {_RETURNED}"
)
_RELEASE_LESSON = text("UPDATE records.statements_flat SET lesson_id = NULL WHERE lesson_id = :lesson_id")
_MATCH_PEOPLE = tuple(
    text(
        "UPDATE records.statements_flat f SET user_id = d.user_id FROM identity.directory d "
        f"WHERE f.user_id IS NULL AND f.{key} = d.{column} "
        "AND (CAST(:ids AS uuid[]) IS NULL OR d.user_id = ANY(CAST(:ids AS uuid[]))) "
        f"RETURNING {_RETURNED}"
    )
    for key, column in (("actor_email", "email"), ("actor_account", "avatar"))
)
# A statement in raw only is not reported yet; for the margin see `consistency`.
_REPORTED_THROUGH = text(
    "SELECT least((SELECT min(stored_at) - interval '1 microsecond' FROM records.intake), "
    "(SELECT min(stored_at) - interval '1 microsecond' FROM records.statements_raw "
    "WHERE state IN ('pending','failed')), "
    f"clock_timestamp() - interval '{MARGIN_SECONDS} seconds')"
)


class SqlStatementMatching:
    """Keeps the contract's StatementMatching on `statements_flat`."""

    async def match_lessons(
        self, connection: AsyncConnection, lessons: Mapping[UUID, str]
    ) -> Sequence[MatchedStatement]:
        """Give unmatched statements about the activities their lesson; returns those that got one."""
        if not lessons:
            return ()
        return await _matched(connection, _MATCH_LESSONS, {"ids": list(lessons), "urls": list(lessons.values())})

    async def release_lesson(self, connection: AsyncConnection, lesson_id: UUID) -> None:
        """Take the lesson from its statements."""
        await connection.execute(_RELEASE_LESSON, {"lesson_id": lesson_id})

    async def match_people(
        self, connection: AsyncConnection, user_ids: Sequence[UUID] | None = None
    ) -> Sequence[MatchedStatement]:
        """Give unmatched statements of these people (None: of everybody) their person; returns those that got one."""
        found: list[MatchedStatement] = []
        for statement in _MATCH_PEOPLE:
            ids = None if user_ids is None else list(user_ids)
            found += await _matched(connection, statement, {"ids": ids})
        return found

    async def reported_through(self, connection: AsyncConnection) -> datetime:
        """Everything stored up to this instant has its flat row."""
        bound: datetime = (await connection.execute(_REPORTED_THROUGH)).scalar_one()
        return bound


async def _matched(
    connection: AsyncConnection, statement: TextClause, values: Mapping[str, Any]
) -> Sequence[MatchedStatement]:
    return [MatchedStatement(*row) for row in await connection.execute(statement, values)]
