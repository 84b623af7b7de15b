"""Types of text columns: evidence that joins over blocks in any order, and conversion that never changes a value
silently.

A type is taken only if every value of the column reads as it. Leading zeros, a plus sign, more than 15 digits that a
double would not give back, `1E10`-like codes, dates that are not ISO and whose day and month order is not proven: all
of these stay text. The types form a semilattice (`join`), so the result does not depend on how the file was cut.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataforge.kernel.texts import Text
from versioned_tables.schema.arrow_types import to_arrow
from versioned_tables.schema.decimals import from_text
from versioned_tables.schema.texts import END_DAY, FIRST_DAY, is_json

_Converter = Callable[[pa.Array, bool], "pa.Array | None"]
NOTHING = "nothing"
TEXT = "string"
_ORDER = (
    "int",
    "float",
    "bool:true",
    "bool:yes",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "date:?",
    "date:dmy",
    "date:mdy",
)
# Words: the two vocabularies of booleans, and the numbers that are not finite.
_WORD_KINDS = ("float", "bool:true", "bool:yes")
_WORDS = {"bool:true": ("true", "false"), "bool:yes": ("yes", "no")}
_NOT_FINITE = r"^(?:-?(?:inf|Inf|INF|infinity|Infinity|INFINITY)|nan|NaN|NAN)$"
_NUMBER = r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$|^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+[eE][+-]?[0-9]{1,3}|[eE][+-][0-9]{1,3})$"
# Microseconds since 1970 of the first moment of the year 1, and of the first after the year 9999.
_FIRST_MICRO, _END_MICRO = (day * 86_400 * 10**6 for day in (FIRST_DAY, END_DAY))
_SLASHED = r"^(?P<one>[0-9]{1,2})[/.\-](?P<two>[0-9]{1,2})[/.\-](?P<year>[0-9]{4})$"
REASONS = {
    NOTHING: Text("every value is empty"),
    TEXT: Text("the values have no other type in common"),
    "int": Text("every value is a whole number of at most 15 digits without leading zeros"),
    "float": Text("every value is a number"),
    "bool:true": Text("every value is true or false"),
    "bool:yes": Text("every value is yes or no"),
    "date": Text("every value is an ISO date"),
    "time": Text("every value is a time of day"),
    "timestamp": Text("every value is an ISO date and time"),
    "timestamptz": Text("every value is an ISO date and time with an offset"),
    "date:?": Text("dates whose day and month order nothing proves stay text"),
    "date:dmy": Text("dates with the day first, proven by a day above 12"),
    "date:mdy": Text("dates with the month first, proven by a day above 12"),
}


def join(one: str, other: str) -> str:
    """The narrowest evidence that covers both; associative, commutative, idempotent."""
    if other in {one, NOTHING}:
        return one
    if one == NOTHING:
        return other
    pair = {one, other}
    if pair == {"int", "float"}:
        return "float"
    if pair == {"date", "timestamp"}:
        return "timestamp"
    if "date:?" in pair and pair <= {"date:?", "date:dmy", "date:mdy"}:
        return (pair - {"date:?"}).pop()
    return TEXT


def column_type(evidence: str) -> str:
    """The schema type that evidence stands for."""
    if evidence in {NOTHING, TEXT, "date:?"}:
        return "string"
    return evidence.partition(":")[0]


def evidence_of(texts: pa.Array) -> str:
    """The narrowest type of all values of a block."""
    present = texts.drop_null()
    present = present.filter(pc.not_equal(present, "")) if len(present) else present
    if not len(present):
        return NOTHING
    first = present.slice(0, 1)
    kinds = _kinds_of(first[0].as_py())
    if not kinds:
        return TEXT
    for kind in kinds:
        if convert(first, kind) is not None and convert(present, kind) is not None:
            return _decided(present, kind)
    if convert(first, "date") is not None or convert(first, "timestamp") is not None:
        return "timestamp" if _dates_and_times(present) else TEXT
    return TEXT


def _kinds_of(text: str) -> tuple[str, ...]:
    """What a value may be by its first character: a table may have 16,384 columns of few rows, and trying every type on
    each of them is most of their import.
    """
    if text[0] in "-0123456789":
        return _ORDER
    return _WORD_KINDS if text[0] in "tTfFyYnNiI" else ()


def _decided(present: pa.Array, kind: str) -> str:
    """Slashed dates that both orders read prove neither."""
    if kind != "date:?":
        return kind
    both = [order for order in ("date:dmy", "date:mdy") if convert(present, order) is not None]
    if len(both) == 2:
        return "date:?"
    return both[0] if both else TEXT


def _dates_and_times(present: pa.Array) -> bool:
    return convert(present, "timestamp") is not None


def convert(texts: pa.Array, kind: str, *, lenient: bool = False) -> pa.Array | None:
    """The values as `kind` (evidence or schema type), or None if one of them does not read as it. Empty text is null
    except in text and binary.

    `lenient` is for declared types: the user's word stands above leading zeros and long numbers.
    """
    if kind in {TEXT, NOTHING, "date:?"}:
        if kind != NOTHING:
            return texts if kind != "date:?" or _slashed(texts) else None
        return texts if texts.null_count == len(texts) or not pc.any(pc.not_equal(texts, "")).as_py() else None
    if kind != "binary":
        texts = _empty_is_null(texts)
    try:
        return _CONVERT[kind](texts, lenient) if kind in _CONVERT else _declared(texts, kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError):
        return None


def _empty_is_null(texts: pa.Array) -> pa.Array:
    lengths = _lengths(texts)
    if not len(lengths) or int(lengths.min()) > 0:
        return texts
    empty = pc.equal(texts, "")
    return pc.if_else(empty, pa.scalar(None, texts.type), texts) if pc.any(empty).as_py() else texts


def _buffers(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    wide = pa.types.is_large_string(texts.type)
    _, offsets, data = texts.buffers()
    kind = np.int64 if wide else np.int32
    ends = np.frombuffer(offsets, dtype=kind, count=len(texts) + 1, offset=texts.offset * (8 if wide else 4))
    # Values without a single byte have no data, or data of no bytes; callers look at the byte before an end.
    return ends, np.frombuffer(data, dtype=np.uint8) if data is not None and data.size else np.zeros(1, dtype=np.uint8)


def _lengths(texts: pa.Array) -> np.ndarray:
    if not len(texts):
        return np.empty(0, dtype=np.int64)
    return np.diff(_buffers(texts)[0])


def _first_bytes(texts: pa.Array, at: int = 0) -> np.ndarray:
    """The byte at `at` of every value that is longer than `at`; 0 for the others."""
    ends, data = _buffers(texts)
    found: np.ndarray = data[np.minimum(ends[:-1].astype(np.int64) + at, len(data) - 1)]
    found *= (ends[1:] - ends[:-1]) > at
    return found


def _int(texts: pa.Array, lenient: bool) -> pa.Array | None:  # noqa: FBT001 - the shape of all converters
    if not lenient and len(texts):
        lengths = _lengths(texts)
        first = _first_bytes(texts)
        minus = first == ord("-")
        if int(lengths.max()) > 15 and bool((lengths - minus > 15).any()):
            return None
        if bool(((first == ord("0")) & (lengths > 1)).any()) or bool((first == ord("+")).any()):
            return None
        if minus.any() and bool((_first_bytes(texts, 1)[minus] == ord("0")).any()):
            return None
    elif lenient:
        if len(texts) and pc.any(pc.match_substring_regex(texts, "[^0-9+-]")).as_py():
            return None
        texts = pc.replace_substring_regex(texts, r"^\+", "")
    return texts.cast(pa.int64())


def _float(texts: pa.Array, lenient: bool) -> pa.Array | None:  # noqa: FBT001
    if len(texts) and not lenient:
        ends, data = _buffers(texts)
        if not _plain_bytes(data[int(ends[0]) : int(ends[-1])]):
            fits = pc.or_(pc.match_substring_regex(texts, _NUMBER), pc.match_substring_regex(texts, _NOT_FINITE))
            if pc.all(fits).as_py() is False:
                return None
        if not _plain_shape(texts):
            return None
    values = texts.cast(pa.float64())
    if not _in_range(texts, values):
        return None
    return values if _gives_back(texts, values) or (lenient and _same_numbers(texts, values)) else None


def _in_range(texts: pa.Array, values: pa.Array) -> bool:
    """Whether no number is beyond what doubles reach: 1e400 is no infinity, and 1e-400 is no zero."""
    extreme = pc.or_(pc.is_inf(values), pc.equal(values, 0.0))
    if not pc.any(extreme).as_py():
        return True
    picked = texts.filter(extreme)
    if int(_lengths(picked).max()) < len("1e400"):
        return True
    return not pc.any(pc.match_substring_regex(picked, r"^[^eE]*[1-9]")).as_py()


def _same_numbers(texts: pa.Array, values: pa.Array) -> bool:
    """Whether every number is what its double stands for: the shortest decimal of it, or all of its digits."""
    for text, value in zip(texts.to_pylist(), values.to_pylist(), strict=True):
        if text is None or len(text) <= 15 or not math.isfinite(value):
            continue
        number = Decimal(text)
        if number not in (Decimal(repr(value)), Decimal(value)):
            return False
    return True


def _plain_bytes(data: np.ndarray) -> bool:
    """Whether all bytes are digits, points and minus signs: those from "-" to "9" but for the slash between."""
    if not len(data):
        return True
    return bool(data.min() >= ord("-") and data.max() <= ord("9")) and not bool((data == ord("/")).any())


def _plain_shape(texts: pa.Array) -> bool:
    """No leading zeros before a digit, no bare point at either end."""
    first, second, third = (_first_bytes(texts, at) for at in range(3))
    minus = first == ord("-")
    one, two = np.where(minus, second, first), np.where(minus, third, second)
    leading_zero = (one == ord("0")) & (two >= ord("0")) & (two <= ord("9"))
    ends, data = _buffers(texts)
    lengths = ends[1:] - ends[:-1]
    final = data[np.maximum(ends[1:].astype(np.int64) - 1, 0)]
    point = ((final == ord(".")) & (lengths > 0)) | (one == ord("."))
    return not bool(leading_zero.any() or point.any())


def _gives_back(texts: pa.Array, values: pa.Array) -> bool:
    """Whether no digit is lost: up to 15 digits none can be; longer texts must be what the double prints as."""
    long = np.flatnonzero(_lengths(texts) > 15)
    if not len(long):
        return True
    picked = texts.take(pa.array(long))
    digits = pc.utf8_length(
        pc.replace_substring_regex(pc.replace_substring_regex(picked, r"[eE].*$", ""), r"[^0-9]|^-?0\.0*", "")
    )
    suspicious = pc.fill_null(pc.greater(digits, 15), False)  # noqa: FBT003
    if not pc.any(suspicious).as_py():
        return True
    printed = values.take(pa.array(long)).filter(suspicious).cast(pa.string())
    wanted = picked.filter(suspicious)
    if not pc.all(pc.match_substring_regex(wanted, r"[.eE]")).as_py():
        return False
    same = pc.or_(
        pc.equal(printed, wanted), pc.equal(pc.binary_join_element_wise(printed, pa.scalar(".0"), ""), wanted)
    )
    return bool(pc.all(pc.or_(same, pc.equal(pc.utf8_lower(wanted), printed))).as_py())


def _bool(words: tuple[str, str]) -> _Converter:
    def read(texts: pa.Array, lenient: bool) -> pa.Array | None:  # noqa: FBT001
        if len(texts) and int(_lengths(texts).max()) > 5:
            return None
        lower = pc.utf8_lower(texts)
        yes, no = pc.equal(lower, words[0]), pc.equal(lower, words[1])
        if lenient:
            yes, no = pc.or_(yes, pc.equal(texts, "1")), pc.or_(no, pc.equal(texts, "0"))
        return yes if pc.all(pc.or_(yes, no)).as_py() is not False else None

    return read


def _date(texts: pa.Array, lenient: bool) -> pa.Array | None:  # noqa: FBT001, ARG001
    lengths = _lengths(texts)
    if len(lengths) and (int(lengths.max()) > 10 or bool(((lengths != 10) & (lengths != 0)).any())):
        return None
    found = texts.cast(pa.date32())
    days = found.view(pa.int32())
    low = pc.min(days).as_py()
    return found if low is None or low >= FIRST_DAY else None


def _time(texts: pa.Array, lenient: bool) -> pa.Array | None:  # noqa: FBT001, ARG001
    lengths = _lengths(texts)
    if len(lengths) and bool(((lengths < 8) & (lengths != 0)).any()):
        return None
    moments = pc.binary_join_element_wise(pa.scalar("1970-01-01T"), texts, pa.scalar("")).cast(pa.timestamp("us"))
    return moments.cast(pa.time64("us"))


def _timestamp(kind: pa.DataType) -> _Converter:
    def read(texts: pa.Array, lenient: bool) -> pa.Array | None:  # noqa: FBT001
        lengths = _lengths(texts)
        if len(lengths) and not lenient and bool(((lengths < 16) & (lengths != 0) & (lengths != 10)).any()):
            return None
        if kind.tz and len(lengths) and bool((lengths == 10).any()):
            return None
        found = texts.cast(kind)
        ends = pc.min_max(found.cast(pa.int64())).as_py()
        return found if ends["min"] is None or (ends["min"] >= _FIRST_MICRO and ends["max"] < _END_MICRO) else None

    return read


def _slashed(texts: pa.Array) -> bool:
    return pc.all(pc.match_substring_regex(_empty_is_null(texts), _SLASHED)).as_py() is not False


def _ordered_date(order: str) -> _Converter:
    def read(texts: pa.Array, lenient: bool) -> pa.Array | None:  # noqa: FBT001
        parts = pc.extract_regex(texts, _SLASHED)
        if parts.null_count > texts.null_count:
            return None
        one, two, year = (pc.utf8_lpad(pc.struct_field(parts, name), 2, "0") for name in ("one", "two", "year"))
        day, month = (one, two) if order == "dmy" else (two, one)
        return _date(pc.binary_join_element_wise(year, month, day, "-"), lenient)

    return read


def _declared(texts: pa.Array, kind: str) -> pa.Array | None:
    if kind == "binary":
        return pa.array([None if v is None else bytes.fromhex(v) for v in texts.to_pylist()], pa.binary())
    if kind == "json":
        return texts if all(text is None or is_json(text) for text in texts.to_pylist()) else None
    if kind == "bool":
        found = (convert(texts, name, lenient=True) for name in _WORDS)
        return next((values for values in found if values is not None), None)
    wanted = to_arrow(kind)
    return from_text(texts, wanted) if pa.types.is_decimal(wanted) else texts.cast(wanted)


_CONVERT: dict[str, _Converter] = {
    "int": _int,
    "float": _float,
    "date": _date,
    "time": _time,
    "timestamp": _timestamp(pa.timestamp("us")),
    "timestamptz": _timestamp(pa.timestamp("us", "UTC")),
    "date:dmy": _ordered_date("dmy"),
    "date:mdy": _ordered_date("mdy"),
    **{name: _bool(words) for name, words in _WORDS.items()},
}


def rows_that_break(texts: pa.Array, kind: str, *, most: int) -> list[int]:
    """The first `most` rows that do not read as a declared type, found by halving."""
    found: list[int] = []
    todo = [(0, len(texts))]
    while todo and len(found) < most:
        start, stop = todo.pop()
        if convert(texts.slice(start, stop - start), kind, lenient=True) is not None:
            continue
        if stop - start == 1:
            found.append(start)
            continue
        middle = (start + stop) // 2
        todo += [(middle, stop), (start, middle)]
    return found
