"""The table of jobs of all contexts whose jobs need no table of their own."""

from sqlalchemy import Column, Index, String, Table, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from dataforge.platform.db.metadata import metadata
from dataforge.platform.jobs.repository import job_columns

jobs = Table(
    "jobs",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("kind", String(60), nullable=False),
    # Where the work goes on when its worker has paused or died.
    Column("checkpoint", JSONB, nullable=False, server_default=text("'{}'")),
    *job_columns(),
    Index("ix_jobs_user_id", "user_id", "id"),
    Index("ix_jobs_open", "id", postgresql_where=text("status IN ('pending','running')")),
    Index("ix_jobs_completed_at", "completed_at"),
    schema="platform",
)
