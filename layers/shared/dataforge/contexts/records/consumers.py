"""What runs behind the statements queue and the schedule."""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from dataforge.contexts.identity.contract import CredentialUses
from dataforge.contexts.records.commands.incremental import (
    FlattenedPage,
    FlattenPending,
    MatchLatecomers,
    flatten_pending,
    mark_failed,
    match_latecomers,
)
from dataforge.contexts.records.commands.land import (
    Landing,
    LandMessages,
    Rejected,
    UnknownRequests,
    dead_row,
    land_messages,
    rejection,
    restamped,
)
from dataforge.contexts.records.domain.flat_rows import HomePages
from dataforge.contexts.records.domain.messages import (
    QueuedStatement,
    StatementMessage,
    UnreadableMessage,
    read_message,
    read_statements,
)
from dataforge.contexts.records.ports import Bodies, KeptMessages, SetAside
from dataforge.contexts.records.repository import SqlRecordsUnitOfWork
from dataforge.contexts.records.repository.housekeeping import finish_run, forget, start_run
from dataforge.contexts.records.repository.intake import note_arrival
from dataforge.contexts.records.statements import to_json
from dataforge.events.sqs import batch_response, queue_records
from dataforge.kernel.clock import Clock
from dataforge.kernel.errors import Unavailable
from dataforge.platform.aws.sqs import MAX_BATCH, QueueRecord, ReceivedRecord
from dataforge.platform.db.database import Database
from dataforge.platform.observability import emit_metrics, logger

if TYPE_CHECKING:
    from dataforge.contexts.records.module import RecordsServices

# Longer than a message is invisible after its consumer was killed; what is loaded twice is loaded once.
KEPT_AFTER = timedelta(minutes=2)
MOST_KEPT = 500
QUARANTINE_PREFIX = "quarantine/"
_GROUP_BYTES = 2 * 1024 * 1024
LOOKBACK = timedelta(days=1)
_PAGE = 500


def refused(error: Exception) -> bool:
    """Whether the database refuses a value (SQLSTATE classes 22, 23 and 54), so that repeating it is useless."""
    if isinstance(error, DataError | IntegrityError | ValueError | TypeError | OverflowError):
        return True
    state = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    return isinstance(error, DBAPIError) and state[:2] in ("22", "23", "54")


