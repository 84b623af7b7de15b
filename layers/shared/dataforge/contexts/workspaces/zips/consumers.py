"""The jobs of zips: planning an import, doing it, and writing an export."""

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dataforge.contexts.workspaces.notes.commands import WritableVault, open_vault, write_note
from dataforge.contexts.workspaces.notes.domain.notes import body_sha256
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.contexts.workspaces.vaults.queries import get_vault
from dataforge.contexts.workspaces.zips.commands import KeepImportPlan, PlanImport, keep_import_plan, state_of
from dataforge.contexts.workspaces.zips.domain import (
    EXPORT,
    IMPORT,
    PLAN,
    Change,
    ImportMode,
    ImportPlan,
    ZipContents,
    ZipRefused,
    contents_of,
    file_name_of,
    open_zip,
    plan_changes,
    read_notes,
)
from dataforge.contexts.workspaces.zips.files import Downloaded, ZipObject, downloaded
from dataforge.contexts.workspaces.zips.queries import digest_of, hashes_of, notes_of
from dataforge.kernel.plans import Plan
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.jobs.control import JobControl, Steps
from dataforge.platform.jobs.shared import SharedJob, complete_job
from dataforge.platform.module import JobKind

if TYPE_CHECKING:
    from dataforge.contexts.workspaces.module import WorkspacesServices

_BATCH = 50


async def plan(job: SharedJob, control: JobControl[WorkspacesUnitOfWork], services: "WorkspacesServices") -> None:
    """Read the zip, compare it with the vault, and keep the plan; the job's summary has its hash."""
    given = job.run_parameters
    asked = PlanImport(
        UUID(given["workspace_id"]),
        UUID(given["vault_id"]),
        job.checkpoint["upload_key"],
        ImportMode(given["mode"]),
        given["folder"],
    )
    control.stage("reading")
    with ExitStack() as stack:
        zipped = await asyncio.to_thread(_open, stack, services, asked.upload_key)
        texts, contents = await asyncio.to_thread(_hashes, zipped, asked.folder, control)
    async with control.unit_of_work() as uow:
        there = await hashes_of(uow.connection, asked.vault_id, asked.folder)
        changes = plan_changes(texts, contents, there, asked.mode)
        kept = await keep_import_plan(KeepImportPlan(asked, zipped.sha256, digest_of(there), changes), uow)
        facts = {"plan_hash": kept.plan_hash, "expires_at": kept.expires_at.isoformat()}
        await complete_job(uow, job, control, {**facts, **kept.preview})
        await uow.commit()


def _open(stack: ExitStack, services: "WorkspacesServices", key: str) -> Downloaded:
    return stack.enter_context(downloaded(services.settings.data_bucket, key))


def _hashes(
    zipped: Downloaded, folder: str, control: JobControl[WorkspacesUnitOfWork]
) -> tuple[dict[str, str], ZipContents]:
    with open_zip(zipped.file, zipped.size) as archive:
        contents = contents_of(archive, folder)
        texts: dict[str, str] = {}
        for note, body in read_notes(archive, contents):
            texts[note.path] = body_sha256(body)
            control.report(Steps("reading", len(texts)))
        return texts, contents


async def import_notes(
    job: SharedJob, control: JobControl[WorkspacesUnitOfWork], services: "WorkspacesServices"
) -> None:
    """Do what the plan says in one transaction: all of it, or nothing. Raises PlanStale, VaultLocked, ZipRefused."""
    async with control.unit_of_work() as uow:
        kept = await uow.plans.get(UUID(job.run_parameters["plan_id"]))
    control.stage("reading")
    with ExitStack() as stack:
        zipped = await asyncio.to_thread(_open, stack, services, kept.inputs["upload_key"])
        if zipped.sha256 != kept.inputs["upload_sha256"]:
            message = Text("The upload is another file than the one that was planned. Preview again.")
            raise ZipRefused(message)
        async with control.unit_of_work() as uow:
            done = await _apply(kept, zipped, uow, control)
            await complete_job(uow, job, control, {"plan_hash": kept.plan_hash, **done.described()})
            await uow.commit()


async def _apply(
    kept: Plan, zipped: Downloaded, uow: WorkspacesUnitOfWork, control: JobControl[WorkspacesUnitOfWork]
) -> ImportPlan:
    inputs = kept.inputs
    opened = await open_vault(UUID(inputs["workspace_id"]), UUID(inputs["vault_id"]), uow)
    # It had not expired when it was applied; whether it is stale is asked again, now that nobody else writes.
    kept.check(await state_of(inputs, uow), kept.created_at)
    there = await hashes_of(uow.connection, opened.vault.id, inputs["folder"])
    texts: dict[str, str] = {}
    with open_zip(zipped.file, zipped.size) as archive:
        contents = contents_of(archive, inputs["folder"])
        read = read_notes(archive, contents)
        while batch := await asyncio.to_thread(lambda: list(islice(read, _BATCH))):
            for note, body in batch:
                await write_note(uow, opened, note.path, body)
                texts[note.path] = body_sha256(body)
            control.report(Steps("writing", len(texts)))
    done = plan_changes(texts, contents, there, ImportMode(inputs["mode"]))
    await _trash(done, opened, uow)
    vault = opened.vault
    entry = AuditEntry("imported", "vault", str(vault.id), after=done.counts, workspace_id=vault.workspace.id)
    uow.audit(entry)
    return done


async def _trash(done: ImportPlan, opened: WritableVault, uow: WorkspacesUnitOfWork) -> None:
    for item in done.changes:
        if item.change is Change.TRASHED and (note := await uow.notes.enter_at(item.path, opened.vault)) is not None:
            await uow.notes.trash(note, opened.author)


async def export(job: SharedJob, control: JobControl[WorkspacesUnitOfWork], services: "WorkspacesServices") -> None:
    """Write the zip and end the job with its name. A worker that dies leaves no file; the next one begins again."""
    given: Mapping[str, Any] = job.run_parameters
    workspace_id, vault_id, folder = UUID(given["workspace_id"]), UUID(given["vault_id"]), given["folder"]
    async with control.unit_of_work() as uow:
        vault = await get_vault(uow.connection, workspace_id, vault_id, uow.person)
    name = file_name_of(vault["name"], folder)
    # The attempt is in the key: a worker that lost its lease cannot overwrite what the next one made.
    key = f"exports/vaults/{job.id}/{job.attempt}/{name}"
    async with ZipObject(services.settings.data_bucket, key) as zipped:
        count = 0
        pages = notes_of(services.database, vault_id, folder)
        async for count in zipped.add_notes(pages, below=folder):
            control.report(Steps("writing", count, zipped.size))
        await zipped.close()
        async with control.unit_of_work() as uow:
            facts = {"notes": count, "bytes": zipped.size}
            await complete_job(uow, job, control, {"s3_key": key, "file_name": name, **facts})
            await uow.commit()


KINDS: Mapping[str, JobKind["WorkspacesServices"]] = {
    PLAN: JobKind(plan, WorkspacesUnitOfWork),
    IMPORT: JobKind(import_notes, WorkspacesUnitOfWork),
    EXPORT: JobKind(export, WorkspacesUnitOfWork),
}
