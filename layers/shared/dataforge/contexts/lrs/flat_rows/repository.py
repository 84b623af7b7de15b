"""Flat statements: what reports read, written as one JSON parameter (see load.repository)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Text, bindparam, func, literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.contract import MatchedStatement
from dataforge.contexts.lrs.flat_rows.domain import FORM, FlatRow, PendingStatement, Person, Voider
from dataforge.contexts.lrs.progress.repository import Pair, pairs_of
from dataforge.contexts.lrs.statements.domain import VOIDED, read_json, to_json
from dataforge.contexts.lrs.tables import directory, recordset

# What a flat row has of its statement alone. Its person, and when it became known, are not to be had from there.
OF_STATEMENT = {
    "actor_key": "text",
    "actor_email": "text",
    "actor_account": "text",
    "actor_name": "text",
    "verb_id": "text",
    "verb_display": "text",
    "object_id": "text",
    "object_name": "text",
    "object_type": "text",
    "lesson_url": "text",
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
    "is_question": "boolean",
    "occurred_at": "timestamptz",
}
_COLUMNS = {
    "statement_id": "uuid",
    "user_id": "uuid",
    "lesson_id": "uuid",
    **OF_STATEMENT,
    "known_from": "timestamptz",
    "stored_at": "timestamptz",
    "processed_at": "timestamptz",
}


# New rows, and what they add to the progress of their people: sums and bounds, the same in whatever order they come.
# Where a match has ended these do not tell enough; such pairs are returned to be counted again, with their rows locked.
# Data 2.3.2: a voiding statement cannot itself be voided.
_INSERT = text(
    f"WITH new AS (INSERT INTO records.statements_flat ({', '.join(_COLUMNS)}, form, voided, voided_from) "
    f"SELECT {', '.join(f'r.{name}' for name in _COLUMNS)}, {FORM}, v.target_id IS NOT NULL, v.known_from "
    f"FROM json_to_recordset(CAST(:rows AS json)) AS r ({recordset(_COLUMNS)}) "
    "LEFT JOIN records.statement_voids v ON v.target_id = r.statement_id AND v.known_from IS NOT NULL "
    f"AND r.verb_id <> '{VOIDED}' ON CONFLICT DO NOTHING "
    "RETURNING statement_id, user_id, lesson_id, completes, voided, score_scaled, occurred_at, "
    "coalesce(known_from, stored_at) AS known_from, voided_from), "
    "known AS (SELECT * FROM new WHERE user_id IS NOT NULL AND lesson_id IS NOT NULL "
    "AND (voided_from IS NULL OR voided_from > known_from)), "
    "completing AS (SELECT DISTINCT ON (user_id, lesson_id) * FROM known WHERE completes "
    "ORDER BY user_id, lesson_id, occurred_at, statement_id), "
    "added AS (SELECT user_id, lesson_id, count(*) AS statements, min(occurred_at) AS started_at, "
    "max(occurred_at) AS last_at, max(known_from) AS changed_at, "
    "bool_or(voided) OR CAST(:recount AS boolean) AS withdrawn FROM known GROUP BY user_id, lesson_id), "
    "progressed AS (INSERT INTO records.lesson_progress AS p (user_id, lesson_id, statements, started_at, last_at, "
    "completed_at, completed_by, score_scaled, completion_changed_at, changed_at, withdrawn) "
    "SELECT a.user_id, a.lesson_id, a.statements, a.started_at, a.last_at, c.occurred_at, c.statement_id, "
    "c.score_scaled, c.known_from, a.changed_at, a.withdrawn FROM added a LEFT JOIN completing c "
    "ON c.user_id = a.user_id AND c.lesson_id = a.lesson_id ORDER BY a.user_id, a.lesson_id "
    "ON CONFLICT (user_id, lesson_id) DO UPDATE SET statements = p.statements + excluded.statements, "
    "started_at = least(p.started_at, excluded.started_at), last_at = greatest(p.last_at, excluded.last_at), "
    "changed_at = greatest(p.changed_at, excluded.changed_at), withdrawn = p.withdrawn OR excluded.withdrawn, "
    "(completed_at, completed_by, score_scaled, completion_changed_at) = (SELECT "
    "CASE WHEN earlier THEN excluded.completed_at ELSE p.completed_at END, "
    "CASE WHEN earlier THEN excluded.completed_by ELSE p.completed_by END, "
    "CASE WHEN earlier THEN excluded.score_scaled ELSE p.score_scaled END, "
    "CASE WHEN earlier THEN excluded.completion_changed_at ELSE p.completion_changed_at END "
    "FROM (SELECT p.completed_at IS NULL OR coalesce((excluded.completed_at, excluded.completed_by) "
    "< (p.completed_at, p.completed_by), false) AS earlier) AS t) "
    "RETURNING user_id, lesson_id, withdrawn) "
    "SELECT n.statement_id, n.user_id, n.lesson_id, n.completes, n.voided, n.score_scaled, n.occurred_at, "
    "coalesce(g.withdrawn, false) AS again FROM new n "
    "LEFT JOIN progressed g ON g.user_id = n.user_id AND g.lesson_id = n.lesson_id"
)
# The earliest of several voiding statements counts, in whatever order they come.
_INSERT_VOIDS = text(
    "INSERT INTO records.statement_voids AS v (target_id, voided_by, voided_at, known_from) "
    "SELECT target_id, voided_by, :at, known_from FROM unnest(CAST(:targets AS uuid[]), CAST(:voiders AS uuid[]), "
    "CAST(:known AS timestamptz[])) AS g (target_id, voided_by, known_from) ORDER BY target_id "
    "ON CONFLICT (target_id) DO UPDATE SET voided_by = excluded.voided_by, known_from = excluded.known_from "
    "WHERE v.known_from IS NULL OR (excluded.known_from, excluded.voided_by) < (v.known_from, v.voided_by)"
)
_MARK_VOIDED = text(
    "WITH marked AS (UPDATE records.statements_flat f SET voided = true, voided_from = v.known_from "
    "FROM records.statement_voids v WHERE f.statement_id = ANY(CAST(:targets AS uuid[])) "
    f"AND v.target_id = f.statement_id AND f.verb_id <> '{VOIDED}' "
    "AND (NOT f.voided OR f.voided_from IS DISTINCT FROM v.known_from) "
    "RETURNING f.statement_id, f.user_id, f.lesson_id) "
    "SELECT user_id, lesson_id FROM marked UNION SELECT m.user_id, m.lesson_id FROM records.former_matches m "
    "JOIN marked USING (statement_id)"
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
    "locked AS MATERIALIZED (SELECT r.statement_id, r.attempts, r.authority, r.revived, r.state = 'done' AS lost "
    "FROM records.statements_raw r "
    "WHERE r.statement_id IN (SELECT statement_id FROM waiting UNION SELECT statement_id FROM missing) "
    "AND r.state <> 'dead' ORDER BY r.statement_id LIMIT :limit FOR UPDATE OF r SKIP LOCKED) "
    "SELECT l.statement_id, s.payload::text AS payload, l.attempts, l.authority, l.revived, l.lost "
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
        """Accounts with one of the proved e-mail addresses or pseudonyms, through identity's view."""
        by_email, by_avatar = sorted(set(emails)), sorted(set(avatars))
        if not by_email and not by_avatar:
            return ()
        since = func.nullif(directory.c.matches_from, literal_column("'-infinity'::timestamptz")).label("since")
        columns = select(directory.c.user_id, directory.c.proved_email, directory.c.avatar, since)
        addressed = directory.c.proved_email == bindparam("emails", by_email, type_=ARRAY(Text)).any_()
        query = columns.where(addressed).union(
            columns.where(directory.c.avatar == bindparam("avatars", by_avatar, type_=ARRAY(Text)).any_())
        )
        return [Person(*row) for row in await self._connection.execute(query)]

    async def insert(
        self,
        rows: Sequence[tuple[FlatRow, UUID | None, UUID | None]],
        processed_at: datetime,
        *,
        known_from: Mapping[UUID, datetime],
        recount: bool,
    ) -> tuple[Sequence[MatchedStatement], set[Pair]]:
        """Insert (row, user, lesson) in order of id; returns the rows that were new, and whose progress has to be
        counted again: with `recount` that of all of them.

        `known_from` has since when the store knows them, for those that were stored in a past that was reported on.
        """
        if not rows:
            return (), set()
        body = to_json([_flat(*row, processed_at, known_from) for row in rows]).decode()
        found = (await self._connection.execute(_INSERT, {"rows": body, "recount": recount})).all()
        again = pairs_of((row.user_id, row.lesson_id) for row in found if row.again)
        return [MatchedStatement(*row[:7]) for row in found], again

    async def void(self, voids: Mapping[UUID, Voider], at: datetime) -> set[Pair]:
        """Register which statement voids a target and mark targets that are here already; returns whose progress has
        to be counted again.
        """
        if not voids:
            return set()
        targets = sorted(voids)
        values = {
            "targets": targets,
            "voiders": [voids[target].statement_id for target in targets],
            "known": [voids[target].known_from for target in targets],
            "at": at,
        }
        await self._connection.execute(_INSERT_VOIDS, values)
        rows = await self._connection.execute(_MARK_VOIDED, {"targets": targets})
        return pairs_of((row.user_id, row.lesson_id) for row in rows)

    async def pending(self, *, after: UUID | None, since: datetime, limit: int) -> Sequence[PendingStatement]:
        """Raw statements without a flat row in order of id, locked: known as pending, or stored after `since`."""
        values = {"after": after or _NIL, "limit": limit, "since": since}
        found = await self._connection.execute(_PENDING, values)
        return [
            PendingStatement(
                row.statement_id, _object(row.payload), row.attempts, row.authority, revived=row.revived, lost=row.lost
            )
            for row in found
        ]

    async def mark(self, ids: Iterable[UUID], state: str, error: str | None = None) -> None:
        """Set the state of raw statements and count the attempt."""
        await self._connection.execute(_MARK, {"ids": list(ids), "state": state, "error": error})


