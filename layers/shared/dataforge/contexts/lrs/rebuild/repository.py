"""Flat rows and the statements they are made of, page by page, and how far a rebuild is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.contract import MatchedStatement
from dataforge.contexts.lrs.flat_rows.domain import FORM, FlatRow
from dataforge.contexts.lrs.flat_rows.repository import OF_STATEMENT, flat_columns
from dataforge.contexts.lrs.progress.repository import Pair, pairs_of
from dataforge.contexts.lrs.statements.domain import read_json, to_json
from dataforge.contexts.lrs.tables import recordset
from dataforge.kernel.ids import uuid7

NAME = "rebuild"

# Statements that are being erased or purged are left to that: their raw rows are locked.
_PAGE = (
    "WITH page AS MATERIALIZED (SELECT r.statement_id FROM records.statements_raw r WHERE r.state = 'done' "
    "AND {which} ORDER BY r.statement_id LIMIT :limit FOR UPDATE) "
    "SELECT p.statement_id, s.payload::text AS payload, f.form, f.known_from FROM page p "
    "JOIN lrs.statements s USING (statement_id) LEFT JOIN records.statements_flat f USING (statement_id) "
    "ORDER BY p.statement_id"
)
_ALL = text(_PAGE.format(which="r.statement_id > :after"))
_OLD = text(
    _PAGE.format(
        which="r.statement_id IN (SELECT statement_id FROM records.statements_flat "
        f"WHERE form < {FORM} ORDER BY statement_id LIMIT :limit)"
    )
)
_ORPHANS = text(
    f"UPDATE records.statements_flat SET form = {FORM} WHERE statement_id IN (SELECT f.statement_id "
    f"FROM records.statements_flat f WHERE f.form < {FORM} AND NOT EXISTS (SELECT FROM records.statements_raw r "
    "WHERE r.statement_id = f.statement_id AND r.state = 'done') ORDER BY f.statement_id LIMIT :limit)"
)
# A row that counts for another lesson, or completes it now, does so from the revision on; what it had before stays
# known for the time before. One that a release before has written (form -1) was never counted.
_REWRITE = text(
    f"WITH given AS MATERIALIZED (SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS r "
    f"(statement_id uuid, lesson_id uuid, {recordset(OF_STATEMENT)})), "
    "before AS MATERIALIZED (SELECT f.statement_id, f.user_id, f.lesson_id, f.completes, f.voided_from, f.form, "
    "coalesce(f.known_from, f.stored_at) AS known_from, "
    "CASE WHEN f.lesson_url IS DISTINCT FROM g.lesson_url THEN g.lesson_id ELSE f.lesson_id END AS new_lesson, "
    "g.completes AS new_completes FROM records.statements_flat f JOIN given g USING (statement_id) "
    f"WHERE f.form < {FORM} OR ({', '.join(f'f.{name}' for name in OF_STATEMENT)}) "
    f"IS DISTINCT FROM ({', '.join(f'g.{name}' for name in OF_STATEMENT)}) ORDER BY f.statement_id FOR UPDATE OF f), "
    "changed AS (SELECT *, lesson_id IS DISTINCT FROM new_lesson OR completes <> new_completes AS other FROM before), "
    "ended AS (INSERT INTO records.former_matches "
    "(statement_id, user_id, lesson_id, completes, known_from, known_until) "
    "SELECT statement_id, user_id, lesson_id, completes, known_from, CAST(:revision AS timestamptz) FROM changed "
    "WHERE other AND form >= 0 AND user_id IS NOT NULL AND lesson_id IS NOT NULL AND known_from < :revision "
    "AND (voided_from IS NULL OR voided_from > known_from) ON CONFLICT DO NOTHING) "
    f"UPDATE records.statements_flat f SET {', '.join(f'{name} = g.{name}' for name in OF_STATEMENT)}, form = {FORM}, "
    "lesson_id = b.new_lesson, known_from = CASE WHEN b.other OR b.form < 0 "
    "THEN nullif(greatest(b.known_from, CAST(:revision AS timestamptz)), f.stored_at) ELSE f.known_from END "
    "FROM changed b JOIN given g USING (statement_id) WHERE f.statement_id = b.statement_id "
    "RETURNING f.statement_id, f.user_id, f.lesson_id, f.completes, f.voided, f.score_scaled, f.occurred_at, "
    "b.lesson_id AS old_lesson, b.other OR b.form < 0 AS news"
)
_NEXT_PAIRS = text(
    "SELECT user_id, lesson_id FROM ("
    "(SELECT DISTINCT user_id, lesson_id FROM records.statements_flat WHERE user_id IS NOT NULL "
    "AND lesson_id IS NOT NULL AND (user_id, lesson_id) > (:user_id, :lesson_id) ORDER BY 1, 2 LIMIT :limit) UNION "
    "(SELECT DISTINCT user_id, lesson_id FROM records.former_matches WHERE (user_id, lesson_id) > "
    "(:user_id, :lesson_id) ORDER BY 1, 2 LIMIT :limit) UNION "
    "(SELECT user_id, lesson_id FROM records.lesson_progress WHERE (user_id, lesson_id) > (:user_id, :lesson_id) "
    "ORDER BY 1, 2 LIMIT :limit)) AS pairs ORDER BY 1, 2 LIMIT :limit"
)
_BEGIN = text(
    "INSERT INTO records.task_status (id, name, run_key, status, started_at, counts) "
    f"VALUES (:id, '{NAME}', '{NAME}', 'running', clock_timestamp(), '{{}}') ON CONFLICT (name, run_key) DO UPDATE SET "
    "started_at = excluded.started_at, status = 'running', finished_at = NULL, counts = '{}', error = NULL "
    "WHERE task_status.status <> 'running'"
)
_LOCK = text(f"SELECT counts, status FROM records.task_status WHERE name = '{NAME}' AND run_key = '{NAME}' FOR UPDATE")
_SAVE = text(
    "UPDATE records.task_status SET counts = CAST(:counts AS jsonb), status = CAST(:status AS text), "
    "finished_at = CASE WHEN :status = 'succeeded' THEN clock_timestamp() END "
    f"WHERE name = '{NAME}' AND run_key = '{NAME}'"
)


@dataclass(frozen=True, slots=True)
class StatementOfRow:
    """A statement in raw, and what its flat row says of itself; `form` is None where it has none."""

    statement_id: UUID
    payload: Mapping[str, object]
    form: int | None
    known_from: datetime | None


class Rebuild:
    """Flat rows against their statements, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def page(self, after: UUID, limit: int) -> Sequence[StatementOfRow]:
        """Flattened statements in order of id, locked."""
        return _stored(await self._connection.execute(_ALL, {"after": after, "limit": limit}))

    async def old_page(self, limit: int) -> Sequence[StatementOfRow]:
        """Statements whose flat rows have an earlier form, locked; rows that are nobody's are left as they are."""
        await self._connection.execute(_ORPHANS, {"limit": limit})
        return _stored(await self._connection.execute(_OLD, {"limit": limit}))

    async def rewrite(
        self, rows: Sequence[tuple[FlatRow, UUID | None]], revision: datetime
    ) -> tuple[Sequence[MatchedStatement], set[Pair]]:
        """Write rows over, each with the lesson that its address means; returns those that changed what they count
        for, and whose progress has to be counted again.
        """
        given = [
            {"statement_id": row.flat.statement_id, "lesson_id": lesson, **flat_columns(row)} for row, lesson in rows
        ]
        found = (
            await self._connection.execute(_REWRITE, {"rows": to_json(given).decode(), "revision": revision})
        ).all()
        pairs = pairs_of((row.user_id, row.lesson_id) for row in found)
        pairs |= pairs_of((row.user_id, row.old_lesson) for row in found)
        return [MatchedStatement(*row[:7]) for row in found if row.news], pairs

    async def next_pairs(self, after: Pair, limit: int) -> Sequence[Pair]:
        """People and lessons that have progress or should have, in order."""
        values = {"user_id": after[0], "lesson_id": after[1], "limit": limit}
        return [(row.user_id, row.lesson_id) for row in await self._connection.execute(_NEXT_PAIRS, values)]

    async def begin(self) -> None:
        """Begin a rebuild unless one is under way."""
        await self._connection.execute(_BEGIN, {"id": uuid7()})

    async def state(self) -> dict[str, Any]:
        """How far the rebuild is, locked."""
        row = (await self._connection.execute(_LOCK)).one()
        return {**row.counts, "done": row.status != "running"}

    async def save(self, state: Mapping[str, Any], *, done: bool) -> None:
        """Say how far it is."""
        values = {"counts": to_json(dict(state)).decode(), "status": "succeeded" if done else "running"}
        await self._connection.execute(_SAVE, values)


def _stored(rows: Any) -> list[StatementOfRow]:  # noqa: ANN401 - a result
    return [StatementOfRow(row.statement_id, _object(row.payload), row.form, row.known_from) for row in rows]


def _object(body: str) -> Mapping[str, object]:
    found = read_json(body)
    return found if isinstance(found, dict) else {}
