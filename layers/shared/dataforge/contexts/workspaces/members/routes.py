"""REST of members."""

from typing import Annotated
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.workspaces.members import commands, queries, wire
from dataforge.contexts.workspaces.routing import in_workspace, page_of, router
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork as Work
from dataforge.contexts.workspaces.workspaces.queries import get_workspace
from dataforge.contexts.workspaces.workspaces.wire import WorkspaceOut
from dataforge.http.call import Call, json_response
from dataforge.http.etag import etag
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT

MEMBERS = "/api/workspaces/{workspace_id}/members"
MEMBER = MEMBERS + "/{user_id}"


@router.get(MEMBERS, response_model=wire.MemberPage)
async def list_members(
    workspace_id: UUID,
    call: Annotated[Call, in_workspace(Action.READ, Kind.MEMBER)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """Members of a workspace by username."""
    page = await call.query(queries.list_members, workspace_id, call.user_id, after=call.after(cursor), limit=limit)
    return page_of(call, page, wire.MemberOut, limit=limit)


@router.patch(MEMBER, response_model=wire.MemberOut)
async def change_role(
    workspace_id: UUID,
    user_id: UUID,
    body: wire.MemberRoleIn,
    call: Annotated[Call, in_workspace(Action.CHANGE, Kind.MEMBER)],
) -> Response:
    """Give a member another role, for administrators; only owners make, demote or remove owners."""

    async def read(connection: AsyncConnection, user_id: UUID) -> Response:
        row = await queries.get_member(connection, workspace_id, user_id)
        return json_response(wire.MemberOut.model_validate(row))

    command = commands.ChangeRole(workspace_id, user_id, body.role)
    return await call.execute_and_read(Work, commands.change_role, command, read)


@router.delete(MEMBER, status_code=204)
async def remove_member(
    workspace_id: UUID, user_id: UUID, call: Annotated[Call, in_workspace(Action.DELETE, Kind.MEMBER)]
) -> Response:
    """Remove a member, for administrators; or leave a workspace. The last owner stays."""
    command = commands.RemoveMember(workspace_id, user_id)
    return await call.execute(Work, commands.remove_member, command, lambda _: json_response(None, status=204))


@router.post("/api/workspaces/{workspace_id}/transfer", response_model=WorkspaceOut)
async def transfer_workspace(
    workspace_id: UUID, body: wire.TransferIn, call: Annotated[Call, in_workspace(Action.TRANSFER, Kind.WORKSPACE)]
) -> Response:
    """Hand a workspace over to another member, for owners: it counts as theirs and they become an owner."""

    async def read(connection: AsyncConnection, workspace_id: UUID) -> Response:
        row = await get_workspace(connection, workspace_id, call.user_id)
        return json_response(WorkspaceOut.model_validate(row), headers={"ETag": etag(row["revision"])})

    command = commands.TransferWorkspace(workspace_id, body.user_id)
    return await call.execute_and_read(Work, commands.transfer_workspace, command, read)
