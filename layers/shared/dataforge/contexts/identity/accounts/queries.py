"""People, without anything secret."""

from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.identity.accounts.domain import AccountState
from dataforge.contexts.identity.accounts.repository import is_claimed
from dataforge.contexts.identity.tables import users
from dataforge.kernel.errors import NotFound
from dataforge.kernel.paging import Page
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict

_PUBLIC = [column for column in users.c if column.name not in ("password_hash", "github_id", "soeid")]


async def get_user(connection: AsyncConnection, user_id: UUID) -> dict[str, Any]:
    """A person without anything secret; raises NotFound."""
    user = await find_account(connection, user_id)
    if user is None:
        message = Text("There is no user {user_id}.", user_id=user_id)
        raise NotFound(message)
    return user


async def find_account(connection: AsyncConnection, user_id: UUID) -> dict[str, Any] | None:
    """A person without anything secret; None when there is nobody with this id."""
    query = select(*_PUBLIC, is_claimed().label("claimed")).where(users.c.id == user_id)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else row_dict(row)


async def list_users(
    connection: AsyncConnection,
    *,
    after: tuple[Any, ...] | None,
    limit: int,
    role: str | None,
    search: str | None,
    state: AccountState | None = None,
) -> Page[dict[str, Any]]:
    """People in order of their username."""
    query = select(*_PUBLIC, is_claimed().label("claimed")).order_by(users.c.username, users.c.id).limit(limit + 1)
    query = query.where(users.c.erased_at.is_(None))
    if after is not None:
        query = query.where(tuple_(users.c.username, users.c.id) > tuple_(after[0], UUID(after[1])))
    if role is not None:
        query = query.where(users.c.role == role)
    if state is AccountState.SUSPENDED:
        query = query.where(users.c.suspended_at.is_not(None))
    elif state is not None:
        claimed = is_claimed() if state is AccountState.ACTIVE else ~is_claimed()
        query = query.where(users.c.suspended_at.is_(None), claimed)
    if search:
        matches = (
            column.icontains(search, autoescape=True)
            for column in (users.c.username, users.c.email, users.c.display_name)
        )
        first, *rest = matches
        condition = first
        for other in rest:
            condition = condition | other
        query = query.where(condition)
    rows = [row_dict(row) for row in await connection.execute(query)]
    more = len(rows) > limit
    rows = rows[:limit]
    return Page(rows, (rows[-1]["username"], str(rows[-1]["id"])) if more else None)
