"""The write SQL of merges."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.identity.accounts.repository import is_claimed
from dataforge.contexts.identity.merges.domain import ImportedAccount, Merge
from dataforge.contexts.identity.tables import account_merges, users
from dataforge.kernel.principal import Role


class AccountMerges:
    """Accounts that became others', in `identity.account_merges`."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def lock_imported(self, email: str, *, apart_from: UUID) -> ImportedAccount | None:
        """The account that an import made for the address, if nobody uses it and it is not suspended; locked."""
        query = (
            select(users.c.id, users.c.role)
            .where(
                func.lower(users.c.email) == email.lower(),
                users.c.id != apart_from,
                users.c.email_vouched,
                users.c.suspended_at.is_(None),
                ~is_claimed(),
            )
            .with_for_update()
        )
        row = (await self._connection.execute(query)).one_or_none()
        return None if row is None else ImportedAccount(row.id, Role(row.role))

    async def merge(self, merged: UUID, kept: UUID) -> None:
        """Remove the account, and keep whose it has become."""
        await self._connection.execute(delete(users).where(users.c.id == merged))
        await self._connection.execute(
            insert(account_merges).values(merged_id=merged, kept_id=kept, merged_at=self._now)
        )

    async def take_unrepeated(self, before: datetime) -> Sequence[Merge]:
        """Merges of before then that are to be followed once more, each of them once."""
        statement = (
            update(account_merges)
            .where(account_merges.c.merged_at < before, account_merges.c.repeated_at.is_(None))
            .values(repeated_at=self._now)
            .returning(account_merges.c.merged_id, account_merges.c.kept_id)
        )
        return [Merge(row.merged_id, row.kept_id) for row in await self._connection.execute(statement)]
