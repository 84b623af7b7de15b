"""What is shared with a workspace: contacts, templates and snippets of its members."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.workspaces.page_calls import (
    ROWS,
    WORKSPACE,
    WORKSPACES,
    WorkspacePageCall,
    in_workspace_page,
    router,
)
from dataforge.contexts.workspaces.resources import commands, queries
from dataforge.contexts.workspaces.resources.domain import AccessLevel
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError, ValidationFailed
from dataforge.kernel.paging import MAX_LIMIT
from dataforge.kernel.texts import Text
from dataforge.web.forms import ACCEPTED, Refusal, refusal_of

SHARED = WORKSPACE + "/resources"
LEVELS = [("read", "Read"), ("write", Text("Read and change")), ("copy", Text("Read and copy"))]


@router.get(SHARED)
async def shared_resources_page(
    call: Annotated[WorkspacePageCall, in_workspace_page(Action.READ, Kind.SHARED_RESOURCE)], cursor: Cursor = None
) -> Response:
    """Resources that are shared with the workspace, and a form to share one of one's own."""
    return await _list(call, cursor=cursor)


@router.post(SHARED)
async def share_resource(
    workspace_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.CREATE, Kind.SHARED_RESOURCE)]
) -> Response:
    """Share one of one's own."""
    try:
        resource_id, level = _chosen(call)
        await call.carry_out(commands.share_resource, commands.ShareResource(workspace_id, resource_id, level))
    except DataForgeError as error:
        return await _list(call, refusal_of(error))
    return call.go_on("success", Text("It is shared with everybody here."), WORKSPACES, workspace_id, "resources")


@router.post(SHARED + "/{resource_id}/unshare")
async def unshare_resource(
    workspace_id: UUID,
    resource_id: UUID,
    call: Annotated[WorkspacePageCall, in_workspace_page(Action.DELETE, Kind.SHARED_RESOURCE)],
) -> Response:
    """Share one no longer."""
    try:
        await call.carry_out(commands.unshare_resource, commands.SharedResource(workspace_id, resource_id))
    except DataForgeError as error:
        return await _list(call, refusal_of(error))
    return call.go_on(
        "success", Text("It is shared with this workspace no longer."), WORKSPACES, workspace_id, "resources"
    )


def _chosen(call: WorkspacePageCall) -> tuple[UUID, AccessLevel]:
    try:
        return UUID(call.form.get("resource_id", "")), AccessLevel(call.form.get("access_level", ""))
    except ValueError as error:
        message = Text("Choose one of your resources, and what members may do with it.")
        raise ValidationFailed(message) from error


async def _list(call: WorkspacePageCall, refusal: Refusal = ACCEPTED, *, cursor: str | None = None) -> Response:
    workspace_id, person = call.workspace.id, call.user_id
    page = await call.query(queries.list_shared_resources, workspace_id, person, after=call.after(cursor), limit=ROWS)
    own = await call.query(queries.list_resources, person, after=None, limit=MAX_LIMIT)
    return call.page(
        "workspaces/resources.html",
        refusal=refusal,
        resources=page.rows,
        own=[(row["id"], f"{row['name']} ({row['resource_type']})") for row in own.rows],
        levels=LEVELS,
        first=cursor is None,
        following=call.following(page.next_key) if refusal is ACCEPTED else None,
    )