class StatementLoader:
    """Lands batches of queue messages; `flatten` False leaves the flat rows to the incremental job.

    `uses` is told which credentials the messages came with.
    """

    def __init__(
        self,
        database: Database,
        bodies: Bodies,
        clock: Clock,
        *,
        flatten: bool,
        home_pages: HomePages,
        uses: CredentialUses,
        kept: KeptMessages | None = None,
    ) -> None:
        self._kept = kept
        self._database = database
        self._bodies = bodies
        self._clock = clock
        self._flatten = flatten
        self._home_pages = home_pages
        self._uses = uses

    async def load(self, records: Sequence[QueueRecord]) -> list[str]:
        """Land the messages; returns the ids of those that must come again. All others are durable in the database."""
        started, failed, counts = (
            time.perf_counter(),
            set[str](),
            {"new": 0, "known": 0, "rejected": 0, "unreadable": 0},
        )
        for group in _groups(records):
            messages: dict[str, StatementMessage] = {}
            for record in group:
                try:
                    messages[record.message_id] = await self._read(record)
                except UnreadableMessage as error:
                    counts["unreadable"] += 1
                    await self._guarded({record.message_id}, failed, self._set_aside_message(record, error))
                except Exception:  # noqa: BLE001 - the body cannot be fetched now; the message comes again
                    logger.warning("message body not readable", exc_info=True, message_id=record.message_id)
                    failed.add(record.message_id)
            await self._guarded(set(messages), failed, self._land(list(messages.values()), counts))
            await self._forget([item.request_id for key, item in messages.items() if key not in failed])
            await self._note_uses(messages.values())
        facts = {**counts, "messages": len(records), "failed": len(failed)}
        logger.info("statements loaded", **facts, ms=round((time.perf_counter() - started) * 1000))
        if counts["rejected"] or counts["unreadable"]:
            emit_metrics({"statements_quarantined": counts["rejected"] + counts["unreadable"]})
        return sorted(failed)

    async def _note_uses(self, messages: Iterable[StatementMessage]) -> None:
        used: dict[str, datetime] = {}
        for message in messages:
            used[message.authority] = max(message.stored_at, used.get(message.authority, message.stored_at))
        try:
            await self._uses.note(used)
        except Exception:  # noqa: BLE001 - the statements have landed; the next batch tells the same
            logger.warning("use of credentials not noted", exc_info=True)

    async def _guarded(self, ids: set[str], failed: set[str], work: Any) -> None:  # noqa: ANN401 - a coroutine
        try:
            await work
        except Unavailable as error:
            logger.warning("statements wait for what is away", code=error.code, messages=len(ids))
            failed |= ids
        except Exception:  # noqa: BLE001 - not acknowledged: the messages come again, and reach the DLQ in the end
            logger.error("statements not landed", exc_info=True, messages=len(ids))
            failed |= ids

    async def _forget(self, loaded: Sequence[UUID]) -> None:
        if self._kept is None:
            return
        try:
            await self._kept.forget(loaded)
        except Exception:  # noqa: BLE001 - they are loaded once more, which changes nothing, and forgotten then
            logger.warning("loaded requests stay kept", exc_info=True, requests=len(loaded))

    async def _read(self, record: QueueRecord) -> StatementMessage:
        message = read_message(record.body)
        if message.body_key is None:
            return message
        return replace(message, statements=read_statements(await self._bodies.get(message.body_key)))

    async def _land(self, messages: Sequence[StatementMessage], counts: dict[str, int]) -> None:
        if not messages:
            return
        try:
            landing = await self._transaction(messages)
        except Exception as error:
            if not refused(error):
                raise
            halves = _halves(messages)
            if halves is None:
                message = messages[0]
                await self._set_aside([rejection(message, message.statements[0], error)])
                counts["rejected"] += 1
                return
            for half in halves:
                await self._land(half, counts)
            return
        counts["new"] += landing.new
        counts["known"] += landing.known
        counts["rejected"] += len(landing.rejected)
        await self._set_aside(landing.rejected)

    async def _transaction(self, messages: Sequence[StatementMessage]) -> Landing:
        try:
            return await self._run(messages)
        except UnknownRequests as unknown:
            stored = await note_arrival(self._database, unknown.request_ids)
        noted = [restamped(item, stored[item.request_id]) if item.request_id in stored else item for item in messages]
        try:
            return await self._run(noted)
        except UnknownRequests as unknown:
            message = "A note was cleaned up while its request was landing; it is tried again."
            raise Unavailable(message) from unknown

    async def _run(self, messages: Sequence[StatementMessage]) -> Landing:
        async with SqlRecordsUnitOfWork(self._database, clock=self._clock) as uow:
            command = LandMessages(messages, self._home_pages, flatten=self._flatten)
            landing = await land_messages(command, uow)
            await uow.commit()
            return landing

    async def _set_aside(self, rejected: Iterable[Rejected]) -> None:
        """Keep what cannot land: its body in S3, its error beside it, and the raw row as far as it can be stored."""
        for item in rejected:
            body = to_json(item.statement.payload)
            digest = _digest(item.statement)
            entry = SetAside(
                body_sha256=digest,
                s3_key=f"{QUARANTINE_PREFIX}{digest}.json",
                reason=item.reason,
                error=item.error,
                pointer=item.pointer,
                statement_id=item.statement.id,
                request_id=item.message.request_id,
            )
            await self._bodies.put(entry.s3_key, body)
            try:
                await self._note_aside(entry, None if item.reason == "conflict" else item)
            except Exception as error:
                if not refused(error):
                    raise
                await self._note_aside(entry, None)
            logger.warning("statement set aside", reason=item.reason, pointer=item.pointer, sha256=digest)

    async def _note_aside(self, entry: SetAside, rejected: Rejected | None) -> None:
        async with SqlRecordsUnitOfWork(self._database, clock=self._clock) as uow:
            if rejected is not None:
                await uow.statements.insert_raw([dead_row(rejected)])
            await uow.statements.set_aside(entry)
            if rejected is not None:
                await uow.statements.landed_requests([rejected.message.request_id])
            await uow.commit()

    async def _set_aside_message(self, record: QueueRecord, error: UnreadableMessage) -> None:
        body = record.body.encode(errors="surrogatepass")
        digest = hashlib.sha256(body).hexdigest()
        entry = SetAside(digest, f"{QUARANTINE_PREFIX}{digest}.txt", "unreadable", str(error))
        await self._bodies.put(entry.s3_key, body, content_type="text/plain")
        await self._note_aside(entry, None)
        logger.warning("message set aside", message_id=record.message_id, sha256=digest)


