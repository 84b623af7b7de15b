"""Status of scheduled runs, and what may be forgotten."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.tables import task_status
from dataforge.kernel.ids import uuid7

# An hour is far beyond any queue's delay; a request that still comes after it is registered anew by the loader.
KEEP_REGISTERED = timedelta(hours=1)
# Beyond the retention of queue and dead-letter queue; the hash in statements_raw decides from then on.
KEEP_CLAIMS = timedelta(days=20)
KEEP_STATUS = timedelta(days=30)
_BATCH = 10_000

_FORGET_REGISTERED = (
    "DELETE FROM records.intake WHERE request_id IN (SELECT request_id FROM records.intake "
    f"WHERE stored_at < :before LIMIT {_BATCH} FOR UPDATE SKIP LOCKED)"
)
_FORGET_CLAIMS = (
    "DELETE FROM records.statement_claims WHERE statement_id IN (SELECT c.statement_id "
    "FROM records.statement_claims c JOIN records.statements_raw r ON r.statement_id = c.statement_id "
    f"WHERE c.claimed_at < :before LIMIT {_BATCH})"
)
# What was accepted and never came to the loader is not to be read for ever.
_FORGET_PENDING = "DELETE FROM lrs.pending_statements WHERE accepted_at < :before"
_FORGET_STATUS = "DELETE FROM records.task_status WHERE started_at < :before"
_FORGET = {
    "registered": (_FORGET_REGISTERED, KEEP_REGISTERED),
    "claims": (_FORGET_CLAIMS, KEEP_CLAIMS),
    "pending": (_FORGET_PENDING, KEEP_CLAIMS),
    "task_status": (_FORGET_STATUS, KEEP_STATUS),
}


async def start_run(connection: AsyncConnection, name: str, run_key: str, now: datetime) -> None:
    """Register that a run has begun; a repeated one counts its attempts."""
    statement = upsert(task_status).values(
        id=uuid7(), name=name, run_key=run_key, status="running", started_at=now, attempt=1, counts={}
    )
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["name", "run_key"],
            set_={"status": "retrying", "attempt": task_status.c.attempt + 1, "finished_at": None, "error": None},
        )
    )


async def finish_run(
    connection: AsyncConnection,
    name: str,
    run_key: str,
    now: datetime,
    *,
    counts: Mapping[str, int],
    error: str | None = None,
) -> None:
    """Register how a run ended."""
    await connection.execute(
        update(task_status)
        .where(task_status.c.name == name, task_status.c.run_key == run_key)
        .values(
            status="failed" if error else "succeeded",
            finished_at=now,
            counts=dict(counts),
            error=error[:2000] if error else None,
        )
    )


async def forget(connection: AsyncConnection, now: datetime) -> dict[str, int]:
    """Delete what has served its time; returns how much of each."""
    return {
        name: (await connection.execute(text(statement), {"before": now - keep})).rowcount
        for name, (statement, keep) in _FORGET.items()
    }
