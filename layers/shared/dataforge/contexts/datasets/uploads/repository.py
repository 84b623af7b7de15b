"""The write SQL of uploads."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.datasets.tables import uploads
from dataforge.contexts.datasets.uploads.domain import UploadNotFound
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict


class Uploads:
    """Uploads in `datasets.uploads`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, values: Mapping[str, Any]) -> None:
        """Insert an open upload."""
        await self._connection.execute(insert(uploads).values(**values))

    async def lock(self, dataset_id: UUID, upload_id: UUID) -> Mapping[str, Any]:
        """The row, locked; raises UploadNotFound."""
        query = select(uploads).where(uploads.c.dataset_id == dataset_id, uploads.c.id == upload_id).with_for_update()
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            message = Text("There is no upload {upload_id} in this dataset.", upload_id=upload_id)
            raise UploadNotFound(message)
        return row_dict(row)

    async def update(self, upload_id: UUID, changes: Mapping[str, Any]) -> None:
        """Write the changes."""
        await self._connection.execute(update(uploads).where(uploads.c.id == upload_id).values(**changes))

    async def abort_expired(self, now: datetime) -> int:
        """Abort open uploads whose time is over; how many."""
        expired = update(uploads).where(uploads.c.state == "open", uploads.c.expires_at < now)
        return (await self._connection.execute(expired.values(state="aborted"))).rowcount
