"""The write SQL of jobs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, func, insert, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.datasets.jobs.domain import LEASE, Job, JobCancelled, JobLost, JobStatus, RunType, storable
from dataforge.contexts.datasets.tables import jobs, uploads
from dataforge.platform.db.database import row_dict

_JOB = (
    jobs.c.id,
    jobs.c.run_type,
    jobs.c.status,
    jobs.c.dataset_id,
    jobs.c.ref_name,
    jobs.c.source_commit_id,
    jobs.c.user_id,
    jobs.c.run_parameters,
    jobs.c.created_at,
    jobs.c.attempt,
    jobs.c.worker,
    jobs.c.lease_until,
    jobs.c.cancel_requested,
    jobs.c.upload_id,
    jobs.c.output_summary,
)


def job_of(row: Any) -> Job:  # noqa: ANN401 - a SQLAlchemy row
    """The job of a row."""
    values = row_dict(row)
    return Job(**{**values, "run_type": RunType(values["run_type"]), "status": JobStatus(values["status"])})


class Jobs:
    """Jobs in `datasets.jobs`."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def add(self, job: Job) -> None:
        """Insert a pending job."""
        await self._connection.execute(
            insert(jobs).values(
                id=job.id,
                run_type=job.run_type.value,
                status=job.status.value,
                dataset_id=job.dataset_id,
                ref_name=job.ref_name,
                source_commit_id=job.source_commit_id,
                upload_id=job.upload_id,
                user_id=job.user_id,
                run_parameters=dict(job.run_parameters),
                created_at=job.created_at,
            )
        )

    async def lock(self, job_id: UUID) -> Job | None:
        """The job, locked."""
        query = select(*_JOB).where(jobs.c.id == job_id).with_for_update()
        row = (await self._connection.execute(query)).one_or_none()
        return None if row is None else job_of(row)

    async def claim(self, job_id: UUID, worker: UUID, lease_until: datetime) -> Job | None:
        """Take the job if nobody has it.

        Waits for a transaction that holds the row (the end of an upload, a cancellation) instead of passing it over:
        what it would miss then is the only message about the job.
        """
        expired = or_(jobs.c.lease_until.is_(None), jobs.c.lease_until <= self._now)
        free = or_(jobs.c.status == "pending", and_(jobs.c.status == "running", expired))
        statement = (
            update(jobs)
            .where(jobs.c.id == job_id, free)
            .values(
                status="running",
                worker=worker,
                lease_until=lease_until,
                attempt=jobs.c.attempt + 1,
                started_at=self._now,
                progress={"stage": "claimed"},
            )
            .returning(*_JOB)
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else job_of(row)

    async def renew(
        self, job_id: UUID, worker: UUID, lease_until: datetime, progress: Mapping[str, Any]
    ) -> bool | None:
        """Extend the lease and note progress: whether to stop because somebody cancelled; None when it is lost."""
        statement = self._mine(job_id, worker).values(lease_until=lease_until, progress=dict(progress))
        row = (await self._connection.execute(statement.returning(jobs.c.cancel_requested))).one_or_none()
        return None if row is None else bool(row.cancel_requested)

    async def complete(
        self, job_id: UUID, worker: UUID, output_summary: Mapping[str, Any], progress: Mapping[str, Any]
    ) -> None:
        """End it well; raises JobLost when another worker has it, JobCancelled when it was cancelled meanwhile."""
        statement = (
            self._mine(job_id, worker)
            .where(jobs.c.cancel_requested.is_(False))
            .values(
                status="completed",
                output_summary=storable(output_summary),
                progress={**progress, "stage": "completed"},
                failure=None,
                error_message=None,
                lease_until=None,
                completed_at=self._now,
            )
        )
        if (await self._connection.execute(statement)).rowcount == 1:
            return
        if await self._connection.scalar(select(jobs.c.cancel_requested).where(jobs.c.id == job_id)):
            message = "The job was cancelled; nothing was changed."
            raise JobCancelled(message)
        message = "Another worker has taken this job over; this result is dropped."
        raise JobLost(message)

    async def end(self, job_id: UUID, worker: UUID, *, cancelled: bool, failure: Mapping[str, Any] | None) -> bool:
        """End it badly; False when another worker has it."""
        statement = self._mine(job_id, worker).values(
            status="cancelled" if cancelled else "failed",
            failure=None if failure is None else storable(failure),
            error_message=None if failure is None else storable(str(failure.get("detail", ""))),
            lease_until=None,
            completed_at=self._now,
        )
        return (await self._connection.execute(statement)).rowcount == 1

    async def release(self, job_id: UUID, worker: UUID) -> None:
        """Let go of a job that maintenance will queue again."""
        await self._connection.execute(
            self._mine(job_id, worker).values(status="pending", worker=None, lease_until=None, queued_at=self._now)
        )

    async def cancel(self, job_id: UUID) -> None:
        """End a locked pending job, or ask a running one to stop."""
        pending = update(jobs).where(jobs.c.id == job_id, jobs.c.status == "pending")
        ended = await self._connection.execute(
            pending.values(status="cancelled", cancel_requested=True, completed_at=self._now)
        )
        if ended.rowcount == 0:
            await self._connection.execute(update(jobs).where(jobs.c.id == job_id).values(cancel_requested=True))

    async def reset(self, job_id: UUID) -> None:
        """Make a locked ended job pending again."""
        await self._connection.execute(
            update(jobs)
            .where(jobs.c.id == job_id)
            .values(
                status="pending",
                cancel_requested=False,
                attempt=0,
                worker=None,
                failure=None,
                error_message=None,
                progress={},
                completed_at=None,
                queued_at=None,
            )
        )

    async def note_queued(self, job_id: UUID) -> None:
        """A message for it was put on a queue."""
        await self._connection.execute(update(jobs).where(jobs.c.id == job_id).values(queued_at=self._now))

    async def lock_lost(self, limit: int) -> Sequence[tuple[UUID, RunType]]:
        """Jobs whose message or worker was lost, locked."""
        queued_at = func.coalesce(jobs.c.queued_at, jobs.c.created_at)
        not_taken = and_(jobs.c.status == "pending", queued_at < self._now - LEASE)
        # A message that was sent after the lease ran out may still be on its way.
        on_its_way = and_(queued_at > jobs.c.lease_until, queued_at >= self._now - LEASE)
        left_behind = and_(jobs.c.status == "running", jobs.c.lease_until < self._now, not_(on_its_way))
        # A file that is on its way has an upload in another state; its job waits for it until the upload expires.
        whole = or_(uploads.c.id.is_(None), uploads.c.state == "completed", uploads.c.expires_at < self._now)
        query = (
            select(jobs.c.id, jobs.c.run_type)
            .outerjoin(uploads, uploads.c.id == jobs.c.upload_id)
            .where(or_(not_taken, left_behind), whole)
            .order_by(jobs.c.id)
            .limit(limit)
            .with_for_update(of=jobs, skip_locked=True)
        )
        return [(row.id, RunType(row.run_type)) for row in await self._connection.execute(query)]

    async def forget_ended(self, before: datetime) -> int:
        """Delete jobs that ended before this; how many."""
        return (await self._connection.execute(delete(jobs).where(jobs.c.completed_at < before))).rowcount

    async def rebase(self, job_id: UUID, commit_id: str) -> None:
        """Start a locked job from another commit."""
        await self._connection.execute(update(jobs).where(jobs.c.id == job_id).values(source_commit_id=commit_id))

    async def remove(self, job_id: UUID) -> None:
        """Delete a locked job."""
        await self._connection.execute(delete(jobs).where(jobs.c.id == job_id))

    @staticmethod
    def _mine(job_id: UUID, worker: UUID) -> Any:  # noqa: ANN401 - an UPDATE to be completed
        return update(jobs).where(jobs.c.id == job_id, jobs.c.worker == worker, jobs.c.status == "running")
