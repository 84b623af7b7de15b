"""Keys, references and what is voided, kept with the statements they are of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.search.domain import Found, found_by
from dataforge.contexts.lrs.statements.domain import VOIDED, read_statement, to_json

_REFERENCES_LOCK = 4101
MAX_STEPS = 50
"""How many references a statement is found through; a longer chain would cost its square in keys."""

_ADD_KEYS = text(
    "INSERT INTO lrs.statement_keys (key, stored_at, statement_id, via) "
    "SELECT key, stored_at, statement_id, via FROM json_to_recordset(CAST(:rows AS json)) "
    "AS r (statement_id uuid, stored_at timestamptz, via uuid, keys uuid[]), unnest(r.keys) AS key "
    "ON CONFLICT DO NOTHING"
)
_DELETE_KEYS = text(
    "DELETE FROM lrs.statement_keys k USING json_to_recordset(CAST(:rows AS json)) "
    "AS r (statement_id uuid, stored_at timestamptz, via uuid, keys uuid[]), unnest(r.keys) AS gone (key) "
    "WHERE k.key = gone.key AND k.stored_at = r.stored_at AND k.statement_id = r.statement_id AND k.via = r.via"
)
_DELETE_REFERENCES = text("DELETE FROM lrs.statement_references WHERE statement_id = ANY(CAST(:ids AS uuid[]))")
_UNAPPLY_VOIDS = text(
    "UPDATE records.statement_voids SET applies = false WHERE target_id = ANY(CAST(:ids AS uuid[])) AND applies"
)
_DELETE_VOIDS = text("DELETE FROM records.statement_voids WHERE voided_by = ANY(CAST(:ids AS uuid[])) AND NOT applies")
_REFERENCED = text("SELECT DISTINCT key FROM lrs.statement_keys WHERE key = ANY(CAST(:keys AS uuid[]))")
_ADD_REFERENCES = text(
    "INSERT INTO lrs.statement_references (statement_id, target_id) "
    "SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:targets AS uuid[])) ON CONFLICT DO NOTHING"
)
_TARGETS = text("SELECT DISTINCT target_id FROM lrs.statement_references WHERE target_id = ANY(CAST(:ids AS uuid[]))")
_REACHED = text(
    "WITH RECURSIVE origins AS (SELECT unnest(CAST(:ids AS uuid[])) AS id), "
    "up (origin, id, step) AS (SELECT id, id, 0 FROM origins UNION "
    "SELECT up.origin, r.statement_id, up.step + 1 FROM up "
    f"JOIN lrs.statement_references r ON r.target_id = up.id WHERE up.step < {MAX_STEPS}), "
    "down (origin, id, step) AS (SELECT id, id, 0 FROM origins UNION "
    "SELECT down.origin, r.target_id, down.step + 1 FROM down "
    f"JOIN lrs.statement_references r ON r.statement_id = down.id WHERE down.step < {MAX_STEPS}), "
    "pairs AS (SELECT DISTINCT up.id AS statement_id, down.id AS via FROM up JOIN down USING (origin) "
    f"WHERE up.id <> down.id AND up.step + down.step <= {MAX_STEPS}) "
    "SELECT p.statement_id, s.stored_at, p.via, t.payload::text AS payload FROM pairs p "
    "JOIN records.statements_raw s ON s.statement_id = p.statement_id "
    "JOIN lrs.statements t ON t.statement_id = p.via"
)
_ADD_VOIDS = text(
    "INSERT INTO records.statement_voids (target_id, voided_by, voided_at) "
    "SELECT target_id, voided_by, clock_timestamp() "
    "FROM unnest(CAST(:targets AS uuid[]), CAST(:voiders AS uuid[])) AS v (target_id, voided_by) "
    "ORDER BY target_id ON CONFLICT DO NOTHING"
)
# Data 2.3.2: a voiding statement cannot itself be voided.
_APPLY_VOIDS = text(
    "UPDATE records.statement_voids v SET applies = true FROM lrs.statements r "
    "WHERE v.target_id = ANY(CAST(:ids AS uuid[])) AND NOT v.applies AND r.statement_id = v.target_id "
    f"AND r.payload #>> '{{verb,id}}' <> '{VOIDED}'"
)
_UNKEYED = text(
    "WITH waiting AS MATERIALIZED (SELECT statement_id FROM records.statements_raw WHERE NOT keyed "
    "ORDER BY statement_id LIMIT :limit FOR UPDATE SKIP LOCKED) "
    "SELECT statement_id, stored_at, payload::text AS payload FROM waiting JOIN lrs.statements USING (statement_id) "
    "ORDER BY statement_id"
)
_MARK_KEYED = text("UPDATE records.statements_raw SET keyed = true WHERE statement_id = ANY(CAST(:ids AS uuid[]))")


@dataclass(frozen=True, slots=True)
class UnkeyedStatement:
    """A stored statement that is not found by anything yet."""

    statement_id: UUID
    stored_at: datetime
    payload: str


class StatementIndex:
    """What stored statements are found by, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock_references(self, *, exclusive: bool) -> None:
        """Transactions with a statement about another one wait for all others, so that neither overlooks the other."""
        function = "pg_advisory_xact_lock" if exclusive else "pg_advisory_xact_lock_shared"
        await self._connection.execute(text(f"SELECT {function}({_REFERENCES_LOCK})"))

    async def add(self, found: Sequence[Found]) -> None:
        """Let stored statements be found, also through the statements that refer to them; void what they void."""
        if not found:
            return
        await self._add_keys((item.statement_id, item.stored_at, item.statement_id, item.keys) for item in found)
        references = {item.statement_id: item.refers_to for item in found if item.refers_to is not None}
        if references:
            values = {"ids": list(references), "targets": list(references.values())}
            await self._connection.execute(_ADD_REFERENCES, values)
        ids = [item.statement_id for item in found]
        targets = (await self._connection.execute(_TARGETS, {"ids": ids})).scalars()
        await self._reach({*references, *targets})
        await self._void({item.refers_to: item.statement_id for item in found if item.voids and item.refers_to}, ids)

    async def remove(self, found: Sequence[Found]) -> None:
        """Let statements that are about to go be found no longer, themselves and through others.

        What they void stays voided, unless that goes too; one that is voided is voided again when it comes again.
        """
        ids = [item.statement_id for item in found]
        await self._delete_keys((item.statement_id, item.stored_at, item.statement_id, item.keys) for item in found)
        await self._unreach({item.statement_id for item in found if item.refers_to is not None}, ids)
        await self._connection.execute(_DELETE_REFERENCES, {"ids": ids})
        await self._connection.execute(_UNAPPLY_VOIDS, {"ids": ids})
        await self._connection.execute(_DELETE_VOIDS, {"ids": ids})

    async def replace(self, before: Sequence[Found], after: Sequence[Found]) -> None:
        """Let statements be found by other keys than before; they refer to the same as before."""
        ids = [item.statement_id for item in before]
        await self._delete_keys((item.statement_id, item.stored_at, item.statement_id, item.keys) for item in before)
        await self._add_keys((item.statement_id, item.stored_at, item.statement_id, item.keys) for item in after)
        old, new = ({item.statement_id: item.keys for item in part} for part in (before, after))
        targets = set((await self._connection.execute(_TARGETS, {"ids": ids})).scalars())
        if targets:
            rows = (await self._connection.execute(_REACHED, {"ids": sorted(targets)})).all()
            through = [row for row in rows if row.via in old]
            await self._delete_keys((row.statement_id, row.stored_at, row.via, old[row.via]) for row in through)
            await self._add_keys((row.statement_id, row.stored_at, row.via, new[row.via]) for row in through)

    async def referenced(self, keys: Sequence[UUID]) -> set[UUID]:
        """Which of the keys any statement is found by."""
        return set((await self._connection.execute(_REFERENCED, {"keys": list(keys)})).scalars())

    async def _unreach(self, referring: set[UUID], ids: Sequence[UUID]) -> None:
        targets = (await self._connection.execute(_TARGETS, {"ids": list(ids)})).scalars()
        origins = {*referring, *targets}
        if not origins:
            return
        rows = (await self._connection.execute(_REACHED, {"ids": sorted(origins)})).all()
        keys = {row.via: found_by(row.via, row.stored_at, read_statement(row.payload)).keys for row in rows}
        await self._delete_keys((row.statement_id, row.stored_at, row.via, keys[row.via]) for row in rows)

    async def _delete_keys(self, rows: Iterable[tuple[UUID, datetime, UUID, frozenset[UUID]]]) -> None:
        if (listed := _listed(rows)) is not None:
            await self._connection.execute(_DELETE_KEYS, {"rows": listed})

    async def _reach(self, ids: set[UUID]) -> None:
        if not ids:
            return
        rows = (await self._connection.execute(_REACHED, {"ids": sorted(ids)})).all()
        keys = {row.via: found_by(row.via, row.stored_at, read_statement(row.payload)).keys for row in rows}
        await self._add_keys((row.statement_id, row.stored_at, row.via, keys[row.via]) for row in rows)

    async def _void(self, voids: dict[UUID, UUID], ids: Sequence[UUID]) -> None:
        if voids:
            await self._connection.execute(_ADD_VOIDS, {"targets": list(voids), "voiders": list(voids.values())})
        await self._connection.execute(_APPLY_VOIDS, {"ids": [*ids, *voids]})

    async def _add_keys(self, rows: Iterable[tuple[UUID, datetime, UUID, frozenset[UUID]]]) -> None:
        if (listed := _listed(rows)) is not None:
            await self._connection.execute(_ADD_KEYS, {"rows": listed})

    async def unkeyed(self, *, limit: int) -> Sequence[UnkeyedStatement]:
        """Stored statements that are not found by anything yet, locked."""
        rows = await self._connection.execute(_UNKEYED, {"limit": limit})
        return [UnkeyedStatement(row.statement_id, row.stored_at, row.payload) for row in rows]

    async def mark_keyed(self, ids: Sequence[UUID]) -> None:
        """They are found by all that they can be found by."""
        await self._connection.execute(_MARK_KEYED, {"ids": list(ids)})


def _listed(rows: Iterable[tuple[UUID, datetime, UUID, frozenset[UUID]]]) -> str | None:
    """Rows of keys as one JSON parameter; None when there are none."""
    names = ("statement_id", "stored_at", "via", "keys")
    listed = [dict(zip(names, (*row[:3], sorted(row[3])), strict=True)) for row in rows]
    return to_json(listed).decode() if listed else None
