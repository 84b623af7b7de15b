"""Flat statements: what reports read, written as one JSON parameter (see load.repository)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Text, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.contract import MatchedStatement
from dataforge.contexts.lrs.flat_rows.domain import FlatRow, PendingStatement, Person
from dataforge.contexts.lrs.statements.domain import VOIDED, read_json, to_json
from dataforge.contexts.lrs.tables import directory, recordset

_COLUMNS = {
    "statement_id": "uuid",
    "actor_key": "text",
    "actor_email": "text",
    "actor_account": "text",
    "actor_name": "text",
    "user_id": "uuid",
    "verb_id": "text",
    "verb_display": "text",
    "object_id": "text",
    "object_name": "text",
    "object_type": "text",
    "lesson_url": "text",
    "lesson_id": "uuid",
    "score_scaled": "numeric",
    "score_raw": "numeric",
    "score_min": "numeric",
    "score_max": "numeric",
    "success": "boolean",
    "completion": "boolean",
    "response": "text",
    "duration_ms": "bigint",
    "registration": "uuid",
    "platform": "text",
    "language": "text",
    "cohort_key": "text",
    "completes": "boolean",
    "occurred_at": "timestamptz",
    "stored_at": "timestamptz",
    "processed_at": "timestamptz",
}


# Data 2.3.2: a voiding statement cannot itself be voided.
_INSERT = text(
    f"INSERT INTO records.statements_flat ({', '.join(_COLUMNS)}, voided) SELECT {', '.join(_COLUMNS)}, "
    f"verb_id <> '{VOIDED}' AND EXISTS (SELECT 1 FROM records.statement_voids v WHERE v.target_id = r.statement_id) "
    f"FROM json_to_recordset(CAST(:rows AS json)) AS r ({recordset(_COLUMNS)}) "
    "ON CONFLICT DO NOTHING "
    "RETURNING statement_id, user_id, lesson_id, completes, voided, score_scaled, occurred_at"
)
_INSERT_VOIDS = text(
    "INSERT INTO records.statement_voids (target_id, voided_by, voided_at) "
    "SELECT target_id, voided_by, :at FROM unnest(CAST(:targets AS uuid[]), CAST(:voiders AS uuid[])) "
    "AS v (target_id, voided_by) ON CONFLICT DO NOTHING"
)
_MARK_VOIDED = text(
    "UPDATE records.statements_flat SET voided = true "
    f"WHERE statement_id = ANY(CAST(:targets AS uuid[])) AND NOT voided AND verb_id <> '{VOIDED}'"
)
# What waits, at any age; and what was stored lately, is said to be done and yet has no flat row (someone deleted it).
_PENDING = text(
    "WITH waiting AS MATERIALIZED ("
    "SELECT statement_id FROM records.statements_raw WHERE state IN ('pending','failed') AND statement_id > :after "
    "ORDER BY statement_id LIMIT :limit), "
    "missing AS MATERIALIZED ("
    "SELECT r.statement_id FROM records.statements_raw r "
    "WHERE r.state = 'done' AND r.stored_at >= :since AND r.statement_id > :after AND NOT EXISTS ("
    "SELECT 1 FROM records.statements_flat f WHERE f.statement_id = r.statement_id AND f.stored_at >= :since) "
    "ORDER BY r.statement_id LIMIT :limit), "
    "locked AS MATERIALIZED (SELECT r.statement_id, r.attempts, r.authority FROM records.statements_raw r "
    "WHERE r.statement_id IN (SELECT statement_id FROM waiting UNION SELECT statement_id FROM missing) "
    "AND r.state <> 'dead' ORDER BY r.statement_id LIMIT :limit FOR UPDATE OF r SKIP LOCKED) "
    "SELECT l.statement_id, s.payload::text AS payload, l.attempts, l.authority "
    "FROM locked l JOIN lrs.statements s USING (statement_id) "
    "ORDER BY l.statement_id"
)
_MARK = text(
    "UPDATE records.statements_raw SET state = :state, error = :error, attempts = attempts + 1 "
    "WHERE statement_id = ANY(CAST(:ids AS uuid[]))"
)
_NIL = UUID(int=0)


class FlatRows:
    """`statements_flat`, what is voided and what waits to be flattened, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def people(self, emails: Iterable[str], avatars: Iterable[str]) -> Sequence[Person]:
        """Accounts with one of the e-mail addresses or pseudonyms, through identity's view."""
        by_email, by_avatar = sorted(set(emails)), sorted(set(avatars))
        if not by_email and not by_avatar:
            return ()
        columns = select(directory.c.user_id, directory.c.email, directory.c.avatar)
        query = columns.where(directory.c.email == bindparam("emails", by_email, type_=ARRAY(Text)).any_()).union(
            columns.where(directory.c.avatar == bindparam("avatars", by_avatar, type_=ARRAY(Text)).any_())
        )
        return [Person(row.user_id, row.email, row.avatar) for row in await self._connection.execute(query)]

    async def insert(
        self, rows: Sequence[tuple[FlatRow, UUID | None, UUID | None]], processed_at: datetime
    ) -> Sequence[MatchedStatement]:
        """Insert (row, user, lesson) in order of id; returns the rows that were new."""
        if not rows:
            return ()
        body = to_json([_flat(row, user_id, lesson_id, processed_at) for row, user_id, lesson_id in rows]).decode()
        found = await self._connection.execute(_INSERT, {"rows": body})
        return [MatchedStatement(*row) for row in found]

    async def void(self, voids: Mapping[UUID, UUID], at: datetime) -> None:
        """Register target -> voiding statement and mark targets that are here already."""
        targets = sorted(voids)
        values = {"targets": targets, "voiders": [voids[target] for target in targets], "at": at}
        await self._connection.execute(_INSERT_VOIDS, values)
        await self._connection.execute(_MARK_VOIDED, {"targets": targets})

    async def pending(self, *, after: UUID | None, since: datetime, limit: int) -> Sequence[PendingStatement]:
        """Raw statements without a flat row in order of id, locked: known as pending, or stored after `since`."""
        values = {"after": after or _NIL, "limit": limit, "since": since}
        found = await self._connection.execute(_PENDING, values)
        return [PendingStatement(row.statement_id, _object(row.payload), row.attempts, row.authority) for row in found]

    async def mark(self, ids: Iterable[UUID], state: str, error: str | None = None) -> None:
        """Set the state of raw statements and count the attempt."""
        await self._connection.execute(_MARK, {"ids": list(ids), "state": state, "error": error})


