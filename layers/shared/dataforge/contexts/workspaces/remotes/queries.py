"""Branches and tags of a repo."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.workspaces.remotes.domain import BRANCHES, KIND, TAGS, RefKind, kind_of
from dataforge.contexts.workspaces.repos.queries import get_repo
from dataforge.contexts.workspaces.tables import repo_refs
from dataforge.kernel.paging import Page
from dataforge.platform.db.database import row_dict
from dataforge.platform.jobs.tables import jobs

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


async def last_refresh(connection: AsyncConnection, repo_id: UUID, person: UUID) -> dict[str, Any] | None:
    """The job by which the person had the remote asked last, with what it failed for; None without one."""
    query = select(jobs.c.id, jobs.c.status, jobs.c.error_message, jobs.c.created_at, jobs.c.completed_at).where(
        jobs.c.user_id == person, jobs.c.kind == KIND, jobs.c.run_parameters["repo_id"].astext == str(repo_id)
    )
    row = (await connection.execute(query.order_by(jobs.c.id.desc()).limit(1))).one_or_none()
    return None if row is None else row_dict(row)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    kind = kind_of(row["name"])
    return {**row, "kind": kind, "short_name": row["name"].removeprefix(_PREFIXES[kind])}