def _digest(statement: QueuedStatement) -> str:
    """The hash a statement is set aside under: the same when its message comes again and is stamped anew."""
    return hashlib.sha256(to_json({**statement.payload, "stored": None})).hexdigest()


def _groups(records: Sequence[QueueRecord]) -> Iterator[list[QueueRecord]]:
    """Messages in groups of bounded size, so that memory does not grow with what one batch holds."""
    group: list[QueueRecord] = []
    size = 0
    for record in records:
        if group and size + len(record.body) > _GROUP_BYTES:
            yield group
            group, size = [], 0
        group.append(record)
        # A body in S3 may hold megabytes that the message does not show.
        size += max(len(record.body), _GROUP_BYTES if '"body_key"' in record.body[-200:] else 0)
    if group:
        yield group


def _halves(messages: Sequence[StatementMessage]) -> list[list[StatementMessage]] | None:
    """The batch in two; None when it is a single statement."""
    if len(messages) > 1:
        middle = len(messages) // 2
        return [list(messages[:middle]), list(messages[middle:])]
    message = messages[0]
    middle = len(message.statements) // 2
    if middle == 0:
        return None
    return [
        [replace(message, statements=message.statements[:middle])],
        [replace(message, statements=message.statements[middle:])],
    ]


class StatementSource(Protocol):
    """A queue that is drained without an event source mapping."""

    async def receive(self, *, limit: int = 10, wait_seconds: int = 0) -> Sequence[ReceivedRecord]: ...
    async def delete(self, receipt_handles: Sequence[str]) -> None: ...


