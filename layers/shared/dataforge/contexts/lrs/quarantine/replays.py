"""Replay what is in quarantine, and end what is done with: each step may be killed, and may be repeated.

A replay says first which statements it will make (their ids do not change from one try to the next), then gives them to
the acceptor as if their sender had sent them again, and then marks the entry. After a kill in between the next replay
finds the statements and only marks.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from dataforge.contexts.identity.contract import XapiCredential
from dataforge.contexts.lrs.attachments.domain import is_mixed, read_mixed
from dataforge.contexts.lrs.quarantine.domain import (
    KeptEntry,
    QuarantineEnded,
    QuarantineState,
    Reason,
    ReplayImpossible,
    ReplayUnderWay,
    with_ids,
    with_own_time,
)
from dataforge.contexts.lrs.quarantine.queries import any_stored, kept_entry, raw_body
from dataforge.contexts.lrs.statements.commands import AcceptStatements
from dataforge.contexts.lrs.statements.domain import XapiVersion, parse_body, prepare_batch, to_json
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.kernel.errors import DataForgeError, ObjectMissing
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from dataforge.contexts.lrs.module import LrsServices

_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class ReplayOutcome:
    """What became of an entry: its statements if it made any, and whether that had been done before."""

    id: UUID
    state: QuarantineState
    statement_ids: Sequence[UUID]
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class EndReplay:
    """Mark an entry as replayed with a body of this hash."""

    kept: KeptEntry
    sha256: str
    corrected: bool
    revive: bool = False


@dataclass(frozen=True, slots=True)
class BeginReplay:
    """Claim an entry for a replay that makes these statements."""

    entry_id: UUID
    sha256: str
    ids: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class DiscardEntry:
    """Say that nothing will come of an entry; its body goes."""

    entry_id: UUID


async def begin_replay(command: BeginReplay, uow: LrsUnitOfWork) -> bool:
    """Claim the entry; False while another body is being replayed."""
    return await uow.quarantine.begin_replay(command.entry_id, command.sha256, command.ids)


async def give_up_replay(entry_id: UUID, uow: LrsUnitOfWork) -> None:
    """Take the claim back."""
    await uow.quarantine.give_up_replay(entry_id)


async def end_replay(command: EndReplay, uow: LrsUnitOfWork) -> bool:
    """Mark the entry; False if somebody else has."""
    if command.revive and command.kept.entry.statement_id is not None:
        await uow.quarantine.revive(command.kept.entry.statement_id)
    ended = await uow.quarantine.end_replay(command.kept.id, command.sha256, uow.now)
    if ended:
        after = {"state": "replayed", "corrected": command.corrected}
        uow.audit(AuditEntry("replayed", "quarantine_entry", str(command.kept.id), {"state": "waiting"}, after))
    return ended


async def discard_entry(command: DiscardEntry, uow: LrsUnitOfWork) -> bool:
    """Mark the entry as discarded; False if it has ended already."""
    ended = await uow.quarantine.discard(command.entry_id, uow.now)
    if ended:
        before, after = {"state": "waiting"}, {"state": "discarded"}
        uow.audit(AuditEntry("discarded", "quarantine_entry", str(command.entry_id), before, after))
    return ended


class QuarantineDesk:
    """Reads, replays and discards entries on behalf of whom `unit_of_work` makes units of work for."""

    def __init__(self, services: "LrsServices", unit_of_work: Callable[[], LrsUnitOfWork]) -> None:
        self._services = services
        self._unit_of_work = unit_of_work

    async def body(self, kept: KeptEntry) -> bytes | None:
        """What was sent; None when it is not there (any more)."""
        entry = kept.entry
        if entry.s3_key is not None:
            try:
                return await self._services.platform.objects.get(entry.s3_key)
            except ObjectMissing:
                return None
        if entry.statement_id is None or kept.state is QuarantineState.DISCARDED:
            return None
        async with self._services.database.read_only() as connection:
            return await raw_body(connection, entry.statement_id)

    async def replay(self, entry_id: UUID, correction: object = None) -> ReplayOutcome:
        """Give the entry, or its corrected body, to where it was going; a second replay changes nothing.

        Raises NotFound, QuarantineEnded, ReplayUnderWay, ReplayImpossible, and what the acceptor raises.
        """
        kept = await self._kept(entry_id)
        if kept.state is QuarantineState.REPLAYED:
            return ReplayOutcome(entry_id, kept.state, kept.replay_ids, repeated=True)
        if kept.state is QuarantineState.DISCARDED:
            message = Text(
                "Entry {entry_id} was discarded; its body is gone. Ask the sender to send it again.", entry_id=entry_id
            )
            raise QuarantineEnded(message)
        if correction is None and kept.entry.reason is Reason.UNREADABLE:
            return await self._queue_again(kept)
        if correction is None and kept.entry.reason is Reason.UNFLATTENABLE:
            async with self._services.database.read_only() as connection:
                stored = kept.entry.statement_id and await raw_body(connection, kept.entry.statement_id)
            if stored:
                return await self._flatten_again(kept)
        return await self._accept_again(kept, correction)

    async def discard(self, entry_id: UUID) -> QuarantineState:
        """End the entry and delete its body; one that has ended stays as it is. Raises NotFound."""
        kept = await self._kept(entry_id)
        if await run(self._unit_of_work(), discard_entry, DiscardEntry(entry_id)):
            await self._delete_body(kept)
            return QuarantineState.DISCARDED
        return (await self._kept(entry_id)).state

    async def _kept(self, entry_id: UUID) -> KeptEntry:
        async with self._services.database.read_only() as connection:
            return await kept_entry(connection, entry_id)

    async def _delete_body(self, kept: KeptEntry) -> None:
        key = kept.entry.s3_key
        if key is None:
            return
        async with self._unit_of_work() as uow:
            unused = await uow.quarantine.unused([key], [kept.id])
        await self._services.platform.objects.delete(unused)

    async def _queue_again(self, kept: KeptEntry) -> ReplayOutcome:
        body = await self._required_body(kept)
        await self._claim(kept, kept.entry.body_sha256, ())
        await self._services.statements_queue.send(body.decode(errors="surrogatepass"))
        return await self._end(EndReplay(kept, kept.entry.body_sha256, corrected=False), ())

    async def _flatten_again(self, kept: KeptEntry) -> ReplayOutcome:
        ids = [kept.entry.statement_id] if kept.entry.statement_id else []
        await self._claim(kept, kept.entry.body_sha256, ids)
        return await self._end(EndReplay(kept, kept.entry.body_sha256, corrected=False, revive=True), ids)

    async def _accept_again(self, kept: KeptEntry, correction: object) -> ReplayOutcome:
        credential = await self._credential(kept)
        command = await self._command(kept, correction, credential)
        authority, now = dict(credential.authority), self._services.clock.now()
        timed = with_own_time(command.body, kept.received_at)
        prepared = prepare_batch(timed, authority=authority, version=command.version, now=now, deduplicate=True)
        ids = [UUID(item) for item in prepared.ids]
        body = with_ids(timed, prepared.ids)
        sha256 = hashlib.sha256(to_json(body.statements)).hexdigest()
        if not await self._was_accepted(kept):
            await self._claim(kept, sha256, ids)
            try:
                again = AcceptStatements(body, credential, command.version, command.attachments)
                await self._services.acceptor.accept(again)
            except DataForgeError:
                await run(self._unit_of_work(), give_up_replay, kept.id)
                raise
            return await self._end(EndReplay(kept, sha256, corrected=correction is not None), ids)
        return await self._end_killed(kept)

    async def _was_accepted(self, kept: KeptEntry) -> bool:
        """Whether an earlier replay was killed after its statements were accepted."""
        if not kept.replay_ids:
            return False
        async with self._services.database.read_only() as connection:
            return await any_stored(connection, kept.replay_ids)

    async def _end_killed(self, kept: KeptEntry) -> ReplayOutcome:
        sha256 = kept.replay_sha256 or ""
        ended = await self._end(EndReplay(kept, sha256, corrected=False), kept.replay_ids)
        return ReplayOutcome(ended.id, ended.state, ended.statement_ids, repeated=True)

    async def _claim(self, kept: KeptEntry, sha256: str, ids: Sequence[UUID]) -> None:
        if not await run(self._unit_of_work(), begin_replay, BeginReplay(kept.id, sha256, ids)):
            message = Text(
                "Entry {id} is being replayed with another body; look at it again in two minutes.", id=kept.id
            )
            raise ReplayUnderWay(message, headers={"Retry-After": "120"})

    async def _end(self, command: EndReplay, ids: Sequence[UUID]) -> ReplayOutcome:
        ended = await run(self._unit_of_work(), end_replay, command)
        state = QuarantineState.REPLAYED if ended else (await self._kept(command.kept.id)).state
        return ReplayOutcome(command.kept.id, state, ids, repeated=not ended)

    async def _required_body(self, kept: KeptEntry) -> bytes:
        body = await self.body(kept)
        if body is None:
            message = Text("The body of entry {id} is not kept; send the corrected statements as `body`.", id=kept.id)
            raise ReplayImpossible(message)
        return body

    async def _command(self, kept: KeptEntry, correction: object, credential: XapiCredential) -> AcceptStatements:
        """The request as it was, or as it should have been; attachments are those that came with it."""
        entry = kept.entry
        version = XapiVersion(entry.xapi_version) if entry.xapi_version else XapiVersion.V2_0
        if correction is not None and not is_mixed(entry.content_type):
            return AcceptStatements(parse_body(to_json(correction), _JSON), credential, version)
        content = await self._required_body(kept)
        if not is_mixed(entry.content_type):
            return AcceptStatements(parse_body(content, entry.content_type), credential, version)
        body, attachments = read_mixed(content, entry.content_type)
        if correction is not None:
            corrected = parse_body(to_json(correction), _JSON)
            body = type(body)(corrected.statements, corrected.is_array, part_hashes=body.part_hashes)
        return AcceptStatements(body, credential, version, attachments)

    async def _credential(self, kept: KeptEntry) -> XapiCredential:
        found = await self._services.credential_register.find(kept.entry.credential or "")
        if found is None:
            message = Text(
                "The credential that sent entry {id} is not known; its statements would have no authority.", id=kept.id
            )
            raise ReplayImpossible(message)
        return found
