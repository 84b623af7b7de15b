"""Vaults: created, changed, locked, deleted."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.contexts.workspaces.vaults.domain import require_vault_room
from dataforge.contexts.workspaces.workspaces.domain import (
    Workspace,
)
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.ids import uuid7
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.versioned_rows import require_revision


@dataclass(frozen=True, slots=True)
class CreateVault:
    """A vault in a workspace; its path is its name unless another is given."""

    workspace_id: UUID
    name: str
    path: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChangeVault:
    """Changes of a vault; `expected` is the revision the caller read."""

    workspace_id: UUID
    vault_id: UUID
    expected: str
    changes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DeleteVault:
    """A vault out of its workspace."""

    workspace_id: UUID
    vault_id: UUID


@dataclass(frozen=True, slots=True)
class LockVault:
    """Whether a vault is to be locked."""

    workspace_id: UUID
    vault_id: UUID
    locked: bool


async def create_vault(command: CreateVault, uow: WorkspacesUnitOfWork) -> UUID:
    """Create it, for editors; raises VaultLimitExceeded, AlreadyExists, WorkspaceArchived, WorkspaceRoleMissing."""
    # Entered alone, so that two who count at once do not both find the last room.
    workspace = await uow.workspaces.enter(command.workspace_id, uow.person, alone=True)
    workspace.require_writable(Action.CREATE, Kind.VAULT)
    require_vault_room((await uow.workspaces.counts(workspace.id))["vaults"])
    vault_id = uuid7()
    values = {"name": command.name, "path": command.path or command.name, "metadata": command.metadata}
    await uow.vaults.add({"id": vault_id, "workspace_id": workspace.id, **values})
    _audit(uow, "created", workspace, vault_id, name=command.name)
    return vault_id


async def change_vault(command: ChangeVault, uow: WorkspacesUnitOfWork) -> UUID:
    """Change it, for editors; raises VaultNotFound, VaultLocked, PreconditionFailed, AlreadyExists."""
    workspace = await uow.workspaces.enter(command.workspace_id, uow.person)
    vault = await uow.vaults.enter(command.vault_id, workspace, alone=True)
    vault.require_unlocked(Action.CHANGE)
    require_revision(command.expected, vault.revision)
    await uow.vaults.update(vault, command.changes)
    _audit(uow, "changed", workspace, command.vault_id, fields=sorted(command.changes))
    return command.vault_id


async def delete_vault(command: DeleteVault, uow: WorkspacesUnitOfWork) -> None:
    """Delete it, for administrators; raises VaultNotFound, VaultLocked, WorkspaceRoleMissing."""
    workspace = await uow.workspaces.enter(command.workspace_id, uow.person)
    vault = await uow.vaults.enter(command.vault_id, workspace, alone=True)
    vault.require_unlocked(Action.DELETE)
    await uow.vaults.remove({"id": vault.id})
    _audit(uow, "deleted", workspace, vault.id, name=vault.name)


async def lock_vault(command: LockVault, uow: WorkspacesUnitOfWork) -> UUID:
    """Lock or unlock it, for administrators; what is so already stays. Raises VaultNotFound, WorkspaceArchived.

    Waits for changes of notes that have begun; those that begin later are refused.
    """
    workspace = await uow.workspaces.enter(command.workspace_id, uow.person)
    vault = await uow.vaults.enter(command.vault_id, workspace, alone=True)
    vault.require_lockable()
    if command.locked != (vault.locked_at is not None):
        by, at = (uow.person, uow.now) if command.locked else (None, None)
        await uow.vaults.update(vault, {"is_locked": command.locked, "locked_by": by, "locked_at": at})
        _audit(uow, "locked" if command.locked else "unlocked", workspace, vault.id)
    return vault.id


def _audit(uow: WorkspacesUnitOfWork, action: str, workspace: Workspace, vault_id: UUID, **after: object) -> None:
    uow.audit(AuditEntry(action, "vault", str(vault_id), after=after or None, workspace_id=workspace.id))
