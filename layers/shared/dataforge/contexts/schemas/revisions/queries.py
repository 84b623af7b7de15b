"""Reads of single revisions."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.schemas.deployments.domain import RevisionNotFound
from dataforge.contexts.schemas.tables import revisions
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict


async def find_revision(connection: AsyncConnection, workspace_id: UUID, number: int) -> dict[str, Any]:
    """A revision of the workspace, whole; raises RevisionNotFound."""
    query = select(revisions).where(revisions.c.workspace_id == workspace_id, revisions.c.number == number)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        message = Text("There is no revision {number} in this workspace.", number=number)
        raise RevisionNotFound(message)
    return row_dict(row)


async def find_by_fingerprint(
    connection: AsyncConnection, workspace_id: UUID, fingerprint: str
) -> dict[str, Any] | None:
    """The newest revision after which the schema was as this fingerprint says."""
    query = select(revisions).where(revisions.c.workspace_id == workspace_id, revisions.c.fingerprint == fingerprint)
    row = (await connection.execute(query.order_by(revisions.c.number.desc()).limit(1))).one_or_none()
    return None if row is None else row_dict(row)
