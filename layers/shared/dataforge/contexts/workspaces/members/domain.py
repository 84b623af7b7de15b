"""Rules of membership: who gives which role to whom, and the last owner."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dataforge.contexts.workspaces.workspaces.domain import (
    Workspace,
    WorkspaceNotOwned,
)
from dataforge.kernel.access import Action, Kind, MemberRole
from dataforge.kernel.errors import Conflict, NotFound
from dataforge.kernel.texts import Text

MAX_MEMBERS = 500


class MemberNotFound(NotFound):
    """The person is not a member of the workspace."""

    code = "member_not_found"
    title = "There is no such member"


class LastOwner(Conflict):
    """A workspace never is without an owner; make somebody else one first, or transfer it."""

    code = "last_owner"
    title = "There must be an owner"


class MemberLimitExceeded(Conflict):
    """The workspace has as many members and open invitations as one may have."""

    code = "member_limit_exceeded"
    title = "Too many members"


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a workspace."""

    user_id: UUID
    role: MemberRole
    joined_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """Everybody in a workspace, as one member sees it; changes give the role to store, None for nobody any more."""

    workspace: Workspace
    actor: UUID
    members: tuple[Member, ...]

    def member(self, user_id: UUID) -> Member:
        """The member; raises MemberNotFound."""
        for member in self.members:
            if member.user_id == user_id:
                return member
        message = Text("User {user_id} is not a member of this workspace.", user_id=user_id)
        raise MemberNotFound(message)

    def change_role(self, user_id: UUID, role: MemberRole) -> Member:
        """The member with another role; raises MemberNotFound, WorkspaceNotOwned, WorkspaceRoleMissing, LastOwner."""
        self.workspace.require_writable(Action.CHANGE, Kind.MEMBER)
        member = self.member(user_id)
        require_grant(self.workspace, role)
        self._require_authority(member)
        if role is not MemberRole.OWNER:
            self._keep_an_owner(member)
        return Member(user_id, role, member.joined_at)

    def remove(self, user_id: UUID) -> Member:
        """The member who is to go: by themselves, or removed by an administrator, an owner only by an owner.

        People may leave an archived workspace, too.
        """
        if user_id != self.actor:
            self.workspace.require_writable(Action.DELETE, Kind.MEMBER)
        member = self.member(user_id)
        if user_id != self.actor:
            self._require_authority(member)
        self._keep_an_owner(member)
        return member

    def transfer(self, user_id: UUID) -> Member:
        """The member whose workspace it becomes; raises WorkspaceNotOwned, MemberNotFound."""
        self.workspace.require_writable(Action.TRANSFER, Kind.WORKSPACE)
        member = self.member(user_id)
        return Member(user_id, MemberRole.OWNER, member.joined_at)

    def _require_authority(self, member: Member) -> None:
        if member.role is MemberRole.OWNER and self.workspace.role is not MemberRole.OWNER:
            message = Text("Only an owner may change or remove an owner.")
            raise WorkspaceNotOwned(message)

    def _keep_an_owner(self, member: Member) -> None:
        owners = [other for other in self.members if other.role is MemberRole.OWNER]
        if owners == [member]:
            message = Text("This is the last owner of the workspace; make another member an owner first.")
            raise LastOwner(message)
        if member.user_id == self.workspace.owner_id:
            message = Text("The workspace counts as this person's; transfer it to another member first.")
            raise LastOwner(message)


def require_grant(workspace: Workspace, role: MemberRole) -> None:
    """Raise WorkspaceNotOwned for somebody who would make an owner and is none."""
    if role is MemberRole.OWNER and workspace.role is not MemberRole.OWNER:
        message = Text("Only an owner may make somebody an owner.")
        raise WorkspaceNotOwned(message)


def require_seat(members: int, invited: int) -> None:
    """Raise MemberLimitExceeded when members and open invitations fill the workspace."""
    if members + invited >= MAX_MEMBERS:
        message = Text(
            "A workspace has at most {max_members} members, open invitations included.", max_members=MAX_MEMBERS
        )
        raise MemberLimitExceeded(message, facts={"limit": MAX_MEMBERS})
