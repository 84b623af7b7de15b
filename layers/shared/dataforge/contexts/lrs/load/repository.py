"""Raw statements: every write goes to PostgreSQL as one JSON parameter per table.

Measured against COPY into a staging table and `unnest` of arrays (infra/bench/etl.py): one statement per table, no rows
left behind by a crash, and JSON made by orjson is the cheapest thing Python can hand over.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, bindparam, insert, select, text
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.load.domain import RawRow
from dataforge.contexts.lrs.statements.domain import has_content, read_statement, to_json
from dataforge.contexts.lrs.tables import intake, recordset, statements_raw

_COLUMNS = {
    "statement_id": "uuid",
    "payload": "jsonb",
    "payload_sha256": "bytea",
    "source": "text",
    "authority": "text",
    "occurred_at": "timestamptz",
    "stored_at": "timestamptz",
    "state": "text",
    "error": "text",
}
_HEAD = [name for name in _COLUMNS if name != "payload"]
# The release before reads bodies beside their ids: they are written there until no function of it runs any more.
_INSERT = text(
    f"WITH given AS MATERIALIZED (SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS r ({recordset(_COLUMNS)})), "
    "moment AS (SELECT partitioned_from <= clock_timestamp() AS partitioned FROM lrs.statement_storage), "
    f"new AS (INSERT INTO records.statements_raw ({', '.join(_HEAD)}, payload, keyed) "
    f"SELECT {', '.join(_HEAD)}, CASE WHEN NOT (SELECT partitioned FROM moment) THEN payload END, :keyed FROM given "
    "ON CONFLICT DO NOTHING RETURNING statement_id), "
    "bodies AS (INSERT INTO lrs.statement_bodies (stored_at, statement_id, payload) "
    "SELECT stored_at, statement_id, payload FROM given JOIN new USING (statement_id) "
    "WHERE (SELECT partitioned FROM moment) "
    # One that a purge has left behind is nobody's.
    "ON CONFLICT (stored_at, statement_id) DO UPDATE SET payload = excluded.payload) "
    "SELECT statement_id FROM new"
)
_FORGET_REQUESTS = text("DELETE FROM records.intake WHERE request_id = ANY(CAST(:ids AS uuid[]))")
# In both: whoever sent them never had an answer. What comes after all is registered anew by the loader.
_FORGET_LOST = text(
    "WITH lost AS (DELETE FROM records.intake WHERE request_id IN (SELECT request_id FROM records.intake "
    "WHERE stored_at < :before FOR UPDATE SKIP LOCKED) RETURNING request_id), "
    "pending AS (DELETE FROM lrs.pending_statements WHERE request_id IN (SELECT request_id FROM lost)) "
    "SELECT count(*) FROM lost"
)
_BODIES = text(
    "SELECT statement_id, payload::text AS payload FROM lrs.statements WHERE statement_id = ANY(CAST(:ids AS uuid[]))"
)
_FORGET_PENDING = text("DELETE FROM lrs.pending_statements WHERE statement_id = ANY(CAST(:ids AS uuid[]))")
_PENDING_NAMING = text(
    "SELECT word FROM unnest(CAST(:words AS text[])) AS word "
    "WHERE EXISTS (SELECT 1 FROM lrs.pending_statements WHERE position(word IN lower(payload)) > 0)"
)
_UUIDS = ARRAY(PG_UUID(as_uuid=True))


class RawStatements:
    """`statements_raw`, and the requests on their way there, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock_requests(self, request_ids: Iterable[UUID]) -> set[UUID]:
        """Which of the requests are registered as on their way; locks them."""
        query = (
            select(intake.c.request_id)
            .where(intake.c.request_id == bindparam("ids", list(request_ids), type_=_UUIDS).any_())
            .order_by(intake.c.request_id)
            .with_for_update()
        )
        return set((await self._connection.execute(query)).scalars())

    async def register(self, request_id: UUID) -> None:
        """Register a request that this very transaction loads."""
        await self._connection.execute(insert(intake).values(request_id=request_id))

    async def forget_requests(self, request_ids: Iterable[UUID]) -> None:
        """The requests' statements are in the tables with this transaction."""
        await self._connection.execute(_FORGET_REQUESTS, {"ids": list(request_ids)})

    async def forget_lost(self, before: datetime) -> int:
        """Forget requests that were registered before an instant, with their pending statements; how many."""
        return int((await self._connection.execute(_FORGET_LOST, {"before": before})).scalar_one())

    async def forget_pending(self, ids: Iterable[UUID]) -> None:
        """The statements are read from the tables from now on."""
        await self._connection.execute(_FORGET_PENDING, {"ids": list(ids)})

    async def pending_naming(self, words: Iterable[str]) -> set[str]:
        """Which of the lower-case words occur in statements that wait to be loaded."""
        return set((await self._connection.execute(_PENDING_NAMING, {"words": list(words)})).scalars())

    async def insert(self, rows: Sequence[RawRow], *, keyed: bool = False) -> set[UUID]:
        """Insert in order of id; returns the ids that were new. `keyed`: the caller adds what they are found by."""
        if not rows:
            return set()
        found = await self._connection.execute(
            _INSERT, {"rows": to_json([_raw(row) for row in rows]).decode(), "keyed": keyed}
        )
        return set(found.scalars())

    async def with_other_content(self, given: Mapping[UUID, bytes]) -> set[UUID]:
        """Which of the ids have stored statements that say something else than what has the hash."""
        if not given:
            return set()
        columns = select(statements_raw.c.statement_id, statements_raw.c.payload_sha256)
        of_these = statements_raw.c.statement_id == bindparam("ids", list(given), type_=_UUIDS).any_()
        rows = await self._connection.execute(columns.where(of_these))
        different = {row.statement_id for row in rows if bytes(row.payload_sha256) != given[row.statement_id]}
        if not different:
            return different
        bodies = await self._connection.execute(_BODIES, {"ids": list(different)})
        return different - {
            row.statement_id for row in bodies if has_content(read_statement(row.payload), given[row.statement_id])
        }


def _raw(row: RawRow) -> dict[str, object]:
    return {
        "statement_id": row.statement_id,
        "payload": orjson.Fragment(to_json(row.payload)),
        "payload_sha256": f"\\x{row.sha.hex()}",
        "source": row.source,
        "authority": row.authority,
        "occurred_at": row.occurred_at,
        "stored_at": row.stored_at,
        "state": row.state,
        "error": row.error,
    }
