"""Accounts of learners that others ask for by e-mail address, inside their own transaction."""

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.identity.tables import users
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role

_NOT_IN_USERNAMES = re.compile(r"[^A-Za-z0-9_]")


class SqlLearnerAccounts:
    """Finds and opens accounts; one that was opened has no password until the person sets it."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def by_email(self, emails: Iterable[str]) -> Mapping[str, UUID]:
        """User ids by lower-cased e-mail address."""
        wanted = sorted({email.lower() for email in emails})
        if not wanted:
            return {}
        address = func.lower(users.c.email)
        query = select(address, users.c.id).where(address == bindparam("emails", wanted, type_=ARRAY(Text)).any_())
        return {row[0]: row[1] for row in await self._connection.execute(query)}

    async def suspended(self, user_ids: Iterable[UUID]) -> set[UUID]:
        """Those of the users who are suspended."""
        ids = bindparam("ids", sorted(set(user_ids)), type_=ARRAY(Uuid()))
        query = select(users.c.id).where(users.c.id == ids.any_(), users.c.suspended_at.is_not(None))
        return set((await self._connection.scalars(query)).all())

    async def ensure(self, people: Sequence[tuple[str, str]], at: datetime) -> Mapping[str, UUID]:
        """User ids by lower-cased e-mail address; (e-mail, display name) without an account get one as learner."""
        names = {email.lower(): name for email, name in people}
        known = await self.by_email(names)
        rows = [_account(email, name, at) for email, name in sorted(names.items()) if email not in known]
        if rows:
            # Somebody may sign up at this very moment: whoever has the address by then is the person.
            await self._connection.execute(insert(users).on_conflict_do_nothing(), rows)
        return await self.by_email(names)


class SqlLearnerDirectory:
    """Gives the learner accounts that one transaction sees."""

    def accounts(self, connection: AsyncConnection) -> SqlLearnerAccounts:
        """The accounts within the transaction of this connection."""
        return SqlLearnerAccounts(connection)


def _account(email: str, name: str, at: datetime) -> dict[str, object]:
    start = _NOT_IN_USERNAMES.sub("_", email.partition("@")[0])[:40]
    username = f"{start if start[:1].isalpha() else f'u{start}'}_{secrets.token_hex(4)}"
    return {
        "id": uuid7(),
        "username": username,
        "email": email,
        "avatar": f"learner-{secrets.token_hex(6)}",
        "display_name": name[:255],
        "role": Role.LEARNER.value,
        "created_at": at,
        "updated_at": at,
    }
