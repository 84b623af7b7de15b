"""Which addresses take no mail."""

from collections.abc import Iterable

from sqlalchemy import ARRAY, String, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.notifications.suppressions.domain import Scope
from dataforge.contexts.notifications.tables import suppressions


async def suppressed(connection: AsyncConnection, hashes: Iterable[str], scope: Scope) -> set[str]:
    """Those of the hashes whose addresses take nothing of this scope."""
    wanted = bindparam("hashes", sorted(set(hashes)), type_=ARRAY(String))
    scopes = {scope.value, Scope.ALL.value}
    query = select(suppressions.c.email_hash).where(
        suppressions.c.email_hash == wanted.any_(), suppressions.c.scope.in_(scopes)
    )
    return set((await connection.scalars(query)).all())
