"""Repos: created, changed, deleted."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from dataforge.contexts.workspaces.repos.domain import require_repo_room
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.contexts.workspaces.workspaces.domain import (
    Workspace,
)
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.ids import uuid7
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.versioned_rows import require_revision


@dataclass(frozen=True, slots=True)
class CreateRepo:
    """A repo in a workspace; its path is its name unless another is given."""

    workspace_id: UUID
    name: str
    path: str | None = None
    remote_url: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChangeRepo:
    """Changes of a repo; `expected` is the revision the caller read."""

    workspace_id: UUID
    repo_id: UUID
    expected: str
    changes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DeleteRepo:
    """A repo out of its workspace."""

    workspace_id: UUID
    repo_id: UUID


async def create_repo(command: CreateRepo, uow: WorkspacesUnitOfWork) -> UUID:
    """Create it, for editors; raises RepoLimitExceeded, AlreadyExists, WorkspaceArchived, WorkspaceRoleMissing."""
    # Entered alone, so that two who count at once do not both find the last room.
    workspace = await uow.workspaces.enter(command.workspace_id, uow.person, alone=True)
    workspace.require_writable(Action.CREATE, Kind.REPO)
    require_repo_room((await uow.workspaces.counts(workspace.id))["repos"])
    repo_id = uuid7()
    values = {"name": command.name, "path": command.path or command.name, "metadata": command.metadata}
    await uow.repos.add({"id": repo_id, "workspace_id": workspace.id, "remote_url": command.remote_url, **values})
    _audit(uow, "created", workspace, repo_id, name=command.name)
    return repo_id


async def change_repo(command: ChangeRepo, uow: WorkspacesUnitOfWork) -> UUID:
    """Change it, for editors; raises RepoNotFound, PreconditionFailed, AlreadyExists, WorkspaceArchived."""
    workspace = await uow.workspaces.enter(command.workspace_id, uow.person)
    row = await uow.repos.of_workspace(command.repo_id, workspace.id)
    workspace.require_writable(Action.CHANGE, Kind.REPO)
    require_revision(command.expected, row["revision"])
    await uow.repos.change(row, command.changes)
    _audit(uow, "changed", workspace, command.repo_id, fields=sorted(command.changes))
    return command.repo_id


async def delete_repo(command: DeleteRepo, uow: WorkspacesUnitOfWork) -> None:
    """Delete it, for administrators; raises RepoNotFound, WorkspaceArchived, WorkspaceRoleMissing."""
    workspace = await uow.workspaces.enter(command.workspace_id, uow.person)
    row = await uow.repos.of_workspace(command.repo_id, workspace.id)
    workspace.require_writable(Action.DELETE, Kind.REPO)
    await uow.repos.remove(row)
    _audit(uow, "deleted", workspace, command.repo_id, name=row["name"])


def _audit(uow: WorkspacesUnitOfWork, action: str, workspace: Workspace, repo_id: UUID, **after: object) -> None:
    uow.audit(AuditEntry(action, "repo", str(repo_id), after=after, workspace_id=workspace.id))
