"""Load statements: from queue messages into raw and flat rows, each once, whatever arrives twice or out of order.

A batch of messages is one transaction. If the database refuses a value, the batch is taken apart until the statement
that carries it stands alone; that one goes into quarantine with its error and its place, and all others are loaded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from dataforge.contexts.lrs.contract import LessonDirectory
from dataforge.contexts.lrs.flat_rows.commands import write_flat
from dataforge.contexts.lrs.flat_rows.domain import FlatRow, HomePages, flat_row, is_voiding
from dataforge.contexts.lrs.load.domain import (
    LoadResult,
    Sent,
    UnregisteredRequests,
    first_of_each,
    other_content,
    raw_row,
    rejection,
)
from dataforge.contexts.lrs.statements.domain.messages import StatementMessage
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork


@dataclass(frozen=True, slots=True)
class LoadMessages:
    """Messages to load; `flatten` False leaves the flat rows to the incremental job."""

    messages: Sequence[StatementMessage]
    home_pages: HomePages
    lessons: LessonDirectory
    flatten: bool = True


async def load_messages(command: LoadMessages, uow: LrsUnitOfWork) -> LoadResult:
    """Write the statements of the messages; raises UnregisteredRequests before anything is written.

    Same id with another content: the stored statement stays and the other is rejected, for the caller to keep.
    """
    result, requests = LoadResult(), {message.request_id for message in command.messages}
    voiding = any(is_voiding(item.payload) for message in command.messages for item in message.statements)
    await uow.flat.lock_voiding(exclusive=voiding and command.flatten)
    await _require_registered(command.messages, uow)
    first = first_of_each(command.messages, result)
    rows = {
        statement_id: _flattened(sent, command.home_pages, result) if command.flatten else None
        for statement_id, sent in first.items()
    }
    bad = {rejected.statement.id for rejected in result.rejected if rejected.reason == "unflattenable"}
    raw = [
        raw_row(message, item, "done" if command.flatten else "pending")
        for statement_id, (message, item) in sorted(first.items())
        if statement_id not in bad
    ]
    new = await uow.raw.insert(raw)
    await _reject_other_contents(first, set(first) - new - bad, uow, result)
    if command.flatten:
        flat = [row for statement_id, row in sorted(rows.items()) if statement_id in new and row is not None]
        await write_flat(flat, uow, command.lessons)
    await uow.raw.forget_requests(requests)
    result.new, result.known = len(new), len(first) - len(new) - len(bad)
    return result


async def _require_registered(messages: Sequence[StatementMessage], uow: LrsUnitOfWork) -> None:
    registered = await uow.raw.lock_requests({message.request_id for message in messages})
    missing = {m.request_id for m in messages if not m.registered or m.request_id not in registered}
    if missing:
        raise UnregisteredRequests(sorted(missing))


async def _reject_other_contents(
    first: dict[UUID, Sent], known: set[UUID], uow: LrsUnitOfWork, result: LoadResult
) -> None:
    for statement_id, sha in (await uow.raw.hashes(sorted(known))).items():
        message, item = first[statement_id]
        if sha != item.sha:
            result.rejected.append(other_content(message, item))


def _flattened(sent: Sent, home_pages: HomePages, result: LoadResult) -> FlatRow | None:
    message, item = sent
    try:
        return flat_row(item.payload, home_pages)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one statement must not stop the others
        result.rejected.append(rejection(message, item, error))
        return None
