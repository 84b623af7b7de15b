"""Workspaces as their members see them."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.workspaces.tables import (
    global_resources,
    members,
    notes,
    repos,
    vaults,
    workspace_global_resources,
    workspaces,
)
from dataforge.contexts.workspaces.workspaces.domain import (
    Workspace,
    check_open,
    missing_workspace,
)
from dataforge.kernel.access import MemberRole
from dataforge.kernel.paging import Page
from dataforge.platform.db.database import row_dict

_HIDDEN = frozenset({"deleted_at", "export_key", "export_bytes", "exported_at"})
_COLUMNS = [column for column in workspaces.c if column.name not in _HIDDEN]


def _of_member(user_id: UUID) -> Select[Any]:
    return (
        select(*_COLUMNS, members.c.role)
        .join(members, members.c.workspace_id == workspaces.c.id)
        .where(members.c.user_id == user_id, workspaces.c.deleted_at.is_(None))
    )


def _deleted_of(user_id: UUID) -> Select[Any]:
    return (
        select(*_COLUMNS, workspaces.c.deleted_at, members.c.role)
        .join(members, members.c.workspace_id == workspaces.c.id)
        .where(members.c.user_id == user_id, members.c.role == MemberRole.OWNER.value)
        .where(workspaces.c.deleted_at.is_not(None))
    )


async def _row(connection: AsyncConnection, workspace_id: UUID, user_id: UUID) -> Row[Any]:
    query = _of_member(user_id).where(workspaces.c.id == workspace_id)
    row: Row[Any] | None = (await connection.execute(query)).one_or_none()
    if row is None:
        raise missing_workspace(workspace_id)
    return row


async def seen_workspace(connection: AsyncConnection, workspace_id: UUID, user_id: UUID) -> Workspace:
    """The workspace for its member; raises missing_workspace for everybody else."""
    row = await _row(connection, workspace_id, user_id)
    return Workspace(row.id, row.name, row.owner_id, MemberRole(row.role), row.archived_at, row.revision)


async def published_workspace(connection: AsyncConnection, workspace_id: UUID, user_id: UUID) -> Workspace:
    """The same from the published views, which is all that functions of other contexts may read."""
    query = text(
        "SELECT d.name, d.owner_id, m.role, d.archived_at FROM workspaces.directory d "
        "JOIN workspaces.memberships m ON m.workspace_id = d.workspace_id "
        "WHERE d.workspace_id = :workspace_id AND m.user_id = :user_id"
    )
    values = {"workspace_id": workspace_id, "user_id": user_id}
    row = (await connection.execute(query, values)).one_or_none()
    if row is None:
        raise missing_workspace(workspace_id)
    return Workspace(workspace_id, row.name, row.owner_id, MemberRole(row.role), row.archived_at)


async def get_workspace(connection: AsyncConnection, workspace_id: UUID, user_id: UUID) -> dict[str, Any]:
    """The workspace with what is shared with it; raises missing_workspace."""
    row = row_dict(await _row(connection, workspace_id, user_id))
    shares = workspace_global_resources
    query = (
        select(shares.c.resource_id, shares.c.access_level, global_resources.c.resource_type, global_resources.c.name)
        .join(global_resources, global_resources.c.id == shares.c.resource_id)
        .where(shares.c.workspace_id == workspace_id)
        .order_by(global_resources.c.resource_type, global_resources.c.name, shares.c.resource_id)
        .limit(500)
    )
    return {**row, "shared_resources": [row_dict(found) for found in await connection.execute(query)]}


async def list_workspaces(
    connection: AsyncConnection,
    user_id: UUID,
    *,
    after: tuple[Any, ...] | None,
    limit: int,
    archived: bool | None = None,
    role: MemberRole | None = None,
    search: str | None = None,
    deleted: bool = False,
) -> Page[dict[str, Any]]:
    """Workspaces that the person is a member of, by name, each with its numbers of repos, vaults and members.

    `deleted` gives those instead that the person owns and that are deleted, but not for good.
    """
    by_name = func.lower(workspaces.c.name)
    query = _deleted_of(user_id) if deleted else _of_member(user_id)
    query = query.add_columns(by_name.label("by_name"), *_numbers(workspaces.c.id))
    query = query.order_by(by_name, workspaces.c.id).limit(limit + 1)
    if after is not None:
        query = query.where(tuple_(by_name, workspaces.c.id) > tuple_(after[0], UUID(after[1])))
    if archived is not None:
        query = query.where(workspaces.c.archived_at.is_not(None) if archived else workspaces.c.archived_at.is_(None))
    if role is not None:
        query = query.where(members.c.role == role.value)
    if search:
        query = query.where(workspaces.c.name.icontains(search, autoescape=True))
    found = [row_dict(row) for row in await connection.execute(query)]
    rows = found[:limit]
    last = (rows[-1]["by_name"], str(rows[-1]["id"])) if rows else ()
    return Page(rows, last if len(found) > limit else None)


def _numbers(workspace_id: Any) -> list[Any]:  # noqa: ANN401 - SQL expressions
    """How many repos, vaults and members a workspace has: columns, each counted by an index."""
    counted = (("repo_count", repos), ("vault_count", vaults), ("member_count", members.alias()))
    return [
        select(func.count()).where(table.c.workspace_id == workspace_id).scalar_subquery().label(name)
        for name, table in counted
    ]


async def workspace_stats(connection: AsyncConnection, workspace_id: UUID, user_id: UUID) -> dict[str, Any]:
    """How much there is in a workspace; `total_resources` are its repos and vaults. Raises missing_workspace."""
    await seen_workspace(connection, workspace_id, user_id)
    numbers = row_dict((await connection.execute(select(*_numbers(workspace_id)))).one())
    shared = select(func.count()).where(workspace_global_resources.c.workspace_id == workspace_id)
    living = (
        select(func.count(), func.coalesce(func.sum(func.octet_length(notes.c.body_md)), 0))
        .select_from(notes.join(vaults, vaults.c.id == notes.c.vault_id))
        .where(vaults.c.workspace_id == workspace_id, notes.c.deleted_at.is_(None))
    )
    note_count, note_bytes = (await connection.execute(living)).one()
    return {
        "workspace_id": workspace_id,
        **numbers,
        "total_resources": numbers["repo_count"] + numbers["vault_count"],
        "shared_resource_count": await connection.scalar(shared),
        "note_count": note_count,
        "note_bytes": int(note_bytes),
    }


async def find_role(connection: AsyncConnection, workspace_id: UUID, user_id: UUID) -> MemberRole | None:
    """The person's role in a workspace that is there; None without one."""
    query = text("SELECT role FROM workspaces.memberships WHERE workspace_id = :workspace_id AND user_id = :user_id")
    role = await connection.scalar(query, {"workspace_id": workspace_id, "user_id": user_id})
    return None if role is None else MemberRole(role)


