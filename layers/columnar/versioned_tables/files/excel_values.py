"""Cells as columns: each in the narrowest type that all its values have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from versioned_tables.schema.texts import seconds_text

TYPES = {
    "nothing": "string",
    "int": "int",
    "float": "float",
    "bool": "bool",
    "date": "date",
    "timestamp": "timestamp",
    "time": "time",
    "text": "string",
}
ARROW = {
    "string": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "time": pa.time64("us"),
}
_OF_TYPE = {
    str: "text",
    float: "float",
    int: "int",
    bool: "bool",
    date: "date",
    datetime: "timestamp",
    time: "time",
    timedelta: "text",
}


def _join(one: str, other: str) -> str:
    if other in {one, "nothing"}:
        return one
    if one == "nothing":
        return other
    if {one, other} == {"int", "float"}:
        return "float"
    return "timestamp" if {one, other} == {"date", "timestamp"} else "text"


def cell_arrays(rows: Sequence[Sequence[object]], kinds: list[str], *, errors: bool) -> list[pa.Array]:
    """Columns of a part, each in the narrowest type of its own values; `kinds` grows to cover them."""
    made: list[pa.Array] = []
    for at, cells in enumerate(zip(*rows, strict=True)):
        types = set(map(type, cells))
        values: Sequence[object] = cells
        if str in types and ((errors and not _ERRORS.isdisjoint(cells)) or "" in cells):
            values = [
                None if cell == "" or (errors and type(cell) is str and cell in _ERRORS) else cell for cell in cells
            ]
            types = set(map(type, values))
        kind = "nothing"
        for type_ in types - {type(None)}:
            kind = _join(kind, _OF_TYPE.get(type_, "text"))
        array = _array(values, kind, plain=len(types - {type(None)}) == 1)
        if kind == "float" and _whole(array):
            kind, array = "int", array.cast(pa.int64())
        kinds[at] = _join(kinds[at], kind)
        made.append(array)
    return made


def _array(values: Sequence[object], kind: str, *, plain: bool) -> pa.Array:
    """The values of one kind; `plain` says that they have one Python type besides None.

    Times are rounded to the millisecond, which is what a serial number carries exactly.
    """
    if kind == "text":
        return pa.array(
            values if plain and isinstance(_first(values), str) else [cell_text(v) for v in values], pa.string()
        )
    if kind == "timestamp":
        moments = values if plain else [_moment(v) for v in values]
        micros = pc.add(pa.array(moments, pa.timestamp("us")).cast(pa.int64()), 500)
        return pc.multiply(
            pc.floor(pc.divide(micros.cast(pa.float64(), safe=False), 1000.0)).cast(pa.int64()), 1000
        ).cast(pa.timestamp("us"))
    return pa.array(values, ARROW[TYPES[kind]])


def _first(values: Sequence[object]) -> object:
    return next((value for value in values if value is not None), None)


def _whole(array: pa.Array) -> bool:
    """Whether every number is whole and small enough to be exact."""
    return pc.all(pc.and_(pc.equal(pc.floor(array), array), pc.less(pc.abs(array), 1e15))).as_py() is not False


def _moment(value: object) -> object:
    """A date as its first instant."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - cells have no time zone
    return value


_ERRORS = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#GETTING_DATA"})


def cell_text(value: object) -> str | None:
    """A cell of a column that mixes types, as people read it in the sheet."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime | date | time):
        text = value.isoformat()
        return text.rstrip("0") if "." in text else text
    if isinstance(value, timedelta):
        return seconds_text(value // timedelta(microseconds=1), "us")
    return str(value)


def as_type(array: pa.Array, type_: str) -> pa.Array:
    kind = ARROW[type_]
    if array.type == kind:
        return array
    if type_ == "string":
        return pa.array([cell_text(value) for value in array.to_pylist()], pa.string())
    return array.cast(kind)
