"""The job of an import: batch after batch, each in a transaction of its own that says where the next begins."""

import asyncio
import hashlib
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from dataforge.contexts.lrs.bodies.domain import months_kept
from dataforge.contexts.lrs.bodies.repository import make_partitions
from dataforge.contexts.lrs.contract import LessonDirectory, StatementImportEnded
from dataforge.contexts.lrs.imports.commands import LoadImported, load_imported
from dataforge.contexts.lrs.imports.domain import (
    BadLine,
    ImportedStatement,
    ImportReport,
    ImportUnreadable,
    Line,
    OtherStoreRefused,
    read_line,
    refused_lines,
)
from dataforge.contexts.lrs.imports.lines import read_lines
from dataforge.contexts.lrs.imports.remote import OtherStore
from dataforge.contexts.lrs.load.domain import LoadResult, Rejected, rejection
from dataforge.contexts.lrs.quarantine.commands import PREFIX, AddToQuarantine, QuarantineKeeper, add_to_quarantine
from dataforge.contexts.lrs.quarantine.domain import QuarantineEntry, Reason
from dataforge.contexts.lrs.statements.domain import format_timestamp, parse_timestamp
from dataforge.contexts.lrs.statements.domain.messages import StatementMessage
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.kernel.errors import ObjectMissing
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text
from dataforge.platform.aws.clients import client
from dataforge.platform.aws.s3 import S3ObjectStore
from dataforge.platform.db.refusals import refused
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.jobs.control import JobControl, Steps
from dataforge.platform.jobs.shared import SharedJob, complete_job
from dataforge.platform.module import JobKind
from dataforge.settings import Environment

if TYPE_CHECKING:
    from dataforge.contexts.lrs.module import LrsServices

BATCH = 200
_BLOCK = 1 << 20


@dataclass(slots=True)
class _Import:
    """One run of the job."""

    job: SharedJob
    control: JobControl[LrsUnitOfWork]
    services: "LrsServices"
    report: ImportReport
    source: Mapping[str, Any]
    months: set[date]

    def unit_of_work(self) -> LrsUnitOfWork:
        return self.control.unit_of_work()


async def import_statements(job: SharedJob, control: JobControl[LrsUnitOfWork], services: "LrsServices") -> None:
    """Import a file or another store; one that is killed or pauses goes on behind its last batch."""
    given = dict(job.checkpoint)
    source = given.pop("source")
    work = _Import(job, control, services, ImportReport.of(given), source, set())
    batches = _from_file(work) if "upload_key" in source else _from_store(work)
    async for batch in batches:
        await _import_batch(work, batch)
        control.pause_if_due()
    async with work.unit_of_work() as uow:
        await complete_job(uow, job, control, work.report.summary())
        uow.publish(_ended(job, work.report, None))
        await uow.commit()


async def announce_failure(job: SharedJob, failure: Mapping[str, Any], uow: LrsUnitOfWork) -> None:
    """Tell those who hear of it that an import has failed, and how far it came."""
    given = {name: value for name, value in job.checkpoint.items() if name != "source"}
    uow.publish(_ended(job, ImportReport.of(given), str(failure.get("detail", ""))))


def _ended(job: SharedJob, report: ImportReport, error: str | None) -> StatementImportEnded:
    refused = report.conflicts + report.bad
    return StatementImportEnded(job.id, job.user_id, report.new, report.known, refused, error)


async def _from_file(work: _Import) -> AsyncIterator[Sequence[Line]]:
    """Batches of lines behind those that are done; raises ImportUnreadable."""
    store = S3ObjectStore(client("s3"), work.services.settings.data_bucket)
    key = str(work.source["upload_key"])
    try:
        size = await asyncio.to_thread(store.size, key)
    except ObjectMissing as error:
        message = Text("The file was announced and has not arrived, or was deleted since.")
        raise ImportUnreadable(message) from error
    lines: Iterator[Line] = (
        line for line in read_lines(store.stream(key, 0, size, _BLOCK)) if line.number > work.report.lines
    )
    while batch := await asyncio.to_thread(lambda: list(islice(lines, BATCH))):
        work.report.lines = batch[-1].number
        yield batch


async def _from_store(work: _Import) -> AsyncIterator[Sequence[Line]]:
    """Pages of another store; where its `more` is forgotten it is asked again from the last statement on."""
    store, report = _other_store(work), work.report
    if report.more == "":
        return
    since, until = work.source.get("since"), work.source.get("until")
    address = report.more or store.first_page(since=_before(report.last_stored) or since, until=until)
    while True:
        try:
            page = await store.read(address)
        except OtherStoreRefused:
            if report.more is None:
                raise
            report.more = None
            address = store.first_page(since=_before(report.last_stored) or since, until=until)
            continue
        batch = [Line(report.lines + number, raw) for number, raw in enumerate(page.statements, 1)]
        report.lines += len(batch)
        report.more = page.more or ""
        if batch:
            yield batch
        if page.more is None:
            return
        address = page.more


