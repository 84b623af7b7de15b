"""What every reader needs of values, checked before they are stored."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from dataforge.kernel.texts import Text
from versioned_tables.errors import EncodingRefused, SchemaMismatch
from versioned_tables.schema.conversion import misfit
from versioned_tables.schema.texts import END_DAY, FIRST_DAY, text_of

_PER_DAY = {"s": 86_400, "ms": 86_400 * 10**3, "us": 86_400 * 10**6, "ns": 86_400 * 10**9}


def require_readable(name: str, values: pa.ChunkedArray, first_row: int) -> None:
    """Raise EncodingRefused when a text is not UTF-8, SchemaMismatch when a date is outside the years 1 to 9999 or a
    time is none of the day, with the row. `first_row` is the number of the first of these rows.
    """
    row = first_row
    for chunk in values.chunks:
        at = _unreadable(chunk)
        if at >= 0:
            raise _refusal(name, chunk, at, row)
        row += len(chunk)


def _unreadable(chunk: pa.Array) -> int:
    """The first value that cannot be read; -1 if all can."""
    kind = chunk.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return -1 if is_utf8(chunk) else next(at for at in range(len(chunk)) if not is_utf8(chunk.slice(at, 1)))
    limits = bounds(kind)
    if limits is None:
        return -1
    counts = counts_of(chunk)
    outside = pc.or_(pc.less(counts, limits[0]), pc.greater_equal(counts, limits[1]))
    return int(pc.index(outside, value=True).as_py()) if pc.any(outside).as_py() else -1


def is_utf8(texts: pa.Array) -> bool:
    """Whether every text is UTF-8."""
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def bounds(kind: pa.DataType) -> tuple[int, int] | None:
    """The first count of a type of time that has a text of the usual form, and the one after the last."""
    if pa.types.is_date32(kind):
        return FIRST_DAY, END_DAY
    if pa.types.is_date64(kind):
        return FIRST_DAY * _PER_DAY["ms"], END_DAY * _PER_DAY["ms"]
    if pa.types.is_timestamp(kind):
        return FIRST_DAY * _PER_DAY[kind.unit], END_DAY * _PER_DAY[kind.unit]
    if pa.types.is_time(kind):
        return 0, _PER_DAY[kind.unit]
    return None


def counts_of(array: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Dates and times as the numbers they are stored as."""
    if isinstance(array, pa.ChunkedArray):
        return pa.chunked_array([counts_of(chunk) for chunk in array.chunks], pa.int64())
    return array.view(pa.int32() if array.type.bit_width == 32 else pa.int64()).cast(pa.int64())


def _refusal(name: str, chunk: pa.Array, at: int, row: int) -> EncodingRefused | SchemaMismatch:
    if pa.types.is_string(chunk.type) or pa.types.is_large_string(chunk.type):
        data: bytes = chunk.slice(at, 1).cast(pa.large_binary()).to_pylist()[0]
        return EncodingRefused(
            Text(
                "Row {row}, column {name!r}: the text is not UTF-8; it begins with the bytes {hex}.",
                row=row + at,
                name=name,
                hex=data[:16].hex(" "),
            ),
            facts={"row": row + at, "column": name},
        )
    return misfit(name, str(chunk.type), [{"row": row + at, "value": text_of(chunk.slice(at, 1))[0].as_py()}])
