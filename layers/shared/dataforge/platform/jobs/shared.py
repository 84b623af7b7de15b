"""Jobs of every kind in one table, done by the function `worker`: how contexts queue them and how they end.

A context names its kinds in `module.py`. It queues one with `queue_job` in the transaction that decides about it, and
sends its message with `send_job` afterwards; a message that is lost is sent again by maintenance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any
from uuid import UUID

from dataforge.kernel.ids import uuid7
from dataforge.kernel.jobs import JobStatus, LeasedJob
from dataforge.platform.db.database import row_dict
from dataforge.platform.jobs.control import JobControl
from dataforge.platform.jobs.repository import JobsUnitOfWork, LeasedJobs
from dataforge.platform.jobs.tables import jobs


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedJob(LeasedJob):
    """A job of a kind that a context has named; `checkpoint` is where its work goes on."""

    kind: str
    checkpoint: Mapping[str, Any] = field(default_factory=dict)


class SharedJobs(LeasedJobs[SharedJob]):
    """Jobs in `platform.jobs`."""

    table = jobs
    columns = tuple(jobs.c[field.name] for field in fields(SharedJob))

    @staticmethod
    def job_of(row: Any) -> SharedJob:  # noqa: ANN401 - a SQLAlchemy row
        """The job of a row."""
        values = row_dict(row)
        return SharedJob(**{**values, "status": JobStatus(values["status"])})

    async def add(self, job: SharedJob) -> None:
        """Insert a pending job whose message is about to be sent."""
        await self.insert(
            id=job.id,
            kind=job.kind,
            status=job.status.value,
            user_id=job.user_id,
            run_parameters=dict(job.run_parameters),
            checkpoint=dict(job.checkpoint),
            created_at=job.created_at,
            queued_at=self._now,
        )

    async def lock_lost(self, limit: int) -> Sequence[UUID]:
        """Jobs whose message or worker was lost, locked."""
        return await self.lock_ids(self.lost(), limit)

    async def save_checkpoint(
        self, job_id: UUID, worker: UUID, checkpoint: Mapping[str, Any], progress: Mapping[str, Any]
    ) -> None:
        """Note where the work goes on, in the transaction of what it has done; raises JobLost when another has it.

        Attempts are counted from here again: a job that gets on is never given up.
        """
        await self.note_step(job_id, worker, {"checkpoint": dict(checkpoint), "progress": dict(progress), "attempt": 1})


class SharedJobsUnitOfWork(JobsUnitOfWork):
    """A unit of work of a context whose jobs are in the shared table."""

    @property
    def jobs(self) -> SharedJobs:
        """Jobs of every kind."""
        return SharedJobs(self.connection, self.now)


async def queue_job(
    uow: SharedJobsUnitOfWork, kind: str, parameters: Mapping[str, Any], *, checkpoint: Mapping[str, Any] | None = None
) -> UUID:
    """Insert a pending job on behalf of whoever the unit of work is for; its id.

    Parameters are shown to people and kept: they name what the work is about, and neither a secret nor a person. Those
    are in what the work begins from, its first `checkpoint`, which nobody sees and which goes when the work is done.
    """
    job = SharedJob(
        id=uuid7(),
        kind=kind,
        status=JobStatus.PENDING,
        user_id=uow.principal.user_id,
        run_parameters=parameters,
        checkpoint=checkpoint or {},
        created_at=uow.now,
    )
    await uow.jobs.add(job)
    return job.id


async def complete_job(
    uow: SharedJobsUnitOfWork, job: SharedJob, control: JobControl[Any], summary: Mapping[str, Any]
) -> None:
    """End the job well together with its last step, and forget its checkpoint; raises JobLost, JobCancelled."""
    await uow.jobs.save_checkpoint(job.id, control.worker, {}, control.progress)
    await uow.jobs.complete(job.id, control.worker, summary, control.progress)
