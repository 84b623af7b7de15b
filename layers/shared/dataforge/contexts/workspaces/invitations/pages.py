"""The page that the link in an invitation's mail leads to, and the one on which administrators invite."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import ValidationError
from starlette.responses import Response

from dataforge.contexts.workspaces.invitations import commands, queries, wire
from dataforge.contexts.workspaces.module import WorkspacesServices
from dataforge.contexts.workspaces.page_calls import (
    ROWS,
    WORKSPACE,
    WORKSPACES,
    WorkspacePageCall,
    cleaned,
    in_workspace_page,
    router,
)
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.contexts.workspaces.workspaces.queries import get_workspace
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind, MemberRole
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.invitations import InvitationForSomebodyElse
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run
from dataforge.web.calls import PageCall, require_page
from dataforge.web.forms import ACCEPTED, Refusal, refusal_of

PAGE = "/ui/workspaces/accept"
INVITATIONS = WORKSPACE + "/invitations"
INVITATION = INVITATIONS + "/{invitation_id}"
_NEW = {"email": "", "role": MemberRole.EDITOR.value}
Token = Annotated[str, Query(min_length=1, max_length=500)]


@router.get(PAGE)
async def invitation_page(
    call: Annotated[PageCall, require_page(Action.ACCEPT, Kind.MEMBER_INVITATION)], token: Token
) -> Response:
    """Ask, signed in; only the button accepts, because scanners follow every link of a mail."""
    return call.page("workspaces/accept.html", token=token, unproved=False)


@router.post(PAGE)
async def accept(call: Annotated[PageCall, require_page(Action.ACCEPT, Kind.MEMBER_INVITATION)]) -> Response:
    """Become a member, as by the API."""
    token = call.form.get("token", "")
    try:
        workspace_id = await run(call.unit_of_work(WorkspacesUnitOfWork), commands.accept_invitation, token)
    except DataForgeError as error:
        unproved = isinstance(error, InvitationForSomebodyElse)
        return call.page("workspaces/accept.html", token=token, refusal=refusal_of(error), unproved=unproved)
    workspace = await call.query(get_workspace, workspace_id, call.user_id)
    return call.go_on(
        "success", Text("You are a member of the workspace {name}.", name=workspace["name"]), WORKSPACES, workspace_id
    )


@router.get(INVITATIONS)
async def invitations_page(
    call: Annotated[WorkspacePageCall, in_workspace_page(Action.READ, Kind.MEMBER_INVITATION)], cursor: Cursor = None
) -> Response:
    """Invitations into the workspace, newest first, and a form for another one."""
    return await _list(call, _NEW, cursor=cursor)


@router.post(INVITATIONS)
async def invite(
    workspace_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.CREATE, Kind.MEMBER_INVITATION)]
) -> Response:
    """Invite an address."""
    given = cleaned(call.form, *_NEW)
    try:
        body = wire.InvitationIn.model_validate(given)
        handler = partial(commands.invite, token=call.services(WorkspacesServices).invitation_token)
        await call.carry_out(handler, commands.Invite(workspace_id, body.email, body.role))
    except (ValidationError, DataForgeError) as error:
        return await _list(call, given, refusal_of(error, given))
    return _back(call, Text("The invitation is on its way to {email}.", email=body.email))


@router.post(INVITATION + "/resend")
async def send_again(
    workspace_id: UUID,
    invitation_id: UUID,
    call: Annotated[WorkspacePageCall, in_workspace_page(Action.CHANGE, Kind.MEMBER_INVITATION)],
) -> Response:
    """Mail another link."""
    handler = partial(commands.send_again, token=call.services(WorkspacesServices).invitation_token)
    try:
        await call.carry_out(handler, commands.SendAgain(workspace_id, invitation_id))
    except DataForgeError as error:
        return await _list(call, _NEW, refusal_of(error))
    return _back(call, Text("The invitation is sent again; the link of the mail before ends."))


@router.post(INVITATION + "/revoke")
async def revoke(
    workspace_id: UUID,
    invitation_id: UUID,
    call: Annotated[WorkspacePageCall, in_workspace_page(Action.DELETE, Kind.MEMBER_INVITATION)],
) -> Response:
    """Let the link work no longer."""
    try:
        await call.carry_out(commands.revoke_invitation, commands.RevokeInvitation(workspace_id, invitation_id))
    except DataForgeError as error:
        return await _list(call, _NEW, refusal_of(error))
    return _back(call, Text("The invitation is revoked."))


def _back(call: WorkspacePageCall, text: str) -> Response:
    return call.go_on("success", text, WORKSPACES, call.workspace.id, "invitations")


async def _list(
    call: WorkspacePageCall, given: Mapping[str, str], refusal: Refusal = ACCEPTED, *, cursor: str | None = None
) -> Response:
    page = await call.query(
        queries.list_invitations, call.workspace.id, call.user_id, after=call.after(cursor), limit=ROWS
    )
    now, owns = call.platform.clock.now(), call.workspace.role is MemberRole.OWNER
    return call.page(
        "workspaces/workspace_invitations.html",
        refusal=refusal,
        invitations=[{**row, "state": _state(row, now)} for row in page.rows],
        given=given,
        owns=owns,
        roles=[(role.value, role.value.capitalize()) for role in MemberRole if owns or role is not MemberRole.OWNER],
        first=cursor is None,
        following=call.following(page.next_key) if refusal is ACCEPTED else None,
    )


def _state(row: Mapping[str, Any], now: datetime) -> str:
    if row["accepted_at"] is not None:
        return "accepted"
    if row["revoked_at"] is not None:
        return "revoked"
    return "open" if now < row["expires_at"] else "expired"
