"""What travels from the xAPI endpoint to the tables: one message per request.

    {"schema": 1, "request_id": …, "authority": key id, "source": "xapi", "stored": …, "noted": …, "defines": …,
     "statements": […]}
    {"schema": 1, "request_id": …, "authority": key id, "source": "xapi", "stored": …, "noted": …, "defines": …,
     "body_key": "…"}

A statement is `{"sha": content hash, "statement": {…}}`. A request larger than a message may be has its
statements in an S3 object instead, as a JSON array under `body_key`: a request is always one message, queued or not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dataforge.contexts.lrs.statements.domain import PreparedStatement, parse_timestamp, read_json, to_json
from dataforge.kernel.texts import Text

SCHEMA = 1
MAX_INLINE_BYTES = 900 * 1024
"""Below SQS's limit of 1 MiB with room for its own attributes."""
BODY_PREFIX = "queue-bodies/"


class UnreadableMessage(ValueError):
    """The message is not one of ours; repeating it changes nothing."""


@dataclass(frozen=True, slots=True)
class QueuedStatement:
    """A statement on its way: `sha` is the hash of its content as received (32 bytes)."""

    id: UUID
    sha: bytes
    payload: dict[str, object]


@dataclass(frozen=True, slots=True)
class StatementMessage:
    """One request. `statements` is empty while they are still in S3 under `body_key`.

    `registered`: the request was registered in time, so that its `stored` holds (see statements.repository). `defines`:
    its credential may define activities (scope `define`).
    """

    request_id: UUID
    authority: str
    source: str
    stored_at: datetime
    registered: bool
    statements: tuple[QueuedStatement, ...] = ()
    body_key: str | None = None
    defines: bool = False


def statements_json(statements: Sequence[PreparedStatement]) -> bytes:
    """The statements of a request as a JSON array."""
    return b"[%s]" % b",".join(
        b'{"sha":"%s","statement":%s}' % (item.content_sha256.encode(), item.to_json()) for item in statements
    )


def message_json(
    *,
    request_id: UUID,
    authority: str,
    stored_at: datetime,
    registered: bool,
    statements: bytes | None = None,
    body_key: str | None = None,
    defines: bool = False,
) -> bytes:
    """A message with its statements inside (`statements_json`) or in S3 (`body_key`)."""
    head: dict[str, object] = {
        "schema": SCHEMA,
        "request_id": str(request_id),
        "authority": authority,
        "source": "xapi",
        "stored": stored_at.isoformat(),
        "noted": registered,
        "defines": defines,
    }
    if body_key is not None:
        return to_json({**head, "body_key": body_key})
    return to_json(head)[:-1] + b',"statements":%s}' % (statements or b"[]")


def read_message(body: str | bytes) -> StatementMessage:
    """A message back from the queue; raises UnreadableMessage."""
    try:
        found = read_json(body)
        if not isinstance(found, dict) or found.get("schema") != SCHEMA:
            message = Text("it is not a statements message of schema 1")
            raise UnreadableMessage(message)
        stored_at = parse_timestamp(found["stored"])
        if stored_at is None:
            message = Text("`stored` is not a timestamp")
            raise UnreadableMessage(message)
        body_key = found.get("body_key")
        if body_key is not None and not (isinstance(body_key, str) and body_key.startswith(BODY_PREFIX)):
            message = Text("`body_key` is not one of ours")
            raise UnreadableMessage(message)
        return StatementMessage(
            request_id=UUID(found["request_id"]),
            authority=str(found["authority"]),
            source=str(found["source"]),
            stored_at=stored_at,
            registered=found["noted"] is True,
            statements=() if body_key else _statements(found["statements"]),
            body_key=body_key,
            defines=found.get("defines") is True,
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        message = Text("The message cannot be read: {name}: {error}", name=type(error).__name__, error=error)
        raise UnreadableMessage(message) from error


def read_statements(body: str | bytes) -> tuple[QueuedStatement, ...]:
    """The statements of an S3 body; raises UnreadableMessage."""
    try:
        return _statements(read_json(body))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        message = Text(
            "The body of the message cannot be read: {name}: {error}", name=type(error).__name__, error=error
        )
        raise UnreadableMessage(message) from error


def _statements(found: object) -> tuple[QueuedStatement, ...]:
    if not isinstance(found, list):
        message = "`statements` is not an array"
        raise TypeError(message)
    return tuple(
        QueuedStatement(UUID(item["statement"]["id"]), bytes.fromhex(item["sha"]), item["statement"]) for item in found
    )