async def list_roles(connection: AsyncConnection, user_id: UUID) -> dict[UUID, MemberRole]:
    """The person's role in each workspace that they are in."""
    query = text("SELECT workspace_id, role FROM workspaces.memberships WHERE user_id = :user_id")
    return {row.workspace_id: MemberRole(row.role) for row in await connection.execute(query, {"user_id": user_id})}


async def require_open_workspace(connection: AsyncConnection, workspace_id: UUID) -> None:
    """Raise missing_workspace, or WorkspaceArchived; whoever asks."""
    query = text("SELECT archived_at FROM workspaces.directory WHERE workspace_id = :workspace_id")
    row = (await connection.execute(query, {"workspace_id": workspace_id})).one_or_none()
    if row is None:
        raise missing_workspace(workspace_id)
    check_open(row.archived_at)


async def is_there(connection: AsyncConnection, workspace_id: UUID) -> bool:
    """Whether there is such a workspace, and it is not deleted."""
    query = text("SELECT EXISTS (SELECT FROM workspaces.directory WHERE workspace_id = :workspace_id)")
    return bool(await connection.scalar(query, {"workspace_id": workspace_id}))


async def list_memberships(connection: AsyncConnection, user_id: UUID) -> list[UUID]:
    """Ids of the workspaces that the person is in."""
    query = text("SELECT workspace_id FROM workspaces.memberships WHERE user_id = :user_id")
    return list((await connection.scalars(query, {"user_id": user_id})).all())
