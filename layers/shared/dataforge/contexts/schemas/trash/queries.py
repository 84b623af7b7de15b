"""Reads of the trash."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.schemas.tables import trash
from dataforge.contexts.schemas.trash.domain import missing_item
from dataforge.kernel.paging import Page
from dataforge.platform.db.database import row_dict


async def list_items(
    connection: AsyncConnection, workspace_id: UUID, *, after: tuple[Any, ...] | None, limit: int
) -> Page[dict[str, Any]]:
    """What is in the trash of a workspace, newest first."""
    query = select(trash).where(trash.c.workspace_id == workspace_id)
    if after is not None:
        query = query.where(trash.c.id < UUID(after[0]))
    rows = [row_dict(row) for row in await connection.execute(query.order_by(trash.c.id.desc()).limit(limit + 1))]
    more = len(rows) > limit
    return Page(rows[:limit], (str(rows[limit - 1]["id"]),) if more else None)


async def find_item(connection: AsyncConnection, workspace_id: UUID, item_id: UUID) -> dict[str, Any]:
    """One thing in the trash; raises TrashItemNotFound."""
    query = select(trash).where(trash.c.id == item_id, trash.c.workspace_id == workspace_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise missing_item(item_id)
    return row_dict(row)


async def workspaces_to_empty(connection: AsyncConnection, now: datetime) -> list[UUID]:
    """The workspaces in whose trash something has been kept long enough, or shall go at once."""
    due = or_(trash.c.keep_until <= now, trash.c.end_asked_at.is_not(None))
    return list((await connection.scalars(select(trash.c.workspace_id).where(due).distinct())).all())
