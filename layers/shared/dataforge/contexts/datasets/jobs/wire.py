"""Wire models of jobs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from dataforge.contexts.datasets.jobs.domain import RunType
from dataforge.contexts.datasets.wire_types import In, ListOut
from dataforge.kernel.jobs import JobStatus


class RetryIn(In):
    """`onto_current`: import onto where the branch is now, instead of where it was when the upload was opened."""

    onto_current: bool = False


class JobOut(BaseModel):
    """A job; `progress` has stage, rows and bytes, `error` what made it fail, `output_summary` what it did."""

    id: UUID
    dataset_id: UUID
    run_type: RunType
    status: JobStatus
    ref_name: str | None
    source_commit_id: str | None
    upload_id: UUID | None
    user_id: UUID | None
    run_parameters: dict[str, Any]
    progress: dict[str, Any]
    output_summary: dict[str, Any] | None
    error: dict[str, Any] | None
    error_message: str | None
    attempt: int
    cancel_requested: bool
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    download_url: str | None = None


class JobPage(ListOut):
    """A page of jobs, newest first."""

    items: list[JobOut]
