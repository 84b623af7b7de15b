"""What other contexts may know of workspaces.

Who is in which workspace is in the view `workspaces.memberships(workspace_id, user_id, role)`, whether one is archived
in `workspaces.directory(workspace_id, name, owner_id, archived_at)`: both without workspaces that were deleted, and
their columns only grow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from dataforge.kernel.access import Action, Kind
from dataforge.kernel.events import Event
from dataforge.kernel.mail import MailDraft


class Memberships(Protocol):
    """Which workspaces people are in."""

    async def workspaces_of(self, user_id: UUID) -> Sequence[UUID]:
        """Ids of the workspaces that the person is a member of."""
        ...

    async def require(self, workspace_id: UUID, user_id: UUID, action: Action, kind: Kind) -> None:
        """Raise unless the person's role in the workspace allows it (`kernel/rules.py`).

        Strangers get WorkspaceNotFound, others WorkspaceRoleMissing or WorkspaceNotOwned; in archived workspaces what
        is no reading is refused with WorkspaceArchived.
        """
        ...


@dataclass(frozen=True, slots=True)
class InvitationSent(Event):
    """An invitation is to be mailed, for the first time or again."""

    name = "workspaces.invitation_sent"
    about = "invitation_id"

    invitation_id: UUID
    sendings: int
    workspace_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class WorkspaceHidden(Event):
    """A workspace was deleted, but not for good, or it was restored: `workspaces.directory` says which."""

    name = "workspaces.workspace_hidden"
    about = "workspace_id"

    workspace_id: UUID


@dataclass(frozen=True, slots=True)
class WorkspaceDeleted(Event):
    """A workspace was deleted for good: what belongs to it elsewhere is to go, too."""

    name = "workspaces.workspace_deleted"
    about = "workspace_id"

    workspace_id: UUID


class InvitationMails(Protocol):
    """Writes the mails of invitations; the link in one is in no event and in no outbox."""

    async def draft(self, event: InvitationSent) -> MailDraft | None:
        """The mail; None for an invitation that was replaced, revoked or accepted meanwhile. Twice is the same link."""
        ...
