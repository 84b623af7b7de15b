"""The workspaces that somebody is in, one of them with what it holds, and its settings."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from dataforge.contexts.workspaces.exports.commands import restore_workspace
from dataforge.contexts.workspaces.exports.domain import ExportState
from dataforge.contexts.workspaces.exports.queries import get_export
from dataforge.contexts.workspaces.members.queries import list_members
from dataforge.contexts.workspaces.page_calls import (
    ROWS,
    WORKSPACE,
    WORKSPACES,
    WorkspacePageCall,
    cleaned,
    in_workspace_page,
    router,
)
from dataforge.contexts.workspaces.repos.queries import list_repos
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.contexts.workspaces.vaults.queries import list_vaults
from dataforge.contexts.workspaces.workspaces import commands, queries, wire
from dataforge.contexts.workspaces.workspaces.domain import WorkspaceType
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import Conflict, DataForgeError
from dataforge.kernel.paging import MAX_LIMIT
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.uploads.files import S3Files
from dataforge.web import flash
from dataforge.web.calls import PageCall, require_page
from dataforge.web.forms import ACCEPTED, Refusal, refusal_of

_SHOWN = 6  # vaults and repos on the overview
TYPES = [(kind.value, kind.value.capitalize()) for kind in WorkspaceType]
STATES = [("", Text("In use")), ("archived", "Archived"), ("all", "All"), ("deleted", "Deleted")]
_NEW = {"name": "", "description": "", "workspace_type": WorkspaceType.GENERAL.value}


@router.get(WORKSPACES)
async def workspaces_page(
    call: Annotated[PageCall, require_page(Action.READ, Kind.WORKSPACE)],
    cursor: Cursor = None,
    search: Annotated[str, Query(max_length=100)] = "",
    state: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """The workspaces that the person is in, by name, and a form for another one."""
    return await _list(call, _NEW, cursor=cursor, search=search, state=state)


@router.post(WORKSPACES)
async def create_workspace(call: Annotated[PageCall, require_page(Action.CREATE, Kind.WORKSPACE)]) -> Response:
    """Make a workspace of one's own."""
    given = cleaned(call.form, *_NEW)
    try:
        body = wire.WorkspaceIn.model_validate(given)
        command = commands.CreateWorkspace(call.user_id, **body.model_dump())
        made = await run(call.unit_of_work(WorkspacesUnitOfWork), commands.create_workspace, command)
    except (ValidationError, DataForgeError) as error:
        return await _list(call, given, refusal_of(error, given))
    return call.go_on(
        "success", Text("{name} is yours. Invite others, or begin with a vault.", name=body.name), WORKSPACES, made
    )


async def _list(
    call: PageCall,
    given: Mapping[str, str],
    refusal: Refusal = ACCEPTED,
    *,
    cursor: str | None = None,
    search: str = "",
    state: str = "",
) -> Response:
    archived = {"archived": True, "all": None}.get(state, False)
    page = await call.query(
        queries.list_workspaces,
        call.user_id,
        after=call.after(cursor),
        limit=ROWS,
        archived=None if state == "deleted" else archived,
        search=search.strip() or None,
        deleted=state == "deleted",
    )
    return call.page(
        "workspaces/workspaces.html",
        workspaces=page.rows,
        following=call.following(page.next_key) if refusal is ACCEPTED else None,
        first=cursor is None,
        chosen={"search": search, "state": state},
        given=given,
        refusal=refusal,
        types=TYPES,
        states=STATES,
    )


@router.get(WORKSPACE)
async def workspace_page(
    workspace_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.READ, Kind.WORKSPACE)]
) -> Response:
    """One workspace: what it is for, how much is in it, its first vaults and repos."""
    vaults = await call.query(list_vaults, workspace_id, call.user_id, after=None, limit=_SHOWN)
    repos = await call.query(list_repos, workspace_id, call.user_id, after=None, limit=_SHOWN)
    return call.page(
        "workspaces/workspace.html",
        shown=await call.query(queries.get_workspace, workspace_id, call.user_id),
        stats=await call.query(queries.workspace_stats, workspace_id, call.user_id),
        vaults=vaults.rows,
        repos=repos.rows,
    )


@router.get(WORKSPACE + "/settings")
async def settings_page(
    call: Annotated[WorkspacePageCall, in_workspace_page(Action.CHANGE, Kind.WORKSPACE)],
) -> Response:
    """Name, description and type; for owners also what ends or hands over the workspace."""
    return await _settings(call)


