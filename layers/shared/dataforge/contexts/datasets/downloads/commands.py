"""Have a file made once, however many ask for it at the same time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from dataforge.contexts.datasets.jobs.commands import QueueJob, queue_job
from dataforge.contexts.datasets.jobs.domain import RunType
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
from dataforge.kernel.jobs import OPEN, JobStatus

# For this long a failure is the answer, so that whoever asks every few seconds does not have it tried each time.
_FAILURE_STANDS = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class MakeFile:
    """A file that was not there at `missed_at`; `parameters` are those of the export that makes it."""

    dataset_id: UUID
    commit_id: str
    identity: str
    parameters: Mapping[str, Any]
    missed_at: datetime


@dataclass(frozen=True, slots=True)
class Making:
    """The job that makes a file, and whether it was begun just now."""

    job_id: UUID
    begun: bool


async def make_file(command: MakeFile, uow: DatasetsUnitOfWork) -> Making:
    """The job that makes the file, has just made it or has just failed to; a new one otherwise."""
    known = await uow.jobs.newest_download(command.dataset_id, command.identity)
    if known is not None:
        ended = known.completed_at
        just_made = known.status is JobStatus.COMPLETED and ended is not None and ended >= command.missed_at
        just_failed = known.status is JobStatus.FAILED and ended is not None and ended > uow.now - _FAILURE_STANDS
        if known.status in OPEN or just_made or just_failed:
            return Making(known.job_id, begun=False)
    queue = QueueJob(command.dataset_id, RunType.EXPORT, command.commit_id, command.parameters)
    return Making(await queue_job(queue, uow), begun=True)
