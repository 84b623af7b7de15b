"""Which addresses take no mail."""

from collections.abc import Iterable, Mapping

from sqlalchemy import ARRAY, String, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.notifications.suppressions.domain import Reason, Scope
from dataforge.contexts.notifications.tables import suppressions


async def suppressed(connection: AsyncConnection, hashes: Iterable[str], scope: Scope) -> set[str]:
    """Those of the hashes whose addresses take nothing of this scope."""
    wanted = bindparam("hashes", sorted(set(hashes)), type_=ARRAY(String))
    scopes = {scope.value, Scope.ALL.value}
    query = select(suppressions.c.email_hash).where(
        suppressions.c.email_hash == wanted.any_(), suppressions.c.scope.in_(scopes)
    )
    return set((await connection.scalars(query)).all())


async def suppressions_of(connection: AsyncConnection, hashes: Iterable[str]) -> Mapping[str, Mapping[Scope, Reason]]:
    """What the addresses behind the hashes do not take, and why."""
    wanted = bindparam("hashes", sorted(set(hashes)), type_=ARRAY(String))
    query = select(suppressions).where(suppressions.c.email_hash == wanted.any_())
    found: dict[str, dict[Scope, Reason]] = {}
    for row in await connection.execute(query):
        found.setdefault(row.email_hash, {})[Scope(row.scope)] = Reason(row.reason)
    return found
