"""Jobs of datasets: what they do, and for which commit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from dataforge.kernel.jobs import JobStatus, LeasedJob


class RunType(StrEnum):
    """What a job does."""

    IMPORT = "import"
    IMPORT_PLAN = "import_plan"  # a dry run
    EXPORT = "export"
    SAMPLING = "sampling"
    EXPLORATION = "exploration"
    PROFILING = "profiling"
    PUBLICATION = "publication"

    @property
    def reads_a_file(self) -> bool:
        """Whether it is done by the function that imports."""
        return self in (RunType.IMPORT, RunType.IMPORT_PLAN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(LeasedJob):
    """A job as its row says; one for a commit is `ref_name` at `source_commit_id`."""

    run_type: RunType
    dataset_id: UUID
    ref_name: str | None
    source_commit_id: str | None
    upload_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class MadeFile:
    """The job that makes a file, or has made it."""

    job_id: UUID
    status: JobStatus
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class JobClaim:
    """The worker that a commit is made by, so that it becomes visible together with the end of its job."""

    job_id: UUID
    worker: UUID
    summary: Mapping[str, Any]
    progress: Mapping[str, Any]
