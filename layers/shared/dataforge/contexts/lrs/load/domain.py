"""What becomes of the statements of a batch: a raw row, or a reason why not."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from dataforge.contexts.lrs.statements.domain import (
    XapiVersion,
    format_timestamp,
    parse_timestamp,
    validate_statement,
)
from dataforge.contexts.lrs.statements.domain.messages import QueuedStatement, StatementMessage
from dataforge.kernel.errors import Violation
from dataforge.kernel.texts import Text

Sent = tuple[StatementMessage, QueuedStatement]


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row of `statements_raw`."""

    statement_id: UUID
    payload: dict[str, object]
    sha: bytes
    source: str
    authority: str
    occurred_at: datetime
    stored_at: datetime
    state: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A statement that cannot be loaded: why, and where in it."""

    message: StatementMessage
    statement: QueuedStatement
    reason: str
    error: str
    violations: Sequence[Violation] = ()

    @property
    def pointer(self) -> str | None:
        """The first place that is wrong."""
        return self.violations[0].pointer if self.violations else None


@dataclass(slots=True)
class LoadResult:
    """What became of a batch: counts, and statements for quarantine."""

    new: int = 0
    known: int = 0
    rejected: list[Rejected] = field(default_factory=list)


class UnregisteredRequests(Exception):
    """Some requests are not registered in time; they are registered and the batch is tried again."""

    def __init__(self, request_ids: Sequence[UUID]) -> None:
        super().__init__(f"{len(request_ids)} requests are not registered")
        self.request_ids = list(request_ids)


def first_of_each(messages: Sequence[StatementMessage], result: LoadResult) -> dict[UUID, Sent]:
    """Each id once; another content for an id of this very batch is rejected like one for a stored id."""
    first: dict[UUID, Sent] = {}
    for message in messages:
        for item in message.statements:
            _, kept = first.setdefault(item.id, (message, item))
            if kept.sha != item.sha:
                result.rejected.append(other_content(message, item))
    return first


def other_content(message: StatementMessage, item: QueuedStatement) -> Rejected:
    """The rejection of a statement whose id another content has."""
    error = Text("The id {id} is stored with another content, which stays as it is.", id=item.id)
    return Rejected(message, item, "conflict", error, [Violation("/id", error, "conflict")])


def rejection(message: StatementMessage, item: QueuedStatement, error: Exception) -> Rejected:
    """Why a statement cannot be flattened or stored: the broken rule and its place if there is one."""
    found = validate_statement(item.payload, version=XapiVersion.V2_0, path="")
    if found:
        return Rejected(message, item, "unflattenable", found[0].message, found)
    return Rejected(message, item, "unflattenable", f"{type(error).__name__}: {error}")


def stored_at(message: StatementMessage, item: QueuedStatement) -> datetime:
    """When the statement was stored, as it says itself."""
    return parse_timestamp(str(item.payload.get("stored"))) or message.stored_at


def raw_row(message: StatementMessage, item: QueuedStatement, state: str, error: str | None = None) -> RawRow:
    """The raw row of a statement."""
    stored = stored_at(message, item)
    return RawRow(
        statement_id=item.id,
        payload=item.payload,
        sha=item.sha,
        source=message.source,
        authority=message.authority,
        occurred_at=parse_timestamp(str(item.payload.get("timestamp"))) or stored,
        stored_at=stored,
        state=state,
        error=error,
    )


def dead_row(rejected: Rejected) -> RawRow:
    """The raw row of a statement that has no flat one: kept with its error, so that it can be repaired and replayed."""
    where = f"{rejected.pointer}: " if rejected.pointer else ""
    return raw_row(rejected.message, rejected.statement, "dead", f"{where}{rejected.error}"[:2000])


def restamped(message: StatementMessage, stored_at: datetime) -> StatementMessage:
    """The message with a later `stored`, one microsecond apart in request order."""
    statements = tuple(
        replace(item, payload={**item.payload, "stored": format_timestamp(stored_at + timedelta(microseconds=index))})
        for index, item in enumerate(message.statements)
    )
    return replace(message, stored_at=stored_at, registered=True, statements=statements)


def halves(messages: Sequence[StatementMessage]) -> list[list[StatementMessage]] | None:
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
