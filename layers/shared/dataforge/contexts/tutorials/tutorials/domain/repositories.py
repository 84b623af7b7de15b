"""What commands need of the places where tutorials and links are kept (ADR 53)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from dataforge.contexts.tutorials.transcripts.domain import Segment
from dataforge.contexts.tutorials.tutorials.domain.links import ShareLink
from dataforge.contexts.tutorials.tutorials.domain.selection import TutorialPage, TutorialSelection
from dataforge.contexts.tutorials.tutorials.domain.tutorial import Tutorial

Position = tuple[datetime, UUID]
"""Where a page of a list ended: `created_at` and `id`."""
MOST_LISTED = 100
"""Links of one tutorial."""


class TutorialRepository(Protocol):
    """Tutorials with their steps."""

    async def add(self, tutorial: Tutorial) -> None:
        """Keep a new one."""
        ...

    async def lock(self, tutorial_id: UUID) -> Tutorial:
        """The tutorial, which nobody else changes until the end of the transaction; raises TutorialNotFound."""
        ...

    async def save(self, tutorial: Tutorial) -> Tutorial:
        """Keep a locked one as it is now; the tutorial with its new revision."""
        ...

    async def remove(self, tutorial_id: UUID) -> None:
        """Delete a locked one with its steps and links."""
        ...

    async def remove_all(self, workspace_id: UUID) -> None:
        """Delete those of a workspace."""
        ...

    async def count(self, workspace_id: UUID) -> int:
        """How many the workspace has."""
        ...

    async def cited_segments(self, tutorial: Tutorial, indexes: Collection[int]) -> Mapping[int, Segment]:
        """Those of the segments with these indexes that the tutorial's transcript has."""
        ...

    async def find_page(self, selection: TutorialSelection, *, after: Position | None, limit: int) -> TutorialPage:
        """Up to `limit` tutorials that are selected, the newest first, after a position."""
        ...


class ShareLinkRepository(Protocol):
    """Links to tutorials."""

    async def add(self, link: ShareLink) -> None:
        """Keep a new one."""
        ...

    async def of_tutorial(self, tutorial_id: UUID, now: datetime) -> Sequence[ShareLink]:
        """The good ones and then those that ended, the newest first, and not more than `MOST_LISTED`."""
        ...

    async def by_hash(self, token_hash: str) -> ShareLink | None:
        """The link with this token."""
        ...

    async def revoke(self, tutorial_id: UUID, link_id: UUID, now: datetime) -> bool:
        """End a link of the tutorial; False when it has none that could be ended."""
        ...

    async def note_use(self, link_id: UUID, now: datetime) -> None:
        """Note when it was used last."""
        ...
