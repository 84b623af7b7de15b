"""Rules of personal access tokens: their form, what they are for, and until when."""

import secrets
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from dataforge.contexts.identity.accounts.domain import AccountSuspended
from dataforge.contexts.identity.sessions.domain import InvalidToken
from dataforge.kernel.errors import Conflict, NotFound, invalid
from dataforge.kernel.principal import Principal, Role
from dataforge.kernel.scopes import CALENDAR, SCOPES
from dataforge.kernel.texts import Text

PREFIX = "dfpat_"
"""By it, and by the checksum at its end, scanners of sources and logs tell a token from anything else."""
NAME_MAX, MOST_TOKENS = 100, 50
DEFAULT_DAYS, MAX_DAYS = 90, 366
WARNED_BEFORE = timedelta(days=7)
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_BITS, _RANDOM_LENGTH, _CHECK_LENGTH = 256, 43, 6
_LENGTH = len(PREFIX) + _RANDOM_LENGTH + _CHECK_LENGTH


class TokenUnknown(NotFound):
    """The person has no such token that is still good."""

    code = "token_unknown"
    title = "There is no such token"


class TooManyTokens(Conflict):
    """The person has as many tokens as one may have; revoke one that is no longer used."""

    code = "too_many_tokens"
    title = "There are too many tokens"


def _in_base_62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def _checksum(text: str) -> str:
    return _in_base_62(zlib.crc32(text.encode()), _CHECK_LENGTH)


def make_secret() -> str:
    """A new token: the prefix, 256 random bits, and a CRC-32 of both (`dfpat_[0-9A-Za-z]{49}`)."""
    secret = PREFIX + _in_base_62(secrets.randbits(_RANDOM_BITS), _RANDOM_LENGTH)
    return secret + _checksum(secret)


def is_token(text: str) -> bool:
    """Whether a text has the form of a token, checksum included: what was mistyped or made up needs no look-up."""
    if len(text) != _LENGTH or not text.isascii() or not text.startswith(PREFIX):
        return False
    return _checksum(text[:-_CHECK_LENGTH]) == text[-_CHECK_LENGTH:]


def check_token_scopes(scopes: Sequence[str]) -> None:
    """Raise ValidationFailed unless there are scopes, all are known, and that of a calendar's address is alone."""
    if not scopes or set(scopes) - set(SCOPES):
        raise invalid("/scopes", Text("Scopes must be one or more of: {scopes}.", scopes=", ".join(SCOPES)), "scope")
    if CALENDAR in scopes and len(set(scopes)) > 1:
        message = Text("A token for a calendar's address stands in that address, and therefore has no other scope.")
        raise invalid("/scopes", message, "scope")


def expiry(scopes: Sequence[str], days: int | None, now: datetime) -> datetime | None:
    """When a new token ends: after 90 days unless said otherwise; a calendar's address goes on until it is revoked."""
    if days is None and CALENDAR in scopes:
        return None
    return now + timedelta(days=days or DEFAULT_DAYS)


@dataclass(frozen=True, slots=True)
class PersonalToken:
    """A token and its person, as they are now."""

    id: UUID
    user_id: UUID
    scopes: frozenset[str]
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    username: str
    role: Role
    suspended: bool
    locale: str = ""

    def principal(self, now: datetime) -> Principal:
        """Whoever has the token now: the person with the role they have now, and with the token's scopes.

        Raises AccountSuspended, and InvalidToken for one that was revoked or has expired.
        """
        if self.suspended:
            message = Text("This account is suspended; ask an administrator.")
            raise AccountSuspended(message)
        if self.revoked_at is not None:
            message = Text("This personal access token was revoked; make another one.")
            raise InvalidToken(message)
        if self.expires_at is not None and now >= self.expires_at:
            message = Text("This personal access token has expired; make another one.")
            raise InvalidToken(message)
        return Principal(self.user_id, self.role, self.username, scopes=self.scopes, locale=self.locale)


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was made; the only time that `secret` is known."""

    id: UUID
    name: str
    scopes: tuple[str, ...]
    expires_at: datetime | None
    created_at: datetime
    secret: str = field(repr=False)
