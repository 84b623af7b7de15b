"""The write SQL of personal access tokens."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.identity.tables import personal_tokens

# Text, as for the look-up: a request pays for it.
_RECORD_USE = text(
    "UPDATE identity.personal_tokens SET last_used_at = :at WHERE id = :id "
    "AND (last_used_at IS NULL OR last_used_at <= CAST(:at AS timestamptz) - interval '1 minute')"
)


class PersonalTokens:
    """Tokens in `identity.personal_tokens`."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    def _good(self) -> Any:  # noqa: ANN401 - an SQL expression
        ends = personal_tokens.c.expires_at
        return and_(personal_tokens.c.revoked_at.is_(None), or_(ends.is_(None), ends > self._now))

    async def count_good(self, user_id: UUID) -> int:
        """How many tokens of a person are good; whoever counts has locked the person."""
        query = select(func.count()).where(personal_tokens.c.user_id == user_id, self._good())
        return int((await self._connection.execute(query)).scalar_one())

    async def add(self, values: Mapping[str, Any]) -> None:
        """Insert."""
        await self._connection.execute(insert(personal_tokens).values(**values))

    async def revoke(self, user_id: UUID, token_id: UUID) -> str | None:
        """End a good token of a person; returns its name, None when there is none."""
        mine = and_(personal_tokens.c.id == token_id, personal_tokens.c.user_id == user_id)
        ended = update(personal_tokens).where(mine, self._good()).values(revoked_at=self._now)
        row = (await self._connection.execute(ended.returning(personal_tokens.c.name))).one_or_none()
        return None if row is None else str(row.name)

    async def revoke_all(self, user_id: UUID) -> None:
        """End every good token of a person."""
        mine = personal_tokens.c.user_id == user_id
        await self._connection.execute(update(personal_tokens).where(mine, self._good()).values(revoked_at=self._now))

    async def mark_warned(self, before: datetime) -> Sequence[Any]:
        """Tokens that end before an instant and whose persons have not heard of it: id and person; they have now."""
        ending = and_(personal_tokens.c.expires_at < before, personal_tokens.c.warned_at.is_(None), self._good())
        changed = update(personal_tokens).where(ending).values(warned_at=self._now)
        return (
            await self._connection.execute(changed.returning(personal_tokens.c.id, personal_tokens.c.user_id))
        ).all()

    async def forget_ended(self, before: datetime) -> int:
        """Delete tokens that ended before an instant; returns how many."""
        ended = func.least(personal_tokens.c.expires_at, personal_tokens.c.revoked_at) < before
        return (await self._connection.execute(delete(personal_tokens).where(ended))).rowcount


async def record_use(connection: AsyncConnection, token_id: UUID, at: datetime) -> None:
    """Write when a token was used, where that is a minute or more after the stored instant."""
    await connection.execute(_RECORD_USE, {"id": token_id, "at": at})
