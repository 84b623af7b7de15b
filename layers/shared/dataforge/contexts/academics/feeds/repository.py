"""Writes of calendar feeds."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, delete, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.academics.feeds.domain import NOTE_EVERY, NewFeed, feed_hash
from dataforge.contexts.academics.tables import calendar_feeds
from dataforge.platform.db.versioned_rows import explained


class CalendarFeeds:
    """Feeds in `academics.calendar_feeds`."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def count_good(self, owner_id: UUID) -> int:
        """How many feeds of a person are good; until the transaction ends nobody else counts them."""
        key = {"key": f"calendar_feeds {owner_id}"}
        await self._connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), key)
        mine = and_(calendar_feeds.c.owner_id == owner_id, calendar_feeds.c.revoked_at.is_(None))
        return int((await self._connection.execute(select(func.count()).where(mine))).scalar_one())

    async def add(self, feed: NewFeed, owner_id: UUID) -> None:
        """Keep a feed, with a hash of its secret; raises ValidationFailed for a section that there is not."""
        values = {
            "id": feed.id,
            "owner_id": owner_id,
            "kind": feed.kind.value,
            "section_id": feed.section_id,
            "name": feed.name,
            "token_hash": feed_hash(feed.secret),
            "hint": feed.secret[-4:],
            "created_at": feed.created_at,
        }
        async with explained("calendar feed", "calendar_feeds"):
            await self._connection.execute(insert(calendar_feeds).values(**values))

    async def revoke(self, owner_id: UUID, feed_id: UUID) -> str | None:
        """End a good feed of a person; its name, None when there is none."""
        mine = and_(calendar_feeds.c.id == feed_id, calendar_feeds.c.owner_id == owner_id)
        ended = update(calendar_feeds).where(mine, calendar_feeds.c.revoked_at.is_(None)).values(revoked_at=self._now)
        row = (await self._connection.execute(ended.returning(calendar_feeds.c.name))).one_or_none()
        return None if row is None else str(row.name)

    async def note_read(self, feed_id: UUID) -> None:
        """Write when a feed was read, where that is a minute or more after the stored instant."""
        last = calendar_feeds.c.last_read_at
        due = or_(last.is_(None), last <= self._now - NOTE_EVERY)
        statement = update(calendar_feeds).where(calendar_feeds.c.id == feed_id, due).values(last_read_at=self._now)
        await self._connection.execute(statement)

    async def forget(self, before: datetime) -> int:
        """Delete feeds that were revoked before an instant; how many."""
        old = delete(calendar_feeds).where(calendar_feeds.c.revoked_at < before)
        return (await self._connection.execute(old)).rowcount
