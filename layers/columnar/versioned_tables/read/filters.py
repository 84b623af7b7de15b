"""Filters over rows: conditions in AND/OR groups, parsed from JSON and checked against a schema.

`{"column": "age", "op": "gte", "value": 18}`, `{"and": [...]}`, `{"or": [...]}`. As in SQL, a null cell matches
nothing but `is_null`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dataforge.kernel.texts import Text
from versioned_tables.errors import FilterRefused
from versioned_tables.schema.columns import TableSchema

COMPARISONS = ("eq", "neq", "gt", "gte", "lt", "lte")
TEXTS = ("contains", "not_contains", "starts_with", "ends_with")
LISTS = ("in", "not_in")
NULLS = ("is_null", "is_not_null")
OPERATORS = (*COMPARISONS, *TEXTS, *LISTS, *NULLS)
MOST_CONDITIONS = 100
MOST_DEPTH = 10


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a column (by name) with a value, a list of values, or nothing."""

    column: str
    op: str
    value: object = None


@dataclass(frozen=True, slots=True)
class Group:
    """All (`every`) or at least one of the items hold; an empty group of all holds."""

    every: bool
    items: tuple[Filter, ...]


Filter = Condition | Group


def parse_filter(value: object) -> Filter:
    """The filter of a JSON value. Raises FilterRefused naming what is wrong."""
    return _parse(value, 0, [0])


def _parse(value: object, depth: int, count: list[int]) -> Filter:
    if depth > MOST_DEPTH:
        raise FilterRefused(Text("Filters may be nested {most_depth} deep.", most_depth=MOST_DEPTH))
    if not isinstance(value, Mapping):
        raise FilterRefused(Text("A filter is an object with column, op and value, or with one of and, or."))
    for word, every in (("and", True), ("or", False)):
        if word in value:
            items = value[word]
            if not isinstance(items, list) or len(value) != 1:
                raise FilterRefused(Text("{word!r} takes a list of filters and stands alone.", word=word))
            return Group(every, tuple(_parse(item, depth + 1, count) for item in items))
    count[0] += 1
    if count[0] > MOST_CONDITIONS:
        raise FilterRefused(Text("A filter has at most {most_conditions} conditions.", most_conditions=MOST_CONDITIONS))
    column, op = value.get("column"), value.get("op")
    if not isinstance(column, str) or op not in OPERATORS:
        raise FilterRefused(
            Text(
                "A condition has a column and an op out of {operators}; this one has {column!r} and {op!r}.",
                operators=", ".join(OPERATORS),
                column=column,
                op=op,
            )
        )
    operand = value.get("value")
    if op in LISTS and not isinstance(operand, list):
        raise FilterRefused(Text("Operator {op!r} on {column!r} takes a list of values.", op=op, column=column))
    if op in TEXTS and not isinstance(operand, str):
        raise FilterRefused(Text("Operator {op!r} on {column!r} takes a text.", op=op, column=column))
    if op in COMPARISONS and operand is None:
        raise FilterRefused(
            Text("Operator {op!r} on {column!r} takes a value; use is_null for null.", op=op, column=column)
        )
    return Condition(column, str(op), operand)


def filter_columns(found: Filter | None) -> list[str]:
    """Names of the columns a filter reads, each once."""
    if found is None:
        return []
    if isinstance(found, Condition):
        return [found.column]
    return list(dict.fromkeys(name for item in found.items for name in filter_columns(item)))


def check_filter(found: Filter | None, schema: TableSchema) -> None:
    """Raise FilterRefused when a column is not in the schema."""
    for name in filter_columns(found):
        if schema.by_name(name) is None:
            raise FilterRefused(
                Text(
                    "There is no column {name!r}; the table has {names}.", name=name, names=", ".join(schema.names[:30])
                )
            )
