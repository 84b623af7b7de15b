"""REST of exports, and of taking back a deletion."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.workspaces.exports import commands, queries, wire
from dataforge.contexts.workspaces.routing import in_workspace, one_of, router
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork as Work
from dataforge.contexts.workspaces.workspaces.queries import get_workspace
from dataforge.contexts.workspaces.workspaces.wire import WorkspaceOut
from dataforge.contexts.workspaces.zips.domain import file_name_of
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.jobs import QueuedJobOut, queue_and_answer
from dataforge.http.openapi import UNKEYED
from dataforge.kernel.access import Action, Kind
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.uploads.files import S3Files

WORKSPACE = "/api/workspaces/{workspace_id}"


@router.post(WORKSPACE + "/export", status_code=202, response_model=QueuedJobOut)
async def export_workspace(
    workspace_id: UUID, call: Annotated[Call, in_workspace(Action.EXPORT, Kind.WORKSPACE)]
) -> Response:
    """Write all notes, repos, members and shared resources to one zip, for owners; the job links to it when it is
    ready.

    Of the schema nothing is in it, neither tables nor rows nor trash: `GET /api/schema/current` gives its target or
    SQL, and `GET /api/schema/revisions/{number}` each revision.
    """
    return await queue_and_answer(call, Work, commands.export_workspace, workspace_id)


@router.get(WORKSPACE + "/export", response_model=wire.WorkspaceExportOut)
async def get_export(
    workspace_id: UUID, call: Annotated[Call, in_workspace(Action.EXPORT, Kind.WORKSPACE)]
) -> Response:
    """The export that the deletion of a workspace has made, for its owners, until the workspace is erased.

    It has what `POST …/export` writes: of the schema nothing, which can be read until the workspace is deleted.
    """
    found = await call.query(queries.get_export, workspace_id, call.user_id)
    key = found.pop("key")
    files = S3Files(call.platform.settings.data_bucket)
    url = None if key is None else files.download_url(key, file_name_of(f"workspace-{workspace_id}", ""))
    return json_response(wire.WorkspaceExportOut(**found, download_url=url))


@router.post(WORKSPACE + "/restore", response_model=WorkspaceOut, openapi_extra={UNKEYED: True})
async def restore_workspace(
    workspace_id: UUID, call: Annotated[Call, require(Action.DELETE, Kind.WORKSPACE, replays=False)]
) -> Response:
    """Take back the deletion of a workspace within 30 days, for its owners; it is archived then, as it was."""
    await run(call.unit_of_work(Work), commands.restore_workspace, workspace_id)
    return one_of(call, await call.query(get_workspace, workspace_id, call.user_id), WorkspaceOut)
