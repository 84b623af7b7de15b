"""The write SQL of identity's commands; published credentials, signing keys and expiry write where they are."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, or_, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.identity.domain import (
    Account,
    DuplicateAvatar,
    DuplicateEmail,
    DuplicateUsername,
    RefreshToken,
)
from dataforge.contexts.identity.tables import refresh_tokens, users, xapi_credentials
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import row_dict
from dataforge.platform.db.throttle import Throttle
from dataforge.platform.db.unit_of_work import SqlUnitOfWork


def _duplicate(error: IntegrityError) -> DataForgeError | None:
    name = getattr(getattr(error.orig, "diag", None), "constraint_name", "") or ""
    if name == "uq_users_username_ci":
        return DuplicateUsername("This username is taken; choose another one.")
    if name == "uq_users_email_ci":
        return DuplicateEmail("An account with this e-mail address exists; sign in instead.")
    if name == "uq_users_avatar":
        return DuplicateAvatar("This avatar is taken; choose another one.")
    return None


class SqlUsers:
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
        """By username or e-mail address, ignoring case."""
        name = username.lower()
        return await self._account(or_(func.lower(users.c.username) == name, func.lower(users.c.email) == name))

    async def account_by_id(self, user_id: UUID) -> Account | None:
        """By id."""
        return await self._account(users.c.id == user_id)

    async def _account(self, condition: Any) -> Account | None:  # noqa: ANN401 - an SQL expression
        columns = (users.c.id, users.c.username, users.c.role, users.c.password_hash, users.c.suspended_at)
        row = (await self._connection.execute(select(*columns).where(condition).limit(1))).one_or_none()
        if row is None:
            return None
        return Account(row.id, row.username, Role(row.role), row.password_hash, row.suspended_at is not None)

    async def lock(self, user_id: UUID) -> Mapping[str, Any] | None:
        """The row, locked until the end of the transaction."""
        row = (
            await self._connection.execute(select(users).where(users.c.id == user_id).with_for_update())
        ).one_or_none()
        return None if row is None else row_dict(row)

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


class SqlRefreshTokens:
    """Refresh tokens in `identity.refresh_tokens`."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def add(self, user_id: UUID, family: UUID, hashed: str, expires_at: datetime) -> None:
        """Insert."""
        await self._connection.execute(
            insert(refresh_tokens).values(
                id=uuid7(),
                user_id=user_id,
                token_hash=hashed,
                family=family,
                expires_at=expires_at,
                created_at=self._now,
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
        return RefreshToken(row.id, row.user_id, row.family, row.expires_at, row.used_at, row.revoked_at)

    async def mark_used(self, token_id: UUID) -> None:
        """It has been exchanged."""
        await self._connection.execute(
            update(refresh_tokens).where(refresh_tokens.c.id == token_id).values(used_at=self._now)
        )

    async def revoke_family(self, family: UUID) -> None:
        """End one sign-in."""
        await self._revoke(refresh_tokens.c.family == family)

    async def revoke_user(self, user_id: UUID) -> None:
        """End every sign-in of a person."""
        await self._revoke(refresh_tokens.c.user_id == user_id)

    async def _revoke(self, condition: Any) -> None:  # noqa: ANN401 - an SQL expression
        await self._connection.execute(
            update(refresh_tokens).where(condition, refresh_tokens.c.revoked_at.is_(None)).values(revoked_at=self._now)
        )


_NOTE_USES = text(
    "UPDATE identity.xapi_credentials c SET last_used_at = u.used_at "
    "FROM unnest(CAST(:keys AS text[]), CAST(:times AS timestamptz[])) u(key_id, used_at) "
    "WHERE c.key_id = u.key_id AND (c.last_used_at IS NULL OR c.last_used_at <= u.used_at - interval '1 minute')"
)


async def note_credential_uses(connection: AsyncConnection, used: Mapping[str, datetime]) -> None:
    """Write when credentials were last used, where that is a minute or more after the stored instant."""
    keys = sorted(used)
    await connection.execute(_NOTE_USES, {"keys": keys, "times": [used[key] for key in keys]})


class SqlXapiCredentials:
    """xAPI credentials in `identity.xapi_credentials`."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def add(self, values: Mapping[str, Any]) -> None:
        """Insert."""
        await self._connection.execute(insert(xapi_credentials).values(**values))

    async def revoke(self, key_id: str) -> bool:
        """Mark revoked; False when there is no such key."""
        statement = (
            update(xapi_credentials)
            .where(xapi_credentials.c.key_id == key_id)
            .values(revoked_at=func.coalesce(xapi_credentials.c.revoked_at, self._now), published=False)
            .returning(xapi_credentials.c.key_id)
        )
        return (await self._connection.execute(statement)).one_or_none() is not None


class SqlIdentityUnitOfWork(SqlUnitOfWork):
    """A transaction with identity's repositories."""

    @property
    def users(self) -> SqlUsers:
        """People."""
        return SqlUsers(self.connection)

    @property
    def throttle(self) -> Throttle:
        """Budgets of tries."""
        return Throttle(self.connection, self.now)

    @property
    def refresh_tokens(self) -> SqlRefreshTokens:
        """Refresh tokens."""
        return SqlRefreshTokens(self.connection, self.now)

    @property
    def xapi_credentials(self) -> SqlXapiCredentials:
        """xAPI credentials."""
        return SqlXapiCredentials(self.connection, self.now)
