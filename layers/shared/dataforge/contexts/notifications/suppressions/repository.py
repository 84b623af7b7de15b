"""The write SQL of suppressions."""

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.notifications.suppressions.domain import Reason, Scope
from dataforge.contexts.notifications.tables import suppressions


class Suppressions:
    """Suppressions in `notifications.suppressions`."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def add(self, email_hash: str, scope: Scope, reason: Reason) -> bool:
        """Suppress an address; False when it was already."""
        statement = (
            insert(suppressions)
            .values(email_hash=email_hash, scope=scope.value, reason=reason.value, at=self._now)
            .on_conflict_do_nothing()
            .returning(suppressions.c.at)
        )
        return (await self._connection.scalar(statement)) is not None
