"""The write SQL of what is in quarantine."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.quarantine.domain import (
    KEEP_ENDED,
    KEEP_REFUSED,
    MAX_KEPT_VIOLATIONS,
    UNDER_WAY,
    QuarantineEntry,
)
from dataforge.contexts.lrs.statements.domain import to_json
from dataforge.kernel.ids import uuid7

_COLUMNS = (
    "id, body_sha256, s3_key, reason, error, pointer, statement_id, request_id, credential, violations, content_type, "
    "xapi_version, body_bytes, received_at"
)
_ADD = text(
    f"INSERT INTO records.quarantine ({_COLUMNS}) VALUES (:id, :body_sha256, :s3_key, :reason, :error, :pointer, "
    ":statement_id, :request_id, :credential, CAST(:violations AS jsonb), :content_type, :xapi_version, :body_bytes, "
    "clock_timestamp()) "
    # What was discarded is there again when it comes again, and so is what was replayed and fails again.
    "ON CONFLICT (body_sha256, reason) DO UPDATE SET repeats = quarantine.repeats + 1, s3_key = excluded.s3_key, "
    "discarded_at = NULL, "
    "replayed_at = CASE WHEN excluded.reason = 'refused' THEN quarantine.replayed_at END, "
    "replay_sha256 = CASE WHEN excluded.reason = 'refused' THEN quarantine.replay_sha256 END"
)
_BEGIN_REPLAY = text(
    "UPDATE records.quarantine SET replay_sha256 = :sha, replay_ids = CAST(:ids AS uuid[]), "
    "replay_began_at = clock_timestamp() WHERE id = :id AND replayed_at IS NULL AND discarded_at IS NULL AND ("
    "replay_sha256 IS NULL OR replay_sha256 = :sha "
    "OR replay_began_at < clock_timestamp() - CAST(:patience AS interval))"
)
_GIVE_UP_REPLAY = text(
    "UPDATE records.quarantine SET replay_sha256 = NULL, replay_ids = '{}', replay_began_at = NULL "
    "WHERE id = :id AND replayed_at IS NULL"
)
_END_REPLAY = text(
    "UPDATE records.quarantine SET replayed_at = :now "
    "WHERE id = :id AND replay_sha256 = :sha AND replayed_at IS NULL AND discarded_at IS NULL"
)
_DISCARD = text(
    "UPDATE records.quarantine SET discarded_at = :now, s3_key = NULL "
    "WHERE id = :id AND replayed_at IS NULL AND discarded_at IS NULL"
)
_REVIVE = text(
    "UPDATE records.statements_raw SET state = 'pending', attempts = 0, error = NULL, revived = true "
    "WHERE statement_id = :id AND state = 'dead'"
)
_DUE = text(
    "SELECT id, s3_key FROM records.quarantine WHERE (reason = 'refused' AND received_at < :refused) "
    "OR replayed_at < :ended OR discarded_at < :ended ORDER BY received_at LIMIT :limit"
)
_FORGET = text("DELETE FROM records.quarantine WHERE id = ANY(CAST(:ids AS uuid[]))")
_UNUSED = text(
    "SELECT key FROM unnest(CAST(:keys AS text[])) AS key "
    "WHERE NOT EXISTS (SELECT 1 FROM records.quarantine q WHERE q.s3_key = key AND q.id <> ALL(CAST(:ids AS uuid[])))"
)
_COUNT_KEPT = text(
    "INSERT INTO lrs.kept_refusals AS r (credential, kept_on, kept) VALUES (:credential, CURRENT_DATE, 1) "
    "ON CONFLICT (credential) DO UPDATE SET kept_on = CURRENT_DATE, "
    "kept = CASE WHEN r.kept_on = CURRENT_DATE THEN r.kept ELSE 0 END + 1 RETURNING kept"
)


@dataclass(frozen=True, slots=True)
class Due:
    """An entry that has served its time."""

    id: UUID
    s3_key: str | None


class Quarantine:
    """What is in quarantine, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, entry: QuarantineEntry) -> None:
        """Register what is in quarantine; the same body for the same reason is registered once, and counted."""
        found = [
            {"pointer": item.pointer, "message": item.message, "rule": str(item.rule)}
            for item in entry.violations[:MAX_KEPT_VIOLATIONS]
        ]
        await self._connection.execute(
            _ADD,
            {
                "id": uuid7(),
                "body_sha256": entry.body_sha256,
                "s3_key": entry.s3_key,
                "reason": entry.reason,
                "error": entry.error[:2000],
                "pointer": entry.pointer,
                "statement_id": entry.statement_id,
                "request_id": entry.request_id,
                "credential": entry.credential,
                "violations": to_json(found).decode(),
                "content_type": entry.content_type[:200],
                "xapi_version": entry.xapi_version,
                "body_bytes": entry.body_bytes,
            },
        )

    async def begin_replay(self, entry_id: UUID, sha256: str, ids: Sequence[UUID]) -> bool:
        """Claim the entry for a replay of this body, which makes these statements; False while another one has it."""
        values = {"id": entry_id, "sha": sha256, "ids": list(ids), "patience": UNDER_WAY}
        return (await self._connection.execute(_BEGIN_REPLAY, values)).rowcount == 1

    async def give_up_replay(self, entry_id: UUID) -> None:
        """Let another body be replayed: this one was refused."""
        await self._connection.execute(_GIVE_UP_REPLAY, {"id": entry_id})

    async def end_replay(self, entry_id: UUID, sha256: str, now: datetime) -> bool:
        """Mark the entry as replayed; False if it is already, was discarded, or has failed again meanwhile."""
        values = {"id": entry_id, "sha": sha256, "now": now}
        return (await self._connection.execute(_END_REPLAY, values)).rowcount == 1

    async def discard(self, entry_id: UUID, now: datetime) -> bool:
        """Mark the entry as discarded and forget where its body is; False if it has ended already."""
        return (await self._connection.execute(_DISCARD, {"id": entry_id, "now": now})).rowcount == 1

    async def revive(self, statement_id: UUID) -> bool:
        """Let the incremental job flatten a dead statement again; False when there is none."""
        return (await self._connection.execute(_REVIVE, {"id": statement_id})).rowcount == 1

    async def due(self, now: datetime, *, limit: int) -> Sequence[Due]:
        """Entries that have served their time; what was accepted and waits for somebody is never among them."""
        values = {"refused": now - KEEP_REFUSED, "ended": now - KEEP_ENDED, "limit": limit}
        return [Due(row.id, row.s3_key) for row in await self._connection.execute(_DUE, values)]

    async def unused(self, keys: Sequence[str], ids: Sequence[UUID]) -> list[str]:
        """Those of the keys that no entry has but these."""
        return list((await self._connection.execute(_UNUSED, {"keys": list(keys), "ids": list(ids)})).scalars())

    async def forget(self, ids: Sequence[UUID]) -> None:
        """Delete entries."""
        await self._connection.execute(_FORGET, {"ids": list(ids)})


async def count_kept(connection: AsyncConnection, credential: str) -> int:
    """Count a refused request of a credential that is to be kept; returns how many that makes today."""
    return int((await connection.execute(_COUNT_KEPT, {"credential": credential})).scalar_one())
