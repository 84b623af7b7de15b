"""Land statements: from queue messages into raw and flat rows, each once, whatever arrives twice or out of order.

A batch of messages is one transaction. If the database refuses a value, the batch is taken apart until the statement
that carries it stands alone; that one is set aside with its error and its place, and all others land.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from dataforge.contexts.records.contract import LessonCompleted
from dataforge.contexts.records.domain.flat_rows import FlatRow, HomePages, Landed, flat_row, is_voiding
from dataforge.contexts.records.domain.messages import QueuedStatement, StatementMessage
from dataforge.contexts.records.ports import RawRow, RecordsUnitOfWork, StatementTables
from dataforge.contexts.records.statements import (
    XapiVersion,
    format_timestamp,
    parse_timestamp,
    validate_statement,
)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A statement that cannot land: why, and where in it."""

    message: StatementMessage
    statement: QueuedStatement
    reason: str
    error: str
    pointer: str | None = None


@dataclass(slots=True)
class Landing:
    """What became of a batch: counts, statements to set aside, and requests that must be noted first."""

    new: int = 0
    known: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    unnoted: list[UUID] = field(default_factory=list)


class UnknownRequests(Exception):
    """Some requests have no note that counts; they are noted and the batch is tried again."""

    def __init__(self, request_ids: Sequence[UUID]) -> None:
        super().__init__(f"{len(request_ids)} requests are not noted")
        self.request_ids = list(request_ids)


@dataclass(frozen=True, slots=True)
class LandMessages:
    """Messages to land; `flatten` False leaves the flat rows to the incremental job."""

    messages: Sequence[StatementMessage]
    home_pages: HomePages
    flatten: bool = True


async def land_messages(command: LandMessages, uow: RecordsUnitOfWork) -> Landing:
    """Write the statements of the messages; raises UnknownRequests before anything is written.

    Same id with another content: the stored statement stays and the other is rejected. The caller sets it aside.
    """
    landing, tables = Landing(), uow.statements
    requests = {message.request_id for message in command.messages}
    voiding = any(is_voiding(item.payload) for message in command.messages for item in message.statements)
    await tables.lock_voiding(exclusive=voiding and command.flatten)
    known = await tables.known_requests(requests)
    unnoted = [m.request_id for m in command.messages if not m.noted or m.request_id not in known]
    if unnoted:
        raise UnknownRequests(sorted(set(unnoted)))
    first = _first_of_each(command.messages, landing)
    rows = {
        statement_id: _flattened(message, item, command.home_pages, landing) if command.flatten else None
        for statement_id, (message, item) in first.items()
    }
    bad = {rejected.statement.id for rejected in landing.rejected if rejected.reason == "unflattenable"}
    raw = [
        _raw_row(message, item, "done" if command.flatten else "pending")
        for statement_id, (message, item) in sorted(first.items())
        if statement_id not in bad
    ]
    new = await tables.insert_raw(raw)
    await _reject_other_contents(first, set(first) - new - bad, tables, landing)
    if command.flatten:
        flat = [row for statement_id, row in sorted(rows.items()) if statement_id in new and row is not None]
        await write_flat(flat, uow)
    await tables.landed_requests(requests)
    landing.new, landing.known = len(new), len(first) - len(new) - len(bad)
    return landing


async def write_flat(rows: Sequence[FlatRow], uow: RecordsUnitOfWork) -> Sequence[Landed]:
    """Insert flat rows (in order of id) with their people and lessons, void, and publish completions."""
    tables = uow.statements
    voids = {row.voids: row.flat.statement_id for row in rows if row.voids is not None}
    if voids:
        await tables.void(voids, uow.now)
    people = await tables.people(
        {row.actor_email for row in rows if row.actor_email}, {row.actor_account for row in rows if row.actor_account}
    )
    by_email = {person.email: person.user_id for person in people}
    by_avatar = {person.avatar: person.user_id for person in people}
    lessons = await tables.lessons({row.lesson_url for row in rows if row.lesson_url})

    def person_of(row: FlatRow) -> UUID | None:
        found = by_email.get(row.actor_email) if row.actor_email else None
        return found or (by_avatar.get(row.actor_account) if row.actor_account else None)

    def lesson_of(row: FlatRow) -> UUID | None:
        found = lessons.get(row.lesson_url) if row.lesson_url else None
        return found.lesson_id if found else None

    landed = await tables.insert_flat([(row, person_of(row), lesson_of(row)) for row in rows], uow.now)
    sections = {lesson.lesson_id: lesson.section_id for lesson in lessons.values()}
    tables.completed(completions(landed, sections))
    return landed


