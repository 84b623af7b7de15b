"""The minute's work of `maintenance`: relay the outbox, clean up, and what contexts add."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete

from dataforge.kernel.events import Event
from dataforge.platform.db.outbox import Subscriber, relay
from dataforge.platform.db.tables import idempotency_keys, inbox, outbox, throttles, upload_claims
from dataforge.platform.jobs.shared import SharedJobsUnitOfWork
from dataforge.platform.observability import emit_metrics, logger
from dataforge.platform.plans.repository import Plans
from dataforge.platform.services import Platform

KEEP_IDEMPOTENCY_KEYS = timedelta(days=2)
KEEP_RELAYED_EVENTS = timedelta(days=14)
KEEP_CONSUMED_EVENTS = timedelta(days=30)
KEEP_JOBS = timedelta(days=90)
MOST_JOBS = 100

Job = Callable[[], Awaitable[Mapping[str, Any]]]


async def tick(jobs: Mapping[str, Job]) -> dict[str, Any]:
    """Run every job once; a job that fails is logged and counted, and the next one runs."""
    results: dict[str, Any] = {}
    failed = 0
    for name, job in jobs.items():
        try:
            results[name] = await job()
        except Exception as error:  # noqa: BLE001 - see above
            failed += 1
            results[name] = {"error": type(error).__name__}
            logger.error("maintenance job failed", exc_info=True, job=name)
    if failed:
        emit_metrics({"maintenance_jobs_failed": failed})
    return results


async def relay_outbox(platform: Platform, subscribers: Mapping[type[Event], Sequence[Subscriber]]) -> dict[str, int]:
    """Deliver waiting events to their subscribers."""
    counts = await relay(platform.database, subscribers, clock=platform.clock)
    if counts["dead"]:
        emit_metrics({"outbox_dead": counts["dead"]})
    return counts


async def clean_up(platform: Platform) -> dict[str, int]:
    """Delete what has served its time: idempotency keys, events relayed or consumed, counts of tries and of uploads."""
    now = platform.clock.now()
    statements = {
        "idempotency_keys": delete(idempotency_keys).where(idempotency_keys.c.created_at < now - KEEP_IDEMPOTENCY_KEYS),
        "relayed_events": delete(outbox).where(outbox.c.relayed_at < now - KEEP_RELAYED_EVENTS),
        "consumed_events": delete(inbox).where(inbox.c.consumed_at < now - KEEP_CONSUMED_EVENTS),
        "upload_claims": delete(upload_claims).where(upload_claims.c.counts_until < now),
        "throttles": delete(throttles).where(throttles.c.window_ends_at < now),
    }
    async with platform.database.transaction() as connection:
        counts = {name: (await connection.execute(statement)).rowcount for name, statement in statements.items()}
        return {**counts, "plans": await Plans(connection).forget_expired(now)}


async def queue_lost_jobs(platform: Platform) -> dict[str, int]:
    """Send the messages of jobs in the shared table again whose message or worker was lost; forget ended ones.

    Returns counts: requeued, forgotten.
    """

    async def requeue(now: SharedJobsUnitOfWork) -> int:
        lost = await now.jobs.lock_lost(MOST_JOBS)
        for job_id in lost:
            await platform.send_job(job_id)
            await now.jobs.note_queued(job_id)
        return len(lost)

    async with SharedJobsUnitOfWork(platform.database, clock=platform.clock) as uow:
        counts = {"requeued": await requeue(uow), "forgotten": await uow.jobs.forget_ended(uow.now - KEEP_JOBS)}
        await uow.commit()
        return counts
