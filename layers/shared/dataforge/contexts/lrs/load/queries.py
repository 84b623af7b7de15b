"""How far statements have come on their way into the tables."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.platform.db.database import row_dict

MOST_COUNTED = 10_000
"""Beyond this a count says no more than that."""

_COUNTS = text(
    "SELECT (SELECT count(*) FROM (SELECT FROM lrs.pending_statements LIMIT :most) AS p) AS unloaded, "
    "(SELECT count(*) FROM records.intake) AS requests, "
    "(SELECT clock_timestamp() - min(stored_at) FROM records.intake) AS lag, "
    "(SELECT count(*) FROM (SELECT FROM records.statements_raw WHERE state IN ('pending','failed') LIMIT :most) AS r) "
    "AS unflattened, "
    "(SELECT count(*) FROM (SELECT FROM records.statements_raw WHERE state = 'dead' LIMIT :most) AS d) AS dead, "
    "(SELECT count(*) FROM (SELECT FROM records.quarantine WHERE replayed_at IS NULL AND discarded_at IS NULL "
    "LIMIT :most) AS q) AS quarantined, "
    "(SELECT count(*) FROM (SELECT FROM records.statements_raw WHERE stored_at > now() - interval '5 minutes' "
    "LIMIT :most) AS l) AS lately"
)
_RUNS = text(
    "SELECT run_key, status, started_at, finished_at, counts FROM records.task_status WHERE name = 'incremental_etl' "
    "ORDER BY started_at DESC LIMIT 5"
)
_WAY = text(
    "SELECT EXISTS (SELECT FROM lrs.pending_statements WHERE statement_id = :id) AS pending, r.state, r.stored_at, "
    "f.processed_at FROM (SELECT) AS one LEFT JOIN records.statements_raw r ON r.statement_id = :id "
    "LEFT JOIN records.statements_flat f ON f.statement_id = :id"
)


async def etl_counts(connection: AsyncConnection) -> dict[str, Any]:
    """What waits, for how long, and what went wrong; counts end at MOST_COUNTED."""
    return row_dict((await connection.execute(_COUNTS, {"most": MOST_COUNTED})).one())


async def etl_runs(connection: AsyncConnection) -> list[dict[str, Any]]:
    """The last runs of the incremental job."""
    return [row_dict(row) for row in await connection.execute(_RUNS)]


async def way_of(connection: AsyncConnection, statement_id: UUID) -> dict[str, Any]:
    """How far one statement has come."""
    return row_dict((await connection.execute(_WAY, {"id": statement_id})).one())