def completions(landed: Iterable[Landed], sections: "dict[UUID, UUID | None]") -> list[LessonCompleted]:
    """The events of rows that complete a known lesson for a known person."""
    return [
        LessonCompleted(
            row.user_id, row.lesson_id, sections.get(row.lesson_id), row.statement_id, row.score, row.occurred_at
        )
        for row in landed
        if row.completes and not row.voided and row.user_id is not None and row.lesson_id is not None
    ]


def _first_of_each(
    messages: Sequence[StatementMessage], landing: Landing
) -> dict[UUID, tuple[StatementMessage, QueuedStatement]]:
    """Each id once; another content for an id of this very batch is rejected like one for a stored id."""
    first: dict[UUID, tuple[StatementMessage, QueuedStatement]] = {}
    for message in messages:
        for item in message.statements:
            _, kept = first.setdefault(item.id, (message, item))
            if kept.sha != item.sha:
                landing.rejected.append(_other_content(message, item))
    return first


def _other_content(message: StatementMessage, item: QueuedStatement) -> Rejected:
    error = f"The id {item.id} is stored with another content, which stays as it is."
    return Rejected(message, item, "conflict", error, "/id")


async def _reject_other_contents(
    first: dict[UUID, tuple[StatementMessage, QueuedStatement]],
    known: set[UUID],
    tables: StatementTables,
    landing: Landing,
) -> None:
    for statement_id, sha in (await tables.stored_hashes(sorted(known))).items():
        message, item = first[statement_id]
        if sha != item.sha:
            landing.rejected.append(_other_content(message, item))


def _flattened(
    message: StatementMessage, item: QueuedStatement, home_pages: HomePages, landing: Landing
) -> FlatRow | None:
    try:
        return flat_row(item.payload, home_pages)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one statement must not stop the others
        landing.rejected.append(rejection(message, item, error))
        return None


def rejection(message: StatementMessage, item: QueuedStatement, error: Exception) -> Rejected:
    """Why a statement cannot be flattened or stored: the broken rule and its place if there is one."""
    found = validate_statement(item.payload, version=XapiVersion.V2_0, path="")
    if found:
        return Rejected(message, item, "unflattenable", found[0].message, found[0].pointer)
    return Rejected(message, item, "unflattenable", f"{type(error).__name__}: {error}")


def _raw_row(message: StatementMessage, item: QueuedStatement, state: str, error: str | None = None) -> RawRow:
    stored_at = parse_timestamp(str(item.payload.get("stored"))) or message.stored_at
    return RawRow(
        statement_id=item.id,
        payload=item.payload,
        sha=item.sha,
        source=message.source,
        authority=message.authority,
        occurred_at=parse_timestamp(str(item.payload.get("timestamp"))) or stored_at,
        stored_at=stored_at,
        state=state,
        error=error,
    )


def dead_row(rejected: Rejected) -> RawRow:
    """The raw row of a statement that has no flat one: kept with its error, so that it can be repaired and replayed."""
    where = f"{rejected.pointer}: " if rejected.pointer else ""
    return _raw_row(rejected.message, rejected.statement, "dead", f"{where}{rejected.error}"[:2000])


def restamped(message: StatementMessage, stored_at: datetime) -> StatementMessage:
    """The message with a later `stored`, one microsecond apart in request order."""
    statements = tuple(
        replace(item, payload={**item.payload, "stored": format_timestamp(stored_at + timedelta(microseconds=index))})
        for index, item in enumerate(message.statements)
    )
    return replace(message, stored_at=stored_at, noted=True, statements=statements)
