"""The one text of every value, and the JSON value of every cell: the table is in FORMAT.md.

Whatever shows a value (pages, differences, statistics, SQL answers, CSV and JSON lines) shows it as these functions
do, and an import reads it back as the same value. They take every Arrow type there is, also those that tables do not
have and that files and SQL answers come with.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from dataforge.kernel.texts import Text

NOT_FINITE = ("NaN", "Infinity", "-Infinity")
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_DAY = 86_400
# Days since 1970 of 0001-01-01 and of the day after 9999-12-31.
FIRST_DAY, END_DAY = -719_162, 2_932_897


def text_of(array: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Every value as its text, `string` arrays of the same length; null stays null."""
    if isinstance(array, pa.ChunkedArray):
        return pa.chunked_array([text_of(chunk) for chunk in array.chunks], pa.string())
    kind = array.type
    if kind == pa.string():
        return array
    for test, texts in _TEXTS:
        if test(kind):
            return texts(array)
    return array.cast(pa.string())


def plain_rows(table: pa.Table) -> list[dict[str, object]]:
    """Rows as JSON values: numbers and booleans as such, everything else as its text."""
    columns = [(name, plain_values(table.column(name))) for name in table.schema.names]
    names = [name for name, _ in columns]
    return (
        [dict(zip(names, row, strict=True)) for row in zip(*(values for _, values in columns), strict=True)]
        if columns
        else []
    )


