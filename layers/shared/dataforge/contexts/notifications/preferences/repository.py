"""The write SQL of preferences."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.notifications.tables import calendar_events, messages, preferences
from dataforge.platform.db.reassign import reassign


class Preferences:
    """Preferences in `notifications.preferences`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def put(self, user_id: UUID, kind: str, *, wanted: bool) -> None:
        """Keep whether somebody wants messages of a kind."""
        statement = insert(preferences).values(user_id=user_id, kind=kind, wanted=wanted)
        await self._connection.execute(
            statement.on_conflict_do_update(index_elements=["user_id", "kind"], set_={"wanted": wanted})
        )


async def merge_recipients(connection: AsyncConnection, *, merged: UUID, kept: UUID) -> None:
    """Let what one account was sent, and is to be sent, be another's, whose own preferences and dates stay."""
    for column in (messages.c.user_id, preferences.c.user_id, calendar_events.c.user_id):
        await reassign(connection, column, before=merged, after=kept)
