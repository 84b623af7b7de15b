"""Launches."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, insert, select, update
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
        return await self._lock(launches.c.token_hash == token_hash)

    async def lock_id(self, launch_id: UUID) -> dict[str, Any] | None:
        """A launch; None when there is none."""
        return await self._lock(launches.c.id == launch_id)

    async def _lock(self, which: ColumnElement[bool]) -> dict[str, Any] | None:
        row = (await self._connection.execute(select(launches).where(which).with_for_update())).one_or_none()
        return None if row is None else row_dict(row)

    async def expire(self, launch_id: UUID) -> None:
        """Let a launch be over now, if it was not before."""
        where = (launches.c.id == launch_id) & (launches.c.expires_at > self._now)
        await self._connection.execute(update(launches).where(where).values(expires_at=self._now))

    async def mark_fetched(self, launch_id: UUID) -> None:
        """The credential was given out."""
        await self._connection.execute(update(launches).where(launches.c.id == launch_id).values(fetched_at=self._now))
