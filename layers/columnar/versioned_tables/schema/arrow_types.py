"""Between the schema's type names and Arrow."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from versioned_tables.schema.columns import Column, TableSchema, decimal_digits
from versioned_tables.schema.texts import text_of

_ARROW = {
    "bool": pa.bool_(),
    "int": pa.int64(),
    "float": pa.float64(),
    "string": pa.string(),
    "json": pa.string(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", "UTC"),
    "binary": pa.binary(),
}


def to_arrow(type_: str) -> pa.DataType:
    """The Arrow type that holds a schema type."""
    digits = decimal_digits(type_)
    if digits:
        return pa.decimal128(*digits) if digits[0] <= 38 else pa.decimal256(*digits)
    return _ARROW[type_]


def from_arrow(kind: pa.DataType) -> str:
    """The schema type of an Arrow type that has one; raises KeyError for nested and exotic types."""
    if pa.types.is_decimal(kind) and 0 <= kind.scale <= kind.precision:
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    for test, name in (
        (pa.types.is_boolean, "bool"),
        (pa.types.is_integer, "int"),
        (pa.types.is_floating, "float"),
        (pa.types.is_date, "date"),
        (pa.types.is_time, "time"),
        (pa.types.is_string, "string"),
        (pa.types.is_large_string, "string"),
        (pa.types.is_string_view, "string"),
        (pa.types.is_binary, "binary"),
        (pa.types.is_large_binary, "binary"),
        (pa.types.is_fixed_size_binary, "binary"),
        (pa.types.is_binary_view, "binary"),
        (pa.types.is_null, "string"),
    ):
        if test(kind):
            return name
    raise KeyError(str(kind))


def arrow_schema(schema: TableSchema) -> pa.Schema:
    """The Arrow schema of stored rows: columns named by id."""
    return pa.schema([pa.field(column.id, to_arrow(column.type)) for column in schema.columns])


def conform(table: pa.Table, schema: TableSchema, columns: list[str] | None = None) -> pa.Table:
    """Stored rows as a schema sees them: ids in schema order, missing columns null, older types widened.

    `columns` restricts the result to these ids, in this order.
    """
    wanted = [schema.by_id(item) for item in columns] if columns is not None else list(schema.columns)
    present = set(table.schema.names)
    arrays = [_conformed(table, column, present) for column in wanted]
    return (
        pa.Table.from_arrays(arrays, schema=pa.schema([pa.field(c.id, to_arrow(c.type)) for c in wanted]))
        if wanted
        else table.select([])
    )


def _conformed(table: pa.Table, column: Column, present: set[str]) -> pa.ChunkedArray:
    kind = to_arrow(column.type)
    if column.id not in present:
        return pa.chunked_array([pa.nulls(table.num_rows, kind)], kind)
    return widen(table.column(column.id), kind)


def widen(array: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Cast to a type that holds every value; ints above 2^53 and long decimals become the nearest double."""
    if array.type == kind:
        return array
    if kind == pa.string():
        return text_of(array)
    if pa.types.is_decimal(array.type) and pa.types.is_floating(kind):
        # By its text: Arrow's own cast multiplies by powers of ten, and 0.47 is no longer 0.47.
        return text_of(array).cast(kind)
    return array.cast(kind, safe=not pa.types.is_floating(kind))


def numpy_of(array: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """A numpy array without nulls; the caller has made sure that there are none."""
    flat = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    found: np.ndarray = flat.to_numpy(zero_copy_only=False)
    return found
