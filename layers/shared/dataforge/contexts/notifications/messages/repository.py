"""The write SQL of messages."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.dialects.postgresql import insert
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
    "FROM (SELECT id FROM notifications.messages WHERE not_before <= :now "
    "AND (status = 'pending' OR (status = 'sending' AND claimed_at < :stale)) "
    "ORDER BY not_before, id LIMIT :limit FOR UPDATE SKIP LOCKED) found "
    "WHERE m.id = found.id RETURNING m.id, m.user_id, m.kind, m.local_date, m.attempts, m.content"
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
        statement = insert(messages).on_conflict_do_nothing(index_elements=["dedupe_key"]).returning(messages.c.id)
        stamped = [{**row, "created_at": self._now} for row in rows]
        return len((await self._connection.scalars(statement, stamped)).all())

    async def claim(self, limit: int) -> Sequence[Message]:
        """Take messages whose time has come and that no other sender has, also those of one that was killed."""
        values = {"now": self._now, "stale": self._now - CLAIM, "limit": limit}
        return [
            Message(row.id, row.user_id, row.kind, row.local_date, row.attempts, row.content)
            for row in await self._connection.execute(_CLAIM, values)
        ]

    async def record(self, message: Message, outcome: Outcome) -> Status:
        """Write what became of a claimed message; returns where it is now."""
        changes = self._changes(message, outcome)
        mine = (messages.c.id == message.id) & (messages.c.attempts == message.attempts)
        await self._connection.execute(update(messages).where(mine).values(**changes, claimed_at=None))
        return Status(changes["status"])

    def _changes(self, message: Message, outcome: Outcome) -> dict[str, Any]:
        match outcome:
            case Sent(provider_id):
                return {"status": Status.SENT, "provider_id": provider_id, "sent_at": self._now, "last_error": None}
            case Dropped(status, reason):
                return {"status": status, "last_error": reason or None}
            case Postponed(until):
                return {"status": Status.PENDING, "not_before": until, "attempts": message.attempts - 1}
            case Failed(error):
                again = next_attempt(message.attempts, self._now)
                if again is None:
                    return {"status": Status.FAILED, "last_error": error}
                return {"status": Status.PENDING, "not_before": again, "last_error": error}

    async def drop_pending(self, user_id: UUID, kind: str, status: Status) -> None:
        """What has not been sent to somebody yet is not sent any more."""
        waiting = (messages.c.user_id == user_id) & (messages.c.kind == kind) & (messages.c.status == Status.PENDING)
        await self._connection.execute(update(messages).where(waiting).values(status=status))
