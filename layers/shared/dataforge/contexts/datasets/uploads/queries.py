"""Uploads."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.datasets.tables import uploads
from dataforge.contexts.datasets.uploads.domain import UploadNotFound
from dataforge.kernel.paging import Page
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict


async def get_upload(connection: AsyncConnection, dataset_id: UUID, upload_id: UUID) -> dict[str, Any]:
    """An upload of a dataset; raises UploadNotFound."""
    query = select(uploads).where(uploads.c.dataset_id == dataset_id, uploads.c.id == upload_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        message = Text("There is no upload {upload_id} in this dataset.", upload_id=upload_id)
        raise UploadNotFound(message)
    return row_dict(row)


async def list_uploads(
    connection: AsyncConnection, dataset_id: UUID, *, after: tuple[Any, ...] | None, limit: int
) -> Page[dict[str, Any]]:
    """Uploads, newest first."""
    query = select(uploads).where(uploads.c.dataset_id == dataset_id).order_by(uploads.c.id.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(uploads.c.id < UUID(after[0]))
    rows = [row_dict(row) for row in await connection.execute(query)]
    more = len(rows) > limit
    rows = rows[:limit]
    return Page(rows, (str(rows[-1]["id"]),) if more else None)


async def upload_by_key(connection: AsyncConnection, key: str) -> dict[str, Any] | None:
    """The upload whose object has this key."""
    row = (await connection.execute(select(uploads).where(uploads.c.s3_key == key))).one_or_none()
    return None if row is None else row_dict(row)
