"""What people want to hear of."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.notifications.preferences.domain import KINDS
from dataforge.contexts.notifications.tables import preferences


async def unwanted(connection: AsyncConnection, user_ids: Iterable[UUID], kind: str) -> set[UUID]:
    """Those of the people who do not want messages of a kind."""
    ids = bindparam("ids", sorted(set(user_ids)), type_=ARRAY(Uuid()))
    query = select(preferences.c.user_id).where(
        preferences.c.user_id == ids.any_(), preferences.c.kind == kind, preferences.c.wanted.is_(False)
    )
    return set((await connection.scalars(query)).all())


async def preferences_of(connection: AsyncConnection, user_id: UUID) -> list[dict[str, object]]:
    """Every kind, and whether the person wants it; what they never decided is wanted."""
    query = select(preferences.c.kind, preferences.c.wanted).where(preferences.c.user_id == user_id)
    decided = {row.kind: row.wanted for row in await connection.execute(query)}
    return [
        {
            "kind": kind.name,
            "label": kind.label,
            "optional": kind.optional,
            "wanted": decided.get(kind.name, True) or not kind.optional,
        }
        for kind in KINDS.values()
    ]


async def declined(connection: AsyncConnection, user_ids: Iterable[UUID]) -> set[tuple[UUID, str]]:
    """People, each with a kind of message that they do not want."""
    ids = bindparam("ids", sorted(set(user_ids)), type_=ARRAY(Uuid()))
    query = select(preferences.c.user_id, preferences.c.kind).where(
        preferences.c.user_id == ids.any_(), preferences.c.wanted.is_(False)
    )
    return {(row.user_id, row.kind) for row in await connection.execute(query)}
