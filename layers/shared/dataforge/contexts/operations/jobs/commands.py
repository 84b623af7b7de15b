"""Cancel and retry jobs."""

from dataclasses import dataclass
from uuid import UUID

from dataforge.kernel.access import Action, Kind, Resource
from dataforge.kernel.jobs import JobNotFound, JobStatus
from dataforge.kernel.rules import allows
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.jobs.shared import SharedJob, SharedJobsUnitOfWork


@dataclass(frozen=True, slots=True)
class CancelJob:
    """Stop a job of one's own; administrators stop any."""

    job_id: UUID


@dataclass(frozen=True, slots=True)
class RetryJob:
    """Run a failed or cancelled job again; it goes on where it has stopped."""

    job_id: UUID


async def _lock(job_id: UUID, uow: SharedJobsUnitOfWork) -> SharedJob:
    job = await uow.jobs.lock(job_id)
    if job is None or not allows(uow.principal, Action.CHANGE, Resource(Kind.JOB, owner=job.user_id)):
        message = Text("There is no job {job_id}, or you may not change it.", job_id=job_id)
        raise JobNotFound(message)
    return job


async def cancel_job(command: CancelJob, uow: SharedJobsUnitOfWork) -> UUID:
    """End a waiting job, ask a running one to stop; cancelling again changes nothing. Raises JobNotFound, JobEnded."""
    job = await _lock(command.job_id, uow)
    if job.status is not JobStatus.CANCELLED:
        job.check_cancellable()
        await uow.jobs.cancel(job.id)
        uow.audit(AuditEntry("cancelled", "job", str(job.id), after={"kind": job.kind}))
    return job.id


async def retry_job(command: RetryJob, uow: SharedJobsUnitOfWork) -> UUID:
    """Make it pending again; raises JobNotFound, JobNotRetryable."""
    job = await _lock(command.job_id, uow)
    job.check_retryable()
    await uow.jobs.reset(job.id)
    await uow.jobs.note_queued(job.id)
    uow.audit(AuditEntry("retried", "job", str(job.id), after={"kind": job.kind}))
    return job.id
