"""Rules of sessions: a sign-in on one device, and the refresh tokens that continue it."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from dataforge.kernel.errors import NotFound, Unauthenticated
from dataforge.kernel.principal import Role
from dataforge.kernel.texts import Text

# Two tabs that renew at once send the same token within seconds; a thief comes later.
REUSE_FORGIVEN_FOR = timedelta(seconds=10)


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


class RefreshTokenRotated(Unauthenticated):
    """The refresh token was exchanged seconds ago, by another tab perhaps: the sign-in goes on with the newer one."""

    code = "refresh_token_rotated"
    title = "The refresh token was exchanged a moment ago"


class SessionUnknown(NotFound):
    """The person has no such sign-in, or it has ended."""

    code = "session_unknown"
    title = "There is no such sign-in"


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One refresh token of a family; a family is one sign-in on one device."""

    id: UUID
    user_id: UUID
    family: UUID
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None
    began_at: datetime | None = None
    device: str | None = None

    def check_usable(self, now: datetime) -> None:
        """Raise RefreshTokenRotated, RefreshTokenReused or InvalidRefreshToken unless it may be exchanged now."""
        if self.used_at is not None and self.revoked_at is None and now - self.used_at < REUSE_FORGIVEN_FOR:
            message = Text("This refresh token was exchanged a moment ago. Go on with the one that was given for it.")
            raise RefreshTokenRotated(message)
        if self.used_at is not None:
            message = Text("This refresh token was used before; every token of that sign-in is revoked. Sign in again.")
            raise RefreshTokenReused(message)
        if self.revoked_at is not None or now >= self.expires_at:
            message = Text("This refresh token is expired or revoked. Sign in again.")
            raise InvalidRefreshToken(message)


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
