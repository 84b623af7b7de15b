"""Which rows of a table a statement can leave unread: those of zones whose values its WHERE rules out.

Only what is certain counts: comparisons of the zoned column itself with constants, joined by AND and OR, in the WHERE
of a SELECT from that table alone, and of every one that names the table. The engine still filters what is read; it
also judges the zones, so that both compare alike.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import duckdb
import pyarrow as pa

from versioned_tables.schema.names import sql_name
from versioned_tables.sql.scans import Rows

Tree: TypeAlias = dict[str, Any]
Ranges: TypeAlias = list[tuple[int, int]]

# Larger statements are run without.
_MOST_TREE = 1_000_000
# More of them are not worth as many reads.
_MOST_RANGES = 500
_TABLES = frozenset({"BASE_TABLE", "JOIN", "SUBQUERY", "EXPRESSION_LIST", "EMPTY", "EMPTY_FROM"})
_FLIPPED = {
    "COMPARE_EQUAL": "COMPARE_EQUAL",
    "COMPARE_LESSTHAN": "COMPARE_GREATERTHAN",
    "COMPARE_GREATERTHAN": "COMPARE_LESSTHAN",
    "COMPARE_LESSTHANOREQUALTO": "COMPARE_GREATERTHANOREQUALTO",
    "COMPARE_GREATERTHANOREQUALTO": "COMPARE_LESSTHANOREQUALTO",
}
_BELOW = frozenset({"COMPARE_LESSTHAN", "COMPARE_LESSTHANOREQUALTO"})
_QUERY = "SELECT start, stop FROM zones WHERE true ORDER BY start"


@dataclass(frozen=True, slots=True)
class Zoned:
    """The column of a table that has zones."""

    name: str
    type: pa.DataType


@dataclass(slots=True)
class _Uses:
    """How often a table is named, and the conditions on its zones where there are some."""

    count: int = 0
    conditions: list[Tree] = field(default_factory=list)


def tree_of(serialized: str) -> Tree:
    """A statement's parse tree from DuckDB's JSON; an empty one when it is too large or too deep to look at."""
    if len(serialized) > _MOST_TREE:
        return {}
    try:
        tree: Tree = json.loads(serialized)["statements"][0]["node"]
    except RecursionError:
        return {}
    return tree


def sorts_everything(tree: Tree) -> bool:
    """Whether the rows of the answer are sorted, and nothing says how many of them are wanted."""
    kinds = {modifier["type"] for modifier in tree.get("modifiers", [])}
    return "ORDER_MODIFIER" in kinds and kinds <= {"ORDER_MODIFIER", "DISTINCT_MODIFIER"}


def conditions(tree: Tree, zoned: Mapping[str, Zoned]) -> dict[str, Tree]:
    """Per table that need not be read as a whole the condition on `low` and `high` of its zones, as a parse tree.

    `tree` is the statement's, `zoned` has the zoned column by table.
    """
    if not zoned:
        return {}
    nodes = list(_nodes(tree))
    if any(_is_table(node) and node["type"] not in _TABLES for node in nodes):
        return {}  # a table function may name tables in a text
    known = {sql_name(name): name for name in zoned}
    for name in [entry["key"] for node in nodes if "cte_map" in node for entry in node["cte_map"]["map"]]:
        known.pop(sql_name(name), None)
    uses = {name: _Uses() for name in known.values()}
    for node in nodes:
        if node.get("type") == "BASE_TABLE" and _is_table(node) and sql_name(node["table_name"]) in known:
            uses[known[sql_name(node["table_name"])]].count += 1
        source = node.get("from_table") if node.get("type") == "SELECT_NODE" else None
        if source is None or source["type"] != "BASE_TABLE" or node["where_clause"] is None:
            continue
        name = known.get(sql_name(source["table_name"]))
        if name is None or source["sample"] is not None or source["column_name_alias"] or source["at_clause"]:
            continue
        condition = _condition(node["where_clause"], zoned[name], source["alias"] or source["table_name"])
        if condition is not None:
            uses[name].conditions.append(condition)
    return {
        name: _joined("OR", use.conditions)
        for name, use in uses.items()
        if use.conditions and len(use.conditions) == use.count
    }


def rows_of_zones(connection: duckdb.DuckDBPyConnection, condition: Tree, zones: pa.Table, name: str) -> Ranges | None:
    """Ranges of rows that may meet a condition; None when nearly everything may, or the engine cannot compare so.

    The zones are registered as `name` for the moment.
    """
    [[text]] = connection.execute("SELECT json_serialize_sql(?)", [_QUERY]).fetchall()
    tree = json.loads(text)
    node = tree["statements"][0]["node"]
    node["where_clause"] = condition
    node["from_table"]["table_name"] = name
    node["from_table"]["qualified_name"] = {"path": [name]}
    connection.register(name, Rows(zones))
    try:
        [[query]] = connection.execute("SELECT json_deserialize_sql(?::JSON)", [json.dumps(tree)]).fetchall()
        found = connection.execute(query).fetchall()
    except duckdb.Error:
        return None
    finally:
        connection.unregister(name)
    ranges: Ranges = []
    for start, stop in found:
        if ranges and ranges[-1][1] == start:
            ranges[-1] = (ranges[-1][0], stop)
        else:
            ranges.append((start, stop))
    return ranges if len(ranges) <= _MOST_RANGES else None


def _nodes(tree: object) -> Iterator[Tree]:
    waiting = [tree]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield item
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def _is_table(node: Tree) -> bool:
    return "class" not in node and "sample" in node and "alias" in node


def _condition(node: Tree, column: Zoned, table: str) -> Tree | None:
    """What must hold for a zone that has a row for which `node` is true; None when nothing is known."""
    kind = node["type"]
    if node["class"] == "CONJUNCTION":
        parts = [_condition(child, column, table) for child in node["children"]]
        return _any(parts) if kind == "CONJUNCTION_OR" else _all(parts)
    if kind == "COMPARE_BETWEEN" and _is_column(node["input"], column, table):
        lower = _bound("COMPARE_GREATERTHANOREQUALTO", node["lower"], column)
        return _all([lower, _bound("COMPARE_LESSTHANOREQUALTO", node["upper"], column)])
    if kind == "COMPARE_IN" and _is_column(node["children"][0], column, table):
        return _any([_bound("COMPARE_EQUAL", child, column) for child in node["children"][1:]])
    if node["class"] == "COMPARISON" and kind in _FLIPPED:
        if _is_column(node["left"], column, table):
            return _bound(kind, node["right"], column)
        if _is_column(node["right"], column, table):
            return _bound(_FLIPPED[kind], node["left"], column)
    return None


def _all(parts: Sequence[Tree | None]) -> Tree | None:
    """What is known of all parts at once."""
    certain = [part for part in parts if part is not None]
    return _joined("AND", certain) if certain else None


def _any(parts: Sequence[Tree | None]) -> Tree | None:
    """What is known when one of the parts holds: nothing if of one nothing is."""
    certain = [part for part in parts if part is not None]
    return _joined("OR", certain) if certain and len(certain) == len(parts) else None


def _is_column(node: Tree, column: Zoned, table: str) -> bool:
    if node["class"] != "COLUMN_REF":
        return False
    names = [sql_name(name) for name in node["column_names"]]
    return names in ([sql_name(column.name)], [sql_name(table), sql_name(column.name)])


def _bound(kind: str, constant: Tree, column: Zoned) -> Tree | None:
    if not _comparable(constant, column.type):
        return None
    if kind == "COMPARE_EQUAL":
        return _joined("AND", [_compare("COMPARE_LESSTHANOREQUALTO", "low", constant), _not_above(constant)])
    if kind in _BELOW:
        return _compare(kind, "low", constant)
    return _not_above(constant) if kind == "COMPARE_GREATERTHANOREQUALTO" else _not_above(constant, kind)


def _not_above(constant: Tree, kind: str = "COMPARE_GREATERTHANOREQUALTO") -> Tree:
    """A zone without a bound has what is above everything."""
    unbounded = {"class": "OPERATOR", "type": "OPERATOR_IS_NULL", "alias": "", "children": [_column("high")]}
    return _joined("OR", [unbounded, _compare(kind, "high", constant)])


def _comparable(node: Tree, kind: pa.DataType) -> bool:
    """Whether a constant is one that the column is compared with in its own order: not as text, unless it is text."""
    cast = None
    if node["class"] == "CAST" and not node["try_cast"]:
        cast, node = node["type_expr"].get("type_name", "").upper(), node["child"]
    if node["class"] != "CONSTANT" or "literal" not in node:
        return False
    literal = node["literal"]["kind"]
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return literal == "STRING" and cast in {None, "DATE", "TIMESTAMP"}
    if cast is not None:
        return False
    return literal == "STRING" if pa.types.is_string(kind) else literal in {"INTEGER", "NUMERIC"}


def _compare(kind: str, name: str, constant: Tree) -> Tree:
    return {"class": "COMPARISON", "type": kind, "alias": "", "left": _column(name), "right": constant}


def _column(name: str) -> Tree:
    return {"class": "COLUMN_REF", "type": "COLUMN_REF", "alias": "", "column_names": [name]}


def _joined(how: str, nodes: Sequence[Tree]) -> Tree:
    if len(nodes) == 1:
        return nodes[0]
    return {"class": "CONJUNCTION", "type": f"CONJUNCTION_{how}", "alias": "", "children": list(nodes)}
