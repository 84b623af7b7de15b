"""The write SQL of mailed links."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.identity.links.domain import LIFETIMES, MailedLink, Purpose
from dataforge.contexts.identity.tables import mailed_links, users


class MailedLinks:
    """One-time links in `identity.mailed_links`."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def add(
        self, link_id: UUID, user_id: UUID, purpose: Purpose, email: str, hashed: str, other_email: str | None = None
    ) -> bool:
        """Insert, or let one whose mail is handed over again work from now on; False when it was used or replaced."""
        values = {
            "id": link_id,
            "user_id": user_id,
            "purpose": purpose.value,
            "email": email,
            "other_email": other_email,
            "token_hash": hashed,
            "created_at": self._now,
            "expires_at": self._now + LIFETIMES[purpose],
        }
        statement = insert(mailed_links).values(**values)
        statement = statement.on_conflict_do_update(
            index_elements=["id"],
            set_={"expires_at": statement.excluded.expires_at},
            where=mailed_links.c.used_at.is_(None),
        )
        return (await self._connection.scalar(statement.returning(mailed_links.c.id))) is not None

    async def sent_within(self, user_id: UUID, purpose: Purpose, period: timedelta, *, apart_from: UUID) -> int:
        """How many links for a purpose a person was sent lately, not counting one of them."""
        query = select(func.count()).where(
            mailed_links.c.user_id == user_id,
            mailed_links.c.purpose == purpose.value,
            mailed_links.c.created_at > self._now - period,
            mailed_links.c.id != apart_from,
        )
        return int(await self._connection.scalar(query) or 0)

    async def lock(self, hashed: str, purpose: Purpose) -> MailedLink | None:
        """The link, behind a lock on its person: whatever two links of one person do takes turns."""
        condition = (mailed_links.c.token_hash == hashed) & mailed_links.c.purpose.in_(purpose.served_by)
        owner = select(mailed_links.c.user_id).where(condition).scalar_subquery()
        await self._connection.execute(select(users.c.id).where(users.c.id == owner).with_for_update())
        return _link((await self._connection.execute(select(mailed_links).where(condition))).one_or_none())

    async def find(self, hashed: str, purpose: Purpose) -> MailedLink | None:
        """The link as it is now."""
        query = select(mailed_links)
        query = query.where(mailed_links.c.token_hash == hashed, mailed_links.c.purpose.in_(purpose.served_by))
        return _link((await self._connection.execute(query)).one_or_none())

    async def void(self, user_id: UUID, purposes: Collection[Purpose]) -> None:
        """End every link of a person for these purposes."""
        values = [purpose.value for purpose in purposes]
        await self._connection.execute(
            update(mailed_links)
            .where(
                mailed_links.c.user_id == user_id,
                mailed_links.c.purpose.in_(values),
                mailed_links.c.used_at.is_(None),
            )
            .values(used_at=self._now)
        )

    async def mark_used(self, link_id: UUID) -> None:
        """It has been followed."""
        await self._connection.execute(
            update(mailed_links).where(mailed_links.c.id == link_id).values(used_at=self._now)
        )

    async def forget_expired(self, before: datetime) -> int:
        """Delete links that ended before an instant; returns how many."""
        return (await self._connection.execute(delete(mailed_links).where(mailed_links.c.expires_at < before))).rowcount


def _link(row: Row[Any] | None) -> MailedLink | None:
    if row is None:
        return None
    purpose = Purpose(row.purpose)
    return MailedLink(row.id, row.user_id, purpose, row.email, row.expires_at, row.used_at, row.other_email)
