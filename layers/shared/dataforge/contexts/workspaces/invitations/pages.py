"""The page that the link in an invitation's mail leads to."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from dataforge.contexts.workspaces.invitations.commands import accept_invitation
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.contexts.workspaces.workspaces.queries import get_workspace
from dataforge.kernel.access import Action, Kind
from dataforge.platform.db.unit_of_work import run
from dataforge.web.calls import PageCall, require_page
from dataforge.web.routing import page_router

router = page_router("workspaces")
PAGE = "/ui/workspaces/accept"
Token = Annotated[str, Query(min_length=1, max_length=500)]


@router.get(PAGE)
async def invitation_page(
    call: Annotated[PageCall, require_page(Action.ACCEPT, Kind.MEMBER_INVITATION)], token: Token
) -> Response:
    """Ask, signed in; only the button accepts, because scanners follow every link of a mail."""
    return call.page("workspaces/accept.html", token=token)


@router.post(PAGE)
async def accept(call: Annotated[PageCall, require_page(Action.ACCEPT, Kind.MEMBER_INVITATION)]) -> Response:
    """Become a member, as by the API."""
    token = call.form.get("token", "")
    workspace_id = await run(call.unit_of_work(WorkspacesUnitOfWork), accept_invitation, token)
    workspace = await call.query(get_workspace, workspace_id, call.user_id)
    return call.go_on("success", f"You are a member of the workspace {workspace['name']}.", "/ui")
