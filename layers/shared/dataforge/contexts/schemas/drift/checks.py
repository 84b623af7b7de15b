"""Reads of checks for drift."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.schemas.tables import drift_checks, revisions, workspace_directory
from dataforge.platform.db.database import row_dict


async def workspaces_to_check(connection: AsyncConnection, before: datetime, *, limit: int) -> list[UUID]:
    """Workspaces that have deployed something and were not checked since, those that wait longest first."""
    known = select(revisions.c.workspace_id).distinct().subquery()
    query = (
        select(known.c.workspace_id)
        .join(workspace_directory, workspace_directory.c.workspace_id == known.c.workspace_id)
        .outerjoin(drift_checks, drift_checks.c.workspace_id == known.c.workspace_id)
        .where(or_(drift_checks.c.checked_at.is_(None), drift_checks.c.checked_at <= before))
        .order_by(func.coalesce(drift_checks.c.checked_at, before.min.replace(tzinfo=before.tzinfo)))
        .limit(limit)
    )
    return list((await connection.scalars(query)).all())


async def last_check(connection: AsyncConnection, workspace_id: UUID) -> dict[str, Any] | None:
    """When a workspace was checked last, and what was found; None when nobody has looked."""
    query = select(drift_checks).where(drift_checks.c.workspace_id == workspace_id)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else row_dict(row)
