"""Exports of workspaces asked for and kept; deleted workspaces restored."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dataforge.contexts.workspaces.contract import WorkspaceHidden
from dataforge.contexts.workspaces.exports.domain import AGAIN_AFTER, KIND, PATIENCE
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.contexts.workspaces.workspaces.domain import DELETED_FOR, missing_workspace, require_room
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import NotFound
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.jobs.shared import queue_job


async def export_workspace(workspace_id: UUID, uow: WorkspacesUnitOfWork) -> UUID:
    """Queue the job that writes everything to one zip, for owners; raises WorkspaceNotFound, WorkspaceNotOwned."""
    workspace = await uow.workspaces.enter(workspace_id, uow.person)
    workspace.require(Action.EXPORT, Kind.WORKSPACE)
    uow.audit(AuditEntry("exported", "workspace", str(workspace.id), workspace_id=workspace.id))
    return await queue_export_of(workspace.id, uow, ending=False)


async def queue_export_of(workspace_id: UUID, uow: WorkspacesUnitOfWork, *, ending: bool) -> UUID:
    """Queue the job; `ending` is for the export that a deletion waits for."""
    return await queue_job(uow, KIND, {"workspace_id": str(workspace_id), "ending": ending})


async def restore_workspace(workspace_id: UUID, uow: WorkspacesUnitOfWork) -> UUID:
    """Take back a deletion within thirty days, for owners; one that is not deleted stays as it is.

    Raises WorkspaceNotFound, WorkspaceNotOwned, WorkspaceLimitExceeded, and AlreadyExists where another workspace has
    the name meanwhile.
    """
    owner = await uow.endings.owner_of(workspace_id, uow.person)
    if owner is not None:
        # Locked before the workspace, as always: two who are restored at once do not both find the last room.
        await uow.profiles.ensure(owner)
    try:
        ending = await uow.endings.enter(workspace_id, uow.person)
    except NotFound:
        # Whoever is no owner hears so only where the workspace is seen.
        (await uow.workspaces.enter(workspace_id, uow.person)).require(Action.DELETE, Kind.WORKSPACE)
        raise
    if ending.deleted_at is None:
        return ending.id
    if uow.now >= ending.deleted_at + DELETED_FOR:
        raise missing_workspace(workspace_id)
    if ending.owner_id != owner:
        raise missing_workspace(workspace_id)
    require_room(await uow.profiles.owned(ending.owner_id))
    # The next deletion makes an export of its own.
    gone = dict.fromkeys(("deleted_at", "export_key", "export_bytes", "exported_at"))
    await uow.endings.change({"id": ending.id, "name": ending.name}, gone)
    uow.audit(AuditEntry("restored", "workspace", str(ending.id), workspace_id=ending.id))
    uow.publish(WorkspaceHidden(ending.id))
    return ending.id


@dataclass(frozen=True, slots=True)
class KeepExport:
    """The object that has everything of a workspace as it was after it was deleted at that instant."""

    workspace_id: UUID
    deleted_at: datetime
    key: str
    size: int


async def keep_export(command: KeepExport, uow: WorkspacesUnitOfWork) -> bool:
    """Let the deletion go on; False if the workspace was restored meanwhile, or another job was faster.

    One that was restored and deleted again may have more in it than the object has.
    """
    return await uow.endings.keep_export(command.workspace_id, command.deleted_at, command.key, command.size)


async def queue_missing_exports(_: None, uow: WorkspacesUnitOfWork) -> list[UUID]:
    """Queue exports that deletions wait for and nobody makes; the ids of the jobs."""
    missing = await uow.endings.without_export(KIND, uow.now - PATIENCE, uow.now - AGAIN_AFTER)
    return [await queue_export_of(workspace_id, uow, ending=True) for workspace_id in missing]
