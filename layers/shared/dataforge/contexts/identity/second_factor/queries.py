"""Whether people have a second factor."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.identity.tables import recovery_codes, second_factors, users
from dataforge.kernel.errors import NotFound
from dataforge.kernel.texts import Text


async def get_second_factor(connection: AsyncConnection, user_id: UUID) -> dict[str, Any]:
    """Since when a person's sign-ins need a code, and how many recovery codes are left; raises NotFound."""
    left = select(func.count()).where(recovery_codes.c.user_id == users.c.id).scalar_subquery()
    query = (
        select(second_factors.c.confirmed_at, left.label("left"))
        .select_from(users.outerjoin(second_factors, second_factors.c.user_id == users.c.id))
        .where(users.c.id == user_id)
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        message = Text("There is no user {user_id}.", user_id=user_id)
        raise NotFound(message)
    return {"on": row.confirmed_at is not None, "since": row.confirmed_at, "recovery_codes_left": row.left}
