"""Rules of invitations into the organisation: whom they are for, and what they never take away."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dataforge.kernel.errors import Conflict
from dataforge.kernel.invitations import InvitationClosed, MailedInvitation
from dataforge.kernel.principal import Role
from dataforge.kernel.texts import Text

# What a role may do beyond others, in steps: roles of one step are different work, none of them is more than another.
_STEPS: Final = {
    Role.VIEWER: 0,
    Role.LEARNER: 1,
    Role.ANALYST: 2,
    Role.INSTRUCTOR: 2,
    Role.REGISTRAR: 2,
    Role.ADMIN: 3,
}


class State(StrEnum):
    """What has become of an invitation."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REVOKED = "revoked"
    EXPIRED = "expired"


class AlreadyRegistered(Conflict):
    """The address belongs to somebody who has an account; change the account's role instead of inviting them."""

    code = "already_registered"
    title = "The address has an account"


class SignInToAccept(Conflict):
    """There is an account with the invited address: sign in with it and accept the invitation there."""

    code = "sign_in_to_accept"
    title = "There is an account with this address"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation(MailedInvitation):
    """An invitation of an address to be something here; `backed` while whoever sent it is an administrator."""

    role: Role
    backed: bool = True

    def require_backed(self) -> None:
        """Raise InvitationClosed when whoever sent it may no longer give roles away."""
        if not self.backed:
            message = Text("Whoever sent this invitation is no longer an administrator; ask for another one.")
            raise InvitationClosed(message)


def role_after(present: Role, offered: Role) -> Role:
    """The role of somebody who accepts: the offered one if it is more than the present one.

    An invitation takes nothing from anybody: neither does it lower a role, nor does it replace one kind of work by
    another, which is for an administrator to decide who sees what the person has.
    """
    return offered if _STEPS[offered] > _STEPS[present] else present
