"""Zips of vaults: announced, planned, applied, exported."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from dataforge.contexts.workspaces.notes.commands import open_vault
from dataforge.contexts.workspaces.notes.domain.notes import MAX_NOTES, NoteLimitExceeded
from dataforge.contexts.workspaces.notes.queries import seen_vault
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.contexts.workspaces.vaults.domain import Vault
from dataforge.contexts.workspaces.zips.domain import (
    EXPORT,
    IMPORT,
    PLAN,
    UPLOAD_PREFIX,
    ImportMode,
    ImportPlan,
    ZipRefused,
    require_folder,
)
from dataforge.contexts.workspaces.zips.queries import digest_of, hashes_of
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.ids import uuid7
from dataforge.kernel.plans import Plan, PlanUnknown
from dataforge.kernel.quotas import UploadClaim, UploadLimits
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.kernel.uploads import URL_SECONDS
from dataforge.platform.jobs.shared import queue_job


@dataclass(frozen=True, slots=True)
class AnnounceZip:
    """A zip of so many bytes, for a vault."""

    workspace_id: UUID
    vault_id: UUID
    size_bytes: int


@dataclass(frozen=True, slots=True)
class PlanImport:
    """What an import of an upload would do."""

    workspace_id: UUID
    vault_id: UUID
    upload_key: str
    mode: ImportMode
    folder: str


@dataclass(frozen=True, slots=True)
class KeepImportPlan:
    """What was found: the hashes of the zip and of the notes, and what becomes of each path."""

    asked: PlanImport
    upload_sha256: str
    notes_sha256: str
    plan: ImportPlan


@dataclass(frozen=True, slots=True)
class ApplyImport:
    """The plan with this hash."""

    workspace_id: UUID
    vault_id: UUID
    plan_hash: str


@dataclass(frozen=True, slots=True)
class ExportVault:
    """The notes of a vault below a folder; empty for all."""

    workspace_id: UUID
    vault_id: UUID
    folder: str


async def announce_zip(command: AnnounceZip, uow: WorkspacesUnitOfWork, *, limits: UploadLimits) -> str:
    """The key under which an editor may put the zip; raises UploadQuotaExceeded, VaultNotFound, VaultLocked."""
    await _enter(command.workspace_id, command.vault_id, uow)
    upload_id = uuid7()
    expires = uow.now + timedelta(seconds=URL_SECONDS)
    await uow.upload_quota.claim(UploadClaim(upload_id, uow.person, "vaults", command.size_bytes, expires), limits)
    return f"{UPLOAD_PREFIX}{command.vault_id}/{uow.person}/{upload_id}"


async def plan_import(command: PlanImport, uow: WorkspacesUnitOfWork) -> UUID:
    """Queue the job that reads the zip and plans, for editors; raises ZipRefused for an upload of somebody else."""
    folder = require_folder(command.folder)
    await _enter(command.workspace_id, command.vault_id, uow)
    if not command.upload_key.startswith(f"{UPLOAD_PREFIX}{command.vault_id}/{uow.person}/"):
        message = Text("There is no such upload of yours; POST …/imports/uploads gives a key.")
        raise ZipRefused(message)
    shown = {**_ids(command), "mode": command.mode.value, "folder": folder}
    return await queue_job(uow, PLAN, shown, checkpoint={"upload_key": command.upload_key})


async def keep_import_plan(command: KeepImportPlan, uow: WorkspacesUnitOfWork) -> Plan:
    """Keep the plan for an hour; raises NoteLimitExceeded if the vault has no room for it, VaultLocked."""
    asked = command.asked
    opened = await open_vault(asked.workspace_id, asked.vault_id, uow)
    described = command.plan.described()
    if opened.notes + described["counts"]["created"] > MAX_NOTES:
        message = Text(
            "The vault would have more than the {max_notes:,} notes that a vault may have.", max_notes=MAX_NOTES
        )
        raise NoteLimitExceeded(message, facts={"limit": MAX_NOTES})
    inputs = {**_ids(asked), "upload_key": asked.upload_key, "mode": asked.mode.value, "folder": asked.folder}
    plan = Plan.of(
        IMPORT,
        inputs={**inputs, "upload_sha256": command.upload_sha256},
        state={"notes_sha256": command.notes_sha256},
        preview=described,
        created_by=uow.person,
        now=uow.now,
    )
    await uow.plans.add(plan)
    return plan


async def apply_import(command: ApplyImport, uow: WorkspacesUnitOfWork) -> UUID:
    """Queue the job that does what the plan says, for editors; applied again it is the same job.

    Raises PlanUnknown, PlanExpired, PlanStale, VaultLocked, WorkspaceArchived.
    """
    vault = await _enter(command.workspace_id, command.vault_id, uow)
    plan = await uow.plans.lock(IMPORT, command.plan_hash)
    if plan.inputs["vault_id"] != str(command.vault_id):
        message = Text("No plan of this vault has this hash. Preview again, and apply the hash of that plan.")
        raise PlanUnknown(message)
    if plan.job_id is not None:
        return plan.job_id
    plan.check(await state_of(plan.inputs, uow), uow.now)
    job_id = await queue_job(uow, IMPORT, {**_ids(command), "plan_id": str(plan.id)})
    await uow.plans.note_applied(plan.id, job_id)
    after = {"plan_hash": plan.plan_hash, **plan.preview["counts"]}
    uow.audit(AuditEntry("import_applied", "vault", str(vault.id), after=after, workspace_id=vault.workspace.id))
    return job_id


async def state_of(inputs: Mapping[str, Any], uow: WorkspacesUnitOfWork) -> dict[str, str]:
    """The state that a plan depends on: the notes of its folder."""
    hashes = await hashes_of(uow.connection, UUID(inputs["vault_id"]), inputs["folder"])
    return {"notes_sha256": digest_of(hashes)}


async def export_vault(command: ExportVault, uow: WorkspacesUnitOfWork) -> UUID:
    """Queue the job that writes the zip, for every member; raises WorkspaceNotFound, VaultNotFound."""
    folder = require_folder(command.folder)
    await seen_vault(uow.connection, command.workspace_id, command.vault_id, uow.person)
    job_id = await queue_job(uow, EXPORT, {**_ids(command), "folder": folder})
    after = {"folder": folder}
    workspace_id = command.workspace_id
    uow.audit(AuditEntry("exported", "vault", str(command.vault_id), after=after, workspace_id=workspace_id))
    return job_id


async def _enter(workspace_id: UUID, vault_id: UUID, uow: WorkspacesUnitOfWork) -> Vault:
    workspace = await uow.workspaces.enter(workspace_id, uow.person)
    vault = await uow.vaults.enter(vault_id, workspace)
    vault.require_unlocked(Action.CREATE, Kind.NOTE)
    return vault


def _ids(command: PlanImport | ApplyImport | ExportVault) -> dict[str, str]:
    return {"workspace_id": str(command.workspace_id), "vault_id": str(command.vault_id)}
