"""Put into quarantine: the body in S3, its error beside it, and the raw row as far as it can be stored."""

import hashlib
from dataclasses import dataclass, replace

from dataforge.contexts.lrs.erasures.domain import without_erased
from dataforge.contexts.lrs.load.domain import RawRow, Rejected, dead_row
from dataforge.contexts.lrs.quarantine.domain import QuarantineEntry, Reason
from dataforge.contexts.lrs.search.domain import found_by
from dataforge.contexts.lrs.statements.domain import to_json
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.kernel.clock import Clock
from dataforge.platform.aws.s3 import AsyncObjects
from dataforge.platform.aws.sqs import QueueRecord
from dataforge.platform.db.database import Database
from dataforge.platform.db.refusals import refused
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.observability import logger

PREFIX = "quarantine/"


@dataclass(frozen=True, slots=True)
class AddToQuarantine:
    """An entry whose body is in S3 by now; `raw` is the row of the statement that has no flat one."""

    entry: QuarantineEntry
    raw: RawRow | None = None


async def add_to_quarantine(command: AddToQuarantine, uow: LrsUnitOfWork) -> None:
    """Register the entry; with its raw row stored, its request is loaded."""
    if command.raw is not None:
        await uow.raw.insert([command.raw])
    await uow.quarantine.add(command.entry)
    if command.raw is not None and command.entry.request_id is not None:
        await uow.raw.forget_requests([command.entry.request_id])


class QuarantineKeeper:
    """Keeps what can never be loaded, each in a transaction of its own."""

    def __init__(self, database: Database, bodies: AsyncObjects, clock: Clock) -> None:
        self._database = database
        self._bodies = bodies
        self._clock = clock

    async def keep_statement(self, item: Rejected) -> None:
        """Keep a statement without people who are erased; its raw row is dead unless another statement has the id."""
        try:
            digest = await self._keep(item, with_row=item.reason != "conflict")
        except Exception as error:
            if not refused(error):
                raise
            digest = await self._keep(item, with_row=False)
        logger.warning("statement in quarantine", reason=item.reason, pointer=item.pointer, sha256=digest)

    async def _keep(self, given: Rejected, *, with_row: bool) -> str:
        async with LrsUnitOfWork(self._database, clock=self._clock) as uow:
            # An erasure waits for whoever may not know of it yet, and looks through the quarantine then.
            await uow.index.lock_references(exclusive=False)
            item = await _without_erased(given, uow)
            digest, body = _digest(item), to_json(item.statement.payload)
            key = f"{PREFIX}{digest}.json"
            entry = QuarantineEntry(
                body_sha256=digest,
                s3_key=key,
                reason=Reason(item.reason),
                error=item.error,
                pointer=item.pointer,
                statement_id=item.statement.id,
                request_id=item.message.request_id,
                credential=item.message.authority,
                violations=item.violations,
                body_bytes=len(body),
            )
            await self._bodies.put(key, body)
            await add_to_quarantine(AddToQuarantine(entry, dead_row(item) if with_row else None), uow)
            await uow.commit()
        return digest

    async def keep_message(self, record: QueueRecord, error: Exception) -> None:
        """Keep a message that is none of ours."""
        body = record.body.encode(errors="surrogatepass")
        digest = hashlib.sha256(body).hexdigest()
        key = f"{PREFIX}{digest}.txt"
        entry = QuarantineEntry(
            digest, key, Reason.UNREADABLE, str(error), content_type="text/plain", body_bytes=len(body)
        )
        await self._bodies.put(key, body, content_type="text/plain")
        await self._add(AddToQuarantine(entry))
        logger.warning("message in quarantine", message_id=record.message_id, sha256=digest)

    async def _add(self, command: AddToQuarantine) -> None:
        await run(LrsUnitOfWork(self._database, clock=self._clock), add_to_quarantine, command)


async def _without_erased(item: Rejected, uow: LrsUnitOfWork) -> Rejected:
    statement, payload = item.statement, item.statement.payload
    try:
        keys = found_by(statement.id, item.message.stored_at, payload).keys
    except Exception:  # noqa: BLE001 - what has no keys is no statement by which anybody could be known
        return item
    erased = await uow.erasures.recognise(keys)
    if not erased:
        return item
    return replace(item, statement=replace(statement, payload=without_erased(statement.id, payload, erased)))


def _digest(item: Rejected) -> str:
    """The hash a statement is kept under: the same when its message comes again and is stamped anew."""
    return hashlib.sha256(to_json({**item.statement.payload, "stored": None})).hexdigest()
