"""Jobs as people see them."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.kernel.access import Action, Kind
from dataforge.kernel.jobs import JobNotFound
from dataforge.kernel.paging import Page
from dataforge.kernel.principal import Principal
from dataforge.kernel.rules import may_any
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict
from dataforge.platform.jobs.tables import jobs

_SHOWN = (
    *(jobs.c.id, jobs.c.kind, jobs.c.status, jobs.c.user_id, jobs.c.run_parameters, jobs.c.progress),
    *(jobs.c.output_summary, jobs.c.failure.label("error"), jobs.c.attempt, jobs.c.cancel_requested),
    *(jobs.c.created_at, jobs.c.started_at, jobs.c.completed_at),
)


def _visible(reader: Principal) -> Select[Any]:
    """Their own jobs; administrators see all."""
    query = select(*_SHOWN)
    return query if may_any(reader, Action.READ, Kind.JOB) else query.where(jobs.c.user_id == reader.user_id)


async def get_job(connection: AsyncConnection, reader: Principal, job_id: UUID) -> dict[str, Any]:
    """A job that the reader may see; raises JobNotFound."""
    row = (await connection.execute(_visible(reader).where(jobs.c.id == job_id))).one_or_none()
    if row is None:
        message = Text("There is no job {job_id}, or you may not read it.", job_id=job_id)
        raise JobNotFound(message)
    return row_dict(row)


async def list_jobs(
    connection: AsyncConnection,
    reader: Principal,
    *,
    after: tuple[Any, ...] | None,
    limit: int,
    kind: str | None,
    status: str | None,
) -> Page[dict[str, Any]]:
    """Jobs that the reader may see, newest first."""
    query = _visible(reader).order_by(jobs.c.id.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(jobs.c.id < UUID(after[0]))
    if kind is not None:
        query = query.where(jobs.c.kind == kind)
    if status is not None:
        query = query.where(jobs.c.status == status)
    rows = [row_dict(row) for row in await connection.execute(query)]
    more, rows = len(rows) > limit, rows[:limit]
    return Page(rows, (str(rows[-1]["id"]),) if more else None)
