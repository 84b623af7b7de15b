"""What is imported, how a line becomes a statement, and what is reported of those that do not."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from dataforge.contexts.lrs.attachments.domain import shas_named
from dataforge.contexts.lrs.load.domain import Rejected
from dataforge.contexts.lrs.statements.domain import (
    InvalidStatements,
    StatementsBody,
    XapiVersion,
    actor_key,
    format_timestamp,
    parse_json,
    parse_timestamp,
    prepare_batch,
)
from dataforge.contexts.lrs.statements.domain.messages import QueuedStatement
from dataforge.kernel.errors import BadRequest, DataForgeError, Violation
from dataforge.kernel.texts import Text

KIND = "import_statements"
UPLOAD_PREFIX = "uploads/statements/"
MAX_FILE_BYTES = 5 * 1024**3
MAX_LINE_BYTES = 4 * 1024 * 1024
MAX_PROBLEMS = 500
"""How many lines the report names; the others are counted, and all are in quarantine."""
CREDENTIAL = "import"
"""What imported statements have in place of the credential they came with."""
_AUTHORITY = {"objectType": "Agent", "account": {"homePage": "https://dataforge.invalid", "name": "import"}}


class ImportUnreadable(BadRequest):
    """There is no such upload of the caller, or it cannot be read as lines of JSON."""

    code = "import_unreadable"
    title = "The file cannot be imported"


class OtherStoreRefused(BadRequest):
    """The other store answers so that the import cannot go on; the message says how."""

    code = "other_store_refused"
    title = "The other store refuses to be read"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file, or a statement of a page: its number from 1, and its bytes."""

    number: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no statement: why, and where in it."""

    line: Line
    message: str
    violations: tuple[Violation, ...] = ()

    @property
    def pointer(self) -> str | None:
        """The first place that is wrong."""
        return self.violations[0].pointer if self.violations else None


@dataclass(frozen=True, slots=True)
class ImportedStatement:
    """A statement as it is to be stored."""

    line: Line
    statement: QueuedStatement
    stored_at: datetime


def read_line(line: Line, now: datetime) -> ImportedStatement | BadLine:
    """The statement of a line: its id, `stored`, `timestamp` and authority stay as they are, and are made if missing.

    An id that is made is made of the line, so that the same line is the same statement again.
    """
    if len(line.raw) > MAX_LINE_BYTES:
        return BadLine(line, Text("The line has more than {max_line_bytes:,} bytes.", max_line_bytes=MAX_LINE_BYTES))
    try:
        given = parse_json(line.raw)
    except DataForgeError as error:
        return BadLine(line, error.detail, tuple(error.violations))
    if not isinstance(given, dict):
        return BadLine(line, Text("The line is JSON, but no statement."))
    stored = _stored(given, now)
    if stored is None:
        return _wrong(line, "/stored", Text("must be a time such as 2026-05-04T10:00:00Z"))
    if stored > now:
        return _wrong(line, "/stored", Text("lies in the future"))
    return _prepared(line, given, stored)


def _stored(given: Mapping[str, Any], now: datetime) -> datetime | None:
    if "stored" in given:
        return parse_timestamp(given["stored"]) if isinstance(given["stored"], str) else None
    happened = given.get("timestamp")
    # One that is to happen yet was stored before it does.
    return min(now, (parse_timestamp(happened) if isinstance(happened, str) else None) or now)


def _prepared(line: Line, given: dict[str, Any], stored: datetime) -> ImportedStatement | BadLine:
    authority: dict[str, Any] = given.get("authority", _AUTHORITY)
    # Its data may be here, or come later; what names it is stored all the same.
    body = StatementsBody([given], is_array=False, part_hashes=frozenset(shas_named(given)))
    failed: InvalidStatements | None = None
    for version in (XapiVersion.V1_0, XapiVersion.V2_0):
        try:
            (found,) = prepare_batch(body, authority=authority, version=version, now=stored).statements
        except InvalidStatements as error:
            failed = failed or error
            continue
        kept: dict[str, object] = {name: given[name] for name in ("stored", "timestamp", "version") if name in given}
        statement_id = found.id if "id" in given else _derived_id(given, found.content_sha256)
        made = {"id": str(statement_id), "stored": format_timestamp(stored)}
        payload: dict[str, object] = {**found.payload, **made, **kept}
        queued = QueuedStatement(statement_id, bytes.fromhex(found.content_sha256), payload)
        return ImportedStatement(line, queued, stored)
    assert failed is not None  # noqa: S101 - one of the two has failed
    return BadLine(line, failed.detail, tuple(failed.violations))


def _derived_id(given: Mapping[str, Any], content: str) -> UUID:
    said = f"{content}\n{given.get('stored')}\n{actor_key(given.get('authority', _AUTHORITY))}"
    return UUID(bytes=hashlib.sha256(said.encode()).digest()[:16], version=4)


def _wrong(line: Line, pointer: str, message: str) -> BadLine:
    return BadLine(line, f"{pointer}: {message}.", (Violation(pointer, message),))


def refused_lines(lines: Sequence[ImportedStatement], rejected: Sequence[Rejected]) -> list[tuple[int, Rejected]]:
    """The numbers of the lines whose statements were rejected, and why; one statement may be in several lines."""
    first: dict[UUID, bytes] = {}
    for line in lines:
        first.setdefault(line.statement.id, line.statement.sha)
    said = {(line.statement.id, line.statement.sha) for line in lines}
    why: dict[tuple[UUID, bytes], Rejected] = {}
    for item in rejected:
        found = (item.statement.id, item.statement.sha)
        # One that erased people were taken out of has another hash: it was the first of its id.
        why[found if found in said else (item.statement.id, first[item.statement.id])] = item
    return [
        (line.line.number, why[found]) for line in lines if (found := (line.statement.id, line.statement.sha)) in why
    ]


@dataclass(slots=True)
class ImportReport:
    """How far an import is, and what it has found; `more` and `last_stored` say where another store is read on.

    `more` is the address of the next page, empty behind the last one.
    """

    lines: int = 0
    new: int = 0
    known: int = 0
    conflicts: int = 0
    bad: int = 0
    problems: list[dict[str, Any]] = field(default_factory=list)
    more: str | None = None
    last_stored: str | None = None

    def add_problems(self, found: Iterable[tuple[int, str, str | None, str]]) -> None:
        """Report lines (number, code, pointer, message), as many as there is room for."""
        for number, code, pointer, message in found:
            if len(self.problems) < MAX_PROBLEMS:
                self.problems.append({"line": number, "code": code, "pointer": pointer, "message": message[:500]})

    def summary(self) -> dict[str, Any]:
        """What people see when it has ended."""
        counts = {name: getattr(self, name) for name in ("lines", "new", "known", "conflicts", "bad")}
        return {**counts, "problems": self.problems}

    def to_json(self) -> dict[str, Any]:
        """The checkpoint."""
        return {**self.summary(), "more": self.more, "last_stored": self.last_stored}

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "ImportReport":
        """What a checkpoint says."""
        return cls(**{**values, "problems": list(values.get("problems", []))})
