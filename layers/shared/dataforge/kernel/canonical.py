"""One canonical text per value, and the hash over it that plans and requests are compared by.

Three hashes are taken of JSON of their own, because they are stored and a changed text would change them: commits (part
of the tables' format, which a library without this module must be able to write), statements (a number keeps every
digit, where this form has doubles), and the schemas that statistics of tables are kept under.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from math import isfinite
from uuid import UUID


def _number(value: float | Decimal) -> object:
    if not isfinite(value):
        message = "NaN and Infinity have no canonical form"
        raise ValueError(message)
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return int(value) if value.is_integer() else value


def _plain(value: object) -> object:  # noqa: PLR0911 - one return per kind of value
    kind = value.__class__
    if kind is str or value is None or kind is int or kind is bool:  # most values, found without looking at bases
        return value
    if isinstance(value, Enum):
        return _plain(value.value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float | Decimal):
        return _number(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((_plain(item) for item in value), key=repr)
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    message = f"{type(value).__name__} has no canonical form"
    raise TypeError(message)


def canonical_json(value: object) -> str:
    """Compact JSON with sorted keys, ISO 8601 dates and plain decimals; raises ValueError on NaN and Infinity."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def content_hash(value: object) -> str:
    """SHA-256 of the canonical JSON, 64 hex digits."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def plan_hash(kind: str, *, inputs: object, state: object, operations: object) -> str:
    """The hash a plan is applied by: over what was asked for, the state that was seen, and what would be done."""
    return content_hash({"kind": kind, "inputs": inputs, "state": state, "operations": operations})