def plain_values(array: pa.Array | pa.ChunkedArray) -> list[object]:
    """A column as JSON values; NaN and the infinities are texts, because JSON has no numbers for them."""
    kind = array.type
    if pa.types.is_floating(kind):
        return _plain_floats(array)
    if not (kind == pa.string() or pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        array = text_of(array)
    values: list[object] = array.to_pylist()
    return values


def is_nested(kind: pa.DataType) -> bool:
    """Whether values have parts, so that their text is JSON."""
    return bool(pa.types.is_nested(kind) or pa.types.is_union(kind))


def is_json(text: str) -> bool:
    """Whether a text is one JSON value (RFC 8259), in which NaN and Infinity have no place."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        # Numbers beyond 64 bits are JSON, too.
        try:
            json.loads(text, parse_constant=_refuse)
        except (ValueError, RecursionError):
            return False
    return True


def _refuse(name: str) -> object:
    raise ValueError(name)


def seconds_text(count: int, unit: str) -> str:
    """A length of time as ISO 8601, a day being 24 hours: `P1DT1H`, `-PT0.5S`, `PT0S`."""
    sign = -1 if count < 0 else 1
    days, nanos = divmod(abs(count) * (10**9 // _PER_SECOND[unit]), _DAY * 10**9)
    return interval_text(0, sign * days, sign * nanos)


def interval_text(months: int, days: int, nanos: int) -> str:
    """A calendar interval as ISO 8601; parts of different signs carry their own (as PostgreSQL writes them)."""
    if max(months, days, nanos) <= 0 and min(months, days, nanos) < 0:
        return "-" + interval_text(-months, -days, -nanos)
    sign = "-" if months < 0 else ""
    years, rest = divmod(abs(months), 12)
    date = "".join(f"{sign}{count}{unit}" for count, unit in ((years, "Y"), (rest, "M")) if count)
    date += f"{days}D" if days else ""
    time = _clock(nanos)
    return (f"P{date}T{time}" if time else f"P{date}") if date or time else "PT0S"


def _clock(nanos: int) -> str:
    sign = "-" if nanos < 0 else ""
    seconds, rest = divmod(abs(nanos), 10**9)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = "." + str(rest).zfill(9).rstrip("0") if rest else ""
    time = "".join(f"{sign}{count}{unit}" for count, unit in ((hours, "H"), (minutes, "M")) if count)
    return time + (f"{sign}{seconds}{fraction}S" if seconds or fraction else "")


def moment_text(count: int, unit: str, *, zoned: bool = False) -> str:
    """A point in time with a year outside 1 to 9999, which Arrow prints otherwise: `+12345-01-01T00:00:00`."""
    seconds, rest = divmod(count, _PER_SECOND[unit])
    days, seconds = divmod(seconds, _DAY)
    fraction = "." + str(rest).zfill(len(str(_PER_SECOND[unit])) - 1).rstrip("0") if rest else ""
    clock = f"T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{fraction}"
    return day_text(days) + clock + ("Z" if zoned else "")


def day_text(days: int) -> str:
    """A date by days since 1970; years beyond four digits carry a sign (ISO 8601, expanded representation)."""
    # The calendar repeats every 400 years of 146,097 days; it is counted from 1 March of year 0.
    era, day = divmod(days + 719_468, 146_097)
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5 - 1
    month += 3 if month < 10 else -9
    year += era * 400 + (month <= 2)
    shown = f"{year:04}" if 0 <= year <= 9999 else f"{year:+05}"
    return f"{shown}-{month:02}-{day:02}"


def _plain_floats(array: pa.Array | pa.ChunkedArray) -> list[object]:
    values: list[object] = array.to_pylist()
    if pc.all(pc.is_finite(array)).as_py() is False:
        return [_named(value) if isinstance(value, float) else None for value in values]
    return values


def _named(value: float) -> object:
    if value != value:  # noqa: PLR0124 - NaN is the value unequal to itself
        return "NaN"
    return "Infinity" if value == float("inf") else "-Infinity" if value == float("-inf") else value


def _float_text(array: pa.Array) -> pa.Array:
    """Shortest text that reads back as the same double; a decimal point always, so that it reads back as a float
    column.
    """
    text = array.cast(pa.float64() if array.type == pa.float16() else array.type).cast(pa.string())
    bare = pc.invert(pc.match_substring(text, "."))
    if not pc.any(bare).as_py():
        return text
    bare = pc.fill_null(bare, False)  # noqa: FBT003 - pyarrow's own signature
    short = text.filter(bare)
    pointed = pc.binary_join_element_wise(short, pa.scalar(".0"), "")
    named = pc.replace_substring(pc.replace_substring(short, "nan", "NaN"), "inf", "Infinity")
    return pc.replace_with_mask(text, bare, pc.if_else(pc.match_substring_regex(short, r"^-?[0-9]+$"), pointed, named))


def _decimal_text(array: pa.Array) -> pa.Array:
    """Plain digits with the scale of the type; Arrow turns to exponents below a millionth."""
    text = array.cast(pa.string())
    if not pc.any(pc.match_substring(text, "E")).as_py():
        return text
    return _each(array, lambda value: format(value, "f"))


def _binary_text(array: pa.Array) -> pa.Array:
    return _each(array.cast(pa.large_binary()), bytes.hex)


def _date_text(array: pa.Array) -> pa.Array:
    days = array.cast(pa.date32(), safe=False)
    text = days.cast(pa.string())
    return _overlaid(text, days.view(pa.int32()).cast(pa.int64()), FIRST_DAY, END_DAY, day_text)


def _timestamp_text(array: pa.Array) -> pa.Array:
    """`2026-01-31T12:30:00`, with the digits of a second it needs, and `Z` for points in time. A cast is ten times
    faster than `strftime`.
    """
    kind = array.type
    bare = pa.timestamp(kind.unit)
    counts = array.view(pa.int64())
    local = counts.view(bare)
    try:
        text = local.cast(pa.timestamp("s")).cast(pa.string())
    except pa.ArrowInvalid:  # some have fractions of a second
        text = pc.utf8_rtrim(pc.utf8_rtrim(local.cast(pa.string()), "0"), ".")
    text = pc.replace_substring(text, " ", "T")
    if kind.tz:
        text = pc.binary_join_element_wise(text, pa.scalar("Z"), "")
    per_day = _PER_SECOND[kind.unit] * _DAY
    return _overlaid(
        text,
        counts,
        FIRST_DAY * per_day,
        END_DAY * per_day,
        lambda count: moment_text(count, kind.unit, zoned=bool(kind.tz)),
    )


def _time_text(array: pa.Array) -> pa.Array:
    """`12:30:00`, with the digits of a second it needs. What is no time of day is a length of time."""
    kind = array.type
    counts = array.view(pa.int32() if pa.types.is_time32(kind) else pa.int64()).cast(pa.int64())
    text = array.cast(pa.string())
    if kind.unit != "s":
        text = pc.utf8_rtrim(pc.utf8_rtrim(text, "0"), ".") if _has_fraction(counts, kind.unit) else _cut(text)
    return _overlaid(text, counts, 0, _PER_SECOND[kind.unit] * _DAY, lambda count: seconds_text(count, kind.unit))


def _has_fraction(counts: pa.Array, unit: str) -> bool:
    whole = pc.multiply(pc.divide(counts, _PER_SECOND[unit]), _PER_SECOND[unit])
    return pc.all(pc.equal(whole, counts)).as_py() is False


def _cut(text: pa.Array) -> pa.Array:
    return pc.utf8_slice_codeunits(text, 0, 8)


def _duration_text(array: pa.Array) -> pa.Array:
    return _each(array.view(pa.int64()), lambda count: seconds_text(count, array.type.unit))


def _interval_text(array: pa.Array) -> pa.Array:
    return _each(array, lambda value: interval_text(value.months, value.days, value.nanoseconds))


def _extension_text(array: pa.Array) -> pa.Array:
    if array.type.extension_name == "arrow.uuid":
        return _each(array.storage, _uuid_text)
    if array.type.extension_name == "arrow.bool8":
        return text_of(pc.not_equal(array.storage, 0))
    return text_of(array.storage)


def _uuid_text(value: bytes) -> str:
    digits = value.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _json_text(array: pa.Array) -> pa.Array:
    """Compact JSON whose parts have the texts of their types."""
    return pa.array([None if v is None else orjson.dumps(v).decode() for v in json_values(array)], pa.string())


def json_values(array: pa.Array) -> list[object]:
    """Values with parts as lists and dictionaries of JSON values. Raises ValueError on a map that has a key twice."""
    if isinstance(array, pa.ExtensionArray):
        return json_values(array.storage) if is_nested(array.storage.type) else plain_values(array)
    for test, values in _PARTS:
        if test(array.type):
            return values(array)
    return _lists(array) if is_nested(array.type) else plain_values(array)


def _encoded(array: pa.Array) -> list[object]:
    known = json_values(array.dictionary)
    return [None if at is None else known[at] for at in array.indices.to_pylist()]


def _objects(array: pa.Array) -> list[object]:
    fields = [json_values(part) for part in array.flatten()]
    names = unique_names([field.name for field in array.type])
    empty: list[tuple[object, ...]] = [()] * len(array)
    rows = zip(*fields, strict=True) if fields else empty
    valid = array.is_valid().to_pylist()
    return [dict(zip(names, row, strict=True)) if ok else None for row, ok in zip(rows, valid, strict=True)]


def unique_names(names: Iterable[str]) -> list[str]:
    """Names as they are, those that come again with a number."""
    found: list[str] = []
    for name in names:
        unique, number = name, 2
        while unique in found:
            unique, number = f"{name}_{number}", number + 1
        found.append(unique)
    return found


def _lists(array: pa.Array) -> list[object]:
    starts, sizes = array.offsets.to_pylist(), array.value_lengths().to_pylist()
    used = [(start, size) for start, size in zip(starts, sizes, strict=False) if size]
    first = min((start for start, _ in used), default=0)
    values = json_values(array.values.slice(first, max((start + size for start, size in used), default=0) - first))
    places = ((start - first, size) for start, size in zip(starts, sizes, strict=False))
    return [None if size is None else values[start : start + size] if size else [] for start, size in places]


def _maps(array: pa.Array) -> list[object]:
    offsets = array.offsets.to_pylist()
    first, count = offsets[0], offsets[-1] - offsets[0]
    keys, values = text_of(array.keys.slice(first, count)).to_pylist(), json_values(array.items.slice(first, count))
    offsets = [offset - first for offset in offsets]
    found: list[object] = []
    for at, ok in enumerate(array.is_valid().to_pylist()):
        pick = slice(offsets[at], offsets[at + 1])
        entries = dict(zip(keys[pick], values[pick], strict=True)) if ok else None
        if entries is not None and len(entries) < offsets[at + 1] - offsets[at]:
            message = Text("the map of value {at} has a key twice", at=at + 1)
            raise ValueError(message)
        found.append(entries)
    return found


def _union(array: pa.Array) -> list[object]:
    """One by one: the parts of a slice do not know where it begins."""
    return [None if part.value is None else json_values(pa.array([part.value], part.value.type))[0] for part in array]


def _each(array: pa.Array, text: Callable[..., str]) -> pa.Array:
    return pa.array([None if value is None else text(value) for value in array.to_pylist()], pa.string())


def _overlaid(text: pa.Array, counts: pa.Array, low: int, end: int, own: Callable[[int], str]) -> pa.Array:
    """Texts, those of counts outside `low .. end` replaced by our own."""
    smallest, largest = pc.min_max(counts).as_py().values()
    if smallest is None or (smallest >= low and largest < end):
        return text
    return pa.array(
        [
            shown if count is None or low <= count < end else own(count)
            for shown, count in zip(text.to_pylist(), counts.to_pylist(), strict=True)
        ],
        pa.string(),
    )


_PARTS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array], list[object]]], ...] = (
    (pa.types.is_dictionary, _encoded),
    (pa.types.is_struct, _objects),
    (pa.types.is_map, _maps),
    (pa.types.is_union, _union),
    (pa.types.is_fixed_size_list, lambda array: _lists(array.cast(pa.list_(array.type.value_type)))),
)
_Test = Callable[[pa.DataType], bool]
_TEXTS: tuple[tuple[_Test, Callable[[pa.Array], pa.Array]], ...] = (
    (lambda kind: isinstance(kind, pa.BaseExtensionType), _extension_text),
    (pa.types.is_timestamp, _timestamp_text),
    (pa.types.is_floating, _float_text),
    (pa.types.is_decimal, _decimal_text),
    (pa.types.is_date, _date_text),
    (pa.types.is_time, _time_text),
    (pa.types.is_duration, _duration_text),
    (pa.types.is_interval, _interval_text),
    (pa.types.is_run_end_encoded, lambda array: text_of(pc.run_end_decode(array))),
    (pa.types.is_dictionary, lambda array: text_of(array.dictionary).take(array.indices)),
    (is_nested, _json_text),
    (lambda kind: bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind)), _binary_text),
    (lambda kind: bool(pa.types.is_fixed_size_binary(kind) or pa.types.is_binary_view(kind)), _binary_text),
)
