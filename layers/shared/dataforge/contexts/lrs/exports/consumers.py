"""The job of an export: page after page into one object, which is visible when it is whole."""

import asyncio
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, cast

from dataforge.contexts.lrs.exports.domain import Export
from dataforge.contexts.lrs.exports.files import MEDIA_TYPES, statement_file
from dataforge.contexts.lrs.search.domain import Position
from dataforge.contexts.lrs.selections.queries import read_selected
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.platform.jobs.control import JobControl, Steps
from dataforge.platform.jobs.shared import SharedJob, complete_job
from dataforge.platform.module import JobKind
from dataforge.platform.uploads.files import S3Files, S3Writer

if TYPE_CHECKING:
    from dataforge.contexts.lrs.module import LrsServices

PAGE = 1_000


async def export_statements(job: SharedJob, control: JobControl[LrsUnitOfWork], services: "LrsServices") -> None:
    """Write the file and end the job with its name. A worker that dies leaves no file; the next one begins again."""
    export = Export.from_json(job.checkpoint)
    until = export.selection.until or job.created_at
    name = export.file_name(until)
    # The attempt is in the key: a worker that lost its lease cannot overwrite what the next one made.
    key = f"exports/statements/{job.id}/{job.attempt}/{name}"
    files = S3Files(services.settings.data_bucket)
    sink = await asyncio.to_thread(files.writer, key, MEDIA_TYPES[export.format])
    try:
        rows = await _write(export, sink, control, services)
        await asyncio.to_thread(sink.close)
        async with control.unit_of_work() as uow:
            facts = {"statements": rows, "bytes": sink.size, "until": until.isoformat()}
            await complete_job(uow, job, control, {"s3_key": key, "file_name": name, **facts})
            await uow.commit()
    except BaseException:
        await asyncio.to_thread(sink.abort)
        await asyncio.to_thread(files.delete, key)
        raise


async def _write(export: Export, sink: S3Writer, control: JobControl[LrsUnitOfWork], services: "LrsServices") -> int:
    file = await asyncio.to_thread(statement_file, export, cast("IO[bytes]", sink))
    after: Position | None = None
    rows = 0
    while True:
        # A transaction for each page: none is open for as long as the export takes.
        async with services.database.read_only() as connection:
            page = await read_selected(
                connection, export.selection, after=after, limit=PAGE, own=False, voided=export.voided
            )
        if not page:
            await asyncio.to_thread(file.close)
            return rows
        await asyncio.to_thread(file.write, page)
        after, rows = page[-1].position, rows + len(page)
        control.report(Steps("writing", rows, sink.size))


KINDS: Mapping[str, JobKind["LrsServices"]] = {"export_statements": JobKind(export_statements, LrsUnitOfWork)}