def _before(stored: str | None) -> str | None:
    """A moment before a statement was stored: others may have the same `stored`, and `since` leaves it out."""
    found = None if stored is None else parse_timestamp(stored)
    try:
        return None if found is None else format_timestamp(found - timedelta(milliseconds=1))
    except OverflowError:  # the first moment there is: everything is asked for
        return None


def _other_store(work: _Import) -> OtherStore:
    source, services = work.source, work.services
    password = services.secret_box.open(b64decode(source["password"]), source["about"])
    private = services.settings.environment is Environment.LOCAL
    return OtherStore(source["endpoint"], source["username"], password, source["version"], private=private)


async def _import_batch(work: _Import, batch: Sequence[Line]) -> None:
    now, report = work.services.clock.now(), work.report
    read = [read_line(line, now) for line in batch]
    bad = [item for item in read if isinstance(item, BadLine)]
    good = [item for item in read if isinstance(item, ImportedStatement)]
    if good:
        report.last_stored = str(good[-1].statement.payload["stored"])
    months = months_kept((item.stored_at for item in good), now) - work.months
    await make_partitions(work.services.database, months)
    work.months |= months
    for item in bad:
        await _quarantine(work, item)
    report.bad += len(bad)
    report.add_problems((item.line.number, "bad_line", item.pointer, item.message) for item in bad)
    try:
        await _load_and_save(work, good)
    except Exception as error:
        if not refused(error):
            raise
        await _report(work, good, await _take_apart(work, good, error))
        async with work.unit_of_work() as uow:
            await _save(work, uow)
            await uow.commit()


async def _load_and_save(work: _Import, good: Sequence[ImportedStatement]) -> None:
    before = work.report.to_json()
    try:
        async with work.unit_of_work() as uow:
            result = await load_imported(_command(work, good), uow)
            await _report(work, good, result)
            await _save(work, uow)
            await uow.commit()
    except BaseException:
        work.report = ImportReport.of(before)
        raise


def _command(work: _Import, good: Sequence[ImportedStatement]) -> LoadImported:
    services = work.services
    return LoadImported(good, services.home_pages, services.platform.get(LessonDirectory))


async def _save(work: _Import, uow: LrsUnitOfWork) -> None:
    work.control.report(Steps("importing", work.report.lines))
    checkpoint = {**work.report.to_json(), "source": dict(work.source)}
    await uow.jobs.save_checkpoint(work.job.id, work.control.worker, checkpoint, work.control.progress)


async def _take_apart(work: _Import, good: Sequence[ImportedStatement], error: Exception) -> LoadResult:
    """Load in halves what the database refuses, until the statement that it refuses stands alone."""
    if len(good) == 1:
        message = StatementMessage(uuid7(), "import", "xapi", good[0].stored_at, registered=True)
        return LoadResult(rejected=[rejection(message, good[0].statement, error)])
    found = LoadResult()
    for half in (good[: len(good) // 2], good[len(good) // 2 :]):
        try:
            part = await run(work.unit_of_work(), load_imported, _command(work, half))
        except Exception as again:
            if not refused(again):
                raise
            part = await _take_apart(work, half, again)
        found.new, found.known = found.new + part.new, found.known + part.known
        found.rejected += part.rejected
    return found


async def _report(work: _Import, good: Sequence[ImportedStatement], result: LoadResult) -> None:
    keeper = QuarantineKeeper(work.services.database, work.services.platform.objects, work.services.clock)
    for item in result.rejected:
        await keeper.keep_statement(item)
    refused = refused_lines(good, result.rejected)
    conflicts = sum(item.reason == "conflict" for _, item in refused)
    work.report.new += result.new
    work.report.known += len(good) - result.new - len(refused)
    work.report.conflicts += conflicts
    work.report.bad += len(refused) - conflicts
    work.report.add_problems((number, _code(item), item.pointer, item.error) for number, item in refused)


def _code(item: Rejected) -> str:
    return "conflict" if item.reason == "conflict" else "bad_line"


async def _quarantine(work: _Import, item: BadLine) -> None:
    digest = hashlib.sha256(item.line.raw).hexdigest()
    key = f"{PREFIX}{digest}.json"
    await work.services.platform.objects.put(key, item.line.raw)
    entry = QuarantineEntry(
        body_sha256=digest,
        s3_key=key,
        reason=Reason.REFUSED,
        error=f"Line {item.line.number} of the import {work.job.id}: {item.message}",
        pointer=item.pointer,
        violations=item.violations,
        body_bytes=len(item.line.raw),
    )
    await run(work.unit_of_work(), add_to_quarantine, AddToQuarantine(entry))


KINDS: Mapping[str, JobKind["LrsServices"]] = {
    "import_statements": JobKind(import_statements, LrsUnitOfWork, announce_failure)
}
