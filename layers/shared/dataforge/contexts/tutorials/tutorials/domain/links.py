"""Links by which people outside of the workspace read a published tutorial."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dataforge.kernel.errors import Conflict, NotFound, invalid
from dataforge.kernel.texts import Text

MAX_LINKS = 20
"""That are good at the same time, of one tutorial."""


class ShareLinkNotFound(NotFound):
    """The link was never made, was revoked, has expired, or its tutorial is not published."""

    code = "share_link_not_found"
    title = "The link leads nowhere"


class ShareLinkLimitExceeded(Conflict):
    """The tutorial has as many good links as one may have; revoke one first."""

    code = "share_link_limit_exceeded"
    title = "Too many links"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareLink:
    """A link; only the hash of its token is kept."""

    id: UUID
    tutorial_id: UUID
    token_hash: str
    created_by: UUID
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def is_good(self, now: datetime) -> bool:
        """Whether it leads anywhere."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def new_share_token() -> str:
    """The secret of a link: 256 random bits, safe in an address."""
    return secrets.token_urlsafe(32)


def hash_of_share_token(token: str) -> str:
    """What is kept of a token; its 256 random bits need no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


def require_link_room(good: int) -> None:
    """Raise ShareLinkLimitExceeded for a tutorial that has enough."""
    if good >= MAX_LINKS:
        message = Text("A tutorial has at most {max_links} links at a time; revoke one first.", max_links=MAX_LINKS)
        raise ShareLinkLimitExceeded(message, facts={"limit": MAX_LINKS})


def require_future(expires_at: datetime | None, now: datetime) -> None:
    """Raise ValidationFailed for a link that would have expired when it is made."""
    if expires_at is not None and expires_at <= now:
        raise invalid("/expires_at", Text("expires_at must be in the future."), "future")


def missing_link() -> ShareLinkNotFound:
    """The one refusal, whatever the reason: nobody learns which tokens there were."""
    return ShareLinkNotFound(Text("This link leads nowhere (any more). Ask whoever gave it to you for a new one."))