def _object(body: str) -> Mapping[str, object]:
    found = read_json(body)
    return found if isinstance(found, dict) else {}


def _flat(row: FlatRow, user_id: UUID | None, lesson_id: UUID | None, processed_at: datetime) -> dict[str, object]:
    flat = row.flat
    return {
        "statement_id": flat.statement_id,
        "actor_key": flat.actor_key,
        "actor_email": row.actor_email,
        "actor_account": row.actor_account,
        "actor_name": flat.actor_name,
        "user_id": user_id,
        "verb_id": flat.verb_id,
        "verb_display": flat.verb_display,
        "object_id": flat.object_id,
        "object_name": flat.object_name,
        "object_type": flat.object_type,
        "lesson_url": row.lesson_url,
        "lesson_id": lesson_id,
        "score_scaled": flat.score_scaled,
        "score_raw": flat.score_raw,
        "score_min": flat.score_min,
        "score_max": flat.score_max,
        "success": flat.success,
        "completion": flat.completion,
        "response": flat.response,
        "duration_ms": flat.duration_ms,
        "registration": flat.registration,
        "platform": flat.platform,
        "language": flat.language,
        "cohort_key": flat.cohort_key,
        "completes": flat.completes,
        "occurred_at": flat.occurred_at,
        "stored_at": flat.stored_at,
        "processed_at": processed_at,
    }
