"""JSON text in and out of statements, strictly and without losing a digit.

Why not orjson for reading: it keeps the last of two equal names in silence and turns numbers beyond a double or 64 bits
into the nearest one it has. Here a number becomes `int` (64 bits), `float` when that is exactly the decimal number that
was written, and `Decimal` otherwise; `to_json` writes each back as the same number. Writing uses orjson.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

import orjson

from dataforge.contexts.lrs.statements.domain.rules import Rule
from dataforge.kernel.errors import MalformedBody, ValidationFailed, Violation
from dataforge.kernel.limits import MAX_BODY_BYTES, body_too_large
from dataforge.kernel.texts import Text

MAX_DEPTH = 100
"""Levels of arrays and objects in a body. PostgreSQL and every JSON reader behind us are happy with that many."""
MAX_NUMBER_DIGITS = 1000
"""Digits a number may need when written out in full; far inside PostgreSQL's numeric (131,072 before the point)."""
MAX_VIOLATIONS = 1000
"""Places named in one answer; a body that breaks more rules than that is not read to its end."""

_BOM = b"\xef\xbb\xbf"
_SUSPECT_ESCAPES = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_BAD_CHARACTER = re.compile("[\x00\ud800-\udfff]")
_CONTENT_TYPE = re.compile(r"\s*application/json\s*(?:;\s*charset\s*=\s*\"?([^\s;\"]+)\"?\s*)?;?\s*\Z", re.IGNORECASE)


class UnsupportedStatementBody(MalformedBody):
    """The content type is not one statements are read from; the standard answers 400, not 415 (Communication 1.5)."""

    code = "unsupported_statement_body"
    title = "Statements are sent as application/json"


class InvalidJson(ValidationFailed):
    """The body is JSON by grammar and cannot be stored faithfully; `violations` name each place."""

    code = "invalid_json"
    title = "The JSON cannot be stored as it is"


class _Refused(Exception):
    """Raised by a hook on the fast path; the places are then looked for by `_diagnose`."""


@dataclass(slots=True)
class _Marked:
    """What the slow path puts where something is wrong."""

    rule: Rule
    message: str
    value: object = None
    duplicates: list[str] = field(default_factory=list)


def pointer_token(key: str) -> str:
    """One reference token of a JSON pointer (RFC 6901 §3)."""
    return _printable(key).replace("~", "~0").replace("/", "~1")


def _printable(text: str) -> str:
    return _BAD_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", text)


def _exact(text: str) -> float | Decimal | None:
    """The number as written, as a float if that loses nothing; None when it has too many digits."""
    if len(text) <= 16 and "e" not in text and "E" not in text:
        return float(text)  # 15 significant digits survive a double (IEEE 754 §5.12.2)
    if len(text) > 2 * MAX_NUMBER_DIGITS:
        return None
    number = Decimal(text)
    if number and (number.adjusted() >= MAX_NUMBER_DIGITS or -int(number.as_tuple().exponent) > MAX_NUMBER_DIGITS):
        return None
    nearest = float(text)
    return nearest if math.isfinite(nearest) and Decimal(repr(nearest)) == number else number


def _whole(text: str) -> int | Decimal | None:
    if len(text) < 19:
        return int(text)
    if len(text) > MAX_NUMBER_DIGITS + 1:
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else Decimal(text)


def _number_or_refuse(text: str) -> float | Decimal:
    number = _exact(text)
    if number is None:
        raise _Refused
    return number


def _whole_or_refuse(text: str) -> int | Decimal:
    number = _whole(text)
    if number is None:
        raise _Refused
    return number


def _refuse_constant(_: str) -> object:
    raise _Refused


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Refused
    return found


_TOO_LONG = _Marked(
    Rule.JSON_NUMBER,
    Text(
        "This number needs more than {max_number_digits} digits; write a shorter one.",
        max_number_digits=MAX_NUMBER_DIGITS,
    ),
)


def _mark_number(text: str) -> object:
    number = _exact(text)
    return _TOO_LONG if number is None else number


