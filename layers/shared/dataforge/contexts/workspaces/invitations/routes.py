"""REST of invitations."""

from functools import partial
from typing import Annotated
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.workspaces.invitations import commands, queries, wire
from dataforge.contexts.workspaces.module import WorkspacesServices
from dataforge.contexts.workspaces.routing import in_workspace, page_of, router
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork as Work
from dataforge.contexts.workspaces.workspaces.queries import get_workspace
from dataforge.contexts.workspaces.workspaces.wire import WorkspaceOut
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.etag import etag
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT

INVITATIONS = "/api/workspaces/{workspace_id}/invitations"
INVITATION = INVITATIONS + "/{invitation_id}"
ACCEPT = "/api/workspace-invitations/accept"


@router.get(INVITATIONS, response_model=wire.InvitationPage)
async def list_invitations(
    workspace_id: UUID,
    call: Annotated[Call, in_workspace(Action.READ, Kind.MEMBER_INVITATION)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """Invitations into a workspace, newest first, for its administrators."""
    page = await call.query(queries.list_invitations, workspace_id, call.user_id, after=call.after(cursor), limit=limit)
    return page_of(call, page, wire.InvitationOut, limit=limit)


@router.post(INVITATIONS, status_code=201, response_model=wire.InvitationOut)
async def invite(
    workspace_id: UUID,
    body: wire.InvitationIn,
    call: Annotated[Call, in_workspace(Action.CREATE, Kind.MEMBER_INVITATION)],
) -> Response:
    """Invite an address by mail, for administrators; the link is good once, within seven days."""

    async def read(connection: AsyncConnection, invitation_id: UUID) -> Response:
        row = await queries.get_invitation(connection, invitation_id)
        return json_response(wire.InvitationOut.model_validate(row), status=201)

    handler = partial(commands.invite, token=call.services(WorkspacesServices).invitation_token)
    command = commands.Invite(workspace_id, body.email, body.role)
    return await call.execute_and_read(Work, handler, command, read)


@router.post(INVITATION + "/resend", response_model=wire.InvitationOut)
async def resend_invitation(
    workspace_id: UUID, invitation_id: UUID, call: Annotated[Call, in_workspace(Action.CHANGE, Kind.MEMBER_INVITATION)]
) -> Response:
    """Mail another link, good for seven days; the one before stops working. Once a minute at most."""

    async def read(connection: AsyncConnection, invitation_id: UUID) -> Response:
        row = await queries.get_invitation(connection, invitation_id)
        return json_response(wire.InvitationOut.model_validate(row))

    handler = partial(commands.send_again, token=call.services(WorkspacesServices).invitation_token)
    command = commands.SendAgain(workspace_id, invitation_id)
    return await call.execute_and_read(Work, handler, command, read)


@router.delete(INVITATION, status_code=204)
async def revoke_invitation(
    workspace_id: UUID, invitation_id: UUID, call: Annotated[Call, in_workspace(Action.DELETE, Kind.MEMBER_INVITATION)]
) -> Response:
    """Revoke an open invitation, for administrators: its link works no longer."""
    command = commands.RevokeInvitation(workspace_id, invitation_id)
    return await call.execute(Work, commands.revoke_invitation, command, lambda _: json_response(None, status=204))


@router.post(ACCEPT, response_model=WorkspaceOut)
async def accept_invitation(
    body: wire.AcceptIn, call: Annotated[Call, require(Action.ACCEPT, Kind.MEMBER_INVITATION)]
) -> Response:
    """Become a member by the token of a mailed link, signed in with the account of the invited address."""

    async def read(connection: AsyncConnection, workspace_id: UUID) -> Response:
        row = await get_workspace(connection, workspace_id, call.user_id)
        return json_response(WorkspaceOut.model_validate(row), headers={"ETag": etag(row["revision"])})

    return await call.execute_and_read(Work, commands.accept_invitation, body.token, read)
