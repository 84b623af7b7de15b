"""Rules of calendar feeds: what they show, whose they are, and what becomes of one that was revoked."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from dataforge.kernel.errors import Conflict, DataForgeError, NotFound, invalid
from dataforge.kernel.principal import Principal, Role
from dataforge.kernel.texts import Text

NAME_MAX, MOST_FEEDS = 100, 50
NOTE_EVERY = timedelta(minutes=1)
KEPT_FOR = timedelta(days=400)
"""For so long a revoked feed answers that it was revoked; after that it is unknown."""
LOOKS_BACK = timedelta(days=400)
"""Semesters that ended longer ago are not in a feed."""


class FeedUnknown(NotFound):
    """There is no such feed, its secret is another one, or its owner has no access any more; make another one."""

    code = "feed_unknown"
    title = "There is no such feed"


class FeedRevoked(DataForgeError):
    """The feed was revoked by its owner; remove it from the calendar, or subscribe to another one."""

    status = 410
    code = "feed_revoked"
    title = "The feed was revoked"


class TooManyFeeds(Conflict):
    """The person has as many feeds as one may have; revoke one that is no longer used."""

    code = "too_many_feeds"
    title = "There are too many feeds"


class FeedKind(StrEnum):
    """What a feed shows: what its owner is enrolled in, one section, or what its owner teaches."""

    LEARNER = "learner"
    SECTION = "section"
    INSTRUCTOR = "instructor"


def check_feed(kind: FeedKind, section_id: UUID | None) -> None:
    """Raise ValidationFailed unless a section is named where it is needed, and nowhere else."""
    if kind is FeedKind.SECTION and section_id is None:
        raise invalid("/section_id", Text("The feed of a section names the section."), "required")
    if kind is not FeedKind.SECTION and section_id is not None:
        raise invalid("/section_id", Text("Only the feed of a section names one."))


def make_feed_secret() -> str:
    """256 random bits, as 43 characters that stand in an address as they are."""
    return secrets.token_urlsafe(32)


def feed_hash(secret: str) -> str:
    """What is kept of a secret: SHA-256, 64 hex digits; a secret of 256 random bits needs no salt."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class NewFeed:
    """A feed that was made; the only time that its secret is known."""

    id: UUID
    kind: FeedKind
    section_id: UUID | None
    name: str
    created_at: datetime
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed and its owner, as they are now; `username` is None for an owner who is gone."""

    id: UUID
    kind: FeedKind
    section_id: UUID | None
    name: str
    token_hash: str = field(repr=False)
    last_read_at: datetime | None
    revoked_at: datetime | None
    owner_id: UUID
    username: str | None
    role: Role | None
    suspended: bool

    def owner(self, secret: str) -> Principal:
        """Whoever may see what the feed shows; raises FeedUnknown, FeedRevoked."""
        known = hmac.compare_digest(self.token_hash, feed_hash(secret))
        if not known or self.username is None or self.role is None or self.suspended:
            raise unknown_feed()
        if self.revoked_at is not None:
            message = Text("This feed was revoked. Whoever subscribed to it needs another address from its owner.")
            raise FeedRevoked(message)
        return Principal(self.owner_id, self.role, self.username)

    def is_to_note(self, now: datetime) -> bool:
        """Whether this reading is written down: not more than one a minute is."""
        return self.last_read_at is None or now - self.last_read_at >= NOTE_EVERY


def unknown_feed() -> FeedUnknown:
    """The answer for a feed that there is not and for a wrong secret: they cannot be told apart."""
    return FeedUnknown(Text("There is no such feed. Copy its whole address, or make another one."))
