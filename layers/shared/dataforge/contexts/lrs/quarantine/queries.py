"""What is in quarantine, for administrators."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.quarantine.domain import KeptEntry, QuarantineEntry, QuarantineState, Reason, state_of
from dataforge.kernel.errors import NotFound, Violation
from dataforge.kernel.paging import Page
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict
from dataforge.platform.db.keyset_lists import keyset, where

_SHOWN = (
    "q.id, q.reason, CASE WHEN q.replayed_at IS NOT NULL THEN 'replayed' WHEN q.discarded_at IS NOT NULL "
    "THEN 'discarded' ELSE 'waiting' END AS state, q.error, q.pointer, jsonb_array_length(q.violations) AS violations, "
    "q.credential, q.statement_id, q.content_type, q.body_bytes, q.repeats, q.received_at, q.replayed_at, "
    "q.replay_ids AS statement_ids, q.discarded_at"
)
_STATES = {
    QuarantineState.WAITING: "q.replayed_at IS NULL AND q.discarded_at IS NULL",
    QuarantineState.REPLAYED: "q.replayed_at IS NOT NULL",
    QuarantineState.DISCARDED: "q.discarded_at IS NOT NULL AND q.replayed_at IS NULL",
}
_RAW = text("SELECT payload::text FROM lrs.statements WHERE statement_id = :id")
_STORED = text(
    "SELECT EXISTS (SELECT FROM records.statements_raw WHERE statement_id = ANY(CAST(:ids AS uuid[]))) "
    "OR EXISTS (SELECT FROM lrs.pending_statements WHERE statement_id = ANY(CAST(:ids AS uuid[])))"
)


@dataclass(frozen=True, slots=True)
class QuarantineFilter:
    """Which entries are asked for; the times are those of their arrival."""

    reason: Reason | None = None
    state: QuarantineState | None = None
    credential: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def list_quarantine(
    connection: AsyncConnection, asked: QuarantineFilter, *, after: tuple[Any, ...] | None, limit: int
) -> Page[dict[str, Any]]:
    """Entries, newest first."""
    conditions, values = [], dict[str, Any]()
    for name, condition in (
        ("reason", "q.reason = :reason"),
        ("credential", "q.credential = :credential"),
        ("since", "q.received_at >= :since"),
        ("until", "q.received_at < :until"),
    ):
        if (value := getattr(asked, name)) is not None:
            conditions.append(condition)
            values[name] = value
    if asked.state is not None:
        conditions.append(f"({_STATES[asked.state]})")
    if after is not None:
        conditions.append("(q.received_at, q.id) < (CAST(:at AS timestamptz), CAST(:id AS uuid))")
        values |= {"at": datetime.fromisoformat(str(after[0])), "id": UUID(str(after[1]))}
    sql = f"SELECT {_SHOWN} FROM records.quarantine q {where(conditions)} ORDER BY q.received_at DESC, q.id DESC"
    return await keyset(connection, sql, values, key=("received_at", "id"), limit=limit)


async def entries_with_bodies(connection: AsyncConnection) -> list[tuple[UUID, str]]:
    """Every entry whose body is kept, and where."""
    query = text("SELECT id, s3_key FROM records.quarantine WHERE s3_key IS NOT NULL ORDER BY received_at, id")
    return [(row.id, row.s3_key) for row in await connection.execute(query)]


async def entry_facts(connection: AsyncConnection, entry_id: UUID) -> dict[str, Any]:
    """One entry with every violation; raises NotFound."""
    query = text(
        f"SELECT {_SHOWN.replace('jsonb_array_length(q.violations) AS violations', 'q.violations')}, q.s3_key "
        "FROM records.quarantine q WHERE q.id = :id"
    )
    row = (await connection.execute(query, {"id": entry_id})).one_or_none()
    if row is None:
        raise NotFound(_missing(entry_id))
    return row_dict(row)


async def kept_entry(connection: AsyncConnection, entry_id: UUID) -> KeptEntry:
    """One entry as commands see it; raises NotFound."""
    row = (
        await connection.execute(text("SELECT * FROM records.quarantine WHERE id = :id"), {"id": entry_id})
    ).one_or_none()
    if row is None:
        raise NotFound(_missing(entry_id))
    violations = [Violation(str(item["pointer"]), str(item["message"]), str(item["rule"])) for item in row.violations]
    entry = QuarantineEntry(
        row.body_sha256,
        row.s3_key,
        Reason(row.reason),
        row.error,
        row.pointer,
        row.statement_id,
        row.request_id,
        row.credential,
        violations,
        row.content_type,
        row.xapi_version,
        row.body_bytes,
    )
    state = state_of(row.replayed_at, row.discarded_at)
    return KeptEntry(row.id, state, entry, row.received_at, row.replay_sha256, tuple(row.replay_ids))


def _missing(entry_id: UUID) -> str:
    return Text("There is no entry {entry_id} in quarantine.", entry_id=entry_id)


async def raw_body(connection: AsyncConnection, statement_id: UUID) -> bytes | None:
    """The statement as it is stored; None when it could not be."""
    found = (await connection.execute(_RAW, {"id": statement_id})).scalar()
    return None if found is None else str(found).encode()


async def any_stored(connection: AsyncConnection, ids: Sequence[UUID]) -> bool:
    """Whether one of the statements was accepted."""
    return bool(ids) and bool((await connection.execute(_STORED, {"ids": list(ids)})).scalar_one())
