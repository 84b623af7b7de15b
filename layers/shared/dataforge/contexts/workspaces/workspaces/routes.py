"""REST of workspaces."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.workspaces.profiles.domain import missing_profile
from dataforge.contexts.workspaces.routing import in_workspace, one_of, page_of, router
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork as Work
from dataforge.contexts.workspaces.workspaces import commands, queries, wire
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.access import Action, Kind, MemberRole
from dataforge.kernel.paging import DEFAULT_LIMIT

OF_PERSON = "/api/user-profiles/{user_id}/workspaces"
WORKSPACES = "/api/workspaces"
WORKSPACE = WORKSPACES + "/{workspace_id}"


def reader(call: Call, location: str = "") -> Callable[[AsyncConnection, UUID], Awaitable[Response]]:
    """Answers with the workspace that a command has changed, or made if there is a location."""

    async def read(connection: AsyncConnection, workspace_id: UUID) -> Response:
        row = await queries.get_workspace(connection, workspace_id, call.user_id)
        return one_of(call, row, wire.WorkspaceOut, *([location, workspace_id] if location else []))

    return read


@router.get(OF_PERSON, response_model=wire.WorkspacePage)
async def list_workspaces(
    user_id: UUID,
    call: Annotated[Call, require(Action.READ, Kind.WORKSPACE)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    role: MemberRole | None = None,
    search: Annotated[str | None, Query(max_length=100)] = None,
    *,
    archived: bool | None = None,
    deleted: bool = False,
) -> Response:
    """The workspaces one is a member of, by name; `deleted` gives those that one owns and could still restore."""
    if user_id != call.user_id:
        raise missing_profile(user_id)
    page = await call.query(
        queries.list_workspaces,
        user_id,
        after=call.after(cursor),
        limit=limit,
        role=role,
        archived=archived,
        search=search,
        deleted=deleted,
    )
    return page_of(call, page, wire.WorkspaceBrief, limit=limit)


@router.post(OF_PERSON, status_code=201, response_model=wire.WorkspaceOut)
async def create_workspace(
    user_id: UUID, body: wire.WorkspaceIn, call: Annotated[Call, require(Action.CREATE, Kind.WORKSPACE)]
) -> Response:
    """Make a workspace of one's own; one person owns 50 at most."""
    command = commands.CreateWorkspace(user_id, **body.model_dump())
    return await call.execute_and_read(Work, commands.create_workspace, command, reader(call, WORKSPACES))


@router.get(WORKSPACE, response_model=wire.WorkspaceOut)
async def get_workspace(
    workspace_id: UUID, call: Annotated[Call, in_workspace(Action.READ, Kind.WORKSPACE)]
) -> Response:
    """One workspace."""
    return one_of(call, await call.query(queries.get_workspace, workspace_id, call.user_id), wire.WorkspaceOut)


@router.patch(WORKSPACE, response_model=wire.WorkspaceOut)
async def change_workspace(
    workspace_id: UUID, body: wire.WorkspaceChangeIn, call: Annotated[Call, in_workspace(Action.CHANGE, Kind.WORKSPACE)]
) -> Response:
    """Change a workspace, for its owners and administrators; needs If-Match."""
    command = commands.ChangeWorkspace(workspace_id, call.expected_revision(), body.model_dump(exclude_unset=True))
    return await call.execute_and_read(Work, commands.change_workspace, command, reader(call))


@router.delete(WORKSPACE, status_code=204)
async def delete_workspace(
    workspace_id: UUID, call: Annotated[Call, in_workspace(Action.DELETE, Kind.WORKSPACE)]
) -> Response:
    """Delete an archived workspace, for owners: nobody sees it any more, and after 30 days it is gone for good.

    Until then its owners have an export of it (`GET …/export`), which has nothing of its schema, and can take it back
    (`POST …/restore`). The schema goes with it: its tables, their rows and its trash.
    """
    queued: list[UUID] = []

    def show(job_id: UUID) -> Response:
        queued.append(job_id)
        return json_response(None, status=204)

    answer = await call.execute(Work, commands.delete_workspace, workspace_id, show)
    for job_id in queued:
        await call.platform.send_job(job_id)
    return answer


@router.post(WORKSPACE + "/archive", response_model=wire.WorkspaceOut)
async def archive_workspace(
    workspace_id: UUID, call: Annotated[Call, in_workspace(Action.ARCHIVE, Kind.WORKSPACE)]
) -> Response:
    """Make a workspace read-only, for owners."""
    return await call.execute_and_read(Work, commands.archive_workspace, workspace_id, reader(call))


@router.post(WORKSPACE + "/unarchive", response_model=wire.WorkspaceOut)
async def unarchive_workspace(
    workspace_id: UUID, call: Annotated[Call, in_workspace(Action.ARCHIVE, Kind.WORKSPACE)]
) -> Response:
    """Make an archived workspace writable again, for owners."""
    return await call.execute_and_read(Work, commands.unarchive_workspace, workspace_id, reader(call))


@router.get(WORKSPACE + "/stats", response_model=wire.WorkspaceStatsOut)
async def workspace_stats(
    workspace_id: UUID, call: Annotated[Call, in_workspace(Action.READ, Kind.WORKSPACE)]
) -> Response:
    """How much there is in a workspace."""
    return json_response(await call.query(queries.workspace_stats, workspace_id, call.user_id))
