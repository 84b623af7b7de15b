"""Events that were dealt with."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.academics.tables import consumed_events


class ConsumedEvents:
    """Which events a consumer has dealt with."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def first_time(self, consumer: str, event_id: UUID, now: datetime) -> bool:
        """Register the event; False when it was registered before."""
        statement = (
            upsert(consumed_events)
            .values(consumer=consumer, event_id=event_id, consumed_at=now)
            .on_conflict_do_nothing()
            .returning(consumed_events.c.event_id)
        )
        return (await self._connection.execute(statement)).first() is not None

    async def forget(self, before: datetime) -> int:
        """Forget events registered before that time; returns their number."""
        statement = delete(consumed_events).where(consumed_events.c.consumed_at < before)
        return (await self._connection.execute(statement)).rowcount
