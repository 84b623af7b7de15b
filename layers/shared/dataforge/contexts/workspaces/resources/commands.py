"""Global resources: made, changed, deleted, shared with workspaces, changed and copied there."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dataforge.contexts.workspaces.profiles.commands import own_profile
from dataforge.contexts.workspaces.resources.domain import (
    AccessLevel,
    ResourceType,
    require_level,
    require_resource_room,
)
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.ids import uuid7
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.versioned_rows import require_revision


@dataclass(frozen=True, slots=True)
class CreateResource:
    """A resource of the person, who must be the caller."""

    user_id: UUID
    resource_type: ResourceType
    name: str
    resource_data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ChangeResource:
    """Changes of one's own resource."""

    user_id: UUID
    resource_id: UUID
    expected: str
    changes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DeleteResource:
    """One's own resource, wherever it is shared."""

    user_id: UUID
    resource_id: UUID


@dataclass(frozen=True, slots=True)
class ShareResource:
    """One's own resource with a workspace, for this."""

    workspace_id: UUID
    resource_id: UUID
    access_level: AccessLevel


@dataclass(frozen=True, slots=True)
class SharedResource:
    """A resource as it is shared with a workspace."""

    workspace_id: UUID
    resource_id: UUID


@dataclass(frozen=True, slots=True)
class ChangeSharedResource:
    """New data of a resource that is shared to be written."""

    workspace_id: UUID
    resource_id: UUID
    expected: str
    resource_data: dict[str, Any]


async def create_resource(command: CreateResource, uow: WorkspacesUnitOfWork) -> UUID:
    """Create it; raises ProfileNotFound, ResourceLimitExceeded, AlreadyExists."""
    owner = own_profile(command.user_id, uow)
    await uow.profiles.ensure(owner)
    return await _add(owner, command.resource_type, command.name, command.resource_data, uow)


async def _add(
    owner: UUID, kind: ResourceType, name: str, resource_data: dict[str, Any], uow: WorkspacesUnitOfWork
) -> UUID:
    require_resource_room(await uow.resources.number_of(owner))
    resource_id = uuid7()
    values = {"user_id": owner, "resource_type": kind.value, "name": name, "resource_data": resource_data}
    await uow.resources.add({"id": resource_id, **values})
    return resource_id


async def change_resource(command: ChangeResource, uow: WorkspacesUnitOfWork) -> UUID:
    """Change it; raises ResourceNotFound, PreconditionFailed, AlreadyExists."""
    row = await uow.resources.own(command.resource_id, own_profile(command.user_id, uow))
    require_revision(command.expected, row["revision"])
    await uow.resources.change(row, command.changes)
    return command.resource_id


async def delete_resource(command: DeleteResource, uow: WorkspacesUnitOfWork) -> None:
    """Delete it, and take it out of every workspace; raises ResourceNotFound."""
    row = await uow.resources.own(command.resource_id, own_profile(command.user_id, uow))
    await uow.resources.remove(row)


async def share_resource(command: ShareResource, uow: WorkspacesUnitOfWork) -> UUID:
    """Share one's own resource, or change for what; for editors. Raises ResourceNotFound, WorkspaceArchived."""
    workspace = await uow.workspaces.enter(command.workspace_id, uow.person)
    workspace.require_writable(Action.CREATE, Kind.SHARED_RESOURCE)
    await uow.resources.own(command.resource_id, uow.person)
    await uow.resources.share(command.resource_id, workspace.id, command.access_level)
    _audit(uow, "shared", command, access_level=command.access_level.value)
    return command.resource_id


async def unshare_resource(command: SharedResource, uow: WorkspacesUnitOfWork) -> None:
    """Share it no longer: for whoever it belongs to, and for administrators; raises ResourceNotFound."""
    workspace = await uow.workspaces.enter(command.workspace_id, uow.person)
    row, _ = await uow.resources.shared(command.resource_id, workspace.id)
    workspace.require_writable(Action.DELETE, Kind.SHARED_RESOURCE, own=row["user_id"] == uow.person)
    await uow.resources.unshare(command.resource_id, workspace.id)
    _audit(uow, "unshared", command)


async def change_shared_resource(command: ChangeSharedResource, uow: WorkspacesUnitOfWork) -> UUID:
    """Write new data, for editors; raises ResourceNotFound, ResourceAccessMissing, PreconditionFailed."""
    workspace = await uow.workspaces.enter(command.workspace_id, uow.person)
    row, level = await uow.resources.shared(command.resource_id, workspace.id)
    workspace.require_writable(Action.CHANGE, Kind.SHARED_RESOURCE)
    require_level(level, AccessLevel.WRITE)
    require_revision(command.expected, row["revision"])
    await uow.resources.change(row, {"resource_data": command.resource_data})
    _audit(uow, "changed", SharedResource(workspace.id, command.resource_id))
    return command.resource_id


async def copy_resource(command: SharedResource, uow: WorkspacesUnitOfWork) -> UUID:
    """Take a copy of one's own; answers its id. Raises ResourceNotFound, ResourceAccessMissing, AlreadyExists."""
    await uow.profiles.ensure(uow.person)
    workspace = await uow.workspaces.enter(command.workspace_id, uow.person)
    row, level = await uow.resources.shared(command.resource_id, workspace.id)
    require_level(level, AccessLevel.COPY)
    return await _add(uow.person, ResourceType(row["resource_type"]), row["name"], row["resource_data"], uow)


def _audit(uow: WorkspacesUnitOfWork, action: str, shared: SharedResource | ShareResource, **after: object) -> None:
    entry = AuditEntry(
        action, "global_resource", str(shared.resource_id), after=after or None, workspace_id=shared.workspace_id
    )
    uow.audit(entry)
