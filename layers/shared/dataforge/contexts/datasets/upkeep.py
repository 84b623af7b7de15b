"""The minute's work for datasets, run by `maintenance`, which has no Arrow: it only finds what is due and queues it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import and_, func, not_, or_, select, update

from dataforge.contexts.datasets.domain.jobs import LEASE
from dataforge.contexts.datasets.tables import datasets, jobs, uploads

if TYPE_CHECKING:
    from dataforge.contexts.datasets.module import DatasetsServices

RETENTION = timedelta(days=30)
KEEP_JOBS = timedelta(days=90)
UPKEEP_EVERY = timedelta(days=1)
MOST_PER_TICK = 100


async def queue_due(services: DatasetsServices) -> dict[str, int]:
    """Queue jobs again whose message or worker was lost, end abandoned uploads, queue upkeep and the end of retention.

    Returns counts: requeued, abandoned, forgotten, upkeep, purges.
    """
    return {
        "requeued": await _requeue(services),
        "abandoned": await _abandon(services),
        "forgotten": await _forget(services),
        "upkeep": await _queue_upkeep(services),
        "purges": await _queue_purges(services),
    }


async def _requeue(services: DatasetsServices) -> int:
    now = services.clock.now()
    queued_at = func.coalesce(jobs.c.queued_at, jobs.c.created_at)
    not_taken = and_(jobs.c.status == "pending", queued_at < now - LEASE)
    # A message that was sent after the lease ran out may still be on its way.
    on_its_way = and_(queued_at > jobs.c.lease_until, queued_at >= now - LEASE)
    left_behind = and_(jobs.c.status == "running", jobs.c.lease_until < now, not_(on_its_way))
    # A file that is still on its way has an upload in another state; its job waits for it until the upload expires.
    whole = or_(uploads.c.id.is_(None), uploads.c.state == "completed", uploads.c.expires_at < now)
    query = (
        select(jobs.c.id, jobs.c.run_type)
        .outerjoin(uploads, uploads.c.id == jobs.c.upload_id)
        .where(or_(not_taken, left_behind), whole)
        .order_by(jobs.c.id)
        .limit(MOST_PER_TICK)
        .with_for_update(of=jobs, skip_locked=True)
    )
    async with services.database.transaction() as connection:
        lost = (await connection.execute(query)).all()
        for job in lost:
            queue = services.import_queue if job.run_type == "import" else services.export_queue
            await queue.send(json.dumps({"job_id": str(job.id)}))
            await connection.execute(update(jobs).where(jobs.c.id == job.id).values(queued_at=now))
    return len(lost)


async def _abandon(services: DatasetsServices) -> int:
    # The bucket's lifecycle rule removes the parts of such uploads after the same two days.
    expired = update(uploads).where(uploads.c.state == "open", uploads.c.expires_at < services.clock.now())
    async with services.database.transaction() as connection:
        return (await connection.execute(expired.values(state="aborted"))).rowcount


async def _forget(services: DatasetsServices) -> int:
    ended = jobs.c.completed_at < services.clock.now() - KEEP_JOBS
    async with services.database.transaction() as connection:
        return (await connection.execute(jobs.delete().where(ended))).rowcount


async def _queue_upkeep(services: DatasetsServices) -> int:
    now = services.clock.now()
    # Once a day at most, and not before its first day is over.
    due = func.coalesce(datasets.c.upkeep_at, datasets.c.created_at) < now - UPKEEP_EVERY
    return await _queue(services, and_(datasets.c.deleted_at.is_(None), due), "upkeep")


async def _queue_purges(services: DatasetsServices) -> int:
    now = services.clock.now()
    again = func.coalesce(datasets.c.upkeep_at, datasets.c.created_at) < now - UPKEEP_EVERY
    return await _queue(services, and_(datasets.c.deleted_at < now - RETENTION, again), "purge")


async def _queue(services: DatasetsServices, due: Any, message: str) -> int:  # noqa: ANN401 - an SQL expression
    query = select(datasets.c.id).where(due).order_by(datasets.c.id).limit(MOST_PER_TICK)
    async with services.database.transaction() as connection:
        ids: list[UUID] = list((await connection.scalars(query.with_for_update(skip_locked=True))).all())
        for dataset_id in ids:
            await services.import_queue.send(json.dumps({message: str(dataset_id)}))
        # Noted when it is queued: a message that is lost is queued again tomorrow.
        noted = update(datasets).where(datasets.c.id.in_(ids)).values(upkeep_at=services.clock.now())
        await connection.execute(noted)
    return len(ids)
