"""Between the schema's type names and Arrow, and the one text form of every type."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataforge.contexts.datasets.model.columns import Column, TableSchema, decimal_digits

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
    if pa.types.is_decimal(kind):
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
        (pa.types.is_binary, "binary"),
        (pa.types.is_large_binary, "binary"),
        (pa.types.is_fixed_size_binary, "binary"),
        (pa.types.is_null, "string"),
    ):
        if test(kind):
            return name
    raise KeyError(str(kind))


def arrow_schema(schema: TableSchema) -> pa.Schema:
    """The Arrow schema of stored rows: columns named by id."""
    return pa.schema([pa.field(column.id, to_arrow(column.type)) for column in schema.columns])


def text_of(array: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Every value as the text that CSV exports write and imports read back as the same value; null stays null."""
    kind = array.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return array
    if pa.types.is_timestamp(kind):
        text = _moment_text(array.cast(pa.timestamp("us")))
        return pc.binary_join_element_wise(text, pa.scalar("Z"), "") if kind.tz else text
    if pa.types.is_floating(kind):
        return _float_text(array)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.array([None if v is None else v.hex() for v in array.to_pylist()], pa.string())
    return array.cast(pa.string())


def _moment_text(array: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """`2026-01-31T12:30:00`, with the digits of a second it needs. A cast is ten times faster than `strftime`."""
    try:
        text = array.cast(pa.timestamp("s")).cast(pa.string())
    except pa.ArrowInvalid:  # some have fractions of a second
        text = pc.utf8_rtrim(pc.utf8_rtrim(array.cast(pa.string()), "0"), ".")
    return pc.replace_substring(text, " ", "T")


def _float_text(array: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Shortest text that reads back as the same double; a decimal point always, so that it reads back as a float
    column.
    """
    if isinstance(array, pa.ChunkedArray):
        return pa.chunked_array([_float_text(chunk) for chunk in array.chunks], pa.string())
    text = array.cast(pa.string())
    bare = pc.invert(pc.match_substring(text, "."))
    if not pc.any(bare).as_py():
        return text
    bare = pc.fill_null(bare, False)  # noqa: FBT003 - pyarrow's own signature
    short = text.filter(bare)
    pointed = pc.binary_join_element_wise(short, pa.scalar(".0"), "")
    return pc.replace_with_mask(text, bare, pc.if_else(pc.match_substring_regex(short, r"^-?[0-9]+$"), pointed, short))


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
    """Cast to a type that holds every value; ints above 2^53 become the nearest double."""
    if array.type == kind:
        return array
    if kind == pa.string():
        return text_of(array)
    return array.cast(kind, safe=not pa.types.is_floating(kind))


def plain_rows(table: pa.Table) -> list[dict[str, object]]:
    """Rows as JSON values: dates and decimals as text, bytes as hex, NaN and Infinity as null (JSON has neither)."""
    columns = [(name, _plain_column(table.column(name))) for name in table.schema.names]
    names = [name for name, _ in columns]
    return (
        [dict(zip(names, row, strict=True)) for row in zip(*(values for _, values in columns), strict=True)]
        if columns
        else []
    )


def _plain_column(array: pa.ChunkedArray) -> list[object]:
    kind = array.type
    if pa.types.is_floating(kind):
        array = pc.if_else(pc.is_finite(array), array, pa.scalar(None, kind))
    elif not (pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        array = text_of(array)
    values: list[object] = array.to_pylist()
    return values


def numpy_of(array: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """A numpy array without nulls; the caller has made sure that there are none."""
    flat = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    found: np.ndarray = flat.to_numpy(zero_copy_only=False)
    return found
