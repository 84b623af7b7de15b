"""Branches and tags of a repo."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.workspaces.remotes.domain import BRANCHES, TAGS, RefKind, kind_of
from dataforge.contexts.workspaces.repos.queries import get_repo
from dataforge.contexts.workspaces.tables import repo_refs
from dataforge.kernel.paging import Page
from dataforge.platform.db.database import row_dict

_PREFIXES = {RefKind.BRANCH: BRANCHES, RefKind.TAG: TAGS}


async def list_refs(
    connection: AsyncConnection,
    workspace_id: UUID,
    repo_id: UUID,
    person: UUID,
    *,
    after: tuple[Any, ...] | None,
    limit: int,
    kind: RefKind | None = None,
) -> Page[dict[str, Any]]:
    """Branches, then tags, by name; raises WorkspaceNotFound, RepoNotFound."""
    await get_repo(connection, workspace_id, repo_id, person)
    query = select(repo_refs).where(repo_refs.c.repo_id == repo_id)
    if kind is not None:
        query = query.where(repo_refs.c.name.startswith(_PREFIXES[kind], autoescape=True))
    if after is not None:
        query = query.where(repo_refs.c.name > after[0])
    found = [row_dict(row) for row in await connection.execute(query.order_by(repo_refs.c.name).limit(limit + 1))]
    rows = [_shown(row) for row in found[:limit]]
    return Page(rows, (rows[-1]["name"],) if len(found) > limit else None)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    kind = kind_of(row["name"])
    return {**row, "kind": kind, "short_name": row["name"].removeprefix(_PREFIXES[kind])}
