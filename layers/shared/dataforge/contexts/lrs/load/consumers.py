"""What runs behind the statements queue."""

import time
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dataforge.contexts.identity.contract import CredentialUses
from dataforge.contexts.lrs.activities.domain import definitions_of
from dataforge.contexts.lrs.activities.repository import merge_acceptable
from dataforge.contexts.lrs.contract import LessonDirectory
from dataforge.contexts.lrs.flat_rows.domain import HomePages
from dataforge.contexts.lrs.forwarding.announcements import Announcer
from dataforge.contexts.lrs.load.commands import LoadMessages, load_messages
from dataforge.contexts.lrs.load.domain import LoadResult, UnregisteredRequests, halves, rejection, restamped
from dataforge.contexts.lrs.quarantine.commands import QuarantineKeeper
from dataforge.contexts.lrs.statements.domain.messages import (
    StatementMessage,
    UnreadableMessage,
    read_message,
    read_statements,
)
from dataforge.contexts.lrs.statements.kept_messages import KeptMessages
from dataforge.contexts.lrs.statements.repository import register_arrival
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.events.sqs import batch_response, queue_records
from dataforge.kernel.clock import Clock
from dataforge.kernel.errors import Unavailable
from dataforge.kernel.texts import Text
from dataforge.platform.aws.s3 import AsyncObjects
from dataforge.platform.aws.sqs import MAX_BATCH, QueueRecord
from dataforge.platform.db.database import Database
from dataforge.platform.db.refusals import refused
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.observability import emit_metrics, logger

if TYPE_CHECKING:
    from dataforge.contexts.lrs.module import LrsServices

# Longer than a message is invisible after its consumer was killed; what is loaded twice is loaded once.
KEPT_AFTER = timedelta(minutes=2)
MOST_KEPT = 500
_GROUP_BYTES = 2 * 1024 * 1024


class StatementLoader:
    """Loads batches of queue messages; `flatten` False leaves the flat rows to the incremental job.

    `uses` learns which credentials the messages came with, `announcer` that there is something to be sent on.
    """

    def __init__(
        self,
        database: Database,
        bodies: AsyncObjects,
        clock: Clock,
        *,
        flatten: bool,
        home_pages: HomePages,
        lessons: LessonDirectory,
        uses: CredentialUses,
        kept: KeptMessages | None = None,
        announcer: Announcer | None = None,
    ) -> None:
        self._announcer = announcer
        self._kept = kept
        self._database = database
        self._bodies = bodies
        self._clock = clock
        self._flatten = flatten
        self._home_pages = home_pages
        self._lessons = lessons
        self._uses = uses

    @property
    def _quarantine(self) -> QuarantineKeeper:
        return QuarantineKeeper(self._database, self._bodies, self._clock)

    async def load(self, records: Sequence[QueueRecord]) -> list[str]:
        """Load the messages; returns the ids of those that must come again. All others are durable in the database."""
        started, failed = time.perf_counter(), set[str]()
        counts = {"new": 0, "known": 0, "rejected": 0, "unreadable": 0}
        for group in _groups(records):
            messages: dict[str, StatementMessage] = {}
            for record in group:
                try:
                    messages[record.message_id] = await self._read(record)
                except UnreadableMessage as error:
                    counts["unreadable"] += 1
                    await _guarded({record.message_id}, failed, self._quarantine.keep_message(record, error))
                except Exception:  # noqa: BLE001 - the body cannot be fetched now; the message comes again
                    logger.warning("message body not readable", exc_info=True, message_id=record.message_id)
                    failed.add(record.message_id)
            await _guarded(set(messages), failed, self._load(list(messages.values()), counts))
            await self._forget([item.request_id for key, item in messages.items() if key not in failed])
            await self._note_uses(messages.values())
        if counts["new"] and self._announcer is not None:
            await self._announcer.statements_loaded()
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
        except Exception:  # noqa: BLE001 - the statements are loaded; the next batch tells the same
            logger.warning("use of credentials not stored", exc_info=True)

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

    async def _load(self, messages: Sequence[StatementMessage], counts: dict[str, int]) -> None:
        if not messages:
            return
        try:
            result = await self._transaction(messages)
        except Exception as error:
            if not refused(error):
                raise
            parts = halves(messages)
            if parts is None:
                message = messages[0]
                result = LoadResult(rejected=[rejection(message, message.statements[0], error)])
            else:
                for part in parts:
                    await self._load(part, counts)
                return
        counts["new"] += result.new
        counts["known"] += result.known
        counts["rejected"] += len(result.rejected)
        for item in result.rejected:
            await self._quarantine.keep_statement(item)

    async def _transaction(self, messages: Sequence[StatementMessage]) -> LoadResult:
        try:
            return await self._run(messages)
        except UnregisteredRequests as unregistered:
            stored = await register_arrival(self._database, unregistered.request_ids)
        again = [restamped(item, stored[item.request_id]) if item.request_id in stored else item for item in messages]
        try:
            result = await self._run(again)
        except UnregisteredRequests as unregistered:
            message = Text("A request was cleaned up while it was being loaded; it is tried again.")
            raise Unavailable(message) from unregistered
        await self._merge_definitions([item for item in again if item.request_id in stored and item.defines])
        return result

    async def _merge_definitions(self, messages: Sequence[StatementMessage]) -> None:
        """Merge what could not be merged when the statements were accepted: the database was away."""
        said = ((item.payload, message.stored_at) for message in messages for item in message.statements)
        async with self._database.transaction() as connection:
            await merge_acceptable(connection, definitions_of(said))

    async def _run(self, messages: Sequence[StatementMessage]) -> LoadResult:
        command = LoadMessages(messages, self._home_pages, self._lessons, flatten=self._flatten)
        return await run(LrsUnitOfWork(self._database, clock=self._clock), load_messages, command)