@router.post(WORKSPACE + "/settings")
async def change_workspace(
    workspace_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.CHANGE, Kind.WORKSPACE)]
) -> Response:
    """Change them."""
    given = cleaned(call.form, *_NEW)
    try:
        changes = wire.WorkspaceChangeIn.model_validate(given).model_dump(exclude_unset=True)
        command = commands.ChangeWorkspace(workspace_id, call.form.get("revision", ""), changes)
        await call.carry_out(commands.change_workspace, command)
    except (ValidationError, DataForgeError) as error:
        return await _settings(call, given, refusal_of(error, given))
    return call.go_on("success", Text("The change is saved."), WORKSPACES, workspace_id, "settings")


@router.post(WORKSPACE + "/archive")
async def archive_workspace(
    workspace_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.ARCHIVE, Kind.WORKSPACE)]
) -> Response:
    """Make it read-only."""
    await call.carry_out(commands.archive_workspace, workspace_id)
    text = Text("{name} is archived: everybody can read it, nobody can change it.", name=call.workspace.name)
    return call.go_on("success", text, WORKSPACES, workspace_id, "settings")


@router.post(WORKSPACE + "/unarchive")
async def unarchive_workspace(
    workspace_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.ARCHIVE, Kind.WORKSPACE)]
) -> Response:
    """Make it writable again."""
    await call.carry_out(commands.unarchive_workspace, workspace_id)
    return call.go_on("success", Text("{name} is in use again.", name=call.workspace.name), WORKSPACES, workspace_id)


@router.post(WORKSPACE + "/delete")
async def delete_workspace(
    workspace_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.DELETE, Kind.WORKSPACE)]
) -> Response:
    """Hide it from everybody; the name is typed to say that it is meant."""
    if call.form.get("name", "").strip() != call.workspace.name:
        refusal = Refusal(
            400, "", {"confirmation": Text("Type {name} to say that you mean it.", name=call.workspace.name)}
        )
        return await _settings(call, refusal=refusal)
    try:
        job_id = await call.carry_out(commands.delete_workspace, workspace_id)
    except DataForgeError as error:
        return await _settings(call, refusal=refusal_of(error))
    await call.platform.send_job(job_id)
    text = Text(
        "{name} is deleted. For 30 days its owners can restore it, from the state Deleted.", name=call.workspace.name
    )
    return call.go_on("success", text, WORKSPACES)


@router.post(WORKSPACE + "/restore")
async def restore(
    workspace_id: UUID, call: Annotated[PageCall, require_page(Action.DELETE, Kind.WORKSPACE)]
) -> Response:
    """Take a deletion back; the workspace is archived then, as it was."""
    try:
        await run(call.unit_of_work(WorkspacesUnitOfWork), restore_workspace, workspace_id)
    except Conflict as error:
        return await _list(call, _NEW, refusal_of(error), state="deleted")
    text = Text("The workspace is back, archived as it was before.")
    return call.go_on("success", text, WORKSPACES, workspace_id, "settings")


@router.get(WORKSPACE + "/export")
async def download_export(
    workspace_id: UUID, call: Annotated[PageCall, require_page(Action.EXPORT, Kind.WORKSPACE)]
) -> Response:
    """Go on to everything that a deleted workspace had, for its owners."""
    found = await call.query(get_export, workspace_id, call.user_id)
    if found["status"] is ExportState.NONE:
        text = Text("Only a deleted workspace has an export: its deletion makes one. This workspace is not deleted.")
        return flash.leave(call.see_other(WORKSPACES, workspace_id), call.request.scope, "info", text)
    if found["key"] is None:
        text = Text("The export is being written; look again in a moment.")
        return flash.leave(call.see_other(WORKSPACES, state="deleted"), call.request.scope, "info", text)
    files = S3Files(call.platform.settings.data_bucket)
    return RedirectResponse(files.download_url(found["key"], f"workspace-{workspace_id}.zip"), status_code=303)


async def _settings(
    call: WorkspacePageCall, given: Mapping[str, str] | None = None, refusal: Refusal = ACCEPTED
) -> Response:
    workspace_id = call.workspace.id
    shown = await call.query(queries.get_workspace, workspace_id, call.user_id)
    members = await call.query(list_members, workspace_id, call.user_id, after=None, limit=MAX_LIMIT)
    heirs = [row for row in members.rows if row["user_id"] != shown["owner_id"]]
    return call.page(
        "workspaces/settings.html",
        refusal=refusal,
        shown=shown,
        given=given or shown,
        heirs=[(row["user_id"], f"{row['display_name']} ({row['username']})") for row in heirs],
        types=TYPES,
    )
