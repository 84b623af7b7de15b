"""The write SQL of second factors, recovery codes, and sign-ins that await a code."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, exists, insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.identity.second_factor.domain import Challenge, SecondFactor
from dataforge.contexts.identity.tables import recovery_codes, second_factors, sign_in_challenges, users
from dataforge.kernel.ids import uuid7


class SecondFactors:
    """Second factors with their recovery codes."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def is_on(self, user_id: UUID) -> bool:
        """Whether sign-ins of the person need a code."""
        on = (second_factors.c.user_id == user_id) & second_factors.c.confirmed_at.is_not(None)
        return bool(await self._connection.scalar(select(exists().where(on))))

    async def lock(self, user_id: UUID) -> SecondFactor | None:
        """The factor, behind a lock on its person: one code in two requests at once is seen one after the other."""
        await self._connection.execute(select(users.c.id).where(users.c.id == user_id).with_for_update(key_share=True))
        query = select(second_factors).where(second_factors.c.user_id == user_id)
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            return None
        return SecondFactor(row.user_id, row.secret, row.created_at, row.confirmed_at, row.last_step, row.failures)

    async def begin(self, user_id: UUID, sealed: bytes) -> None:
        """Keep the secret of a factor that awaits its first code, in place of one that was begun before."""
        values = {"secret": sealed, "created_at": self._now, "last_step": None, "failures": 0}
        statement = postgresql.insert(second_factors).values(user_id=user_id, **values)
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["user_id"], set_=values, where=second_factors.c.confirmed_at.is_(None)
            )
        )

    async def save(self, user_id: UUID, **changes: datetime | int) -> None:
        """Write what became of a code."""
        await self._connection.execute(
            update(second_factors).where(second_factors.c.user_id == user_id).values(**changes)
        )

    async def replace_recovery_codes(self, user_id: UUID, hashes: Iterable[str]) -> None:
        """Forget the codes there are and keep these."""
        await self._connection.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
        rows = [{"user_id": user_id, "code_hash": hashed, "created_at": self._now} for hashed in hashes]
        await self._connection.execute(insert(recovery_codes), rows)

    async def use_recovery_code(self, user_id: UUID, hashed: str) -> bool:
        """Whether it was one that is left; it is gone from now on."""
        used = await self._connection.execute(
            delete(recovery_codes).where(recovery_codes.c.user_id == user_id, recovery_codes.c.code_hash == hashed)
        )
        return used.rowcount == 1

    async def remove(self, user_id: UUID) -> None:
        """Forget factor and codes, and sign-ins that await one."""
        for table in (second_factors, recovery_codes, sign_in_challenges):
            await self._connection.execute(delete(table).where(table.c.user_id == user_id))


class SignInChallenges:
    """Sign-ins in `identity.sign_in_challenges` whose password was right and whose code is awaited."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def add(self, user_id: UUID, hashed: str, expires_at: datetime) -> None:
        """Insert."""
        values = {"id": uuid7(), "user_id": user_id, "challenge_hash": hashed, "expires_at": expires_at}
        await self._connection.execute(insert(sign_in_challenges).values(**values, created_at=self._now))

    async def lock(self, hashed: str) -> Challenge | None:
        """The challenge, behind a lock on its person, so that tries at the same moment are counted one by one."""
        condition = sign_in_challenges.c.challenge_hash == hashed
        owner = select(sign_in_challenges.c.user_id).where(condition).scalar_subquery()
        await self._connection.execute(select(users.c.id).where(users.c.id == owner).with_for_update(key_share=True))
        row = (await self._connection.execute(select(sign_in_challenges).where(condition))).one_or_none()
        return None if row is None else Challenge(row.id, row.user_id, row.expires_at, row.tries)

    async def count_try(self, challenge: Challenge) -> None:
        """A wrong code was sent."""
        await self._connection.execute(
            update(sign_in_challenges)
            .where(sign_in_challenges.c.id == challenge.id)
            .values(tries=sign_in_challenges.c.tries + 1)
        )

    async def remove(self, challenge: Challenge) -> None:
        """It was answered."""
        await self._connection.execute(delete(sign_in_challenges).where(sign_in_challenges.c.id == challenge.id))

    async def void(self, user_id: UUID) -> None:
        """End every sign-in of a person that awaits a code."""
        await self._connection.execute(delete(sign_in_challenges).where(sign_in_challenges.c.user_id == user_id))

    async def forget_expired(self) -> int:
        """Delete those that can no longer be answered; returns how many."""
        expired = delete(sign_in_challenges).where(sign_in_challenges.c.expires_at <= self._now)
        return (await self._connection.execute(expired)).rowcount
