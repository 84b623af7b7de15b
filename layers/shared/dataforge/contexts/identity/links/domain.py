"""Rules of mailed links: what each is for, how long it works, and when it no longer does."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from dataforge.kernel.errors import BadRequest
from dataforge.kernel.texts import Text

MAILS_AN_HOUR = 5  # to one person for one purpose: whoever asks more often fills somebody's mailbox


class InvalidLink(BadRequest):
    """The link of a mail was used, has expired, was replaced, or is for an address that the account no longer has."""

    code = "invalid_link"
    title = "The link no longer works"


class Purpose(StrEnum):
    """What a mailed link does."""

    RESET_PASSWORD = "reset_password"  # noqa: S105 - the name of a purpose
    CONFIRM_EMAIL = "confirm_email"
    STOP_EMAIL_CHANGE = "stop_email_change"
    CLAIM_ACCOUNT = "claim_account"

    @property
    def served_by(self) -> tuple["Purpose", ...]:
        """The purposes of the links that do it: one that claims an account sets its first password."""
        return (self, Purpose.CLAIM_ACCOUNT) if self is Purpose.RESET_PASSWORD else (self,)


LIFETIMES = {
    Purpose.RESET_PASSWORD: timedelta(minutes=30),
    Purpose.CONFIRM_EMAIL: timedelta(days=3),
    Purpose.STOP_EMAIL_CHANGE: timedelta(days=7),
    Purpose.CLAIM_ACCOUNT: timedelta(days=7),
}


@dataclass(frozen=True, slots=True)
class MailedLink:
    """A link sent to `email`; `other_email` is the new address that a change may be stopped of."""

    id: UUID
    user_id: UUID
    purpose: Purpose
    email: str
    expires_at: datetime
    used_at: datetime | None
    other_email: str | None = None

    def check_usable(self, now: datetime) -> None:
        """Raise InvalidLink unless it may be followed now."""
        if self.used_at is not None or now >= self.expires_at:
            raise no_longer_valid()


def no_longer_valid() -> InvalidLink:
    """The one refusal of every link that does not work: which of the reasons it is helps nobody who may know."""
    return InvalidLink(Text("This link was used before, is too old, or was replaced. Ask for another one."))
