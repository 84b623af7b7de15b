"""Members: another role, out, and the workspace handed over."""

from dataclasses import dataclass
from uuid import UUID

from dataforge.contexts.workspaces.members.domain import Membership
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.contexts.workspaces.workspaces.domain import (
    require_room,
)
from dataforge.kernel.access import MemberRole
from dataforge.kernel.unit_of_work import AuditEntry


@dataclass(frozen=True, slots=True)
class ChangeRole:
    """Another role for a member."""

    workspace_id: UUID
    user_id: UUID
    role: MemberRole


@dataclass(frozen=True, slots=True)
class RemoveMember:
    """A member out of a workspace; oneself to leave it."""

    workspace_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True)
class TransferWorkspace:
    """The workspace to another member, whose it counts as from then on."""

    workspace_id: UUID
    user_id: UUID


async def change_role(command: ChangeRole, uow: WorkspacesUnitOfWork) -> UUID:
    """Store the role; raises MemberNotFound, WorkspaceNotOwned, WorkspaceRoleMissing, LastOwner."""
    membership = await _membership(command.workspace_id, uow)
    before = membership.member(command.user_id)
    member = membership.change_role(command.user_id, command.role)
    await uow.members.set_role(command.workspace_id, member)
    _audit(uow, "role_changed", command.workspace_id, command.user_id, before.role, member.role)
    return command.user_id


async def remove_member(command: RemoveMember, uow: WorkspacesUnitOfWork) -> None:
    """Take the member out; raises MemberNotFound, WorkspaceNotOwned, WorkspaceRoleMissing, LastOwner."""
    membership = await _membership(command.workspace_id, uow)
    member = membership.remove(command.user_id)
    await uow.members.leave(command.workspace_id, member)
    _audit(uow, "removed", command.workspace_id, command.user_id, member.role, None)


async def transfer_workspace(command: TransferWorkspace, uow: WorkspacesUnitOfWork) -> UUID:
    """Hand it over: the member becomes an owner and it counts as theirs; whoever had it stays an owner.

    Raises WorkspaceNotOwned, MemberNotFound, WorkspaceLimitExceeded, AlreadyExists.
    """
    # The new owner's profile is locked first, as always; somebody who is no member leaves no trace of that.
    await uow.profiles.ensure(command.user_id)
    membership = await _membership(command.workspace_id, uow)
    member, workspace = membership.transfer(command.user_id), membership.workspace
    if workspace.owner_id != command.user_id:
        require_room(await uow.profiles.owned(command.user_id))
        await uow.members.set_role(workspace.id, member)
        await uow.workspaces.update(workspace, {"owner_id": command.user_id})
        _audit(uow, "transferred", workspace.id, command.user_id, membership.member(command.user_id).role, member.role)
    return workspace.id


async def _membership(workspace_id: UUID, uow: WorkspacesUnitOfWork) -> Membership:
    workspace = await uow.workspaces.enter(workspace_id, uow.person, alone=True)
    return await uow.members.of(workspace, uow.person)


def _audit(
    uow: WorkspacesUnitOfWork,
    action: str,
    workspace_id: UUID,
    user_id: UUID,
    before: MemberRole,
    after: MemberRole | None,
) -> None:
    entry = AuditEntry(
        action,
        "workspace_member",
        str(user_id),
        before={"role": before.value},
        after=None if after is None else {"role": after.value},
        workspace_id=workspace_id,
    )
    uow.audit(entry)
