"""Global resources of a person, and those that are shared with a workspace."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.workspaces.resources.domain import ResourceType, missing_resource
from dataforge.contexts.workspaces.tables import global_resources, workspace_global_resources
from dataforge.contexts.workspaces.workspaces.queries import seen_workspace
from dataforge.kernel.paging import Page
from dataforge.platform.db.database import row_dict

_shares = workspace_global_resources


async def get_resource(connection: AsyncConnection, resource_id: UUID, person: UUID) -> dict[str, Any]:
    """One's own resource; raises ResourceNotFound."""
    query = select(global_resources).where(global_resources.c.id == resource_id, global_resources.c.user_id == person)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise missing_resource(resource_id)
    return row_dict(row)


async def list_resources(
    connection: AsyncConnection,
    person: UUID,
    *,
    after: tuple[Any, ...] | None,
    limit: int,
    resource_type: ResourceType | None = None,
) -> Page[dict[str, Any]]:
    """One's own resources, oldest first."""
    query = select(global_resources).where(global_resources.c.user_id == person).order_by(global_resources.c.id)
    if after is not None:
        query = query.where(global_resources.c.id > UUID(after[0]))
    if resource_type is not None:
        query = query.where(global_resources.c.resource_type == resource_type.value)
    found = [row_dict(row) for row in await connection.execute(query.limit(limit + 1))]
    rows = found[:limit]
    return Page(rows, (str(rows[-1]["id"]),) if len(found) > limit else None)


_SHARED = select(global_resources, _shares.c.access_level, _shares.c.shared_at).join(
    _shares, _shares.c.resource_id == global_resources.c.id
)


async def get_shared_resource(
    connection: AsyncConnection, workspace_id: UUID, resource_id: UUID, person: UUID
) -> dict[str, Any]:
    """A resource as it is shared with the workspace; raises WorkspaceNotFound, ResourceNotFound."""
    await seen_workspace(connection, workspace_id, person)
    query = _SHARED.where(_shares.c.workspace_id == workspace_id, global_resources.c.id == resource_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise missing_resource(resource_id)
    return row_dict(row)


async def list_shared_resources(
    connection: AsyncConnection, workspace_id: UUID, person: UUID, *, after: tuple[Any, ...] | None, limit: int
) -> Page[dict[str, Any]]:
    """Resources that are shared with the workspace, oldest first; raises WorkspaceNotFound."""
    await seen_workspace(connection, workspace_id, person)
    query = _SHARED.where(_shares.c.workspace_id == workspace_id).order_by(global_resources.c.id)
    if after is not None:
        query = query.where(global_resources.c.id > UUID(after[0]))
    found = [row_dict(row) for row in await connection.execute(query.limit(limit + 1))]
    rows = found[:limit]
    return Page(rows, (str(rows[-1]["id"]),) if len(found) > limit else None)