def _mark_whole(text: str) -> object:
    number = _whole(text)
    return _TOO_LONG if number is None else number


@lru_cache(maxsize=4)
def _mark_constant(text: str) -> object:
    return _Marked(
        Rule.JSON_NUMBER,
        Text("{text} is not a JSON number; leave the property out or send a finite number.", text=text),
    )


def _mark_duplicates(pairs: list[tuple[str, object]]) -> object:
    found: dict[str, object] = {}
    twice = []
    for key, value in pairs:
        if key in found:
            twice.append(key)
        found[key] = value
    if not twice:
        return found
    return _Marked(Rule.JSON_DUPLICATE_KEY, Text("This name is given twice in one object; keep one."), found, twice)


def _children(path: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield f"{path}/{pointer_token(key)}", item
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield f"{path}/{index}", item


def _places(root: object) -> Iterator[tuple[str, object]]:
    """Every value with its pointer in document order, made one by one: the caller may have enough early."""
    stack = [iter([("", root)])]
    while stack:
        place = next(stack[-1], None)
        if place is None:
            stack.pop()
            continue
        yield place
        path, value = place
        below = value.value if isinstance(value, _Marked) else value
        if isinstance(below, dict | list):
            stack.append(_children(path, below))


def _diagnose(text: str) -> list[Violation]:
    """Read again with marks instead of refusals, and say where the marks are."""
    root = json.loads(
        text,
        parse_float=_mark_number,
        parse_int=_mark_whole,
        parse_constant=_mark_constant,
        object_pairs_hook=_mark_duplicates,
    )
    found: list[Violation] = []
    for path, value in _places(root):
        if isinstance(value, _Marked):
            places = [f"{path}/{pointer_token(key)}" for key in value.duplicates] or [path]
            found += [Violation(place, value.message, value.rule) for place in places]
        if len(found) >= MAX_VIOLATIONS:
            break
    return found[:MAX_VIOLATIONS]


def _bad_characters(root: object) -> list[Violation]:
    """Every string, name or value, that holds U+0000 or a lone surrogate."""
    found: list[Violation] = []
    for path, value in _places(root):
        if isinstance(value, dict):
            for key in value:
                found += _bad_string(f"{path}/{pointer_token(key)}", key)
        elif isinstance(value, str):
            found += _bad_string(path, value)
        if len(found) >= MAX_VIOLATIONS:
            break
    return found[:MAX_VIOLATIONS]


def _bad_string(path: str, text: str) -> list[Violation]:
    match = _BAD_CHARACTER.search(text)
    if match is None:
        return []
    if match.group() == "\x00":
        return [
            Violation(path, Text("This text has a NUL character (\\u0000), which cannot be stored."), Rule.JSON_NUL)
        ]
    return [
        Violation(path, Text("This text has half of a surrogate pair, which is no character."), Rule.JSON_SURROGATE)
    ]


def _is_deeper_than(root: object, limit: int) -> bool:
    level = [root]
    for _ in range(limit + 1):
        level = [
            item
            for value in level
            for item in (value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
            if isinstance(item, dict | list)
        ]
        if not level:
            return False
    return True


def _too_deep() -> MalformedBody:
    message = Text("The body is nested deeper than {max_depth} levels; flatten it.", max_depth=MAX_DEPTH)
    return MalformedBody(message, facts={"max_depth": MAX_DEPTH})


def parse_json(body: bytes) -> object:
    """Strict JSON: UTF-8 (a byte order mark is skipped), unique names, finite numbers, no U+0000, bounded depth.

    Raises PayloadTooLarge (over MAX_BODY_BYTES), MalformedBody (not JSON; `facts` hold line, column and byte offset) or
    InvalidJson (JSON that cannot be stored as it is; one violation per place).
    """
    if len(body) > MAX_BODY_BYTES:
        raise body_too_large()
    body = body.removeprefix(_BOM)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        message = Text(
            "The body is not UTF-8: byte {start} (0x{body:02x}) starts no character.",
            start=error.start,
            body=body[error.start],
        )
        raise MalformedBody(message, facts={"offset": error.start}) from error
    try:
        root = _read_strict(text)
    except json.JSONDecodeError as error:
        offset = len(text[: error.pos].encode("utf-8", "surrogatepass"))
        message = Text(
            "The body is not JSON: {msg} at line {lineno}, column {colno}.",
            msg=error.msg,
            lineno=error.lineno,
            colno=error.colno,
        )
        facts = {"line": error.lineno, "column": error.colno, "offset": offset}
        raise MalformedBody(message, facts=facts) from error
    except RecursionError:
        raise _too_deep() from None
    if _is_deeper_than(root, MAX_DEPTH):
        raise _too_deep()
    if _SUSPECT_ESCAPES.search(body) and (bad := _bad_characters(root)):
        raise InvalidJson(Text("The JSON has characters that cannot be stored."), violations=bad)
    return root


def _read_strict(text: str) -> object:
    try:
        root: object = json.loads(
            text,
            parse_float=_number_or_refuse,
            parse_int=_whole_or_refuse,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique,
        )
    except _Refused:
        # Slow and only now: the second reading may still find that the rest is not JSON, and then says that.
        violations = _diagnose(text)
        raise InvalidJson(
            Text("The JSON has parts that cannot be stored as they are."), violations=violations
        ) from None
    return root


@dataclass(frozen=True, slots=True)
class StatementsBody:
    """The statements of a request as they were sent: `is_array` says whether they came as an array.

    `part_hashes` are the SHA-2 hashes of the attachment data that came along; a JSON body has none.
    """

    statements: list[object]
    is_array: bool
    part_hashes: frozenset[str] = frozenset()

    def pointer(self, index: int) -> str:
        """JSON pointer of a statement in the body that was sent."""
        return f"/{index}" if self.is_array else ""


def parse_body(body: bytes, content_type: str) -> StatementsBody:
    """The statements in an application/json body; raises UnsupportedStatementBody and whatever `parse_json` raises."""
    match = _CONTENT_TYPE.match(content_type)
    if match is None:
        message = Text(
            "Content-Type {content_type!r} is not read here; send application/json.", content_type=content_type[:80]
        )
        raise UnsupportedStatementBody(message)
    charset = match.group(1)
    if charset is not None and charset.lower() not in {"utf-8", "utf8", "us-ascii"}:
        message = Text("JSON is UTF-8 (RFC 8259 §8.1); charset {charset!r} is not read.", charset=charset[:40])
        raise UnsupportedStatementBody(message)
    root = parse_json(body)
    if isinstance(root, list):
        return StatementsBody(root, is_array=True)
    return StatementsBody([root], is_array=False)


def read_json(body: bytes | str) -> object:
    """JSON this service wrote itself, with every number exact; no strictness (ValueError if it is not JSON)."""
    root: object = json.loads(body, parse_float=_trusted_number, parse_int=_trusted_whole)
    return root


def read_statement(body: bytes | str) -> dict[str, object]:
    """A statement this service wrote itself; ValueError if the text is no JSON object."""
    root = read_json(body)
    if isinstance(root, dict):
        return root
    message = Text("A stored statement is a JSON object")
    raise ValueError(message)


def _trusted_number(text: str) -> float | Decimal:
    number = _exact(text)
    return Decimal(text) if number is None else number


def _trusted_whole(text: str) -> int | Decimal:
    number = _whole(text)
    return Decimal(text) if number is None else number


def _write_other(value: object) -> object:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value).encode())
    message = f"{type(value).__name__} is not a JSON value"
    raise TypeError(message)


def to_json(value: object, *, sort_keys: bool = False) -> bytes:
    """Compact UTF-8 JSON with exact numbers; TypeError for anything that is not JSON. `parse_json` yields no NaN."""
    return orjson.dumps(value, default=_write_other, option=orjson.OPT_SORT_KEYS if sort_keys else None)
