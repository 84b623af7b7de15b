"""The inbox: what makes a consumer idempotent whose work leaves the database, such as a mail."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.platform.db.tables import inbox


class Inbox:
    """Which events each consumer has dealt with, inside one transaction."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def first_time(self, consumer: str, event_id: UUID) -> bool:
        """Register the event; False when it was registered before. Two who try at once take turns."""
        statement = (
            upsert(inbox)
            .values(consumer=consumer, event_id=event_id, consumed_at=self._now)
            .on_conflict_do_nothing()
            .returning(inbox.c.event_id)
        )
        return (await self._connection.execute(statement)).first() is not None
