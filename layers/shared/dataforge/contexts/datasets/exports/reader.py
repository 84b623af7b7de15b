"""What other contexts read of datasets: rows of a version by way of an export, without Arrow."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import and_, or_, select

from dataforge.contexts.datasets.commits.domain import SheetNotFound
from dataforge.contexts.datasets.commits.queries import commit_tables_of, find_version
from dataforge.contexts.datasets.contract import PreparedRows
from dataforge.contexts.datasets.datasets.queries import require_access
from dataforge.contexts.datasets.jobs.commands import QueueJob, queue_job
from dataforge.contexts.datasets.jobs.domain import RunType
from dataforge.contexts.datasets.tables import jobs
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.canonical import content_hash
from dataforge.kernel.clock import Clock
from dataforge.kernel.errors import Conflict, FilterRefused
from dataforge.kernel.jobs import JobStatus
from dataforge.kernel.principal import Principal
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import Database
from dataforge.platform.observability import logger

if TYPE_CHECKING:  # this runs where the library is not
    from dataforge.platform.aws.sqs import Queue
    from versioned_tables.objects import ObjectStore


BATCH = 1000
_STEP = 1 << 20
_USABLE = (JobStatus.PENDING.value, JobStatus.RUNNING.value, JobStatus.COMPLETED.value)
# For this long a failure is the answer; somebody who asks every two seconds does not have it tried again each time.
FAILURE_STANDS = timedelta(minutes=10)


class RowsNotReady(Conflict):
    """The export has not ended, or not well."""

    code = "rows_not_ready"
    title = "The rows are not ready"


class ExportedRows:
    """`contract.DatasetReader` over export jobs."""

    def __init__(self, database: Database, objects: ObjectStore, queue: Queue, clock: Clock) -> None:
        self._database = database
        self._objects = objects
        self._queue = queue
        self._clock = clock

    async def prepare(
        self,
        principal: Principal,
        dataset_id: UUID,
        version: str,
        sheet: str | None = None,
        columns: Sequence[str] | None = None,
    ) -> PreparedRows:
        """Have the rows of a version made readable; the same call finds them again, or the failure of a moment ago."""
        async with self._database.read_only() as connection:
            await require_access(connection, dataset_id, principal, Action.READ, Kind.TABLE)
            commit_id, _ = await find_version(connection, dataset_id, version)
            table = _table(await commit_tables_of(connection, dataset_id, commit_id), sheet)
            names = _columns(table, columns)
            parameters = {
                "format": "jsonl",
                "compression": "none",
                "sheet": table["sheet"],
                "columns": list(names),
                "filter": None,
                "base": None,
            }
            query = select(jobs.c.id, jobs.c.status, jobs.c.error_message).where(
                jobs.c.dataset_id == dataset_id,
                jobs.c.run_type == RunType.EXPORT.value,
                jobs.c.source_commit_id == commit_id,
                or_(
                    jobs.c.status.in_(_USABLE),
                    and_(
                        jobs.c.status == JobStatus.FAILED.value,
                        jobs.c.completed_at > self._clock.now() - FAILURE_STANDS,
                    ),
                ),
                jobs.c.run_parameters == parameters,
            )
            known = (await connection.execute(query.order_by(jobs.c.id.desc()).limit(1))).one_or_none()
        usable = known is not None and (known.status != JobStatus.COMPLETED.value or await self._exists(known.id))
        if known is not None and usable:
            job_id, status, error = known.id, known.status, known.error_message
        else:
            job_id, status, error = (
                await self._queue_export(principal, dataset_id, commit_id, parameters),
                "pending",
                None,
            )
        return PreparedRows(
            job_id=job_id,
            dataset_id=dataset_id,
            commit_id=commit_id,
            sheet=table["sheet"],
            columns=names,
            row_count=table["row_count"],
            content_sha256=content_hash([commit_id, table["sheet"], names]),
            status=status,
            error=error,
        )

    async def rows(self, prepared: PreparedRows) -> AsyncIterator[list[dict[str, Any]]]:
        """The rows in order, in batches of up to 1,000 dicts; raises RowsNotReady."""
        key, size = await self._file(prepared.job_id)
        left, batch = b"", list[dict[str, Any]]()
        for start in range(0, size, _STEP):
            block = left + await asyncio.to_thread(self._objects.get_range, key, start, _STEP)
            *lines, left = block.split(b"\n")
            for line in lines:
                batch.append(json.loads(line))
                if len(batch) == BATCH:
                    yield batch
                    batch = []
        if left.strip():
            batch.append(json.loads(left))
        if batch:
            yield batch

    async def _queue_export(
        self, principal: Principal, dataset_id: UUID, commit_id: str, parameters: dict[str, Any]
    ) -> UUID:
        async with DatasetsUnitOfWork(self._database, principal=principal, clock=self._clock) as uow:
            job_id = await queue_job(QueueJob(dataset_id, RunType.EXPORT, commit_id, parameters), uow)
            await uow.commit()
        try:
            await self._queue.send(json.dumps({"job_id": str(job_id)}))
        except Exception:  # noqa: BLE001 - the job is durable; `maintenance` queues it again within minutes
            logger.warning("job not queued yet, maintenance will do it", exc_info=True, job_id=str(job_id))
        return job_id

    async def _file(self, job_id: UUID) -> tuple[str, int]:
        query = select(jobs.c.status, jobs.c.output_summary).where(jobs.c.id == job_id)
        async with self._database.read_only() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None or row.status != JobStatus.COMPLETED.value:
            message = Text(
                "The export {job_id} is {words}; its rows cannot be read.",
                job_id=job_id,
                words="gone" if row is None else row.status,
            )
            raise RowsNotReady(message, facts={"job_id": str(job_id)})
        return row.output_summary["s3_key"], row.output_summary["bytes"]

    async def _exists(self, job_id: UUID) -> bool:
        # Exports expire by the bucket's lifecycle rule; their jobs stay longer.
        key, size = await self._file(job_id)
        found = await asyncio.to_thread(lambda: [item.size for item in self._objects.list(key)])
        return found == [size]


def _table(tables: Sequence[dict[str, Any]], sheet: str | None) -> dict[str, Any]:
    named = [table for table in tables if sheet is None or table["sheet"] == sheet]
    if len(named) == 1:
        return named[0]
    names = ", ".join(table["sheet"] for table in tables[:20]) or "none"
    message = (
        Text("There is no sheet {sheet!r}; the version has {names}.", sheet=sheet, names=names)
        if sheet
        else Text("Name one sheet of: {names}.", names=names)
    )
    raise SheetNotFound(message, facts={"sheets": [table["sheet"] for table in tables[:1000]]})


def _columns(table: dict[str, Any], wanted: Sequence[str] | None) -> tuple[str, ...]:
    known = [str(column["name"]) for column in table["definition"]["columns"]]
    unknown = [name for name in wanted or () if name not in known]
    if unknown:
        message = Text(
            "There is no column {unknown!r} in sheet {sheet!r}; it has {known}.",
            unknown=unknown[0],
            sheet=table["sheet"],
            known=", ".join(known[:30]),
        )
        raise FilterRefused(message)
    return tuple(known if wanted is None else wanted)
