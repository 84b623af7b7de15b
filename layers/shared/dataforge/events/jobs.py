"""The minute's work of `maintenance`: relay the outbox, clean up, and what contexts add."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

from sqlalchemy import delete

from dataforge.events.commands import resolve
from dataforge.kernel.clock import Clock
from dataforge.platform.db.database import Database
from dataforge.platform.db.outbox import relay
from dataforge.platform.db.tables import idempotency_keys, outbox, throttles, upload_claims
from dataforge.platform.observability import emit_metrics, logger

KEEP_IDEMPOTENCY_KEYS = timedelta(days=2)
KEEP_RELAYED_EVENTS = timedelta(days=14)


class JobServices(Protocol):
    """What the jobs use of the composition root."""

    @property
    def database(self) -> Database: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def jobs(self) -> Mapping[str, str]: ...
    @property
    def subscribers(self) -> Mapping[str, Sequence[str]]: ...


async def tick(_payload: Mapping[str, Any], services: JobServices) -> dict[str, Any]:
    """Run every job once; a job that fails is logged and counted, and the next one runs."""
    results: dict[str, Any] = {}
    failed = 0
    for name, path in services.jobs.items():
        try:
            results[name] = await resolve(path)(services)
        except Exception as error:  # noqa: BLE001 - see above
            failed += 1
            results[name] = {"error": type(error).__name__}
            logger.error("maintenance job failed", exc_info=True, job=name)
    if failed:
        emit_metrics({"maintenance_jobs_failed": failed})
    return results


async def relay_outbox(services: JobServices) -> dict[str, int]:
    """Deliver waiting events to their subscribers."""
    subscribers = {
        name: [partial(_deliver, resolve(path), services) for path in paths]
        for name, paths in services.subscribers.items()
    }
    counts = await relay(services.database, subscribers, clock=services.clock)
    if counts["dead"]:
        emit_metrics({"outbox_dead": counts["dead"]})
    return counts


async def _deliver(subscriber: Any, services: object, event: object) -> None:  # noqa: ANN401 - resolved at run time
    await subscriber(event, services)


async def clean_up(services: JobServices) -> dict[str, int]:
    """Delete what has served its time: idempotency keys, relayed events, counts of tries and of uploads."""
    now = services.clock.now()
    statements = {
        "idempotency_keys": delete(idempotency_keys).where(idempotency_keys.c.created_at < now - KEEP_IDEMPOTENCY_KEYS),
        "relayed_events": delete(outbox).where(outbox.c.relayed_at < now - KEEP_RELAYED_EVENTS),
        "upload_claims": delete(upload_claims).where(upload_claims.c.counts_until < now),
        "throttles": delete(throttles).where(throttles.c.window_ends_at < now),
    }
    async with services.database.transaction() as connection:
        return {name: (await connection.execute(statement)).rowcount for name, statement in statements.items()}
