"""How a worker does a job: claimed with a lease, kept by a heartbeat, ended once, taken over when its worker dies."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from enum import StrEnum
from functools import partial
from typing import Any, Generic
from uuid import UUID

from dataforge.kernel.clock import Clock
from dataforge.kernel.errors import DataForgeError, Unavailable
from dataforge.kernel.ids import uuid7
from dataforge.kernel.jobs import (
    HEARTBEAT_SECONDS,
    LEASE,
    MAX_ATTEMPTS,
    OPEN,
    GaveUp,
    JobCancelled,
    JobLost,
    JobPaused,
    LeasedJob,
    failure_of,
)
from dataforge.kernel.principal import SYSTEM, Principal, Role
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import Database
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.jobs.control import JobControl, Uow
from dataforge.platform.jobs.repository import JobsUnitOfWork
from dataforge.platform.observability import emit_metrics, logger

UNFORESEEN = "The job met an error on our side. It can be retried; quote its id if it fails again."
LOST_WORKERS = "The workers of this job ended without a word, most likely for lack of memory or time."


class Done(StrEnum):
    """What became of a message about a job; in each case the message has served (maintenance sends the next)."""

    ENDED = "ended"
    BUSY = "busy"
    AGAIN = "again"
    PAUSED = "paused"


def principal_of(job: LeasedJob) -> Principal:
    """On whose behalf a job works; their permission was checked when it was queued."""
    return SYSTEM if job.user_id is None else Principal(job.user_id, Role.VIEWER)


class JobRunner(Generic[Uow]):
    """Runs jobs one at a time. `work` must end the job itself in the transaction that makes its result visible.

    `failed` is done in the transaction in which a job fails for good, with what it failed with. `control` is what the
    work sees of its job.
    """

    def __init__(
        self,
        unit_of_work: type[Uow],
        database: Database,
        clock: Clock,
        *,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        pause_after_seconds: float | None = None,
        failed: Callable[[Any, Mapping[str, Any], Uow], Awaitable[None]] | None = None,
        control: type[JobControl[Uow]] = JobControl,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._failed = failed
        self._control = control
        self._database = database
        self._clock = clock
        self._heartbeat_seconds = heartbeat_seconds
        self._pause_after_seconds = pause_after_seconds

    def unit_of_work(self, principal: Principal = SYSTEM) -> Uow:
        """A transaction of now."""
        return self._unit_of_work(self._database, principal=principal, clock=self._clock)

    async def run(self, job_id: UUID, work: Callable[[Any, JobControl[Uow]], Awaitable[None]]) -> Done:
        """Do a job.

        ENDED: it has ended; BUSY: another worker has it; AGAIN: it will be queued again after a while; PAUSED: it goes
        on with the next message, which the caller sends.
        """
        worker = uuid7()
        job, known = await run(self.unit_of_work(), _claim, (job_id, worker))
        if job is None:
            return Done.BUSY if known is not None and known.status in OPEN else Done.ENDED
        if job.attempt > MAX_ATTEMPTS:
            await self._end(job, worker, cancelled=False, error=GaveUp(LOST_WORKERS))
            return Done.ENDED
        transactions = partial(self.unit_of_work, principal_of(job))
        control = self._control(worker, transactions, pause_after_seconds=self._pause_after_seconds)
        heartbeat = asyncio.create_task(self._keep_alive(job, control))
        try:
            return await self._attempt(job, control, work)
        finally:
            heartbeat.cancel()
            with suppress(asyncio.CancelledError):
                await heartbeat

    async def _attempt(
        self, job: LeasedJob, control: JobControl[Uow], work: Callable[[Any, JobControl[Uow]], Awaitable[None]]
    ) -> Done:
        worker = control.worker
        try:
            control.check()
            await work(job, control)
        except JobPaused:
            return await self._pause(job, worker)
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
            logger.error("unhandled error in a job", exc_info=True, job_id=str(job.id))
            emit_metrics({"unhandled": 1})
            return await self._again(job, worker, error)
        return Done.ENDED

    async def _keep_alive(self, job: LeasedJob, control: JobControl[Uow]) -> None:
        while True:
            await self.beat(job, control)
            await asyncio.sleep(self._heartbeat_seconds)

    async def beat(self, job: LeasedJob, control: JobControl[Uow]) -> None:
        """Extend the lease, store progress, and learn whether to stop."""
        try:
            cancelled = await run(self.unit_of_work(), _renew, (job.id, control))
        except DataForgeError:
            logger.warning("heartbeat failed", exc_info=True, job_id=str(job.id))
            return
        if cancelled is None:
            control.stopped = JobLost(Text("Another worker has taken this job over."))
        elif cancelled:
            control.stopped = JobCancelled(Text("The job was cancelled; nothing was changed."))

    async def _end(self, job: LeasedJob, worker: UUID, *, cancelled: bool, error: DataForgeError | None) -> None:
        failure = None if error is None else failure_of(error)

        async def end(job_id: UUID, uow: Uow) -> None:
            ended = await uow.jobs.end(job_id, worker, cancelled=cancelled, failure=failure)
            if ended and failure is not None and self._failed is not None:
                await self._failed(job, failure, uow)

        await run(self.unit_of_work(principal_of(job)), end, job.id)
        code = "cancelled" if error is None else error.code
        logger.info("job ended without result", job_id=str(job.id), code=code)

    async def _pause(self, job: LeasedJob, worker: UUID) -> Done:
        with suppress(JobLost):
            await run(self.unit_of_work(), _pause, (job.id, worker))
            return Done.PAUSED
        return Done.BUSY

    async def _again(self, job: LeasedJob, worker: UUID, error: Exception) -> Done:
        if job.attempt >= MAX_ATTEMPTS:
            await self._end(job, worker, cancelled=False, error=GaveUp(UNFORESEEN))
            return Done.ENDED
        logger.warning("job will be tried again", job_id=str(job.id), error=type(error).__name__, attempt=job.attempt)
        try:
            await run(self.unit_of_work(), _release, (job.id, worker))
        except Unavailable:
            logger.warning("the lease runs out by itself", job_id=str(job.id))
        return Done.AGAIN


async def _claim(claim: tuple[UUID, UUID], uow: JobsUnitOfWork) -> tuple[LeasedJob | None, LeasedJob | None]:
    job_id, worker = claim
    job = await uow.jobs.claim(job_id, worker, uow.now + LEASE)
    return job, job or await uow.jobs.lock(job_id)


async def _renew(lease: tuple[UUID, JobControl[Any]], uow: JobsUnitOfWork) -> bool | None:
    job_id, control = lease
    return await uow.jobs.renew(job_id, control.worker, uow.now + LEASE, control.progress)


async def _pause(lease: tuple[UUID, UUID], uow: JobsUnitOfWork) -> None:
    await uow.jobs.pause(*lease)


async def _release(lease: tuple[UUID, UUID], uow: JobsUnitOfWork) -> None:
    await uow.jobs.release(*lease)
