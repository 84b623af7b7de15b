"""The rows of a filter form as a filter, and back."""

from collections.abc import Sequence
from dataclasses import dataclass

from dataforge.kernel.texts import Text
from versioned_tables.errors import FilterRefused
from versioned_tables.read.filters import NULLS, Filter, parse_filter
from versioned_tables.schema.columns import TableSchema

# What the form offers, in its order. Lists of values are for programs.
OPERATORS = {
    "contains": "contains",
    "eq": "is",
    "neq": Text("is not"),
    "starts_with": Text("begins with"),
    "ends_with": Text("ends with"),
    "not_contains": Text("does not contain"),
    "gt": Text("is greater than"),
    "gte": Text("is at least"),
    "lt": Text("is less than"),
    "lte": Text("is at most"),
    "is_null": Text("is empty"),
    "is_not_null": Text("is not empty"),
}
_TEXTS = frozenset({"contains", "not_contains", "starts_with", "ends_with"})
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True)
class FilterRow:
    """One row of the form, as texts."""

    column: str
    op: str
    value: str


def rows_of(columns: Sequence[str], ops: Sequence[str], values: Sequence[str]) -> list[FilterRow]:
    """The rows in which a column was chosen."""
    return [FilterRow(*row) for row in zip(columns, ops, values, strict=False) if row[0]]


def filter_of_rows(rows: Sequence[FilterRow], schema: TableSchema) -> Filter | None:
    """The filter that all of the rows make together; None without any. Raises FilterRefused."""
    if not rows:
        return None
    return parse_filter({"and": [_condition(row, schema) for row in rows]})


def _condition(row: FilterRow, schema: TableSchema) -> dict[str, object]:
    if row.op in NULLS:
        return {"column": row.column, "op": row.op}
    column = schema.by_name(row.column)
    typed = row.value if column is None or row.op in _TEXTS else _typed(row, column.type)
    return {"column": row.column, "op": row.op, "value": typed}


def _typed(row: FilterRow, kind: str) -> object:
    text = row.value.strip()
    try:
        if kind == "bool":
            return _BOOLEANS[text.lower()]
        if kind == "int":
            return int(text) if text.lstrip("+-").isdecimal() else float(text)
        if kind == "float":
            return float(text)
    except (KeyError, ValueError) as error:
        wanted = Text("true or false") if kind == "bool" else Text("a number")
        message = Text(
            "The column {column!r} is compared with {wanted}; {row!r} is not {wanted}.",
            column=row.column,
            wanted=wanted,
            row=row.value,
        )
        raise FilterRefused(message) from error
    return row.value
