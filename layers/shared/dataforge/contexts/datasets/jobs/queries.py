"""Jobs as people see them."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.datasets.tables import jobs
from dataforge.kernel.jobs import JobNotFound
from dataforge.kernel.paging import Page
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict

_SHOWN = [
    column
    for column in jobs.c
    if column.name not in ("worker", "lease_until", "queued_at", "error_message", "failure", "cancel_requested")
]


def _job(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a SQLAlchemy row
    values = row_dict(row)
    values["error"] = values.pop("failure")
    return values


async def get_job(connection: AsyncConnection, dataset_id: UUID, job_id: UUID) -> dict[str, Any]:
    """A job of a dataset; raises JobNotFound."""
    columns = (*_SHOWN, jobs.c.failure, jobs.c.error_message, jobs.c.cancel_requested)
    query = select(*columns).where(jobs.c.dataset_id == dataset_id, jobs.c.id == job_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        message = Text("There is no job {job_id} in this dataset.", job_id=job_id)
        raise JobNotFound(message)
    return _job(row)


async def list_jobs(
    connection: AsyncConnection,
    dataset_id: UUID,
    *,
    after: tuple[Any, ...] | None,
    limit: int,
    run_type: str | None,
    status: str | None,
) -> Page[dict[str, Any]]:
    """Jobs, newest first."""
    columns = (*_SHOWN, jobs.c.failure, jobs.c.error_message, jobs.c.cancel_requested)
    query = select(*columns).where(jobs.c.dataset_id == dataset_id).order_by(jobs.c.id.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(jobs.c.id < UUID(after[0]))
    if run_type is not None:
        query = query.where(jobs.c.run_type == run_type)
    if status is not None:
        query = query.where(jobs.c.status == status)
    rows = [_job(row) for row in await connection.execute(query)]
    more = len(rows) > limit
    rows = rows[:limit]
    return Page(rows, (str(rows[-1]["id"]),) if more else None)


async def dataset_of_job(connection: AsyncConnection, job_id: UUID) -> UUID | None:
    """The dataset of a job; None when there is no such job."""
    found: UUID | None = await connection.scalar(select(jobs.c.dataset_id).where(jobs.c.id == job_id))
    return found
