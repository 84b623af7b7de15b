"""Jobs: long work with a status people can watch, cancel and repeat, and that survives the death of its worker.

Rows, workers and their heartbeat are in `platform.jobs`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from dataforge.kernel.errors import Conflict, DataForgeError, NotFound
from dataforge.kernel.texts import Text

LEASE = timedelta(seconds=60)
"""How long a worker has a job after its last heartbeat, and how long a message about a job is waited for.

Maintenance queues a job again once its worker has lost it or nobody has taken it for that long: the row says what is
to be done, and a message about it may be lost, doubled or dropped.
"""
HEARTBEAT_SECONDS = 10.0
MAX_ATTEMPTS = 5


class JobStatus(StrEnum):
    """Where a job is; the last three are ends, and only the last two can be retried from."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = (JobStatus.PENDING, JobStatus.RUNNING)


class JobNotFound(NotFound):
    """No such job that the caller may read."""

    code = "job_not_found"
    title = "There is no such job"


class JobEnded(Conflict):
    """The job has ended and cannot be cancelled."""

    code = "job_ended"
    title = "The job has ended"


class JobNotRetryable(Conflict):
    """Only a failed or cancelled job whose input still exists can be retried."""

    code = "job_not_retryable"
    title = "The job cannot be retried"


class JobCancelled(Conflict):
    """Somebody asked for the job to stop while it ran."""

    code = "job_cancelled"
    title = "The job was cancelled"


class JobLost(Conflict):
    """The lease ran out and another worker has the job; what this worker did is not kept."""

    code = "job_lost"
    title = "Another worker has taken the job over"


class JobPaused(Exception):
    """The work has saved where it goes on and stops by itself, so that no invocation is cut off."""


class GaveUp(DataForgeError):
    """The job failed for reasons of ours more often than it is worth trying."""

    code = "job_gave_up"
    title = "The job failed on our side"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasedJob:
    """What every job has; contexts derive theirs and add what it is about."""

    id: UUID
    status: JobStatus
    user_id: UUID | None
    run_parameters: Mapping[str, Any]
    created_at: datetime
    attempt: int = 0
    worker: UUID | None = None
    lease_until: datetime | None = None
    cancel_requested: bool = False
    output_summary: Mapping[str, Any] | None = field(default=None, compare=False)

    def check_cancellable(self) -> None:
        """Raise JobEnded when there is nothing left to cancel."""
        if self.status not in OPEN:
            message = Text("The job is {status}; it cannot be cancelled any more.", status=self.status.value)
            raise JobEnded(message, facts={"status": self.status.value})

    def check_retryable(self) -> None:
        """Raise JobNotRetryable unless the job failed or was cancelled."""
        if self.status not in (JobStatus.FAILED, JobStatus.CANCELLED):
            message = Text(
                "The job is {status}; only a failed or cancelled job can be retried.", status=self.status.value
            )
            raise JobNotRetryable(message, facts={"status": self.status.value})


def storable(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The same JSON without NUL characters, which PostgreSQL cannot store; reports quote whatever a file has."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd")
    if isinstance(value, Mapping):
        return {storable(key): storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    return value


def failure_of(error: DataForgeError) -> dict[str, Any]:
    """What a failed job keeps of its error: code, status, the sentence, facts and violations."""
    return {
        "code": error.code,
        "status": error.status,
        "title": error.title,
        "detail": error.detail,
        "facts": error.facts,
        "errors": [{"pointer": v.pointer, "detail": v.message, "rule": v.rule} for v in error.violations],
    }
