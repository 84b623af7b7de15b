"""Vaults of a workspace."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.workspaces.tables import vaults
from dataforge.contexts.workspaces.vaults.domain import VaultNotFound
from dataforge.contexts.workspaces.workspaces.queries import seen_workspace
from dataforge.kernel.paging import Page
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict

_name = func.lower(vaults.c.name)


async def get_vault(connection: AsyncConnection, workspace_id: UUID, vault_id: UUID, person: UUID) -> dict[str, Any]:
    """One vault; raises WorkspaceNotFound, VaultNotFound."""
    await seen_workspace(connection, workspace_id, person)
    query = select(vaults).where(vaults.c.id == vault_id, vaults.c.workspace_id == workspace_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        message = Text("There is no vault {vault_id} in this workspace.", vault_id=vault_id)
        raise VaultNotFound(message)
    return row_dict(row)


async def list_vaults(
    connection: AsyncConnection, workspace_id: UUID, person: UUID, *, after: tuple[Any, ...] | None, limit: int
) -> Page[dict[str, Any]]:
    """Vaults by name; raises WorkspaceNotFound."""
    await seen_workspace(connection, workspace_id, person)
    query = select(vaults, _name.label("key")).where(vaults.c.workspace_id == workspace_id)
    if after is not None:
        query = query.where(tuple_(_name, vaults.c.id) > tuple_(after[0], UUID(after[1])))
    found = [row_dict(row) for row in await connection.execute(query.order_by(_name, vaults.c.id).limit(limit + 1))]
    rows = found[:limit]
    return Page(rows, (rows[-1]["key"], str(rows[-1]["id"])) if len(found) > limit else None)
