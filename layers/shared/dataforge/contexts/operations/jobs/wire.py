"""Wire models of jobs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from dataforge.kernel.jobs import JobStatus


class SharedJobOut(BaseModel):
    """A job; `progress` has stage, rows and bytes, `error` what made it fail, `output_summary` what it did.

    A file that the job has made is at `download_url` for an hour.
    """

    id: UUID
    kind: str
    status: JobStatus
    user_id: UUID | None
    run_parameters: dict[str, Any]
    progress: dict[str, Any]
    output_summary: dict[str, Any] | None
    error: dict[str, Any] | None
    attempt: int
    cancel_requested: bool
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    download_url: str | None = None


class SharedJobPage(BaseModel):
    """A page of jobs, newest first."""

    items: list[SharedJobOut]
    limit: int
    next_cursor: str | None
    next: str | None
