"""Who is in a workspace: roles changed, members removed, the workspace left or handed over."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.workspaces.members import commands, queries
from dataforge.contexts.workspaces.page_calls import (
    ROWS,
    WORKSPACE,
    WORKSPACES,
    WorkspacePageCall,
    in_workspace_page,
    router,
)
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind, MemberRole
from dataforge.kernel.errors import DataForgeError, ValidationFailed
from dataforge.kernel.texts import Text
from dataforge.web.forms import ACCEPTED, Refusal, refusal_of

MEMBERS = WORKSPACE + "/members"


@router.get(MEMBERS)
async def members_page(
    call: Annotated[WorkspacePageCall, in_workspace_page(Action.READ, Kind.MEMBER)], cursor: Cursor = None
) -> Response:
    """Members by username."""
    return await _list(call, cursor=cursor)


@router.post(MEMBERS + "/{user_id}/role")
async def change_role(
    workspace_id: UUID, user_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.CHANGE, Kind.MEMBER)]
) -> Response:
    """Give a member another role."""
    try:
        role = _role_of(call)
        await call.carry_out(commands.change_role, commands.ChangeRole(workspace_id, user_id, role))
        member = await call.query(queries.get_member, workspace_id, user_id)
    except DataForgeError as error:
        return await _list(call, refusal_of(error))
    text = Text("{display_name} is {role} from now on.", display_name=member["display_name"], role=_with_article(role))
    return call.go_on("success", text, WORKSPACES, workspace_id, "members")


@router.post(MEMBERS + "/{user_id}/remove")
async def remove_member(
    workspace_id: UUID, user_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.DELETE, Kind.MEMBER)]
) -> Response:
    """Take a member out, or leave."""
    try:
        member = await call.query(queries.get_member, workspace_id, user_id)
        await call.carry_out(commands.remove_member, commands.RemoveMember(workspace_id, user_id))
    except DataForgeError as error:
        return await _list(call, refusal_of(error))
    if user_id == call.user_id:
        return call.go_on("success", Text("You have left {name}.", name=call.workspace.name), WORKSPACES)
    text = Text("{display_name} is no longer a member.", display_name=member["display_name"])
    return call.go_on("success", text, WORKSPACES, workspace_id, "members")


@router.post(WORKSPACE + "/transfer")
async def transfer_workspace(
    workspace_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.TRANSFER, Kind.WORKSPACE)]
) -> Response:
    """Hand the workspace over to another member."""
    try:
        user_id = _person_of(call)
        await call.carry_out(commands.transfer_workspace, commands.TransferWorkspace(workspace_id, user_id))
        member = await call.query(queries.get_member, workspace_id, user_id)
    except DataForgeError as error:
        return await _list(call, refusal_of(error))
    text = Text(
        "{name} is {display_name}'s from now on; you stay an owner.",
        name=call.workspace.name,
        display_name=member["display_name"],
    )
    return call.go_on("success", text, WORKSPACES, workspace_id, "members")


def _role_of(call: WorkspacePageCall) -> MemberRole:
    try:
        return MemberRole(call.form.get("role", ""))
    except ValueError as error:
        message = Text("Choose one of the roles.")
        raise ValidationFailed(message) from error


def _person_of(call: WorkspacePageCall) -> UUID:
    try:
        return UUID(call.form.get("user_id", ""))
    except ValueError as error:
        message = Text("Choose one of the members.")
        raise ValidationFailed(message) from error


def _with_article(role: MemberRole) -> str:
    return f"{'a' if role is MemberRole.VIEWER else 'an'} {role}"


async def _list(call: WorkspacePageCall, refusal: Refusal = ACCEPTED, *, cursor: str | None = None) -> Response:
    page = await call.query(queries.list_members, call.workspace.id, call.user_id, after=call.after(cursor), limit=ROWS)
    owns = call.workspace.role is MemberRole.OWNER
    return call.page(
        "workspaces/members.html",
        refusal=refusal,
        members=page.rows,
        roles=[(role.value, role.value.capitalize()) for role in MemberRole if owns or role is not MemberRole.OWNER],
        first=cursor is None,
        following=call.following(page.next_key) if refusal is ACCEPTED else None,
    )
