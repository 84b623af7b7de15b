"""Queue, cancel, retry and remove jobs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dataforge.contexts.datasets.commits.queries import resolve_version
from dataforge.contexts.datasets.jobs.domain import Job, RunType
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
from dataforge.kernel.ids import uuid7
from dataforge.kernel.jobs import OPEN, JobNotFound, JobNotRetryable, JobStatus
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry


@dataclass(frozen=True, slots=True)
class QueueJob:
    """Work over one commit that a worker will do."""

    dataset_id: UUID
    run_type: RunType
    version: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CancelJob:
    """Stop a job."""

    dataset_id: UUID
    job_id: UUID


@dataclass(frozen=True, slots=True)
class RetryJob:
    """Run a failed or cancelled job again; `onto_current` imports onto where the branch is now."""

    dataset_id: UUID
    job_id: UUID
    onto_current: bool = False


async def queue_job(command: QueueJob, uow: DatasetsUnitOfWork) -> UUID:
    """Insert a pending job; raises RefNotFound, CommitNotFound."""
    commit_id = await resolve_version(uow.connection, command.dataset_id, command.version)
    job = Job(
        id=uuid7(),
        run_type=command.run_type,
        status=JobStatus.PENDING,
        dataset_id=command.dataset_id,
        ref_name=command.version if command.version != commit_id else None,
        source_commit_id=commit_id,
        user_id=uow.principal.user_id,
        run_parameters=command.parameters,
        created_at=uow.now,
    )
    await uow.jobs.add(job)
    await uow.jobs.note_queued(job.id)
    return job.id


async def _lock(dataset_id: UUID, job_id: UUID, uow: DatasetsUnitOfWork) -> Job:
    job = await uow.jobs.lock(job_id)
    if job is None or job.dataset_id != dataset_id:
        message = Text("There is no job {job_id} in this dataset.", job_id=job_id)
        raise JobNotFound(message)
    return job


async def cancel_job(command: CancelJob, uow: DatasetsUnitOfWork) -> UUID:
    """End a waiting job, ask a running one to stop; cancelling again changes nothing. Raises JobNotFound, JobEnded."""
    job = await _lock(command.dataset_id, command.job_id, uow)
    if job.status is JobStatus.CANCELLED:
        return job.id
    job.check_cancellable()
    await uow.jobs.cancel(job.id)
    uow.audit(AuditEntry("cancelled", "dataset_job", str(job.id)))
    return job.id


async def retry_job(command: RetryJob, uow: DatasetsUnitOfWork) -> Job:
    """Make it pending again; raises JobNotFound, JobNotRetryable, RefProtected."""
    job = await _lock(command.dataset_id, command.job_id, uow)
    job.check_retryable()
    if command.onto_current:
        if job.run_type is not RunType.IMPORT or job.ref_name is None:
            message = Text("Only an import can be repeated onto the present commit of its branch.")
            raise JobNotRetryable(message)
        ref = await uow.refs.lock(command.dataset_id, job.ref_name)
        ref.check_takes_commits()
        await uow.jobs.rebase(job.id, ref.commit_id)
    await uow.jobs.reset(job.id)
    await uow.jobs.note_queued(job.id)
    uow.audit(AuditEntry("retried", "dataset_job", str(job.id)))
    return job


async def remove_job(command: CancelJob, uow: DatasetsUnitOfWork) -> Job:
    """Delete the record of an ended job; the caller deletes its files. Raises JobNotFound, JobNotRetryable."""
    job = await _lock(command.dataset_id, command.job_id, uow)
    if job.status in OPEN:
        message = Text("The job is {status}; cancel it first.", status=job.status.value)
        raise JobNotRetryable(message)
    await uow.jobs.remove(job.id)
    uow.audit(AuditEntry("removed", "dataset_job", str(job.id)))
    return job
