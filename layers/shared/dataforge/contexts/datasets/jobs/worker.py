"""How a worker does a job: claimed with a lease, kept by a heartbeat, ended once, taken over when its worker dies."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import StrEnum
from typing import Any
from uuid import UUID

from dataforge.contexts.datasets.jobs.domain import (
    HEARTBEAT_SECONDS,
    LEASE,
    MAX_ATTEMPTS,
    OPEN,
    Job,
    JobCancelled,
    JobLost,
    failure_of,
)
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
from dataforge.kernel.clock import Clock
from dataforge.kernel.errors import DataForgeError, Unavailable
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import SYSTEM, Principal, Role
from dataforge.platform.db.database import Database
from dataforge.platform.observability import emit_metrics, logger
from versioned_tables.progress import Progress

UNFORESEEN = "The job met an error on our side. It can be retried; quote its id if it fails again."
LOST_WORKERS = "The workers of this job ended without a word, most likely for lack of memory or time."


class Done(StrEnum):
    """What became of a message about a job; in each case the message has served (`queue_due` sends the next)."""

    ENDED = "ended"
    BUSY = "busy"
    AGAIN = "again"


class GaveUp(DataForgeError):
    """The job failed for reasons of ours more often than it is worth trying."""

    code = "job_gave_up"
    title = "The job failed on our side"


class JobControl:
    """What the thread that works sees of its job: it reports progress, and stops when it shall."""

    def __init__(self, worker: UUID) -> None:
        self.worker = worker
        self.progress: dict[str, Any] = {"stage": "starting", "rows": 0, "bytes_done": 0, "bytes_total": None}
        self.stopped: DataForgeError | None = None
        self._lock = threading.Lock()

    def report(self, progress: Progress) -> None:
        """Note progress; raises JobCancelled or JobLost when the work shall stop."""
        with self._lock:
            self.progress = {
                "stage": progress.stage,
                "rows": progress.rows,
                "bytes_done": progress.bytes_done,
                "bytes_total": progress.bytes_total,
            }
        self.check()

    def stage(self, name: str) -> None:
        """Note the stage alone; raises as `report`."""
        with self._lock:
            self.progress = {**self.progress, "stage": name}
        self.check()

    def check(self) -> None:
        """Raise JobCancelled or JobLost when the work shall stop."""
        if self.stopped is not None:
            raise self.stopped


Work = Callable[[Job, JobControl], Awaitable[None]]


def principal_of(job: Job) -> Principal:
    """On whose behalf a job works; their permission was checked when it was queued."""
    return SYSTEM if job.user_id is None else Principal(job.user_id, Role.VIEWER)


class JobRunner:
    """Runs jobs one at a time. `work` must end the job itself in the transaction that makes its result visible."""

    def __init__(self, database: Database, clock: Clock, *, heartbeat_seconds: float = HEARTBEAT_SECONDS) -> None:
        self._database = database
        self._clock = clock
        self._heartbeat_seconds = heartbeat_seconds

    def unit_of_work(self, principal: Principal = SYSTEM) -> DatasetsUnitOfWork:
        """A transaction of now."""
        return DatasetsUnitOfWork(self._database, principal=principal, clock=self._clock)

    async def run(self, job_id: UUID, work: Work) -> Done:
        """Do a job. ENDED: it has ended; BUSY: another worker has it; AGAIN: it will be queued again after a while."""
        worker = uuid7()
        async with self.unit_of_work() as uow:
            job = await uow.jobs.claim(job_id, worker, uow.now + LEASE)
            known = job or await uow.jobs.lock(job_id)
            await uow.commit()
        if job is None:
            return Done.BUSY if known is not None and known.status in OPEN else Done.ENDED
        if job.attempt > MAX_ATTEMPTS:
            await self._end(job, worker, cancelled=False, error=GaveUp(LOST_WORKERS))
            return Done.ENDED
        control = JobControl(worker)
        heartbeat = asyncio.create_task(self._keep_alive(job, control))
        try:
            control.check()
            await work(job, control)
        except JobLost:
            logger.warning("job lost to another worker", job_id=str(job.id))
            return Done.BUSY
        except JobCancelled:
            await self._end(job, worker, cancelled=True, error=None)
        except Unavailable as error:
            return await self._again(job, worker, error)
        except DataForgeError as error:
            await self._end(job, worker, cancelled=False, error=error)
        except Exception as error:  # noqa: BLE001 - whatever it was, the job must not stay claimed
            logger.error("unhandled error in a job", exc_info=True, job_id=str(job.id), run_type=job.run_type.value)
            emit_metrics({"unhandled": 1})
            return await self._again(job, worker, error)
        finally:
            heartbeat.cancel()
            with suppress(asyncio.CancelledError):
                await heartbeat
        return Done.ENDED

    async def _keep_alive(self, job: Job, control: JobControl) -> None:
        while True:
            await self.beat(job, control)
            await asyncio.sleep(self._heartbeat_seconds)

    async def beat(self, job: Job, control: JobControl) -> None:
        """Extend the lease, store progress, and learn whether to stop."""
        try:
            async with self.unit_of_work() as uow:
                cancelled = await uow.jobs.renew(job.id, control.worker, uow.now + LEASE, control.progress)
                await uow.commit()
        except DataForgeError:
            logger.warning("heartbeat failed", exc_info=True, job_id=str(job.id))
            return
        if cancelled is None:
            control.stopped = JobLost("Another worker has taken this job over.")
        elif cancelled:
            control.stopped = JobCancelled("The job was cancelled; nothing was changed.")

    async def _end(self, job: Job, worker: UUID, *, cancelled: bool, error: DataForgeError | None) -> None:
        failure = None if error is None else failure_of(error)
        async with self.unit_of_work(principal_of(job)) as uow:
            await uow.jobs.end(job.id, worker, cancelled=cancelled, failure=failure)
            await uow.commit()
        code = "cancelled" if error is None else error.code
        logger.info("job ended without result", job_id=str(job.id), run_type=job.run_type.value, code=code)

    async def _again(self, job: Job, worker: UUID, error: Exception) -> Done:
        if job.attempt >= MAX_ATTEMPTS:
            await self._end(job, worker, cancelled=False, error=GaveUp(UNFORESEEN))
            return Done.ENDED
        logger.warning("job will be tried again", job_id=str(job.id), error=type(error).__name__, attempt=job.attempt)
        try:
            async with self.unit_of_work() as uow:
                await uow.jobs.release(job.id, worker)
                await uow.commit()
        except Unavailable:
            logger.warning("the lease runs out by itself", job_id=str(job.id))
        return Done.AGAIN
