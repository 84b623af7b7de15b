"""Invitations by a mailed link: single use, for one address, for a week, re-sendable and revocable."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from dataforge.kernel.errors import Conflict, Forbidden, NotFound, TooManyRequests
from dataforge.kernel.texts import Text

GOOD_FOR = timedelta(days=7)
BETWEEN_SENDINGS = timedelta(minutes=1)


class InvitationNotFound(NotFound):
    """There is no such invitation, or the link is not (or no longer) the one that was mailed last."""

    code = "invitation_not_found"
    title = "There is no such invitation"


class InvitationClosed(Conflict):
    """The invitation was accepted or revoked."""

    code = "invitation_closed"
    title = "The invitation can no longer be used"


class InvitationExpired(Conflict):
    """The invitation is too old; whoever sent it can send it again."""

    code = "invitation_expired"
    title = "The invitation has expired"


class InvitationForSomebodyElse(Forbidden):
    """The invitation was sent to another e-mail address than that of the signed-in person."""

    code = "invitation_for_somebody_else"
    title = "The invitation is for somebody else"


class AlreadyInvited(Conflict):
    """There is an open invitation to this address; send it again, or revoke it."""

    code = "already_invited"
    title = "Already invited"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailedInvitation:
    """An invitation of an address; `sendings` counts the mails, each with a link of its own."""

    id: UUID
    email: str
    sendings: int
    sent_at: datetime
    expires_at: datetime
    accepted_at: datetime | None = None
    revoked_at: datetime | None = None

    def require_open(self) -> None:
        """Raise InvitationClosed for one that was accepted or revoked."""
        if self.accepted_at is not None or self.revoked_at is not None:
            fate = "revoked" if self.accepted_at is None else "accepted"
            message = Text("This invitation was {fate}.", fate=fate)
            raise InvitationClosed(message)

    def require_usable(self, now: datetime) -> None:
        """Raise InvitationClosed or InvitationExpired unless its link works now."""
        self.require_open()
        if now >= self.expires_at:
            message = Text("This invitation has expired; ask for another mail.")
            raise InvitationExpired(message)

    def require_acceptable(self, email: str, now: datetime) -> None:
        """Raise unless the person of this address may accept it now.

        Raises InvitationForSomebodyElse, InvitationClosed, InvitationExpired.
        """
        if email.lower() != self.email.lower():
            message = Text(
                "This invitation was sent to an address that you have not proved to be yours. Confirm your e-mail "
                "address, or sign in with the account of that address."
            )
            raise InvitationForSomebodyElse(message)
        self.require_usable(now)

    def require_resendable(self, now: datetime) -> None:
        """Raise InvitationClosed, or TooManyRequests within a minute of the mail before."""
        self.require_open()
        wait = self.sent_at + BETWEEN_SENDINGS - now
        if wait > timedelta(0):
            message = Text("The invitation was sent less than a minute ago; wait a moment before you send it again.")
            raise TooManyRequests(message, headers={"Retry-After": str(int(wait.total_seconds()) + 1)})


def unknown_link() -> InvitationNotFound:
    """The refusal of a link that leads to no invitation."""
    return InvitationNotFound(Text("This is not the link of an invitation, or a later mail has replaced it."))


def link_hash(token: str) -> str:
    """What is stored of the token in a mailed link."""
    return hashlib.sha256(token.encode()).hexdigest()
