"""Filters over Arrow tables."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataforge.kernel.texts import Text
from versioned_tables.errors import FilterRefused, OperationRefused
from versioned_tables.format.keys import column_from_json
from versioned_tables.read.filters import Condition, Filter, Group
from versioned_tables.schema.arrow_types import arrow_schema
from versioned_tables.schema.columns import Column, TableSchema
from versioned_tables.schema.texts import text_of

_COMPARE = {
    "eq": pc.equal,
    "neq": pc.not_equal,
    "gt": pc.greater,
    "gte": pc.greater_equal,
    "lt": pc.less,
    "lte": pc.less_equal,
}
_TEXT = {"contains": pc.match_substring, "starts_with": pc.starts_with, "ends_with": pc.ends_with}


def matching(table: pa.Table, found: Filter, schema: TableSchema) -> np.ndarray:
    """Per row of a table (columns by id) whether the filter holds. Raises FilterRefused when a value does not fit
    its column.
    """
    mask = _mask(table, found, schema)
    flat = mask.combine_chunks() if isinstance(mask, pa.ChunkedArray) else mask
    result: np.ndarray = pc.fill_null(flat, False).to_numpy(zero_copy_only=False)  # noqa: FBT003 - pyarrow's own signature
    return result


def check_fits(found: Filter, schema: TableSchema) -> None:
    """Raise FilterRefused when a filter could not be run on a table of this schema: it is run on an empty one."""
    matching(arrow_schema(schema).empty_table(), found, schema)


def _mask(table: pa.Table, found: Filter, schema: TableSchema) -> pa.ChunkedArray:
    if isinstance(found, Group):
        parts = [pc.fill_null(_mask(table, item, schema), False) for item in found.items]  # noqa: FBT003
        if not parts:
            return pa.chunked_array([pa.array(np.full(table.num_rows, found.every))])
        return reduce(pc.and_ if found.every else pc.or_, parts)
    column = schema.by_name(found.column)
    if column is None:
        raise FilterRefused(Text("There is no column {column!r}.", column=found.column))
    return _condition(table.column(column.id), found, column)


def _condition(values: pa.ChunkedArray, found: Condition, column: Column) -> pa.ChunkedArray:
    if found.op in {"is_null", "is_not_null"}:
        return pc.is_null(values) if found.op == "is_null" else pc.is_valid(values)
    if found.op in {"contains", "not_contains", "starts_with", "ends_with"}:
        name = found.op.removeprefix("not_")
        hit = _TEXT[name](text_of(values), str(found.value))
        return pc.invert(hit) if found.op == "not_contains" else hit
    operands = found.value if isinstance(found.value, list) else [found.value]
    try:
        array = column_from_json(operands, _operand_column(column, operands))
    except OperationRefused as error:
        raise FilterRefused(Text("Filter on {name!r}: {detail}", name=column.name, detail=error.detail)) from error
    if found.op in {"in", "not_in"}:
        hit = pc.is_in(values.cast(array.type) if values.type != array.type else values, value_set=array)
        if found.op == "not_in":
            return pc.and_(pc.invert(hit), pc.is_valid(values))
        return pc.and_(hit, pc.is_valid(values))
    return _COMPARE[found.op](values, array[0])


def _operand_column(column: Column, operands: list[object]) -> Column:
    """Whole-number columns may be compared with fractions."""
    if column.type == "int" and any(isinstance(value, float) for value in operands):
        return Column(column.id, column.name, "float")
    return column
