"""The job that exports a workspace, and what becomes of exports."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from dataforge.contexts.workspaces.contract import WorkspaceDeleted
from dataforge.contexts.workspaces.exports.commands import KeepExport, keep_export, queue_missing_exports
from dataforge.contexts.workspaces.exports.domain import FORMAT, KIND, kept_below
from dataforge.contexts.workspaces.exports.queries import read_workspace
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.contexts.workspaces.workspaces.domain import missing_workspace
from dataforge.contexts.workspaces.zips.domain import file_name_of
from dataforge.contexts.workspaces.zips.files import ZipObject
from dataforge.contexts.workspaces.zips.queries import notes_of
from dataforge.kernel.access import Action, Kind
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.jobs.control import JobControl, Steps
from dataforge.platform.jobs.shared import SharedJob, complete_job
from dataforge.platform.module import JobKind

if TYPE_CHECKING:
    from dataforge.contexts.workspaces.module import WorkspacesServices

_LISTS = ("members", "repos", "vaults", "resources")


async def write_export(
    job: SharedJob, control: JobControl[WorkspacesUnitOfWork], services: "WorkspacesServices"
) -> None:
    """Write the zip; that of a deletion is named in its workspace, in the transaction that ends the job.

    A worker that dies leaves no object that anything names, and the next one begins again.
    """
    workspace_id, ending = UUID(job.run_parameters["workspace_id"]), bool(job.run_parameters["ending"])
    if not ending:
        async with control.unit_of_work() as uow:
            workspace = await uow.workspaces.enter(workspace_id, uow.person)
            workspace.require(Action.EXPORT, Kind.WORKSPACE)
    async with services.database.read_only() as connection:
        facts = await read_workspace(connection, workspace_id)
    if facts is None:
        raise missing_workspace(workspace_id)
    if ending and facts["workspace"]["deleted_at"] is None:
        await _complete(job, control, {"restored": True})
        return
    name = file_name_of(facts["workspace"]["name"], "")
    # The attempt is in the key: a worker that lost its lease cannot overwrite what the next one made.
    folder = f"{kept_below(workspace_id)}exports" if ending else "exports/workspaces"
    async with ZipObject(services.settings.data_bucket, f"{folder}/{job.id}/{job.attempt}/{name}") as zipped:
        notes = await _write(zipped, facts, control, services)
        await zipped.close()
        shown = {"notes": notes, "bytes": zipped.size}
        if not ending:
            await _complete(job, control, {"s3_key": zipped.key, "file_name": name, **shown})
            return
        async with control.unit_of_work() as uow:
            kept = await keep_export(
                KeepExport(workspace_id, facts["workspace"]["deleted_at"], zipped.key, zipped.size), uow
            )
            await complete_job(uow, job, control, {"restored": True} if not kept else shown)
            await uow.commit()
        if not kept:
            await zipped.discard()


async def _write(
    zipped: ZipObject,
    facts: Mapping[str, Any],
    control: JobControl[WorkspacesUnitOfWork],
    services: "WorkspacesServices",
) -> int:
    at, count = services.clock.now(), 0
    # Names of vaults are names of folders, and differ in more than capitals.
    vaults = [{**vault, "folder": f"vaults/{vault['name']}"} for vault in facts["vaults"]]
    files = {**{name: facts[name] for name in _LISTS}, "vaults": vaults}
    about = {"format": FORMAT, "exported_at": at, **facts["workspace"]}
    for name, content in {"workspace": about, **files}.items():
        await zipped.add_file(f"{name}.json", orjson.dumps(content, option=orjson.OPT_INDENT_2), at)
    for vault in vaults:
        written = 0
        async for written in zipped.add_notes(notes_of(services.database, vault["id"]), into=vault["folder"]):
            control.report(Steps("writing", count + written, zipped.size))
        count += written
    return count


async def _complete(job: SharedJob, control: JobControl[WorkspacesUnitOfWork], summary: Mapping[str, Any]) -> None:
    async with control.unit_of_work() as uow:
        await complete_job(uow, job, control, summary)
        await uow.commit()


async def maintain(services: "WorkspacesServices") -> dict[str, int]:
    """Have exports made that deletions wait for: a job may have failed, or been cancelled by hand."""
    queued = await run(services.unit_of_work(WorkspacesUnitOfWork), queue_missing_exports, None)
    for job_id in queued:
        await services.platform.send_job(job_id)
    return {"queued_exports": len(queued)}


async def delete_objects(event: WorkspaceDeleted, services: "WorkspacesServices") -> None:
    """Delete what the bucket has of a workspace that is gone; a second time nothing is left to do."""
    objects, prefix = services.platform.objects, kept_below(event.workspace_id)
    while found := await objects.oldest(prefix, limit=1000):
        await objects.delete([item.key for item in found])


KINDS: Mapping[str, JobKind["WorkspacesServices"]] = {KIND: JobKind(write_export, WorkspacesUnitOfWork)}
