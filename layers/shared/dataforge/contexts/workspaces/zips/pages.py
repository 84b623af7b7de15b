"""Zips of a vault: the notes exported, and a zip imported after its plan was seen.

The browser sends a zip to the object store itself, with a presigned URL; that one page may connect there.
"""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import ValidationError
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dataforge.contexts.workspaces.page_calls import (
    WORKSPACE,
    WORKSPACES,
    WorkspacePageCall,
    cleaned,
    in_workspace_page,
    router,
)
from dataforge.contexts.workspaces.vaults.queries import get_vault
from dataforge.contexts.workspaces.zips import commands, queries, wire
from dataforge.contexts.workspaces.zips.domain import EXPORT, MAX_ZIP, MEDIA_TYPE, ImportMode
from dataforge.http.call import json_response
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError, NotFound
from dataforge.kernel.jobs import JobStatus
from dataforge.kernel.texts import Text
from dataforge.platform.uploads.files import S3Files
from dataforge.web.forms import ACCEPTED, Refusal, refusal_of
from dataforge.web.templates import CONTENT_SECURITY_POLICY

VAULT = WORKSPACE + "/vaults/{vault_id}"
ZIPS = VAULT + "/zips"
MODES = [
    (ImportMode.MERGE.value, Text("stay as they are")),
    (ImportMode.REPLACE.value, Text("go into the trash")),
]
_NEW = {"mode": ImportMode.MERGE.value, "folder": "", "upload_key": ""}


@router.get(ZIPS)
async def zips_page(
    vault_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.EXPORT, Kind.VAULT)]
) -> Response:
    """What the person has exported and imported lately, with the plans that wait."""
    return await _zips(call, vault_id)


@router.post(ZIPS + "/export")
async def export_vault(
    workspace_id: UUID, vault_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.EXPORT, Kind.VAULT)]
) -> Response:
    """Have the notes written to a zip."""
    given = cleaned(call.form, "folder")
    try:
        body = wire.VaultExportIn.model_validate(given)
        job_id = await call.carry_out(commands.export_vault, commands.ExportVault(workspace_id, vault_id, body.folder))
    except (ValidationError, DataForgeError) as error:
        return await _zips(call, vault_id, refusal=refusal_of(error))
    return await _queued(call, vault_id, job_id)


@router.get(ZIPS + "/{job_id}")
async def download_zip(
    vault_id: UUID, job_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.EXPORT, Kind.VAULT)]
) -> Response:
    """Go on to a link to the zip that works for an hour."""
    jobs = await call.query(queries.list_zip_jobs, vault_id, call.user_id)
    summary = next((row["output_summary"] for row in jobs if row["id"] == job_id and row["kind"] == EXPORT), None)
    if not summary or "s3_key" not in summary:
        message = Text("There is no such export of yours.")
        raise NotFound(message)
    files = S3Files(call.platform.settings.data_bucket)
    return RedirectResponse(files.download_url(summary["s3_key"], summary["file_name"]), status_code=303)


@router.post(ZIPS + "/uploads")
async def announce_zip(
    workspace_id: UUID, vault_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.CREATE, Kind.NOTE)]
) -> Response:
    """Where the browser's script puts a zip, as JSON."""
    try:
        body = wire.ZipUploadIn.model_validate(cleaned(call.form, "size_bytes", "sha256"))
        announce = partial(commands.announce_zip, limits=call.platform.upload_limits)
        key = await call.carry_out(announce, commands.AnnounceZip(workspace_id, vault_id, body.size_bytes))
    except (ValidationError, DataForgeError) as error:
        refusal = refusal_of(error)
        return json_response({"detail": refusal.text}, status=refusal.status)
    url, headers = await call.platform.objects.upload_url(
        key, sha256=bytes.fromhex(body.sha256), length=body.size_bytes, content_type=MEDIA_TYPE
    )
    return json_response({"upload_key": key, "url": url, "headers": headers}, status=201)


@router.post(ZIPS + "/plan")
async def plan_import(
    workspace_id: UUID, vault_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.CREATE, Kind.NOTE)]
) -> Response:
    """Have a zip read that was uploaded, and compared with the vault."""
    given = cleaned(call.form, *_NEW)
    try:
        body = wire.VaultImportIn.model_validate(given)
        command = commands.PlanImport(workspace_id, vault_id, body.upload_key, body.mode, body.folder)
        job_id = await call.carry_out(commands.plan_import, command)
    except (ValidationError, DataForgeError) as error:
        return await _zips(call, vault_id, given, refusal_of(error, ("folder",)))
    return await _queued(call, vault_id, job_id)


@router.post(ZIPS + "/apply")
async def apply_import(
    workspace_id: UUID, vault_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.CREATE, Kind.NOTE)]
) -> Response:
    """Do what a plan says."""
    try:
        body = wire.VaultImportApplyIn.model_validate(cleaned(call.form, "plan_hash"))
        command = commands.ApplyImport(workspace_id, vault_id, body.plan_hash)
        job_id = await call.carry_out(commands.apply_import, command)
    except (ValidationError, DataForgeError) as error:
        return await _zips(call, vault_id, refusal=refusal_of(error))
    return await _queued(call, vault_id, job_id)


async def _queued(call: WorkspacePageCall, vault_id: UUID, job_id: UUID) -> Response:
    await call.platform.send_job(job_id)
    return call.see_other(WORKSPACES, call.workspace.id, "vaults", vault_id, "zips")


async def _zips(
    call: WorkspacePageCall, vault_id: UUID, given: Mapping[str, str] = _NEW, refusal: Refusal = ACCEPTED
) -> Response:
    vault = await call.query(get_vault, call.workspace.id, vault_id, call.user_id)
    jobs = await call.query(queries.list_zip_jobs, vault_id, call.user_id)
    writable = call.may("create", "note") and not vault["is_locked"]
    shown = call.page(
        "workspaces/zips.html",
        refusal=refusal,
        vault=vault,
        given=given,
        writable=writable,
        largest=MAX_ZIP,
        modes=MODES,
        jobs=[_described(row, jobs) for row in jobs],
        waiting=any(row["status"] in (JobStatus.PENDING, JobStatus.RUNNING) for row in jobs),
    )
    return await _connected(call, shown) if writable else shown


def _described(row: Mapping[str, Any], jobs: list[dict[str, Any]]) -> dict[str, Any]:
    """A job with what its page says of it; a plan is waiting until a later job has been made of any."""
    summary = row["output_summary"] or {}
    latest = jobs[0]["id"] == row["id"]
    return {**row, "summary": summary, "plan_hash": summary.get("plan_hash") if latest else None}


async def _connected(call: WorkspacePageCall, page: HTMLResponse) -> HTMLResponse:
    """The page with leave to send a file to the object store."""
    url, _ = await call.platform.objects.upload_url("x", sha256=bytes(32), length=1)
    store = urlsplit(url)
    policy = CONTENT_SECURITY_POLICY.replace(
        "connect-src 'self'", f"connect-src 'self' {store.scheme}://{store.netloc}"
    )
    page.headers["Content-Security-Policy"] = policy
    return page
