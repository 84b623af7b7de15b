"""JSON in and out: strict on the way in, never NaN on the way out."""

import json
import re
from decimal import Decimal
from typing import Any

import orjson
from pydantic import BaseModel

from dataforge.kernel.errors import MalformedBody, Violation
from dataforge.kernel.texts import Text

# Numbers of which a double may not keep every digit; within texts they only cost a second reading.
_LONG_NUMBER = re.compile(rb"[0-9][0-9.]{16}|[0-9][eE][+-]?[0-9]{3}")
# What the parser says of the mistakes that people make; its other words are passed on.
_PARSER_SAYS = {
    "Input is a zero-length, empty document": Text("it is empty"),
    "unexpected end of data": Text("it ends too early"),
    "unexpected character, expected a JSON value": Text("a value is missing or none of JSON's"),
    "unexpected character, expected a string key": Text("the name of a member has to be in double quotes"),
    "unexpected character, expected ':' after key": Text("a colon is missing after a name"),
    "unexpected character, expected ',' or ']'": Text("a comma or ] is missing"),
    "unexpected character, expected ',' or '}'": Text("a comma or a closing brace is missing"),
    "trailing comma is not allowed": Text("a comma follows the last value"),
    "unexpected content after document": Text("something follows its end"),
    "unexpected control character in string": Text("a control character in a string is not escaped"),
    "invalid escaped sequence in string": Text("a string has an escape that JSON does not know"),
    "number with leading zero is not allowed": Text("a number begins with 0"),
    "number is infinity when parsed as double": Text("a number is too large"),
    "str is not valid UTF-8": Text("it is not UTF-8"),
    "UTF-8 byte order mark (BOM) is not supported": Text("it begins with a byte order mark"),
}


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


def _find_nul(value: object) -> str | None:
    # A list of what is left to look at instead of recursion: the parser takes more levels than Python's stack.
    todo: list[tuple[str, object]] = [("", value)]
    while todo:
        pointer, item = todo.pop()
        if isinstance(item, str) and "\0" in item:
            return pointer
        if isinstance(item, dict):
            if any("\0" in key for key in item):
                return pointer
            todo += [(f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}", child) for key, child in item.items()]
        elif isinstance(item, list):
            todo += [(f"{pointer}/{index}", child) for index, child in enumerate(item)]
    return None


def parse_json(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Strict JSON (RFC 8259); raises MalformedBody with the line and column, or with the pointer of a NUL character."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        said = error.msg.partition(": ")[0]
        message = Text(
            "The body is not valid JSON at line {line}, column {column}: {what}.",
            line=error.lineno,
            column=error.colno,
            what=_PARSER_SAYS.get(said, said),
        )
        raise MalformedBody(message) from error
    if b"\\u0000" in body:
        pointer = _find_nul(value)
        if pointer is not None:
            message = Text(
                "The text at {value} contains a NUL character, which cannot be stored; remove it.", value=pointer or "/"
            )
            raise MalformedBody(
                message, violations=[Violation(pointer, Text("contains a NUL character"), "nul_character")]
            )
    return value


def exact_json(body: bytes) -> Any | None:  # noqa: ANN401 - any JSON value
    """A body that `parse_json` accepted, with numbers that a double does not hold as decimals and whole numbers of any
    length; None when it has none. Raises MalformedBody when it is nested too deeply.
    """
    if not _LONG_NUMBER.search(body):
        return None
    try:
        return json.loads(body, parse_float=_fraction)
    except RecursionError as error:
        message = Text("The body is nested too deeply for numbers of more than 16 digits.")
        raise MalformedBody(message) from error


def _fraction(text: str) -> float | Decimal:
    value, exact = float(text), Decimal(text)
    return value if exact == Decimal(repr(value)) else exact
