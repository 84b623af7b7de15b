"""The write SQL of sessions."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.identity.sessions.domain import RefreshToken
from dataforge.contexts.identity.tables import refresh_tokens, users
from dataforge.kernel.ids import uuid7


class RefreshTokens:
    """Refresh tokens in `identity.refresh_tokens`."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def add(
        self,
        user_id: UUID,
        family: UUID,
        hashed: str,
        expires_at: datetime,
        *,
        began_at: datetime | None,
        device: str | None,
    ) -> None:
        """Insert."""
        await self._connection.execute(
            insert(refresh_tokens).values(
                id=uuid7(),
                user_id=user_id,
                token_hash=hashed,
                family=family,
                expires_at=expires_at,
                created_at=self._now,
                began_at=began_at,
                device=device,
            )
        )

    async def lock(self, hashed: str) -> RefreshToken | None:
        """The token, locked, behind a lock on its person: rotations and revocations of one person take turns.

        With the token's own lock alone, a revocation that waits for a rotation would miss the token the rotation adds.
        """
        owner = select(refresh_tokens.c.user_id).where(refresh_tokens.c.token_hash == hashed).scalar_subquery()
        await self._connection.execute(select(users.c.id).where(users.c.id == owner).with_for_update(key_share=True))
        query = select(refresh_tokens).where(refresh_tokens.c.token_hash == hashed).with_for_update()
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            return None
        return RefreshToken(
            row.id, row.user_id, row.family, row.expires_at, row.used_at, row.revoked_at, row.began_at, row.device
        )

    async def mark_used(self, token_id: UUID) -> None:
        """It has been exchanged."""
        await self._connection.execute(
            update(refresh_tokens).where(refresh_tokens.c.id == token_id).values(used_at=self._now)
        )

    async def note_use(self, token_id: UUID) -> None:
        """It was looked at to go on with the sign-in, and stays."""
        await self._connection.execute(
            update(refresh_tokens).where(refresh_tokens.c.id == token_id).values(last_used_at=self._now)
        )

    async def revoke_family(self, family: UUID) -> None:
        """End one sign-in."""
        await self._revoke(refresh_tokens.c.family == family)

    async def revoke_user(self, user_id: UUID, *, apart_from: UUID | None = None) -> None:
        """End every sign-in of a person, but for one."""
        condition = refresh_tokens.c.user_id == user_id
        await self._revoke(condition if apart_from is None else condition & (refresh_tokens.c.family != apart_from))

    async def revoke_session(self, user_id: UUID, family: UUID) -> bool:
        """End one sign-in of a person; False when there is none that goes on."""
        return await self._revoke((refresh_tokens.c.user_id == user_id) & (refresh_tokens.c.family == family)) > 0

    async def _revoke(self, condition: Any) -> int:  # noqa: ANN401 - an SQL expression
        ended = await self._connection.execute(
            update(refresh_tokens).where(condition, refresh_tokens.c.revoked_at.is_(None)).values(revoked_at=self._now)
        )
        return ended.rowcount

    async def forget_expired(self, before: datetime) -> int:
        """Delete tokens that ended before an instant; returns how many."""
        return (
            await self._connection.execute(delete(refresh_tokens).where(refresh_tokens.c.expires_at < before))
        ).rowcount
