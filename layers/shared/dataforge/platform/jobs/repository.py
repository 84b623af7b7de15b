"""Rows of jobs: leased by one worker at a time, watched, cancelled and repeated by people."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Integer,
    String,
    Table,
    and_,
    delete,
    func,
    insert,
    not_,
    or_,
    select,
    text,
    update,
)
from sqlalchemy import (
    Text as SqlText,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.kernel.jobs import LEASE, JobCancelled, JobLost, LeasedJob, storable
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import SqlUnitOfWork

JobT = TypeVar("JobT", bound=LeasedJob)
TAKEN_OVER = "Another worker has taken this job over; this result is dropped."


def job_columns() -> Sequence[Column[Any]]:
    """The columns of a table of jobs besides its key and what they are about."""

    def at(name: str, *, nullable: bool = True) -> Column[Any]:
        return Column(name, DateTime(timezone=True), nullable=nullable)

    return (
        Column("status", String(10), nullable=False),
        Column("user_id", PG_UUID(as_uuid=True)),
        Column("run_parameters", JSONB, nullable=False),
        Column("progress", JSONB, nullable=False, server_default=text("'{}'")),
        Column("output_summary", JSONB),
        Column("failure", JSONB),
        Column("error_message", SqlText),
        Column("attempt", Integer, nullable=False, server_default=text("0")),
        Column("worker", PG_UUID(as_uuid=True)),
        at("lease_until"),
        Column("cancel_requested", Boolean, nullable=False, server_default=text("false")),
        at("created_at", nullable=False),
        at("queued_at"),  # when a message for it was last put on a queue
        at("started_at"),
        at("completed_at"),
    )


class LeasedJobs(ABC, Generic[JobT]):
    """Jobs in one table with `job_columns`; contexts name the table and make their jobs of its rows."""

    table: ClassVar[Table]
    columns: ClassVar[Sequence[Column[Any]]]

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    @staticmethod
    @abstractmethod
    def job_of(row: Any) -> JobT:  # noqa: ANN401 - a SQLAlchemy row
        """The job of a row of `columns`."""

    def lost(self) -> ColumnElement[bool]:
        """Whether a job waits for a message or a worker that will not come: it is to be queued again."""
        jobs = self.table
        queued_at = func.coalesce(jobs.c.queued_at, jobs.c.created_at)
        not_taken = and_(jobs.c.status == "pending", queued_at < self._now - LEASE)
        # A message that was sent after the lease ran out may still be on its way.
        on_its_way = and_(queued_at > jobs.c.lease_until, queued_at >= self._now - LEASE)
        left_behind = and_(jobs.c.status == "running", jobs.c.lease_until < self._now, not_(on_its_way))
        return or_(not_taken, left_behind)

    async def insert(self, **values: Any) -> None:  # noqa: ANN401 - columns of the table
        """Add a job."""
        await self._connection.execute(insert(self.table).values(**values))

    async def lock_ids(self, condition: ColumnElement[bool], limit: int) -> Sequence[UUID]:
        """Ids of jobs that meet the condition and nobody else has locked, locked; the oldest first."""
        query = select(self.table.c.id).where(condition).order_by(self.table.c.id).limit(limit)
        return (await self._connection.execute(query.with_for_update(skip_locked=True))).scalars().all()

    async def lock(self, job_id: UUID) -> JobT | None:
        """The job, locked."""
        query = select(*self.columns).where(self.table.c.id == job_id).with_for_update()
        row = (await self._connection.execute(query)).one_or_none()
        return None if row is None else self.job_of(row)

    async def claim(self, job_id: UUID, worker: UUID, lease_until: datetime) -> JobT | None:
        """Take the job if nobody has it.

        Waits for a transaction that holds the row (the end of an upload, a cancellation) instead of passing it over:
        what it would miss then is the only message about the job.
        """
        expired = or_(self.table.c.lease_until.is_(None), self.table.c.lease_until <= self._now)
        free = or_(self.table.c.status == "pending", and_(self.table.c.status == "running", expired))
        statement = (
            update(self.table)
            .where(self.table.c.id == job_id, free)
            .values(
                status="running",
                worker=worker,
                lease_until=lease_until,
                attempt=self.table.c.attempt + 1,
                started_at=self._now,
                progress={"stage": "claimed"},
            )
            .returning(*self.columns)
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else self.job_of(row)

    async def renew(
        self, job_id: UUID, worker: UUID, lease_until: datetime, progress: Mapping[str, Any]
    ) -> bool | None:
        """Extend the lease and note progress: whether to stop because somebody cancelled; None when it is lost."""
        statement = self._mine(job_id, worker).values(lease_until=lease_until, progress=dict(progress))
        row = (await self._connection.execute(statement.returning(self.table.c.cancel_requested))).one_or_none()
        return None if row is None else bool(row.cancel_requested)

    async def complete(
        self, job_id: UUID, worker: UUID, output_summary: Mapping[str, Any], progress: Mapping[str, Any]
    ) -> None:
        """End it well; raises JobLost when another worker has it, JobCancelled when it was cancelled meanwhile."""
        statement = (
            self._mine(job_id, worker)
            .where(self.table.c.cancel_requested.is_(False))
            .values(
                status="completed",
                output_summary=storable(output_summary),
                progress={**progress, "stage": "completed"},
                failure=None,
                error_message=None,
                lease_until=None,
                completed_at=self._now,
            )
        )
        if (await self._connection.execute(statement)).rowcount == 1:
            return
        if await self._connection.scalar(select(self.table.c.cancel_requested).where(self.table.c.id == job_id)):
            message = Text("The job was cancelled; nothing was changed.")
            raise JobCancelled(message)
        raise JobLost(TAKEN_OVER)

    async def end(self, job_id: UUID, worker: UUID, *, cancelled: bool, failure: Mapping[str, Any] | None) -> bool:
        """End it badly; False when another worker has it."""
        statement = self._mine(job_id, worker).values(
            status="cancelled" if cancelled else "failed",
            failure=None if failure is None else storable(failure),
            error_message=None if failure is None else storable(str(failure.get("detail", ""))),
            lease_until=None,
            completed_at=self._now,
        )
        return (await self._connection.execute(statement)).rowcount == 1

    async def note_step(self, job_id: UUID, worker: UUID, values: Mapping[str, Any]) -> None:
        """Write columns of a running job of this worker; raises JobLost when another one has it."""
        if (await self._connection.execute(self._mine(job_id, worker).values(**values))).rowcount != 1:
            raise JobLost(TAKEN_OVER)

    async def release(self, job_id: UUID, worker: UUID) -> None:
        """Let go of a job that maintenance will queue again."""
        await self._connection.execute(
            self._mine(job_id, worker).values(status="pending", worker=None, lease_until=None, queued_at=self._now)
        )

    async def pause(self, job_id: UUID, worker: UUID) -> None:
        """Let go of a job that has got on and goes on with the next message: that is no failed attempt."""
        free = {"status": "pending", "worker": None, "lease_until": None}
        await self.note_step(job_id, worker, {**free, "queued_at": self._now, "attempt": 0})

    async def cancel(self, job_id: UUID) -> None:
        """End a locked pending job, or ask a running one to stop."""
        pending = update(self.table).where(self.table.c.id == job_id, self.table.c.status == "pending")
        ended = await self._connection.execute(
            pending.values(status="cancelled", cancel_requested=True, completed_at=self._now)
        )
        if ended.rowcount == 0:
            await self._connection.execute(
                update(self.table).where(self.table.c.id == job_id).values(cancel_requested=True)
            )

    async def reset(self, job_id: UUID) -> None:
        """Make a locked ended job pending again."""
        await self._connection.execute(
            update(self.table)
            .where(self.table.c.id == job_id)
            .values(
                status="pending",
                cancel_requested=False,
                attempt=0,
                worker=None,
                failure=None,
                error_message=None,
                progress={},
                completed_at=None,
                queued_at=None,
            )
        )

    async def note_queued(self, job_id: UUID) -> None:
        """A message for it was put on a queue."""
        await self._connection.execute(update(self.table).where(self.table.c.id == job_id).values(queued_at=self._now))

    async def forget_ended(self, before: datetime) -> int:
        """Delete jobs that ended before this; how many."""
        return (await self._connection.execute(delete(self.table).where(self.table.c.completed_at < before))).rowcount

    async def remove(self, job_id: UUID) -> None:
        """Delete a locked job."""
        await self._connection.execute(delete(self.table).where(self.table.c.id == job_id))

    def _mine(self, job_id: UUID, worker: UUID) -> Any:  # noqa: ANN401 - an UPDATE to be completed
        return update(self.table).where(
            self.table.c.id == job_id, self.table.c.worker == worker, self.table.c.status == "running"
        )


class JobsUnitOfWork(SqlUnitOfWork, ABC):
    """A unit of work of a context that has jobs."""

    @property
    @abstractmethod
    def jobs(self) -> LeasedJobs[Any]:
        """The jobs of the context."""
