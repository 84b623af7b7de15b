"""Rules of accounts: names, passwords, the last administrator."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from dataforge.kernel.errors import BadRequest, Conflict, Forbidden
from dataforge.kernel.principal import Role

USERNAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{2,254}")
PASSWORD_MIN, PASSWORD_MAX = 8, 1024  # NIST SP 800-63B §5.1.1.2: length, not composition


class AccountState(StrEnum):
    """What an account is: used by its person, made by an import and waiting for its person, or suspended."""

    ACTIVE = "active"
    UNCLAIMED = "unclaimed"
    SUSPENDED = "suspended"


class DuplicateUsername(BadRequest):
    """Somebody has this username."""

    code = "duplicate_username"
    title = "The username is taken"


class DuplicateEmail(BadRequest):
    """Somebody has this e-mail address."""

    code = "duplicate_email"
    title = "The e-mail address is already registered"


class DuplicateAvatar(BadRequest):
    """Somebody has this avatar; it is the pseudonym in statements and names one person."""

    code = "duplicate_avatar"
    title = "The avatar is taken"


class AccountSuspended(Forbidden):
    """The account was suspended by an administrator."""

    code = "account_suspended"
    title = "The account is suspended"


class AlreadyErased(Conflict):
    """The person is erased, or their erasure is under way; the account stays, and tells nothing."""

    code = "already_erased"
    title = "The person is erased"


class LastAdmin(BadRequest):
    """The last active administrator cannot be demoted, suspended or erased."""

    code = "last_admin"
    title = "There must be an administrator"


@dataclass(frozen=True, slots=True)
class Account:
    """What signing in, and proving who one is, need to know of a person."""

    user_id: UUID
    username: str
    role: Role
    password_hash: str | None = field(repr=False)
    suspended: bool
    email: str = ""
    display_name: str = ""
    email_confirmed: bool = False
    new_email: str | None = None
    email_vouched: bool = False

    @property
    def claimed(self) -> bool:
        """Whether somebody uses it: one that an import made waits until a password is set or the address proved."""
        return self.password_hash is not None or self.email_confirmed

    @property
    def words(self) -> tuple[str, ...]:
        """What somebody who knows the person would try as their password."""
        return (self.username, *self.email.split("@"), self.email, *self.display_name.split())
