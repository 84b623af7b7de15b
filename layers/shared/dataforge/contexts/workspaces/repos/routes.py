"""REST of repos."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.workspaces.repos import commands, queries, wire
from dataforge.contexts.workspaces.routing import in_workspace, one_of, page_of, router
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork as Work
from dataforge.http.call import Call, json_response
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT

REPOS = "/api/workspaces/{workspace_id}/repos"
REPO = REPOS + "/{repo_id}"


@router.get(REPOS, response_model=wire.RepoPage)
async def list_repos(
    workspace_id: UUID,
    call: Annotated[Call, in_workspace(Action.READ, Kind.REPO)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """Repos of a workspace by name."""
    page = await call.query(queries.list_repos, workspace_id, call.user_id, after=call.after(cursor), limit=limit)
    return page_of(call, page, wire.RepoOut, limit=limit)


@router.post(REPOS, status_code=201, response_model=wire.RepoOut)
async def create_repo(
    workspace_id: UUID, body: wire.RepoIn, call: Annotated[Call, in_workspace(Action.CREATE, Kind.REPO)]
) -> Response:
    """Add a repo, for editors; a workspace has a limited number."""

    async def read(connection: AsyncConnection, repo_id: UUID) -> Response:
        row = await queries.get_repo(connection, workspace_id, repo_id, call.user_id)
        return one_of(call, row, wire.RepoOut, "/api/workspaces", workspace_id, "repos", repo_id)

    command = commands.CreateRepo(workspace_id, **body.model_dump())
    return await call.execute_and_read(Work, commands.create_repo, command, read)


@router.get(REPO, response_model=wire.RepoOut)
async def get_repo(
    workspace_id: UUID, repo_id: UUID, call: Annotated[Call, in_workspace(Action.READ, Kind.REPO)]
) -> Response:
    """One repo."""
    return one_of(call, await call.query(queries.get_repo, workspace_id, repo_id, call.user_id), wire.RepoOut)


@router.patch(REPO, response_model=wire.RepoOut)
async def change_repo(
    workspace_id: UUID,
    repo_id: UUID,
    body: wire.RepoChangeIn,
    call: Annotated[Call, in_workspace(Action.CHANGE, Kind.REPO)],
) -> Response:
    """Change a repo, for editors; needs If-Match."""
    changes = body.model_dump(exclude_unset=True)
    command = commands.ChangeRepo(workspace_id, repo_id, call.expected_revision(), changes)
    return await call.execute_and_read(Work, commands.change_repo, command, _reader(call, workspace_id))


@router.delete(REPO, status_code=204)
async def delete_repo(
    workspace_id: UUID, repo_id: UUID, call: Annotated[Call, in_workspace(Action.DELETE, Kind.REPO)]
) -> Response:
    """Delete a repo, for administrators of the workspace."""
    command = commands.DeleteRepo(workspace_id, repo_id)
    return await call.execute(Work, commands.delete_repo, command, lambda _: json_response(None, status=204))


def _reader(call: Call, workspace_id: UUID) -> Callable[[AsyncConnection, UUID], Awaitable[Response]]:
    async def read(connection: AsyncConnection, repo_id: UUID) -> Response:
        return one_of(call, await queries.get_repo(connection, workspace_id, repo_id, call.user_id), wire.RepoOut)

    return read