async def _guarded(ids: set[str], failed: set[str], work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Unavailable as error:
        logger.warning("statements wait for what is away", code=error.code, messages=len(ids))
        failed |= ids
    except Exception:  # noqa: BLE001 - not acknowledged: the messages come again, and reach the DLQ in the end
        logger.error("statements not loaded", exc_info=True, messages=len(ids))
        failed |= ids


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


async def load_statements(event: Mapping[str, Any], services: "LrsServices") -> dict[str, Any]:
    """Load the messages of an SQS event; those that failed are given back to the queue."""
    return batch_response(await services.statement_loader.load(queue_records(event)))


async def load_kept(services: "LrsServices") -> dict[str, int]:
    """Load what was accepted a while ago and is kept: its message was lost. A maintenance job; returns counts."""
    return await _recover(services, services.clock.now() - KEPT_AFTER)


async def load_accepted(_payload: Mapping[str, Any], services: "LrsServices") -> dict[str, Any]:
    """Load everything that is kept now: an operator's command for when a queue has lost its messages."""
    return await _recover(services, datetime.max.replace(tzinfo=UTC))


async def _recover(services: "LrsServices", before: datetime) -> dict[str, int]:
    counts = await _load_kept(services, before)
    # A function that is killed between registering a request and sending its message leaves an entry behind, which
    # would hold the watermark of all reports. With nothing in the queue, and nothing kept, nothing follows it.
    nothing_kept = not counts.get("failed") and counts["loaded"] < MOST_KEPT
    if nothing_kept and await services.statements_queue.is_empty():
        counts["forgotten"] = await run(services.unit_of_work(LrsUnitOfWork), _forget_lost, before)
    return counts


async def _forget_lost(before: datetime, uow: LrsUnitOfWork) -> int:
    return await uow.raw.forget_lost(before)


async def _load_kept(services: "LrsServices", before: datetime) -> dict[str, int]:
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
