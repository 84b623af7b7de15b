"""The write SQL of messages."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import delete, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.notifications.messages.domain import (
    CLAIM,
    Dropped,
    Failed,
    Message,
    Outcome,
    Postponed,
    Sent,
    Status,
    next_attempt,
)
from dataforge.contexts.notifications.tables import messages

_CLAIM = text(
    "UPDATE notifications.messages m SET status = 'sending', claimed_at = :now, attempts = m.attempts + 1 "
    "FROM (SELECT id FROM notifications.messages WHERE not_before <= :now AND kind = ANY(:kinds) "
    "AND (status = 'pending' OR (status = 'sending' AND claimed_at < :stale)) "
    "ORDER BY not_before, id LIMIT :limit FOR UPDATE SKIP LOCKED) found "
    "WHERE m.id = found.id RETURNING m.id, m.user_id, m.kind, m.local_date, m.attempts, m.content, m.address"
)
# One statement for twenty thousand rows, with a parameter for each column.
_ADD = text(
    "INSERT INTO notifications.messages (id, user_id, kind, local_date, dedupe_key, content, status, not_before, "
    "last_error, address, created_at) SELECT n.*, :now FROM unnest(CAST(:id AS uuid[]), CAST(:user_id AS uuid[]), "
    "CAST(:kind AS text[]), CAST(:local_date AS date[]), CAST(:dedupe_key AS text[]), CAST(:content AS jsonb[]), "
    "CAST(:status AS text[]), CAST(:not_before AS timestamptz[]), CAST(:last_error AS text[]), "
    "CAST(:address AS text[])) n "
    "ON CONFLICT (dedupe_key) DO NOTHING"
)
_COLUMNS = (
    *("id", "user_id", "kind", "local_date", "dedupe_key", "content", "status", "not_before", "last_error", "address"),
)
# A message that another sender has claimed in the meantime is left to it.
_RECORD = text(
    "UPDATE notifications.messages m SET status = r.status, provider_id = coalesce(r.provider_id, m.provider_id), "
    "sent_at = coalesce(r.sent_at, m.sent_at), last_error = r.error, "
    "not_before = coalesce(r.not_before, m.not_before), attempts = r.attempts_left, claimed_at = NULL, "
    # What it said, and to whom, is nobody's business afterwards.
    "content = CASE WHEN r.status = 'pending' THEN m.content ELSE '{}' END, "
    "address = CASE WHEN r.status = 'pending' THEN m.address END "
    "FROM unnest(CAST(:id AS uuid[]), CAST(:attempts AS int[]), "
    "CAST(:attempts_left AS int[]), CAST(:status AS text[]), CAST(:provider_id AS text[]), "
    "CAST(:sent_at AS timestamptz[]), CAST(:error AS text[]), CAST(:not_before AS timestamptz[])) "
    "r(id, attempts, attempts_left, status, provider_id, sent_at, error, not_before) "
    "WHERE m.id = r.id AND m.attempts = r.attempts AND m.status = 'sending'"
)


class Messages:
    """Messages in `notifications.messages`."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def add(self, rows: Sequence[dict[str, Any]]) -> int:
        """Insert those whose `dedupe_key` is new; returns how many they are."""
        if not rows:
            return 0
        columns = {name: [row.get(name) for row in rows] for name in _COLUMNS}
        columns["content"] = [Jsonb(content) for content in columns["content"]]
        return (await self._connection.execute(_ADD, {**columns, "now": self._now})).rowcount

    async def claim(self, limit: int, kinds: Collection[str]) -> Sequence[Message]:
        """Take messages whose time has come and that no other sender has, also those of one that was killed."""
        values = {"now": self._now, "stale": self._now - CLAIM, "limit": limit, "kinds": sorted(kinds)}
        return [
            Message(row.id, row.user_id, row.kind, row.local_date, row.attempts, row.content, row.address)
            for row in await self._connection.execute(_CLAIM, values)
        ]

    async def record(self, outcomes: Sequence[tuple[Message, Outcome]]) -> Sequence[Status]:
        """Write what became of claimed messages; returns where each is now."""
        rows = [self._row(message, outcome) for message, outcome in outcomes]
        if rows:
            await self._connection.execute(_RECORD, {name: [row[name] for row in rows] for name in rows[0]})
        return [Status(row["status"]) for row in rows]

    def _row(self, message: Message, outcome: Outcome) -> dict[str, Any]:
        row: dict[str, Any] = {
            "id": message.id,
            "attempts": message.attempts,
            "attempts_left": message.attempts,
            "status": Status.PENDING.value,
            **dict.fromkeys(("provider_id", "sent_at", "error", "not_before")),
        }
        match outcome:
            case Sent(provider_id):
                return row | {"status": Status.SENT.value, "provider_id": provider_id, "sent_at": self._now}
            case Dropped(status, reason):
                return row | {"status": status.value, "error": reason or None}
            case Postponed(until):
                return row | {"not_before": until, "attempts_left": message.attempts - 1}
            case Failed(error):
                again = next_attempt(message.attempts, self._now)
                status = Status.FAILED if again is None else Status.PENDING
                return row | {"status": status.value, "error": error, "not_before": again}

    async def drop_pending(self, user_id: UUID, kind: str, status: Status) -> None:
        """What has not been sent to somebody yet is not sent any more."""
        waiting = (messages.c.user_id == user_id) & (messages.c.kind == kind) & (messages.c.status == Status.PENDING)
        await self._connection.execute(update(messages).where(waiting).values(status=status))

    async def forget_old(self, before: datetime) -> int:
        """Delete what was decided on before an instant; how many. What a day must not repeat is younger."""
        done = messages.c.status.not_in((Status.PENDING, Status.SENDING))
        return (await self._connection.execute(delete(messages).where(messages.c.created_at < before, done))).rowcount
