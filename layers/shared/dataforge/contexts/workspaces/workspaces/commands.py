"""Workspaces: made, changed, archived, deleted."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from dataforge.contexts.workspaces.contract import WorkspaceHidden
from dataforge.contexts.workspaces.exports.commands import queue_export_of
from dataforge.contexts.workspaces.profiles.commands import own_profile
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.contexts.workspaces.workspaces.domain import (
    WorkspaceType,
    require_room,
)
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.ids import uuid7
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.versioned_rows import require_revision


@dataclass(frozen=True, slots=True)
class CreateWorkspace:
    """A workspace of the person, who must be the caller."""

    user_id: UUID
    name: str
    description: str = ""
    workspace_type: WorkspaceType = WorkspaceType.GENERAL
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChangeWorkspace:
    """Changes of name, description, type or settings."""

    workspace_id: UUID
    expected: str
    changes: dict[str, Any]


async def create_workspace(command: CreateWorkspace, uow: WorkspacesUnitOfWork) -> UUID:
    """Create it with its owner as member; raises ProfileNotFound, WorkspaceLimitExceeded, AlreadyExists."""
    owner = own_profile(command.user_id, uow)
    await uow.profiles.ensure(owner)
    require_room(await uow.profiles.owned(owner))
    workspace_id = uuid7()
    values = {
        "id": workspace_id,
        "owner_id": owner,
        "name": command.name,
        "description": command.description,
        "workspace_type": command.workspace_type.value,
        "settings": command.settings,
    }
    await uow.workspaces.create(values)
    _audit(uow, "created", workspace_id, name=command.name)
    return workspace_id


async def change_workspace(command: ChangeWorkspace, uow: WorkspacesUnitOfWork) -> UUID:
    """Change it; for owners and administrators. Raises WorkspaceArchived, PreconditionFailed, AlreadyExists."""
    workspace = await uow.workspaces.enter(command.workspace_id, uow.person, alone=True)
    workspace.require_writable(Action.CHANGE, Kind.WORKSPACE)
    require_revision(command.expected, workspace.revision)
    await uow.workspaces.update(workspace, command.changes)
    _audit(uow, "changed", workspace.id, fields=sorted(command.changes))
    return workspace.id


async def archive_workspace(workspace_id: UUID, uow: WorkspacesUnitOfWork) -> UUID:
    """Make it read-only, for owners; archiving again changes nothing."""
    workspace = await uow.workspaces.enter(workspace_id, uow.person, alone=True)
    workspace.require(Action.ARCHIVE, Kind.WORKSPACE)
    if workspace.archived_at is None:
        await uow.workspaces.update(workspace, {"archived_at": uow.now})
        _audit(uow, "archived", workspace.id)
    return workspace.id


async def unarchive_workspace(workspace_id: UUID, uow: WorkspacesUnitOfWork) -> UUID:
    """Make it writable again, for owners."""
    workspace = await uow.workspaces.enter(workspace_id, uow.person, alone=True)
    workspace.require(Action.ARCHIVE, Kind.WORKSPACE)
    if workspace.archived_at is not None:
        await uow.workspaces.update(workspace, {"archived_at": None})
        _audit(uow, "unarchived", workspace.id)
    return workspace.id


async def delete_workspace(workspace_id: UUID, uow: WorkspacesUnitOfWork) -> UUID:
    """Hide it from everybody, and queue its export; the job's id. Raises WorkspaceDeletionNotAllowed.

    After thirty days it is deleted for good, if the export is there.
    """
    workspace = await uow.workspaces.enter(workspace_id, uow.person, alone=True)
    workspace.require_deletable()
    await uow.workspaces.update(workspace, {"deleted_at": uow.now})
    _audit(uow, "deleted", workspace.id, name=workspace.name)
    uow.publish(WorkspaceHidden(workspace.id))
    return await queue_export_of(workspace.id, uow, ending=True)


def _audit(uow: WorkspacesUnitOfWork, action: str, workspace_id: UUID, **after: object) -> None:
    uow.audit(AuditEntry(action, "workspace", str(workspace_id), after=after or None, workspace_id=workspace_id))
