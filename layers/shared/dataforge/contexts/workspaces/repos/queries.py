"""Repos of a workspace."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.workspaces.repos.domain import HIDDEN, RepoNotFound
from dataforge.contexts.workspaces.tables import repos
from dataforge.contexts.workspaces.workspaces.queries import seen_workspace
from dataforge.kernel.paging import Page
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict

_name = func.lower(repos.c.name)
_COLUMNS = [column for column in repos.c if column.name not in HIDDEN]


async def get_repo(connection: AsyncConnection, workspace_id: UUID, repo_id: UUID, person: UUID) -> dict[str, Any]:
    """One repo; raises WorkspaceNotFound, RepoNotFound."""
    await seen_workspace(connection, workspace_id, person)
    query = select(*_COLUMNS).where(repos.c.id == repo_id, repos.c.workspace_id == workspace_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        message = Text("There is no repo {repo_id} in this workspace.", repo_id=repo_id)
        raise RepoNotFound(message)
    return row_dict(row)


async def list_repos(
    connection: AsyncConnection, workspace_id: UUID, person: UUID, *, after: tuple[Any, ...] | None, limit: int
) -> Page[dict[str, Any]]:
    """Repos by name; raises WorkspaceNotFound."""
    await seen_workspace(connection, workspace_id, person)
    query = select(*_COLUMNS, _name.label("key")).where(repos.c.workspace_id == workspace_id)
    if after is not None:
        query = query.where(tuple_(_name, repos.c.id) > tuple_(after[0], UUID(after[1])))
    found = [row_dict(row) for row in await connection.execute(query.order_by(_name, repos.c.id).limit(limit + 1))]
    rows = found[:limit]
    return Page(rows, (rows[-1]["key"], str(rows[-1]["id"])) if len(found) > limit else None)
