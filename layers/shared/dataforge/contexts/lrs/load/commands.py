"""Load statements: from queue messages into raw and flat rows, each once, whatever arrives twice or out of order.

A batch of messages is one transaction. If the database refuses a value, the batch is taken apart until the statement
that carries it stands alone; that one goes into quarantine with its error and its place, and all others are loaded.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from dataforge.contexts.lrs.contract import LessonDirectory
from dataforge.contexts.lrs.erasures.domain import without_erased
from dataforge.contexts.lrs.flat_rows.commands import write_flat
from dataforge.contexts.lrs.flat_rows.domain import FlatRow, HomePages, flat_row
from dataforge.contexts.lrs.load.domain import (
    LoadResult,
    Sent,
    UnregisteredRequests,
    first_of_each,
    other_content,
    raw_row,
    rejection,
    stored_at,
)
from dataforge.contexts.lrs.search.domain import Found, found_by
from dataforge.contexts.lrs.statements.domain import content_sha256
from dataforge.contexts.lrs.statements.domain.messages import StatementMessage
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork


@dataclass(frozen=True, slots=True)
class LoadMessages:
    """Messages to load; `flatten` False leaves the flat rows to the incremental job.

    `known_from` is since when the store knows statements that say they were stored in the past.
    """

    messages: Sequence[StatementMessage]
    home_pages: HomePages
    lessons: LessonDirectory
    flatten: bool = True
    known_from: datetime | None = None


async def load_messages(command: LoadMessages, uow: LrsUnitOfWork) -> LoadResult:
    """Write the statements of the messages; raises UnregisteredRequests before anything is written.

    Same id with another content: the stored statement stays and the other is rejected, for the caller to keep.
    """
    result, requests = LoadResult(), {message.request_id for message in command.messages}
    first = first_of_each(command.messages, result)
    read = {statement_id: _read(sent, command, result) for statement_id, sent in sorted(first.items())}
    good = {statement_id: item for statement_id, item in read.items() if item is not None}
    await uow.index.lock_references(exclusive=any(found.refers_to for found, _ in good.values()))
    await _require_registered(command.messages, uow)
    for statement_id, sent in (await _without_erased(first, good, uow)).items():
        first[statement_id] = sent
        if (again := _read(sent, command, result)) is not None:
            good[statement_id] = again
    state = "done" if command.flatten else "pending"
    new = await uow.raw.insert([raw_row(*first[statement_id], state) for statement_id in good], keyed=True)
    await _reject_other_contents(first, good.keys() - new, uow, result)
    await uow.index.add([found for found, _ in good.values() if found.statement_id in new])
    if command.flatten:
        flat = [row for found, row in good.values() if found.statement_id in new and row is not None]
        known_from = {} if command.known_from is None else dict.fromkeys(new, command.known_from)
        await write_flat(flat, uow, command.lessons, known_from=known_from)
    await uow.raw.forget_requests(requests)
    await uow.raw.forget_pending(first)
    result.new, result.known = len(new), len(good) - len(new)
    return result


async def _without_erased(
    first: dict[UUID, Sent], good: dict[UUID, tuple[Found, FlatRow | None]], uow: LrsUnitOfWork
) -> dict[UUID, Sent]:
    """Statements with people who are erased, without them. Asked under the lock that an erasure waits for."""
    erased = await uow.erasures.recognise({key for found, _ in good.values() for key in found.keys})
    changed = {}
    for statement_id, (found, _) in good.items():
        if not erased.keys().isdisjoint(found.keys):
            message, item = first[statement_id]
            payload = without_erased(item.id, item.payload, erased)
            changed[statement_id] = message, replace(item, payload=payload, sha=bytes.fromhex(content_sha256(payload)))
    return changed


async def _require_registered(messages: Sequence[StatementMessage], uow: LrsUnitOfWork) -> None:
    registered = await uow.raw.lock_requests({message.request_id for message in messages})
    missing = {m.request_id for m in messages if not m.registered or m.request_id not in registered}
    if missing:
        raise UnregisteredRequests(sorted(missing))


async def _reject_other_contents(
    first: dict[UUID, Sent], known: set[UUID], uow: LrsUnitOfWork, result: LoadResult
) -> None:
    for statement_id in sorted(
        await uow.raw.with_other_content({known_id: first[known_id][1].sha for known_id in known})
    ):
        result.rejected.append(other_content(*first[statement_id]))


def _read(sent: Sent, command: LoadMessages, result: LoadResult) -> tuple[Found, FlatRow | None] | None:
    message, item = sent
    try:
        found = found_by(item.id, stored_at(message, item), item.payload)
        return found, flat_row(item.payload, command.home_pages) if command.flatten else None
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one statement must not stop the others
        result.rejected.append(rejection(message, item, error))
        return None
