"""Events that were given up are tried again."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.operations.outbox.domain import EventNotFound, EventNotRetryable
from dataforge.kernel.texts import Text
from dataforge.platform.db.tables import outbox


async def revive(connection: AsyncConnection, event_id: UUID, now: datetime) -> str:
    """Have an event that was given up relayed again; its name. Raises EventNotFound, EventNotRetryable."""
    row = (
        await connection.execute(
            select(outbox.c.name, outbox.c.dead_at).where(outbox.c.id == event_id).with_for_update()
        )
    ).one_or_none()
    if row is None:
        message = Text("There is no event {event_id}.", event_id=event_id)
        raise EventNotFound(message)
    if row.dead_at is None:
        message = Text("The event {event_id} was not given up.", event_id=event_id)
        raise EventNotRetryable(message)
    await connection.execute(
        update(outbox).where(outbox.c.id == event_id).values(dead_at=None, attempts=0, next_attempt_at=now)
    )
    return str(row.name)
