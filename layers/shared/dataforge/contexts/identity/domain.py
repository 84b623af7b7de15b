"""Rules of identity: names, passwords, limits on tries, token families."""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from dataforge.kernel.errors import (
    BadRequest,
    Forbidden,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    ValidationFailed,
)
from dataforge.kernel.principal import Role

USERNAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{2,254}")
PASSWORD_MIN, PASSWORD_MAX = 8, 1024  # NIST SP 800-63B §5.1.1.2: length, not composition


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


class InvalidCredentials(Unauthenticated):
    """Wrong username or password; which of the two is not said."""

    code = "invalid_credentials"
    title = "Sign-in failed"


class AccountSuspended(Forbidden):
    """The account was suspended by an administrator."""

    code = "account_suspended"
    title = "The account is suspended"


class LoginThrottled(TooManyRequests):
    """Too many failed sign-ins from one address; nobody else is kept out by them."""

    code = "login_throttled"
    title = "Too many failed sign-ins from your address"


class SessionEnded(Unauthenticated):
    """The access token has not expired, but its sign-in was ended or its account removed."""

    code = "session_ended"
    title = "The sign-in has ended"


class InvalidToken(Unauthenticated):
    """The access token is forged, expired or not for this service."""

    code = "invalid_token"
    title = "The access token is not valid"


class InvalidRefreshToken(Unauthenticated):
    """The refresh token is unknown, expired or revoked."""

    code = "invalid_refresh_token"
    title = "The refresh token is not valid"


class RefreshTokenReused(Unauthenticated):
    """A refresh token was used twice: it may have been stolen, so its whole family is revoked."""

    code = "refresh_token_reused"
    title = "The refresh token was used before"


class NoSigningKey(Unavailable):
    """No active signing key exists yet."""

    code = "no_signing_key"
    title = "Sign-in is not set up"


class LastAdmin(BadRequest):
    """The last active administrator cannot be demoted or suspended."""

    code = "last_admin"
    title = "There must be an administrator"


class InvalidPublicKey(ValidationFailed):
    """The PEM is not an RSA public key of at least 2048 bits."""

    code = "invalid_public_key"
    title = "The public key cannot be used"


@dataclass(frozen=True, slots=True)
class TryLimits:
    """How many tries a minute one address has: failed sign-ins, those of them for one name, sign-ups, failed refreshes.

    A name is not limited by itself: whoever guesses from elsewhere must not keep its owner out.
    """

    sign_in: int = 60
    sign_in_name: int = 10
    sign_up: int = 60
    refresh: int = 60


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One refresh token of a family; a family is one sign-in on one device."""

    id: UUID
    user_id: UUID
    family: UUID
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None

    def check_usable(self, now: datetime) -> None:
        """Raise RefreshTokenReused or InvalidRefreshToken unless it may be exchanged now."""
        if self.used_at is not None:
            message = "This refresh token was used before; every token of that sign-in is revoked. Sign in again."
            raise RefreshTokenReused(message)
        if self.revoked_at is not None or now >= self.expires_at:
            message = "This refresh token is expired or revoked. Sign in again."
            raise InvalidRefreshToken(message)


@dataclass(frozen=True, slots=True)
class Account:
    """What signing in needs to know of a person."""

    user_id: UUID
    username: str
    role: Role
    password_hash: str | None
    suspended: bool


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person and the refresh token that continues the sign-in."""

    user_id: UUID
    username: str
    role: Role
    family: UUID
    refresh_token: str = field(repr=False)


def token_hash(token: str) -> str:
    """SHA-256 of a random token; such tokens carry 256 bits, so that a slow hash would add nothing."""
    return hashlib.sha256(token.encode()).hexdigest()


def fingerprint(secret_hash: str) -> str:
    """How a credential is told apart in lists without showing anything that could be used."""
    return "SHA256:" + secret_hash[:16]
