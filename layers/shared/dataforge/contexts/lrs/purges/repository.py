"""What a purge deletes, inside one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.progress.repository import (
    count_again,
    forget_former,
    pairs_of_statements,
    register_removal,
)

_LOCK = text(
    "SELECT statement_id FROM records.statements_raw WHERE statement_id = ANY(CAST(:ids AS uuid[])) "
    "ORDER BY statement_id FOR UPDATE"
)
_BODIES = text(
    "DELETE FROM lrs.statement_bodies b USING unnest(CAST(:at AS timestamptz[]), CAST(:ids AS uuid[])) AS g (at, id) "
    "WHERE b.stored_at = g.at AND b.statement_id = g.id"
)
# An id that was purged belongs to nobody: it may be stored again, with whatever content.
_ROWS = tuple(
    text(f"DELETE FROM {table} WHERE statement_id = ANY(CAST(:ids AS uuid[]))")
    for table in ("records.statements_flat", "records.statement_claims", "records.statements_raw")
)
_DOCUMENTS = "FROM lrs.documents WHERE updated_at <= :until"


class Removals:
    """Deletes statements and documents for good."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock(self, ids: Sequence[UUID]) -> set[UUID]:
        """Which of the statements are still there, locked."""
        return set((await self._connection.execute(_LOCK, {"ids": list(ids)})).scalars())

    async def delete_rows(self, ids: Sequence[UUID], revision: datetime) -> None:
        """Delete ids, claims and flat rows, from progress too; without its id a body is nobody's."""
        pairs = await pairs_of_statements(self._connection, ids)
        await forget_former(self._connection, ids)
        for statement in _ROWS:
            await self._connection.execute(statement, {"ids": list(ids)})
        await count_again(self._connection, pairs)
        await register_removal(self._connection, "purge", len(ids), revision)

    async def delete_bodies(self, bodies: Mapping[UUID, datetime]) -> None:
        """Delete bodies by id and when they were stored."""
        if bodies:
            await self._connection.execute(_BODIES, {"ids": list(bodies), "at": list(bodies.values())})

    async def delete_documents(self, chosen: Mapping[str, Any]) -> int:
        """Delete documents (`documents_sql`); how many."""
        return (await self._connection.execute(documents_sql("DELETE", chosen), dict(chosen))).rowcount


def documents_sql(verb: str, chosen: Mapping[str, Any]) -> TextClause:
    """SELECT count(*) or DELETE of the documents with these columns, changed after `since` and up to `until`."""
    columns = [name for name in ("activity_id", "agent_key", "registration") if name in chosen]
    conditions = "".join(f" AND {name} = :{name}" for name in columns)
    if "since" in chosen:
        conditions += " AND updated_at > :since"
    return text(f"{verb} {_DOCUMENTS}{conditions}")
