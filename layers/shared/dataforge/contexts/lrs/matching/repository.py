"""What is matched to statements that came before it, and what is taken from them again."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.consistency import MARGIN_SECONDS
from dataforge.contexts.lrs.contract import MatchedStatement
from dataforge.contexts.lrs.progress.repository import count_again, pairs_of

_TAKE_REVISION = text("SELECT records.take_revision()")
# A statement in raw only is not reported yet; for the margin see `consistency`. The clock is read before the rows are,
# and these before the locks: who has none any more has committed before an answer is made.
_REPORTED_THROUGH = text(
    "SELECT least((SELECT min(stored_at) - interval '1 microsecond' FROM records.intake), "
    "(SELECT min(stored_at) - interval '1 microsecond' FROM records.statements_raw "
    "WHERE state IN ('pending','failed')), "
    f"statement_timestamp() - interval '{MARGIN_SECONDS} seconds', "
    "records.oldest_revision() - interval '1 microsecond')"
)


def changed_matches(*, user_id: str = "f.user_id", lesson_id: str = "f.lesson_id", source: str) -> TextClause:
    """A statement that gives flat rows `f` of `source` (FROM and WHERE) another person and lesson from `:revision` on.

    What they had before stays known for the time before. Returns the columns of MatchedStatement, and the person and
    lesson of before.
    """
    return text(
        "WITH before AS MATERIALIZED (SELECT f.statement_id, f.user_id, f.lesson_id, f.completes, f.voided_from, "
        f"coalesce(f.known_from, f.stored_at) AS known_from, {user_id} AS new_user, {lesson_id} AS new_lesson "
        f"FROM records.statements_flat f {source} FOR UPDATE OF f), "
        "ended AS (INSERT INTO records.former_matches "
        "(statement_id, user_id, lesson_id, completes, known_from, known_until) "
        "SELECT statement_id, user_id, lesson_id, completes, known_from, CAST(:revision AS timestamptz) FROM before "
        "WHERE user_id IS NOT NULL AND lesson_id IS NOT NULL AND known_from < :revision "
        "AND (voided_from IS NULL OR voided_from > known_from) ON CONFLICT DO NOTHING) "
        "UPDATE records.statements_flat f SET user_id = b.new_user, lesson_id = b.new_lesson, "
        "known_from = nullif(greatest(b.known_from, CAST(:revision AS timestamptz)), f.stored_at) "
        "FROM before b WHERE f.statement_id = b.statement_id RETURNING f.statement_id, f.user_id, f.lesson_id, "
        "f.completes, f.voided, f.score_scaled, f.occurred_at, b.user_id AS old_user, b.lesson_id AS old_lesson"
    )


_MATCH_LESSONS = changed_matches(
    lesson_id="l.id",
    source="JOIN unnest(CAST(:ids AS uuid[]), CAST(:addresses AS text[])) AS l (id, address) "
    "ON f.lesson_url = l.address WHERE f.lesson_id IS NULL",
)
_RELEASE_LESSON = changed_matches(
    lesson_id="NULL::uuid",
    source="WHERE f.lesson_id = :lesson_id "
    "AND (CAST(:addresses AS text[]) IS NULL OR f.lesson_url = ANY(CAST(:addresses AS text[])))",
)
_MATCH_PEOPLE = tuple(
    changed_matches(
        user_id="d.user_id",
        source=f"JOIN identity.directory d ON {matches} WHERE f.user_id IS NULL "
        "AND (CAST(:ids AS uuid[]) IS NULL OR d.user_id = ANY(CAST(:ids AS uuid[])))",
    )
    for matches in (
        # What came before somebody proved the address is theirs by a plan only (`attribution`).
        "f.actor_email = d.proved_email AND f.stored_at >= d.matches_from",
        "f.actor_account = d.avatar",
    )
)

# Statements that bear the address which somebody has proved: stored before that and attributed to nobody, or to
# somebody who only claims the address. A linked identifier goes before any address.
_UNATTRIBUTED = (
    "JOIN identity.directory d ON f.actor_email = d.proved_email "
    "WHERE f.user_id IS NULL AND f.stored_at < d.matches_from"
)
_CLAIMED = (
    "JOIN identity.directory d ON f.actor_email = d.proved_email "
    "JOIN identity.directory c ON c.email = d.proved_email AND c.proved_email IS NULL AND c.user_id = f.user_id "
    "WHERE NOT EXISTS (SELECT FROM lrs.agent_identifiers i WHERE i.key = f.actor_key AND i.user_id = f.user_id "
    "AND i.unlinked_at IS NULL)"
)
_OF_PEOPLE = "d.suspended_at IS NULL AND (CAST(:ids AS uuid[]) IS NULL OR d.user_id = ANY(CAST(:ids AS uuid[])))"
_GAINED = text(
    "SELECT person, loser, count(*) AS count, "
    "sum(hashtextextended(statement_id::text, 0)::numeric)::text AS fingerprint, "
    "min(stored_at) AS first, max(stored_at) AS last FROM ("
    + " UNION ALL ".join(
        f"SELECT d.user_id AS person, f.user_id AS loser, f.statement_id, f.stored_at FROM records.statements_flat f "
        f"{source} AND {_OF_PEOPLE}"
        for source in (_UNATTRIBUTED, _CLAIMED)
    )
    + ") AS found GROUP BY person, loser ORDER BY person, loser"
)
_ATTRIBUTE = tuple(
    changed_matches(user_id="d.user_id", source=f"{source} AND {_OF_PEOPLE}") for source in (_UNATTRIBUTED, _CLAIMED)
)


class SqlStatementMatching:
    """Keeps the contract's StatementMatching on `statements_flat`."""

    async def take_revision(self, connection: AsyncConnection) -> datetime:
        """The instant from which on others know what this transaction changes; no watermark passes it before."""
        revision: datetime = (await connection.execute(_TAKE_REVISION)).scalar_one()
        return revision

    async def match_lessons(
        self, connection: AsyncConnection, addresses: Mapping[str, UUID]
    ) -> Sequence[MatchedStatement]:
        """Give unmatched statements their lesson by its addresses; returns those that got one."""
        if not addresses:
            return ()
        values = {"ids": list(addresses.values()), "addresses": list(addresses)}
        return await self._change(connection, (_MATCH_LESSONS,), values)

    async def release_lesson(
        self, connection: AsyncConnection, lesson_id: UUID, addresses: Sequence[str] | None = None
    ) -> None:
        """Take the lesson from its statements, or from those with the addresses."""
        values = {"lesson_id": lesson_id, "addresses": None if addresses is None else list(addresses)}
        await self._change(connection, (_RELEASE_LESSON,), values)

    async def match_people(
        self, connection: AsyncConnection, user_ids: Sequence[UUID] | None = None
    ) -> Sequence[MatchedStatement]:
        """Give unmatched statements of these people (None: of everybody) their person; returns those that got one."""
        ids = None if user_ids is None else list(user_ids)
        return await self._change(connection, _MATCH_PEOPLE, {"ids": ids})

    async def gains(self, connection: AsyncConnection, user_ids: Sequence[UUID] | None) -> Sequence[Any]:
        """What statements of their address people do not have (None: everybody): rows by person and who has them."""
        ids = None if user_ids is None else list(user_ids)
        return (await connection.execute(_GAINED, {"ids": ids})).all()

    async def attribute(self, connection: AsyncConnection, user_ids: Sequence[UUID]) -> Sequence[MatchedStatement]:
        """Give them to these people; returns those that changed."""
        return await self._change(connection, _ATTRIBUTE, {"ids": list(user_ids)})

    async def reported_through(self, connection: AsyncConnection) -> datetime:
        """The watermark: what is known up to this instant never changes again, except by erasures and purges."""
        bound: datetime = (await connection.execute(_REPORTED_THROUGH)).scalar_one()
        return bound

    async def _change(
        self, connection: AsyncConnection, statements: Sequence[TextClause], values: Mapping[str, Any]
    ) -> Sequence[MatchedStatement]:
        revision = await self.take_revision(connection)
        return await change_matches(connection, statements, {**values, "revision": revision})


