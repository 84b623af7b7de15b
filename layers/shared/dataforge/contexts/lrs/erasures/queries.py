"""Where a person occurs in what is stored."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.erasures.domain import ErasedPerson, search_keys
from dataforge.contexts.lrs.search.domain import Position
from dataforge.contexts.lrs.selections.queries import SelectedStatement

_OCCURS = (
    "SELECT DISTINCT k.stored_at, k.statement_id FROM lrs.statement_keys k "
    "WHERE k.key = ANY(CAST(:keys AS uuid[])) AND k.via = k.statement_id"
)
_PAGE = (
    f"WITH page AS MATERIALIZED ({_OCCURS} {{behind}}ORDER BY 1, 2 LIMIT :limit) "
    "SELECT r.statement_id, r.stored_at, r.authority, s.payload::text AS body FROM page p "
    "JOIN records.statements_raw r USING (statement_id) JOIN lrs.statements s USING (statement_id) "
    "ORDER BY r.stored_at, r.statement_id"
)
_COUNTS = text(
    f"SELECT (SELECT count(*) FROM ({_OCCURS}) AS found) AS statements, "
    "(SELECT count(*) FROM records.statements_flat WHERE statement_id IN (SELECT statement_id FROM (" + _OCCURS + ") "
    "AS found) AND actor_key = ANY(CAST(:identities AS text[]))) AS as_actor, "
    "(SELECT count(*) FROM lrs.documents WHERE agent_key = ANY(CAST(:identities AS text[]))) AS documents"
)


async def read_occurrences(
    connection: AsyncConnection, person: ErasedPerson, *, after: Position | None, limit: int
) -> Sequence[SelectedStatement]:
    """A page of the statements in which the person occurs anywhere, in the order they were stored in."""
    values: dict[str, Any] = {"keys": search_keys(person.identities), "limit": limit}
    behind = ""
    if after is not None:
        values |= {"after_at": after.stored_at, "after_id": after.statement_id}
        behind = "AND (k.stored_at, k.statement_id) > (:after_at, :after_id) "
    rows = await connection.execute(text(_PAGE.format(behind=behind)), values)
    return [SelectedStatement(*row) for row in rows]


async def count_occurrences(connection: AsyncConnection, person: ErasedPerson) -> dict[str, int]:
    """How many statements the person occurs in, how many of them are their own, and their documents."""
    values = {"keys": search_keys(person.identities), "identities": sorted(person.identities)}
    row = (await connection.execute(_COUNTS, values)).one()
    return {"statements": row.statements, "as_actor": row.as_actor, "documents": row.documents}
