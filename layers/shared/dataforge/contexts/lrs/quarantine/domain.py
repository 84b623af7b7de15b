"""What is known of something in quarantine, and what may become of it."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from dataforge.contexts.lrs.statements.domain import (
    StatementsBody,
    XapiVersion,
    format_timestamp,
    to_json,
    validate_statement,
)
from dataforge.contexts.lrs.statements.domain.json_text import pointer_token
from dataforge.kernel.errors import Conflict, Violation

KEEP_REFUSED = timedelta(days=14)
"""How long a refused request is kept: its sender has the answer, and what is in it is personal."""
KEEP_ENDED = timedelta(days=30)
"""How long it is remembered that something was replayed or discarded."""
MAX_REFUSED_BYTES = 256 * 1024
"""A refused body above this is not kept, only why it was refused."""
MAX_REFUSED_A_DAY = 200
"""Refused requests of one credential that are kept in a day; the others are counted."""
MAX_KEPT_VIOLATIONS = 100
UNDER_WAY = timedelta(minutes=2)
"""How long a replay may take before another body may be replayed instead."""


class Reason(StrEnum):
    """Why something is in quarantine."""

    REFUSED = "refused"
    CONFLICT = "conflict"
    UNFLATTENABLE = "unflattenable"
    UNREADABLE = "unreadable"


class QuarantineState(StrEnum):
    """What has become of it."""

    WAITING = "waiting"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


class QuarantineEnded(Conflict):
    """The entry was discarded; its body is no longer there."""

    code = "quarantine_ended"
    title = "The entry was discarded"


class ReplayUnderWay(Conflict):
    """Somebody replays the entry with another body at this moment; look at it again in two minutes."""

    code = "replay_under_way"
    title = "The entry is being replayed with another body"


class ReplayImpossible(Conflict):
    """The entry cannot be replayed as it is; correct its body, or discard it."""

    code = "replay_impossible"
    title = "The entry cannot be replayed as it is"


@dataclass(frozen=True, slots=True)
class QuarantineEntry:
    """Something that could not become a statement; the body is whole in S3.

    Without `s3_key` the body was too large to be kept, or is the raw row of the statement. Pointers of `violations` are
    into the body.
    """

    body_sha256: str
    s3_key: str | None
    reason: Reason
    error: str
    pointer: str | None = None
    statement_id: UUID | None = None
    request_id: UUID | None = None
    credential: str | None = None
    violations: Sequence[Violation] = ()
    content_type: str = "application/json"
    xapi_version: str | None = None
    body_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class KeptEntry:
    """An entry as it is stored."""

    id: UUID
    state: QuarantineState
    entry: QuarantineEntry
    received_at: datetime
    replay_sha256: str | None = None
    replay_ids: Sequence[UUID] = ()


def state_of(replayed_at: datetime | None, discarded_at: datetime | None) -> QuarantineState:
    """What has become of an entry."""
    if replayed_at is not None:
        return QuarantineState.REPLAYED
    return QuarantineState.WAITING if discarded_at is None else QuarantineState.DISCARDED


def dead_entry(statement_id: UUID, credential: str, payload: Mapping[str, object], error: Exception) -> QuarantineEntry:
    """The entry of a stored statement that could not be flattened at last; its body is its raw row."""
    body = to_json({**payload, "stored": None})
    found = validate_statement(payload, version=XapiVersion.V2_0, path="")
    return QuarantineEntry(
        body_sha256=hashlib.sha256(body).hexdigest(),
        s3_key=None,
        reason=Reason.UNFLATTENABLE,
        error=found[0].message if found else f"{type(error).__name__}: {error}",
        pointer=found[0].pointer if found else None,
        statement_id=statement_id,
        credential=credential,
        violations=found,
        body_bytes=len(body),
    )


def request_digest(credential: str, content_type: str, body: bytes) -> str:
    """What a refused request is known by: the same one that is sent again is kept once."""
    return hashlib.sha256(f"{credential}\n{content_type}\n".encode() + body).hexdigest()


def with_own_time(body: StatementsBody, received_at: datetime) -> StatementsBody:
    """The statements with the time of their arrival where the sender gave none.

    It is when they were said (Data 2.4.7), and it makes the ids of a replay the same each time (ADR 3).
    """
    time = format_timestamp(received_at)
    timed = [
        {**item, "timestamp": time} if isinstance(item, dict) and "timestamp" not in item else item
        for item in body.statements
    ]
    return replace(body, statements=timed)


def with_ids(body: StatementsBody, ids: Sequence[str]) -> StatementsBody:
    """The statements with these ids."""
    known = [
        {**item, "id": statement_id} if isinstance(item, dict) else item
        for item, statement_id in zip(body.statements, ids, strict=True)
    ]
    return replace(body, statements=known)


@dataclass(frozen=True, slots=True)
class Mark:
    """What is wrong at a place, and the number of the violation."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class BodyLine:
    """A line of a body as people read it; `messages` say what is wrong at the place that begins here."""

    text: str
    messages: Sequence[Mark] = ()


@dataclass(slots=True)
class _Marks:
    """What is to be said at which pointer, and what was."""

    messages: dict[str, list[Mark]] = field(default_factory=dict)

    def take(self, pointer: str) -> list[Mark]:
        return self.messages.pop(pointer, [])


def marked_lines(body: object, violations: Sequence[Mapping[str, object]]) -> list[BodyLine]:
    """A parsed body as indented lines, with each violation at its place.

    A violation whose place is not in the body (a missing property) stands at the nearest place around it.
    """
    places = set(_pointers(body, ""))
    marks = _Marks()
    for number, item in enumerate(violations, start=1):
        place = _nearest(str(item.get("pointer") or ""), places)
        marks.messages.setdefault(place, []).append(Mark(number, str(item["message"])))
    return list(_lines(body, "", "", "", "", marks))


def _nearest(pointer: str, places: set[str]) -> str:
    while pointer and pointer not in places:
        pointer = pointer.rpartition("/")[0]
    return pointer


def _pointers(value: object, path: str) -> Iterator[str]:
    yield path
    for token, item in _members(value):
        yield from _pointers(item, f"{path}/{token}")


def _members(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        yield from ((pointer_token(str(key)), item) for key, item in value.items())
    elif isinstance(value, list):
        yield from ((str(index), item) for index, item in enumerate(value))


def _lines(value: object, path: str, indent: str, before: str, after: str, marks: _Marks) -> Iterator[BodyLine]:
    messages = marks.take(path)
    if not isinstance(value, dict | list) or not value:
        yield BodyLine(f"{indent}{before}{to_json(value).decode()}{after}", messages)
        return
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    yield BodyLine(f"{indent}{before}{opening}", messages)
    names = [f"{to_json(str(key)).decode()}: " for key in value] if isinstance(value, dict) else [""] * len(value)
    last = len(names) - 1
    for index, (token, item) in enumerate(_members(value)):
        comma = "" if index == last else ","
        yield from _lines(item, f"{path}/{token}", indent + "  ", names[index], comma, marks)
    yield BodyLine(f"{indent}{closing}{after}")
