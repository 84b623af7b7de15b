"""The rows of one statement, as the tables take them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dataforge.contexts.lrs.statements.domain import FlatStatement, flatten_statement
from dataforge.kernel.email import normal_email

# What identity allows; a longer value can match nobody.
_MAX_EMAIL, _MAX_AVATAR, _MAX_LESSON_URL = 255, 64, 500
FORM = 1
"""The rules that rows are made by; those of an earlier form are made anew by maintenance."""
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class FlatRow:
    """A flat statement and the keys its person and lesson are looked up by."""

    flat: FlatStatement
    actor_email: str | None
    actor_account: str | None
    lesson_url: str | None

    @property
    def voids(self) -> UUID | None:
        """The statement this one withdraws."""
        return self.flat.voids


@dataclass(frozen=True, slots=True, order=True)
class Voider:
    """A statement that voids another one, and since when the store knows it."""

    known_from: datetime
    statement_id: UUID


@dataclass(frozen=True, slots=True)
class Person:
    """Who an actor is: by `email`, which is proved, for what was stored at `since` or later (None: for everything)."""

    user_id: UUID
    email: str | None
    avatar: str | None
    since: datetime | None = None

    def is_known_by_email(self, stored_at: datetime) -> bool:
        """Whether a statement stored then is theirs by their address."""
        return self.since is None or stored_at >= self.since


@dataclass(frozen=True, slots=True)
class PendingStatement:
    """A raw statement without its flat row; `revived` when it was dead, `lost` when it had a flat row before."""

    statement_id: UUID
    payload: Mapping[str, object]
    attempts: int
    authority: str
    revived: bool = False
    lost: bool = False


class HomePages:
    """The account systems whose account names are our people's e-mail addresses or pseudonyms.

    An account name belongs to its home page (Data 2.4.2.4): `ana@example.org` or `17` of a system that nobody vouched
    for may be anybody. A pseudonym is given to other systems in order to be used there, and is taken from any of them
    unless it could be their own name for somebody: a number or an e-mail address.
    """

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        self._trusted = frozenset(_same_form(page) for page in trusted)

    def keys(self, account: object) -> tuple[str | None, str | None]:
        """E-mail address and pseudonym that an account may be looked up by."""
        if not isinstance(account, dict) or not isinstance(account.get("name"), str):
            return None, None
        name: str = account["name"].strip()
        if _same_form(str(account.get("homePage"))) in self._trusted:
            return normal_email(name), name
        return None, None if "@" in name or not _LETTER.search(name) else name


def _same_form(page: str) -> str:
    # Scheme and host have no letter case (RFC 3986 §6.2.2.1), and a slash at the end is often lost.
    scheme, mark, rest = page.strip().partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}{mark}{host.lower()}{slash}{path}".rstrip("/")


def flat_row(payload: Mapping[str, object], home_pages: HomePages) -> FlatRow:
    """Flatten one stored statement."""
    flat = flatten_statement(payload)
    actor = payload.get("actor")
    account_email, pseudonym = home_pages.keys(actor.get("account") if isinstance(actor, dict) else None)
    email, url = flat.actor_email or account_email, flat.lesson_url
    return FlatRow(
        flat=flat,
        actor_email=email if email is not None and len(email) <= _MAX_EMAIL else None,
        actor_account=pseudonym if pseudonym is not None and len(pseudonym) <= _MAX_AVATAR else None,
        lesson_url=url if url is not None and len(url) <= _MAX_LESSON_URL else None,
    )
