"""Invitations: sent, sent again, revoked, accepted."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from dataforge.contexts.workspaces.contract import InvitationSent
from dataforge.contexts.workspaces.invitations.domain import AlreadyMember, Invitation
from dataforge.contexts.workspaces.invitations.queries import email_of, is_member
from dataforge.contexts.workspaces.members.domain import require_grant, require_seat
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.contexts.workspaces.workspaces.domain import (
    Workspace,
)
from dataforge.kernel.access import Action, Kind, MemberRole
from dataforge.kernel.ids import uuid7
from dataforge.kernel.invitations import GOOD_FOR, InvitationNotFound, link_hash, unknown_link
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry

# The token of the link in an invitation's mail of that number: made again for the mail, so that it is kept nowhere.
TokenMaker = Callable[[UUID, int], str]


@dataclass(frozen=True, slots=True)
class Invite:
    """An address into a workspace."""

    workspace_id: UUID
    email: str
    role: MemberRole


@dataclass(frozen=True, slots=True)
class SendAgain:
    """Another mail with another link; the one before stops working."""

    workspace_id: UUID
    invitation_id: UUID


@dataclass(frozen=True, slots=True)
class RevokeInvitation:
    """An open invitation that is to work no longer."""

    workspace_id: UUID
    invitation_id: UUID


async def invite(command: Invite, uow: WorkspacesUnitOfWork, *, token: TokenMaker) -> UUID:
    """Store the invitation and have it mailed; for administrators, and owners where an owner is made.

    Raises AlreadyMember, AlreadyInvited, MemberLimitExceeded.
    """
    workspace = await _entered(command.workspace_id, uow)
    require_grant(workspace, command.role)
    counts = await uow.workspaces.counts(workspace.id)
    require_seat(counts["members"], counts["invitations"])
    if await is_member(uow.connection, workspace.id, command.email):
        message = Text("{email} is a member of this workspace.", email=command.email)
        raise AlreadyMember(message)
    await uow.invitations.revoke_expired(workspace.id, command.email)
    invitation = Invitation(
        id=uuid7(),
        workspace_id=workspace.id,
        email=command.email,
        role=command.role,
        sendings=1,
        sent_at=uow.now,
        expires_at=uow.now + GOOD_FOR,
    )
    hashed = link_hash(token(invitation.id, invitation.sendings))
    await uow.invitations.add(invitation, token_hash=hashed, invited_by=uow.person)
    uow.publish(InvitationSent(invitation.id, invitation.sendings, command.workspace_id))
    _audit(uow, "invited", invitation)
    return invitation.id


async def send_again(command: SendAgain, uow: WorkspacesUnitOfWork, *, token: TokenMaker) -> UUID:
    """Mail another link, good for a week again; raises InvitationNotFound, InvitationClosed, TooManyRequests."""
    invitation = await _found(command.workspace_id, command.invitation_id, uow)
    invitation.require_resendable(uow.now)
    again = replace(invitation, sendings=invitation.sendings + 1, sent_at=uow.now, expires_at=uow.now + GOOD_FOR)
    await uow.invitations.sent_again(again, token_hash=link_hash(token(again.id, again.sendings)))
    uow.publish(InvitationSent(again.id, again.sendings, command.workspace_id))
    return again.id


async def revoke_invitation(command: RevokeInvitation, uow: WorkspacesUnitOfWork) -> None:
    """Let the link work no longer; raises InvitationNotFound, InvitationClosed."""
    invitation = await _found(command.workspace_id, command.invitation_id, uow)
    invitation.require_open()
    await uow.invitations.revoked(invitation.id)
    _audit(uow, "revoked", invitation)


async def accept_invitation(token: str, uow: WorkspacesUnitOfWork) -> UUID:
    """Make the caller a member; of two who accept at once one does. Answers the workspace.

    Somebody who is a member already keeps the role. Raises InvitationNotFound, InvitationForSomebodyElse,
    InvitationClosed, InvitationExpired, WorkspaceArchived.
    """
    hashed = link_hash(token)
    workspace_id = await uow.invitations.workspace_of(hashed)
    known = workspace_id is not None and await uow.workspaces.is_open_to_join(workspace_id)
    invitation = await uow.invitations.by_token(hashed) if known else None
    if invitation is None:
        raise unknown_link()
    role = invitation.accept(await email_of(uow.connection, uow.person), uow.now)
    await uow.invitations.accepted(invitation.id, uow.person)
    await uow.members.join(invitation.workspace_id, uow.person, role)
    _audit(uow, "accepted", invitation)
    return invitation.workspace_id


async def _entered(workspace_id: UUID, uow: WorkspacesUnitOfWork) -> Workspace:
    workspace = await uow.workspaces.enter(workspace_id, uow.person, alone=True)
    workspace.require_writable(Action.CHANGE, Kind.MEMBER_INVITATION)
    return workspace


async def _found(workspace_id: UUID, invitation_id: UUID, uow: WorkspacesUnitOfWork) -> Invitation:
    workspace = await _entered(workspace_id, uow)
    invitation = await uow.invitations.find(invitation_id, workspace.id)
    if invitation is None:
        message = Text("There is no invitation {invitation_id} in this workspace.", invitation_id=invitation_id)
        raise InvitationNotFound(message)
    require_grant(workspace, invitation.role)
    return invitation


def _audit(uow: WorkspacesUnitOfWork, action: str, invitation: Invitation) -> None:
    after = {"email": invitation.email, "role": invitation.role.value}
    entry = AuditEntry(
        action, "workspace_invitation", str(invitation.id), after=after, workspace_id=invitation.workspace_id
    )
    uow.audit(entry)
