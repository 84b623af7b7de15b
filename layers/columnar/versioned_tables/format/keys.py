"""Keys as bytes that compare like the keys: what leaves are found by.

Numbers, dates and times are big-endian with the sign flipped; text is escaped (00 becomes 00 FF) and ended by 00 01;
parts of a composite key follow each other. The order is the one of Arrow's sort: text by code point, false before
true, NaN last.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Context, Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataforge.kernel.texts import Text
from versioned_tables.errors import OperationRefused
from versioned_tables.schema.arrow_types import numpy_of, to_arrow, widen
from versioned_tables.schema.columns import Column, TableSchema, decimal_digits
from versioned_tables.schema.decimals import exactly
from versioned_tables.schema.texts import NOT_FINITE, is_json

_SIGN = 1 << 63
# The usual context of decimals rounds to 28 digits, and so makes one key of two.
_ALL_DIGITS = Context(prec=76)


def encode_keys(table: pa.Table, schema: TableSchema) -> list[bytes]:
    """The encoded key of every row; the table has the key columns by id and no null among them."""
    parts = [_encode_column(widen(table.column(c.id), to_arrow(c.type)), c.type) for c in schema.key_columns]
    return parts[0] if len(parts) == 1 else [b"".join(row) for row in zip(*parts, strict=True)]


def _encode_column(array: pa.ChunkedArray, type_: str) -> list[bytes]:
    if type_ in {"string", "json", "binary"}:
        raw = [v.encode() if isinstance(v, str) else v for v in array.to_pylist()]
        return [(v.replace(b"\x00", b"\x00\xff") if b"\x00" in v else v) + b"\x00\x01" for v in raw]
    if type_ == "bool":
        return [b"\x01" if v else b"\x00" for v in array.to_pylist()]
    digits = decimal_digits(type_)
    if digits:
        return [(int(v.scaleb(digits[1], _ALL_DIGITS)) + (1 << 255)).to_bytes(32, "big") for v in array.to_pylist()]
    if type_ == "float":
        bits = (numpy_of(array) + 0.0).view(np.uint64)
        flipped = np.where(bits >> np.uint64(63), ~bits, bits | np.uint64(_SIGN))
    else:
        whole = array.cast(pa.int32()).cast(pa.int64()) if type_ == "date" else array.cast(pa.int64())
        flipped = numpy_of(whole).view(np.uint64) ^ np.uint64(_SIGN)
    data = flipped.astype(">u8").tobytes()
    return [data[at : at + 8] for at in range(0, len(data), 8)]


def key_table(keys: Sequence[Sequence[object]], schema: TableSchema) -> pa.Table:
    """Keys given as JSON values, as a table of the key columns; raises OperationRefused naming the value that does
    not fit.
    """
    columns = schema.key_columns
    if any(len(key) != len(columns) for key in keys):
        raise OperationRefused(
            Text(
                "A key of this table has {count} parts: {columns}.",
                count=len(columns),
                columns=", ".join(c.name for c in columns),
            )
        )
    return pa.table({c.id: column_from_json([key[at] for key in keys], c) for at, c in enumerate(columns)})


def column_from_json(values: Sequence[object], column: Column) -> pa.Array:
    """JSON values as an Arrow array of the column's type; raises OperationRefused naming the first value that does
    not fit.
    """
    kind = to_arrow(column.type)
    try:
        return pa.array([_python_value(value, column.type) for value in values], kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError, ArithmeticError, TypeError, OverflowError):
        for value in values:
            try:
                pa.array([_python_value(value, column.type)], kind)
            except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError, ArithmeticError, TypeError, OverflowError) as error:
                message = Text(
                    "{value!r:.80} does not fit column {name!r} of type {type}.",
                    value=value,
                    name=column.name,
                    type=column.type,
                )
                raise OperationRefused(message) from error
        raise


def _python_value(value: object, type_: str) -> object:
    if value is None:
        return None
    digits = decimal_digits(type_)
    if digits:
        return exactly(_decimal(value), digits[1])
    return _READERS[type_](value)


def _decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise TypeError(value)
    return Decimal(str(value))


def _bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def _number(value: object) -> int | float | Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise TypeError(value)
    return value


def _int(value: object) -> int:
    """2.0 is a whole number; Arrow would make 2 of 2.5 as well."""
    number = _number(value)
    if int(number) != number:
        raise ValueError(value)
    return int(number)


def _float(value: object) -> float:
    if isinstance(value, str) and value in NOT_FINITE:
        return float(value)
    number = float(_number(value))
    if isinstance(value, int | Decimal) and number != value:
        raise ValueError(value)
    return number


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _json(value: object) -> str:
    text = _text(value)
    if not is_json(text):
        raise ValueError(value)
    return text


def _date(value: object) -> date:
    return date.fromisoformat(_text(value))


def _time(value: object) -> time:
    found = time.fromisoformat(_micros(value))
    if found.tzinfo is not None:
        raise ValueError(value)
    return found


def _moment(*, zoned: bool) -> Callable[[object], datetime]:
    def read(value: object) -> datetime:
        found = datetime.fromisoformat(_micros(value))
        if (found.tzinfo is not None) != zoned:
            raise ValueError(value)
        # In UTC, so that a year outside 1 to 9999 is an OverflowError here and not a page that cannot be shown later.
        return found.astimezone(UTC) if zoned else found

    return read


def _micros(value: object) -> str:
    """The text, which Python would cut to microseconds without a word."""
    text = _text(value)
    if _FINER.search(text):
        raise ValueError(value)
    return text


def _bytes(value: object) -> bytes:
    return bytes.fromhex(_text(value))


_FINER = re.compile(r"[.,][0-9]{6}[0-9]*[1-9]")
_READERS: dict[str, Callable[[object], object]] = {
    "bool": _bool,
    "int": _int,
    "float": _float,
    "string": _text,
    "json": _json,
    "date": _date,
    "time": _time,
    "timestamp": _moment(zoned=False),
    "timestamptz": _moment(zoned=True),
    "binary": _bytes,
}


def strictly_increasing(table: pa.Table, schema: TableSchema) -> bool:
    """Whether the rows are in key order without a duplicate; vectorised, no encoding."""
    if table.num_rows < 2:
        return True
    decided = None
    equal = None
    for column in schema.key_columns:
        values = table.column(column.id).combine_chunks()
        ahead, behind = values.slice(1), values.slice(0, len(values) - 1)
        less, same = pc.less(behind, ahead), pc.equal(behind, ahead)
        decided = less if decided is None else pc.or_(decided, pc.and_(equal, less))
        equal = same if equal is None else pc.and_(equal, same)
    return bool(pc.all(decided).as_py())
