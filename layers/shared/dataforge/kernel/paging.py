"""Keyset cursors: opaque to clients, signed so that they cannot be forged, bound to the list they page."""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from dataforge.kernel.errors import BadRequest
from dataforge.kernel.texts import Text

Row = TypeVar("Row")

DEFAULT_LIMIT = 50
MAX_LIMIT = 500


class InvalidCursor(BadRequest):
    """The cursor was not issued for this list by this service."""

    code = "invalid_cursor"
    title = "The cursor is not valid for this list"


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows in order, and the key to continue after (None: this was the last page)."""

    rows: Sequence[Row]
    next_key: tuple[object, ...] | None = None


class CursorSigner:
    """Signs and opens keyset cursors with HMAC-SHA256 (RFC 2104), truncated to 128 bits."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, scope: str, key: Sequence[object]) -> str:
        """The cursor text for a position; `scope` names the list and its filters."""
        payload = json.dumps(list(key), separators=(",", ":"), default=str).encode()
        return base64.urlsafe_b64encode(self._mac(scope, payload) + payload).decode().rstrip("=")

    def open(self, scope: str, cursor: str) -> tuple[str | int | float | bool | None, ...]:
        """The position in a cursor; raises InvalidCursor if it is not ours or belongs to another list."""
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            mac, payload = raw[:16], raw[16:]
            if not hmac.compare_digest(mac, self._mac(scope, payload)):
                raise ValueError
            return tuple(json.loads(payload))
        except (ValueError, TypeError) as error:
            message = Text("This cursor was not issued for this list; start again without `cursor`.")
            raise InvalidCursor(message) from error

    def _mac(self, scope: str, payload: bytes) -> bytes:
        return hmac.new(self._key, scope.encode() + b"\0" + payload, hashlib.sha256).digest()[:16]
