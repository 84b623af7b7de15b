"""What an export has, and where the one of a deleted workspace is."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.workspaces.exports.domain import ExportState
from dataforge.contexts.workspaces.tables import (
    global_resources,
    members,
    repos,
    vaults,
    workspace_global_resources,
    workspaces,
)
from dataforge.contexts.workspaces.workspaces.domain import DELETED_FOR, missing_workspace
from dataforge.contexts.workspaces.workspaces.queries import seen_workspace
from dataforge.kernel.access import Action, Kind, MemberRole
from dataforge.platform.db.database import row_dict

_WORKSPACE = ("id", "name", "description", "workspace_type", "settings", "owner_id", "archived_at", "created_at")
_REPO = ("id", "name", "path", "remote_url", "default_branch", "metadata", "last_synced", "created_at", "updated_at")
_VAULT = ("id", "name", "path", "metadata", "is_locked", "created_at", "updated_at")


async def read_workspace(connection: AsyncConnection, workspace_id: UUID) -> dict[str, Any] | None:
    """The workspace with members, repos, vaults and shared resources, whoever asks; None for one that is gone.

    People are in it by their ids: who is erased meanwhile is in no export by name.
    """
    query = select(*(workspaces.c[name] for name in _WORKSPACE), workspaces.c.deleted_at)
    row = (await connection.execute(query.where(workspaces.c.id == workspace_id))).one_or_none()
    if row is None:
        return None
    of_workspace = {
        "members": select(members.c.user_id, members.c.role, members.c.joined_at)
        .where(members.c.workspace_id == workspace_id)
        .order_by(members.c.joined_at, members.c.user_id),
        "repos": select(*(repos.c[name] for name in _REPO))
        .where(repos.c.workspace_id == workspace_id)
        .order_by(repos.c.name),
        "vaults": select(*(vaults.c[name] for name in _VAULT))
        .where(vaults.c.workspace_id == workspace_id)
        .order_by(vaults.c.name),
        "resources": select(
            *(global_resources.c[name] for name in ("id", "resource_type", "name", "resource_data")),
            workspace_global_resources.c.access_level,
        )
        .join(workspace_global_resources, workspace_global_resources.c.resource_id == global_resources.c.id)
        .where(workspace_global_resources.c.workspace_id == workspace_id)
        .order_by(global_resources.c.resource_type, global_resources.c.name),
    }
    lists = {
        name: [_plain(found) for found in await connection.execute(listed)] for name, listed in of_workspace.items()
    }
    return {"workspace": _plain(row), **lists}


def _plain(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a SQLAlchemy row of any columns
    """The row for a file of JSON: names of columns are a kind of text that is no plain one."""
    return {str(name): value for name, value in row_dict(row).items()}


async def get_export(connection: AsyncConnection, workspace_id: UUID, person: UUID) -> dict[str, Any]:
    """The export of a deleted workspace for its owners; raises WorkspaceNotFound, WorkspaceNotOwned."""
    query = (
        select(workspaces.c.deleted_at, workspaces.c.exported_at, workspaces.c.export_key, workspaces.c.export_bytes)
        .join(members, members.c.workspace_id == workspaces.c.id)
        .where(workspaces.c.id == workspace_id, members.c.user_id == person)
        .where(members.c.role == MemberRole.OWNER.value)
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        (await seen_workspace(connection, workspace_id, person)).require(Action.EXPORT, Kind.WORKSPACE)
        raise missing_workspace(workspace_id)
    ready = ExportState.READY if row.export_key is not None else ExportState.PENDING
    return {
        "status": ExportState.NONE if row.deleted_at is None else ready,
        "deleted_at": row.deleted_at,
        "erased_after": None if row.deleted_at is None else row.deleted_at + DELETED_FOR,
        "exported_at": row.exported_at,
        "bytes": row.export_bytes,
        "key": row.export_key,
    }
