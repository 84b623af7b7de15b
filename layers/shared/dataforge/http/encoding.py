"""JSON in and out: strict on the way in, never NaN on the way out."""

from decimal import Decimal
from typing import Any

import orjson
from pydantic import BaseModel

from dataforge.kernel.errors import MalformedBody, Violation


def _default(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError


def dump_json(value: object) -> bytes:
    """Compact UTF-8 JSON; NaN and Infinity become null, datetimes RFC 3339 with Z for UTC."""
    return orjson.dumps(value, default=_default, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


def _find_nul(value: object, pointer: str = "") -> str | None:
    if isinstance(value, str):
        return pointer if "\0" in value else None
    children: list[tuple[str, object]] = []
    if isinstance(value, dict):
        for key, item in value.items():
            if "\0" in key:
                return pointer
            children.append((key.replace("~", "~0").replace("/", "~1"), item))
    elif isinstance(value, list):
        children = [(str(index), item) for index, item in enumerate(value)]
    for key, item in children:
        found = _find_nul(item, f"{pointer}/{key}")
        if found is not None:
            return found
    return None


def parse_json(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Strict JSON (RFC 8259); raises MalformedBody with the line and column, or with the pointer of a NUL character."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        message = f"The body is not valid JSON at {where}: {error.msg.split(':')[0]}."
        raise MalformedBody(message) from error
    except RecursionError as error:
        message = "The body is nested too deeply."
        raise MalformedBody(message) from error
    if b"\\u0000" in body:
        pointer = _find_nul(value)
        if pointer is not None:
            message = f"The text at {pointer or '/'} contains a NUL character, which cannot be stored; remove it."
            raise MalformedBody(message, violations=[Violation(pointer, "contains a NUL character", "nul_character")])
    return value
