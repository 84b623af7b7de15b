"""The values of JSON rows as columns: every number keeps its digits.

A column is of the type all its values have. Whole and fractional numbers make `float`, if a double holds them all; a
number with more digits than a double or 64 bits have makes its column text, as in CSV. `NaN` and the infinities, which
exports write as texts, are numbers among numbers. Of other texts only dates and times are read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from decimal import Decimal

import orjson
import pyarrow as pa

from dataforge.kernel.texts import Text
from versioned_tables.errors import ImportRefused
from versioned_tables.schema.arrow_types import to_arrow
from versioned_tables.schema.inference import convert
from versioned_tables.schema.texts import NOT_FINITE

_INT64 = 1 << 63
EXACT = 1 << 53
# Numbers of which a double may not keep every digit; within strings they only cost a slower reading.
_LONG = re.compile(rb"[0-9][0-9.]{16}|[0-9][eE][+-]?[0-9]{3}")
# Fractions that are not written as the double prints that they stand for, besides long ones. One expression of all
# would take five times as long.
_SPELLED = (
    re.compile(rb"[.][0-9]+0(?![0-9])"),
    re.compile(rb"[eE](?<=[0-9][eE])[-+0-9]"),
    re.compile(rb"0[.]0000"),
)
_MIXED = {
    frozenset({"int", "big"}): "big",
    frozenset({"int", "float"}): "float",
    frozenset({"int", "named"}): "float",
    frozenset({"float", "named"}): "float",
}


class Digits(str):
    """A number as it is written, because neither a double nor 64 bits hold it."""

    __slots__ = ()


def read_json(raw: bytes, *, spelled: bool = False) -> object:
    """The value of a text in JSON (RFC 8259); fractions as they are written if asked for, as far as a short one is not
    `is_spelled`. Raises ValueError.
    """
    if not _LONG.search(raw):
        return orjson.loads(raw)
    return _read_exactly(raw, Digits if spelled else exact_fraction)


def read_spelled(raw: bytes) -> object:
    """The value of a text in JSON, all fractions as they are written: 1.10 is no 1.1 in a column of texts.

    Raises ValueError.
    """
    return _read_exactly(raw, Digits) if is_spelled(raw) else read_json(raw, spelled=True)


def is_spelled(raw: bytes) -> bool:
    """Whether JSON may have short fractions that `read_json` does not give back as they are written."""
    return any(pattern.search(raw) for pattern in _SPELLED)


def _read_exactly(raw: bytes, fraction: Callable[[str], object]) -> object:
    try:
        value: object = json.loads(raw, parse_float=fraction, parse_int=_whole, parse_constant=_no_constant)
        orjson.dumps(value)  # halves of surrogate pairs are no text
    except (orjson.JSONEncodeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    return value


def exact_fraction(text: str) -> float | Digits:
    """A fraction as a double that keeps its digits, or as its text."""
    value = float(text)
    return value if value - value == 0 and Decimal(text) in (Decimal(repr(value)), Decimal(value)) else Digits(text)


def _whole(text: str) -> int | Digits:
    value = int(text) if len(text) < 22 else _INT64
    return value if -_INT64 <= value < _INT64 else Digits(text)


def _no_constant(name: str) -> object:
    message = Text("{name} is no number in JSON", name=name)
    raise ValueError(message)


def kind_of_cell(value: object) -> str:
    """What one value is evidence for."""
    kind = _KINDS.get(type(value), "json")
    if kind == "int" and not -EXACT <= value <= EXACT:  # type: ignore[operator]  # of kind "int" are ints only
        return "big"
    return "named" if kind == "text" and value in NOT_FINITE else kind


_KINDS = {type(None): "nothing", bool: "bool", int: "int", float: "float", str: "text", Digits: "string"}


def join_kinds(one: str, other: str) -> str:
    """The evidence of both; of texts it goes on behind a colon (see `inference.join`)."""
    if "nothing" in {one, other}:
        return other if one == "nothing" else one
    first, second = one.partition(":")[0], other.partition(":")[0]
    if first == second:
        return max(one, other, key=len)
    if {first, second} == {"text", "named"}:
        return "text:string"
    return _MIXED.get(frozenset({first, second}), "string")


def type_of_cells(kind: str) -> str:
    """The column type that evidence stands for."""
    texts = kind.partition(":")[2]
    if texts in {"date", "timestamp", "timestamptz"}:
        return texts
    return "int" if kind == "big" else kind if kind in {"int", "float", "bool", "json"} else "string"


def cells_column(rows: Sequence[dict[str, object]], name: str, type_: str) -> pa.Array:
    """A member of all rows as a column of a type that they all have."""
    values = [row.get(name) for row in rows]
    if type_ in {"date", "timestamp", "timestamptz"}:
        found = convert(pa.array(values, pa.string()), type_)
        if found is None:
            raise ImportRefused(Text("Column {name!r} changed while it was read.", name=name))
        return found
    if type_ in {"string", "json"}:
        values = [v if v is None or isinstance(v, str) else json_text(v) for v in values]
    elif type_ == "float":
        values = [None if v is None else float(v) for v in values]  # type: ignore[arg-type]  # a column of this type has numbers only
    return pa.array(values, to_arrow(type_))


def json_text(value: object) -> str:
    """Compact JSON with every digit."""
    return orjson.dumps(value, default=_raw, option=orjson.OPT_PASSTHROUGH_SUBCLASS).decode()


def _raw(value: object) -> orjson.Fragment:
    if isinstance(value, Digits):
        return orjson.Fragment(str(value))
    raise TypeError(value)
