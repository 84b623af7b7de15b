"""The write SQL of accounts."""

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, bindparam, func, insert, or_, select, update
from sqlalchemy import Text as SqlText
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.identity.accounts.domain import Account, DuplicateAvatar, DuplicateEmail, DuplicateUsername
from dataforge.contexts.identity.tables import PROVED, PROVED_EMAIL, users
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict
from dataforge.platform.db.refusals import constraint_of

_ACCOUNT = (
    users.c.id,
    users.c.username,
    users.c.role,
    users.c.password_hash,
    users.c.suspended_at,
    users.c.email,
    users.c.display_name,
    users.c.email_confirmed_at,
    users.c.new_email,
    users.c.email_vouched,
)
_OWNER_FIRST = (~PROVED, users.c.created_at, users.c.id)
_NOT_IN_USERNAMES = re.compile(r"[^A-Za-z0-9_]")


def _duplicate(error: IntegrityError) -> DataForgeError | None:
    name = constraint_of(error)
    if name == "uq_users_username_ci":
        return DuplicateUsername(Text("This username is taken; choose another one."))
    if name == "uq_users_email_ci":
        return DuplicateEmail(Text("An account with this e-mail address exists; sign in instead."))
    if name == "uq_users_avatar":
        return DuplicateAvatar(Text("This avatar is taken; choose another one."))
    return None


def is_claimed() -> ColumnElement[bool]:
    """Whether somebody uses the account, as `Account.claimed`."""
    return users.c.password_hash.is_not(None) | users.c.email_confirmed_at.is_not(None)


class Users:
    """People in `identity.users`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, values: Mapping[str, Any]) -> None:
        """Insert; raises DuplicateUsername, DuplicateEmail or DuplicateAvatar."""
        try:
            await self._connection.execute(insert(users).values(**values))
        except IntegrityError as error:
            duplicate = _duplicate(error)
            if duplicate is not None:
                raise duplicate from error
            raise

    async def account(self, username: str) -> Account | None:
        """By username or e-mail address, ignoring case, for signing in.

        Of several with the address: whoever can sign in by password, has proved it, came first.
        """
        name = username.lower()
        named = or_(func.lower(users.c.username) == name, func.lower(users.c.email) == name)
        return await self._account(named, users.c.password_hash.is_(None), *_OWNER_FIRST)

    async def account_by_email(self, email: str) -> Account | None:
        """Whose a mail to this address is: whoever has proved it or is vouched for, else who claimed it first.

        An address that waits to replace another one is nobody's.
        """
        return await self._account(func.lower(users.c.email) == email.lower(), *_OWNER_FIRST)

    async def is_taken(self, email: str) -> bool:
        """Whether a person has the address: proved it, or signs in to the account that was made for them with it.

        One that only an import has named is open to whoever proves that it is theirs.
        """
        claimed = users.c.email_confirmed_at.is_not(None) | users.c.password_hash.is_not(None)
        return await self._account(PROVED_EMAIL.in_([email.lower()]) & claimed) is not None

    async def account_by_id(self, user_id: UUID) -> Account | None:
        """By id."""
        return await self._account(users.c.id == user_id)

    async def _account(self, condition: Any, *order: Any) -> Account | None:  # noqa: ANN401 - SQL expressions
        query = select(*_ACCOUNT).where(condition).order_by(*order).limit(1)
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            return None
        return Account(
            row.id,
            row.username,
            Role(row.role),
            row.password_hash,
            row.suspended_at is not None,
            email=row.email,
            display_name=row.display_name,
            email_confirmed=row.email_confirmed_at is not None,
            new_email=row.new_email,
            email_vouched=row.email_vouched,
        )

    async def lock(self, user_id: UUID) -> Mapping[str, Any] | None:
        """The row, locked until the end of the transaction."""
        row = (
            await self._connection.execute(select(users).where(users.c.id == user_id).with_for_update())
        ).one_or_none()
        return None if row is None else row_dict(row)

    async def lock_account(self, user_id: UUID) -> Account | None:
        """The person, locked until the end of the transaction."""
        await self._connection.execute(select(users.c.id).where(users.c.id == user_id).with_for_update())
        return await self.account_by_id(user_id)

    async def claim_states(self, user_ids: Iterable[UUID]) -> Mapping[UUID, str]:
        """Of each of the people there are: `suspended`, `claimed` or `unclaimed`."""
        ids = bindparam("ids", sorted(set(user_ids)), type_=ARRAY(Uuid()))
        query = select(users.c.id, users.c.suspended_at, is_claimed().label("claimed")).where(users.c.id == ids.any_())
        return {
            row.id: "suspended" if row.suspended_at is not None else "claimed" if row.claimed else "unclaimed"
            for row in await self._connection.execute(query)
        }

    async def lock_proved(self, user_ids: Sequence[UUID]) -> set[UUID]:
        """Those of the people whose address is proved, locked in the order of their ids."""
        query = select(users.c.id).where(users.c.id.in_(user_ids), PROVED).order_by(users.c.id).with_for_update()
        return set((await self._connection.scalars(query)).all())

    async def vouch(self, user_ids: Sequence[UUID], at: datetime) -> None:
        """Let the organisation vouch for people's addresses: whatever came for them counts."""
        values = {"email_vouched": True, "updated_at": at, "revision": users.c.revision + 1}
        await self._connection.execute(update(users).where(users.c.id.in_(user_ids)).values(values))

    async def active_admins(self) -> int:
        """How many administrators are not suspended; locks them in the order of their ids."""
        query = (
            select(users.c.id)
            .where(users.c.role == Role.ADMIN.value, users.c.suspended_at.is_(None))
            .order_by(users.c.id)
            .with_for_update()
        )
        return len((await self._connection.execute(query)).all())

    async def update(self, user_id: UUID, changes: Mapping[str, Any]) -> None:
        """Write the changes and count the revision up."""
        statement = update(users).where(users.c.id == user_id).values(**changes, revision=users.c.revision + 1)
        try:
            await self._connection.execute(statement)
        except IntegrityError as error:
            duplicate = _duplicate(error)
            if duplicate is not None:
                raise duplicate from error
            raise


class EmailAccounts:
    """Finds and opens accounts; one that was opened has no password until the person sets it."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def by_email(self, emails: Iterable[str]) -> Mapping[str, UUID]:
        """User ids by lower-cased e-mail address, of those who have proved it or are vouched for."""
        wanted = sorted({email.lower() for email in emails})
        if not wanted:
            return {}
        any_of_them = bindparam("emails", wanted, type_=ARRAY(SqlText)).any_()
        query = select(PROVED_EMAIL, users.c.id).where(any_of_them == PROVED_EMAIL)
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
            # Somebody may prove the address at this very moment: whoever has it by then is the person.
            await self._connection.execute(postgresql.insert(users).on_conflict_do_nothing(), rows)
        return await self.by_email(names)


class EmailDirectory:
    """Gives the learner accounts that one transaction sees."""

    def accounts(self, connection: AsyncConnection) -> EmailAccounts:
        """The accounts within the transaction of this connection."""
        return EmailAccounts(connection)


def _account(email: str, name: str, at: datetime) -> dict[str, object]:
    start = _NOT_IN_USERNAMES.sub("_", email.partition("@")[0])[:40]
    username = f"{start if start[:1].isalpha() else f'u{start}'}_{secrets.token_hex(4)}"
    return {
        "id": uuid7(),
        "username": username,
        "email": email,
        "email_vouched": True,
        "avatar": f"learner-{secrets.token_hex(6)}",
        "display_name": name[:255],
        "role": Role.LEARNER.value,
        "created_at": at,
        "updated_at": at,
    }
