"""Launches."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.learning.launches.domain import PlannedLaunch
from dataforge.contexts.learning.tables import launches
from dataforge.platform.db.database import row_dict


class Launches:
    """Launches inside one transaction."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def add(self, planned: PlannedLaunch) -> None:
        """Store a launch."""
        launch = planned.launch
        values = {
            "id": launch.session_id,
            "lesson_id": planned.lesson_id,
            "user_id": planned.user_id,
            "registration": launch.registration,
            "launch_mode": launch.launch_mode,
            "token_hash": planned.token_hash,
            "created_at": self._now,
            "expires_at": launch.expires_at,
        }
        await self._connection.execute(insert(launches).values(**values))

    async def lock(self, token_hash: str) -> dict[str, Any] | None:
        """The launch that a token is of; None when it is of none."""
        query = select(launches).where(launches.c.token_hash == token_hash).with_for_update()
        row = (await self._connection.execute(query)).one_or_none()
        return None if row is None else row_dict(row)

    async def mark_fetched(self, launch_id: UUID) -> None:
        """The credential was given out."""
        await self._connection.execute(update(launches).where(launches.c.id == launch_id).values(fetched_at=self._now))
