"""Invitations into workspaces."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dataforge.kernel.access import MemberRole
from dataforge.kernel.errors import Conflict
from dataforge.kernel.invitations import MailedInvitation

TOKEN_SCOPE = "workspace invitation"  # noqa: S105 - what the signature is about


class AlreadyMember(Conflict):
    """The person is a member of the workspace."""

    code = "already_member"
    title = "Already a member"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation(MailedInvitation):
    """An invitation of an address into a workspace."""

    workspace_id: UUID
    role: MemberRole

    def accept(self, email: str, now: datetime) -> MemberRole:
        """The role that the person gets who has proved this address (empty: none); raises as `require_acceptable`."""
        self.require_acceptable(email, now)
        return self.role
