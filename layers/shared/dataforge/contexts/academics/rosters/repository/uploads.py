"""Announced roster uploads."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.academics.rosters.domain.uploads import AnnouncedUpload
from dataforge.contexts.academics.tables import roster_uploads


class RosterUploads:
    """Uploads in `academics.roster_uploads`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, values: Mapping[str, Any]) -> None:
        """Insert."""
        await self._connection.execute(insert(roster_uploads).values(**values))

    async def find(self, key: str) -> AnnouncedUpload | None:
        """The upload with this key."""
        query = select(roster_uploads).where(roster_uploads.c.s3_key == key)
        row = (await self._connection.execute(query)).one_or_none()
        return None if row is None else AnnouncedUpload(row.id, row.s3_key, row.size_bytes, row.sha256)

    async def forget(self, before: datetime) -> int:
        """Delete uploads announced before that time; returns their number."""
        statement = delete(roster_uploads).where(roster_uploads.c.created_at < before)
        return (await self._connection.execute(statement)).rowcount