class IncrementalEtl:
    """The minute's run: drain the queue where no stream does, flatten what is not flat, match latecomers, forget.

    `queue` is None where the stream drains it. `budget_seconds` bounds the run.
    """

    NAME = "incremental_etl"

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        home_pages: HomePages,
        loader: StatementLoader,
        queue: StatementSource | None,
        budget_seconds: float = 40.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._clock = clock
        self._home_pages = home_pages
        self._loader = loader
        self._queue = queue
        self._budget = budget_seconds
        self._monotonic = monotonic

    async def run(self, *, lookback: timedelta | None = LOOKBACK) -> dict[str, int]:
        """One run; returns counts. `lookback` None compares all of raw with all of flat. Status: `task_status`."""
        now, deadline = self._clock.now(), self._monotonic() + self._budget
        run_key = now.strftime("%Y-%m-%dT%H:%MZ")
        async with self._database.transaction() as connection:
            await start_run(connection, self.NAME, run_key, now)
        counts, failure = dict.fromkeys(("drained", "flattened", "failed", "matched", "forgotten"), 0), None
        try:
            await self._drain(counts, deadline)
            since = datetime(1, 1, 1, tzinfo=UTC) if lookback is None else now - lookback
            await self._flatten(counts, deadline, since)
            async with self._unit_of_work() as uow:
                counts["matched"] = await match_latecomers(MatchLatecomers(), uow)
                await uow.commit()
            async with self._database.transaction() as connection:
                counts["forgotten"] = sum((await forget(connection, now)).values())
        except Exception as error:
            failure = f"{type(error).__name__}: {error}"
            raise
        finally:
            await self._finish(run_key, counts, failure)
        return counts

    async def _drain(self, counts: dict[str, int], deadline: float) -> None:
        # Half of the time at most: what was drained is to be flattened in the same run.
        while self._queue is not None and self._monotonic() < deadline - self._budget / 2:
            received = await self._queue.receive()
            if not received:
                return
            failed = set(await self._loader.load([item.record for item in received]))
            done = [item.receipt_handle for item in received if item.record.message_id not in failed]
            await self._queue.delete(done)
            counts["drained"] += len(done)
            if failed:
                return

    async def _flatten(self, counts: dict[str, int], deadline: float, since: datetime) -> None:
        """Page through what is not flat; a page the database refuses is halved until the statement stands alone."""
        after, limit = None, _PAGE
        while self._monotonic() < deadline:
            command = FlattenPending(since, self._home_pages, after=after, limit=limit)
            try:
                async with self._unit_of_work() as uow:
                    page = await flatten_pending(command, uow)
                    await uow.commit()
                limit = min(_PAGE, limit * 2)
            except Exception as error:
                if not refused(error):
                    raise
                if limit > 1:
                    limit //= 2
                    continue
                page = await self._give_up(command, error)
            counts["flattened"] += page.flattened
            counts["failed"] += len(page.failed)
            if page.last is None:
                return
            after = page.last

    async def _give_up(self, command: FlattenPending, error: Exception) -> FlattenedPage:
        async with self._unit_of_work() as uow:
            pending = await uow.statements.pending(after=command.after, since=command.since, limit=1)
            for item in pending:
                await mark_failed(item, error, uow)
            await uow.commit()
        ids = [item.statement_id for item in pending]
        return FlattenedPage(last=ids[-1] if ids else None, failed=ids)

    async def _finish(self, run_key: str, counts: Mapping[str, int], failure: str | None) -> None:
        try:
            async with self._database.transaction() as connection:
                await finish_run(connection, self.NAME, run_key, self._clock.now(), counts=counts, error=failure)
        except Unavailable:
            logger.warning("status of the run not written", run_key=run_key)

    def _unit_of_work(self) -> SqlRecordsUnitOfWork:
        return SqlRecordsUnitOfWork(self._database, clock=self._clock)


async def load_statements(event: Mapping[str, Any], services: "RecordsServices") -> dict[str, Any]:
    """Load the messages of an SQS event; those that failed are given back to the queue."""
    return batch_response(await services.statement_loader.load(queue_records(event)))


async def incremental_etl(services: "RecordsServices") -> dict[str, int]:
    """The incremental ETL as a maintenance job."""
    return await services.incremental_etl.run()


async def load_kept(services: "RecordsServices") -> dict[str, int]:
    """Load what was accepted a while ago and is kept: its message was lost. A maintenance job; returns counts."""
    return await _load_kept(services, services.clock.now() - KEPT_AFTER)


async def load_accepted(_payload: Mapping[str, Any], services: "RecordsServices") -> dict[str, Any]:
    """Load everything that is kept now: an operator's command for when a queue has lost its messages."""
    return await _load_kept(services, datetime.max.replace(tzinfo=UTC))


async def _load_kept(services: "RecordsServices", before: datetime) -> dict[str, int]:
    kept = services.kept_messages
    if kept is None:
        return {"loaded": 0}
    waiting = await kept.waiting(before=before, limit=MOST_KEPT)
    failed = set[str]()
    for start in range(0, len(waiting), MAX_BATCH):
        group = waiting[start : start + MAX_BATCH]
        records = [QueueRecord(str(request_id), (await kept.read(request_id)).decode()) for request_id in group]
        failed |= set(await services.statement_loader.load(records))
        await kept.forget([request_id for request_id in group if str(request_id) not in failed])
    return {"loaded": len(waiting) - len(failed), "failed": len(failed)}
