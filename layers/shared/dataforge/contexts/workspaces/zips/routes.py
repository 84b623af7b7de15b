"""REST of zips: upload, preview, apply by the hash; and export."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Body
from starlette.responses import Response

from dataforge.contexts.workspaces.routing import in_workspace, router
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork as Work
from dataforge.contexts.workspaces.zips import commands, wire
from dataforge.contexts.workspaces.zips.domain import MEDIA_TYPE
from dataforge.http.call import Call, json_response
from dataforge.http.jobs import QueuedJobOut, queue_and_answer
from dataforge.http.openapi import UNKEYED
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.uploads import URL_SECONDS
from dataforge.platform.db.unit_of_work import run

VAULT = "/api/workspaces/{workspace_id}/vaults/{vault_id}"
IMPORTS = VAULT + "/imports"


@router.post(IMPORTS + "/uploads", status_code=201, response_model=wire.ZipUploadOut, openapi_extra={UNKEYED: True})
async def announce_zip(
    workspace_id: UUID,
    vault_id: UUID,
    body: wire.ZipUploadIn,
    call: Annotated[Call, in_workspace(Action.CREATE, Kind.NOTE)],
) -> Response:
    """Where a zip of notes goes, for an hour: S3 refuses another file."""
    announce = partial(commands.announce_zip, limits=call.platform.upload_limits)
    command = commands.AnnounceZip(workspace_id, vault_id, body.size_bytes)
    key = await run(call.unit_of_work(Work), announce, command)
    url, headers = await call.platform.objects.upload_url(
        key, sha256=bytes.fromhex(body.sha256), length=body.size_bytes, content_type=MEDIA_TYPE
    )
    facts = {"upload_key": key, "url": url, "method": "PUT", "headers": headers, "expires_in": URL_SECONDS}
    return json_response(facts, status=201)


@router.post(IMPORTS + "/preview", status_code=202, response_model=QueuedJobOut)
async def preview_vault_import(
    workspace_id: UUID,
    vault_id: UUID,
    body: wire.VaultImportIn,
    call: Annotated[Call, in_workspace(Action.CREATE, Kind.NOTE)],
) -> Response:
    """Read a zip and say what an import would do, for editors; the job's summary has the plan and its hash.

    Notes are taken byte for byte, links and properties included. Files that are no notes are skipped and listed; what
    programs keep for themselves (`.obsidian`, `.trash`, `__MACOSX`) is passed over and counted.
    """
    command = commands.PlanImport(workspace_id, vault_id, body.upload_key, body.mode, body.folder)
    return await queue_and_answer(call, Work, commands.plan_import, command)


@router.post(IMPORTS, status_code=202, response_model=QueuedJobOut)
async def import_vault(
    workspace_id: UUID,
    vault_id: UUID,
    body: wire.VaultImportApplyIn,
    call: Annotated[Call, in_workspace(Action.CREATE, Kind.NOTE)],
) -> Response:
    """Do what the plan with this hash says, all of it or nothing; 409 `plan_stale` when the notes are others by now."""
    command = commands.ApplyImport(workspace_id, vault_id, body.plan_hash)
    return await queue_and_answer(call, Work, commands.apply_import, command)


@router.post(VAULT + "/exports", status_code=202, response_model=QueuedJobOut)
async def export_vault(
    workspace_id: UUID,
    vault_id: UUID,
    body: Annotated[wire.VaultExportIn, Body(default_factory=wire.VaultExportIn)],
    call: Annotated[Call, in_workspace(Action.EXPORT, Kind.VAULT)],
) -> Response:
    """Write the notes of a vault or folder to a zip, for every member; the job links to it when it is ready."""
    command = commands.ExportVault(workspace_id, vault_id, body.folder)
    return await queue_and_answer(call, Work, commands.export_vault, command)