async def change_matches(
    connection: AsyncConnection, statements: Sequence[TextClause], values: Mapping[str, Any]
) -> Sequence[MatchedStatement]:
    """Run statements of `changed_matches`, and count the progress of whom and what they concern again."""
    rows = [row for statement in statements for row in await connection.execute(statement, values)]
    now, before = ((row.user_id, row.lesson_id) for row in rows), ((row.old_user, row.old_lesson) for row in rows)
    await count_again(connection, pairs_of(now) | pairs_of(before))
    return [MatchedStatement(*row[:7]) for row in rows]


_LESSONS_OF = text("SELECT lesson_id FROM records.lesson_progress WHERE user_id = :merged")
_PAST = text("UPDATE records.former_matches SET user_id = :kept WHERE user_id = :merged")
_PRESENT = text("UPDATE records.statements_flat SET user_id = :kept WHERE user_id = :merged")
# Linked to the one who is kept already or not: an identifier has one link.
_IDENTIFIERS = text("UPDATE lrs.agent_identifiers SET user_id = :kept WHERE user_id = :merged")


async def merge_people(connection: AsyncConnection, *, merged: UUID, kept: UUID) -> None:
    """Let what is, and was, matched to one account be matched to another; progress is worked out from that.

    It was the same person all along: what reports say as of earlier names the account that is kept.
    """
    values = {"merged": merged, "kept": kept}
    lessons = list((await connection.execute(_LESSONS_OF, values)).scalars())
    for statement in (_PAST, _PRESENT, _IDENTIFIERS):
        await connection.execute(statement, values)
    await count_again(connection, {(user, lesson) for user in (merged, kept) for lesson in lessons})
