"""The write SQL of jobs of datasets."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import and_, false, func, insert, or_, select, update

from dataforge.contexts.datasets.jobs.domain import Job, MadeFile, RunType
from dataforge.contexts.datasets.tables import jobs, uploads
from dataforge.contexts.datasets.uploads.domain import OF_SNAPSHOT
from dataforge.kernel.jobs import JobStatus
from dataforge.platform.db.database import row_dict
from dataforge.platform.jobs.repository import LeasedJobs


class Jobs(LeasedJobs[Job]):
    """Jobs in `datasets.jobs`."""

    table = jobs
    columns = tuple(jobs.c[field.name] for field in fields(Job))

    @staticmethod
    def job_of(row: Any) -> Job:  # noqa: ANN401 - a SQLAlchemy row
        """The job of a row."""
        values = row_dict(row)
        return Job(**{**values, "run_type": RunType(values["run_type"]), "status": JobStatus(values["status"])})

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

    async def lock_lost(self, limit: int) -> Sequence[tuple[UUID, RunType, bool]]:
        """Jobs whose message or worker was lost, locked; and whether a snapshot is to be read for them first."""
        # A file that is on its way has an upload in another state; its job waits for it until the upload expires.
        unread = and_(uploads.c.s3_upload_id == OF_SNAPSHOT, uploads.c.state == "completing")
        whole = or_(uploads.c.id.is_(None), uploads.c.state == "completed", uploads.c.expires_at < self._now, unread)
        query = (
            select(jobs.c.id, jobs.c.run_type, func.coalesce(unread, false()).label("unread"))
            .outerjoin(uploads, uploads.c.id == jobs.c.upload_id)
            .where(self.lost(), whole)
            .order_by(jobs.c.id)
            .limit(limit)
            .with_for_update(of=jobs, skip_locked=True)
        )
        return [(row.id, RunType(row.run_type), row.unread) for row in await self._connection.execute(query)]

    async def newest_download(self, dataset_id: UUID, identity: str) -> MadeFile | None:
        """The last job that makes or made this file; nobody else may begin one until the transaction ends."""
        lock = func.pg_advisory_xact_lock(func.hashtextextended(f"{dataset_id} {identity}", 0))
        await self._connection.execute(select(lock))
        query = (
            select(jobs.c.id, jobs.c.status, jobs.c.completed_at)
            .where(
                jobs.c.dataset_id == dataset_id,
                jobs.c.run_type == RunType.EXPORT.value,
                jobs.c.run_parameters["identity"].astext == identity,
            )
            .order_by(jobs.c.id.desc())
            .limit(1)
        )
        row = (await self._connection.execute(query)).one_or_none()
        return None if row is None else MadeFile(row.id, JobStatus(row.status), row.completed_at)

    async def rebase(self, job_id: UUID, commit_id: str) -> None:
        """Start a locked job from another commit."""
        await self._connection.execute(update(jobs).where(jobs.c.id == job_id).values(source_commit_id=commit_id))
