"""Keys as bytes that compare like the keys: what leaves are found by.

Numbers, dates and times are big-endian with the sign flipped; text is escaped (00 becomes 00 FF) and ended by 00 01;
parts of a composite key follow each other. The order is the one of Arrow's sort: text by code point, false before
true, NaN last.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataforge.contexts.datasets.engine.arrow_types import numpy_of, to_arrow, widen
from dataforge.contexts.datasets.errors import OperationRefused
from dataforge.contexts.datasets.model.columns import Column, TableSchema, decimal_digits

_SIGN = 1 << 63


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
        return [(int(v.scaleb(digits[1])) + (1 << 255)).to_bytes(32, "big") for v in array.to_pylist()]
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
        raise OperationRefused(f"A key of this table has {len(columns)} parts: {', '.join(c.name for c in columns)}.")
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
                message = f"{value!r:.80} does not fit column {column.name!r} of type {column.type}."
                raise OperationRefused(message) from error
        raise


def _python_value(value: object, type_: str) -> object:  # noqa: C901, PLR0911 - one line per type is the clearest form
    if value is None:
        return None
    if type_ == "bool" and not isinstance(value, bool):
        raise ValueError(value)
    if type_ in {"int", "float"} and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise ValueError(value)
    if type_ == "float":
        return float(value)  # type: ignore[arg-type]
    if type_ in {"string", "json"} and not isinstance(value, str):
        raise ValueError(value)
    if decimal_digits(type_):
        return Decimal(str(value))
    if isinstance(value, str):
        if type_ == "date":
            return date.fromisoformat(value)
        if type_ == "time":
            return time.fromisoformat(value)
        if type_ in {"timestamp", "timestamptz"}:
            moment = datetime.fromisoformat(value)
            if (moment.tzinfo is not None) != (type_ == "timestamptz"):
                raise ValueError(value)
            return moment
        if type_ == "binary":
            return bytes.fromhex(value)
    return value


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