def _object(body: str) -> Mapping[str, object]:
    found = read_json(body)
    return found if isinstance(found, dict) else {}


def _flat(
    row: FlatRow,
    user_id: UUID | None,
    lesson_id: UUID | None,
    processed_at: datetime,
    known_from: Mapping[UUID, datetime],
) -> dict[str, object]:
    flat = row.flat
    known = known_from.get(flat.statement_id)
    return {
        "statement_id": flat.statement_id,
        "user_id": user_id,
        "lesson_id": lesson_id,
        "known_from": known if known is not None and known > flat.stored_at else None,
        "stored_at": flat.stored_at,
        "processed_at": processed_at,
        **flat_columns(row),
    }


def flat_columns(row: FlatRow) -> dict[str, object]:
    """The columns of a flat row that its statement alone decides."""
    flat = row.flat
    return {
        "actor_key": flat.actor_key,
        "actor_email": row.actor_email,
        "actor_account": row.actor_account,
        "actor_name": flat.actor_name,
        "verb_id": flat.verb_id,
        "verb_display": flat.verb_display,
        "object_id": flat.object_id,
        "object_name": flat.object_name,
        "object_type": flat.object_type,
        "lesson_url": row.lesson_url,
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
        "is_question": flat.is_question,
        "occurred_at": flat.occurred_at,
    }
