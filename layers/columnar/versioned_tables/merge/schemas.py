"""How the schemas of three versions become one: columns by id, each with its name, its type and its place."""

from __future__ import annotations

from collections.abc import Sequence

from dataforge.kernel.texts import Text
from versioned_tables.errors import ColumnConflict
from versioned_tables.merge.conflicts import Rule
from versioned_tables.schema.columns import Column, TableSchema
from versioned_tables.schema.names import sql_name


def column_conflict(was: Column | None, ours: Column, theirs: Column) -> str | None:
    """What both sides made of one column differently, as a sentence; None when they agree or one left it as it was.

    `was` None: both sides added it.
    """
    if was is None:
        if ours.type != theirs.type:
            return Text(
                "Both sides added a column {name!r}, ours of type {type} and theirs of type {type_2}.",
                name=ours.name,
                type=ours.type,
                type_2=theirs.type,
            )
        if ours.name != theirs.name:
            return Text(
                "A column that both sides added is named {name!r} on our side and {name_2!r} on theirs.",
                name=ours.name,
                name_2=theirs.name,
            )
        return None
    if len({was.name, ours.name, theirs.name}) == 3:
        return Text(
            "Column {name!r} is now {name_2!r} on our side and {name_3!r} on theirs.",
            name=was.name,
            name_2=ours.name,
            name_3=theirs.name,
        )
    if len({was.type, ours.type, theirs.type}) == 3:
        return Text(
            "Column {name!r} is now of type {type} on our side and of type {type_2} on theirs.",
            name=was.name,
            type=ours.type,
            type_2=theirs.type,
        )
    return None


def merged_schema(base: TableSchema, ours: TableSchema, theirs: TableSchema, rule: Rule | None = None) -> TableSchema:
    """Columns of ours, with what theirs added, dropped, renamed, retyped or moved since base.

    Where both did something else to a name or type the rule's side is taken, ours without one. Raises ColumnConflict
    when two columns would have one name to SQL, or the type of the key is to change.
    """
    columns = {
        column.id: _merged_column(base, column, theirs, rule)
        for column in ours.columns
        if theirs.has(column.id) or not base.has(column.id)
    }
    columns |= {c.id: c for c in theirs.columns if not base.has(c.id) and not ours.has(c.id)}
    ordered = [columns[item] for item in _order(base, ours, theirs) if item in columns]
    seen: dict[str, str] = {}
    for column in ordered:
        other = seen.setdefault(sql_name(column.name), column.id)
        if other != column.id:
            raise ColumnConflict(
                Text(
                    "Both sides have a column {name!r} that is not the same one; rename one of them first.",
                    name=column.name,
                )
            )
    merged = TableSchema(tuple(ordered), ours.key).after(ours, theirs)
    if not merged.keyed_like(ours):
        raise ColumnConflict(Text("The type of the key changed on one side; merge by importing the table anew."))
    return merged


def _merged_column(base: TableSchema, ours: Column, theirs: TableSchema, rule: Rule | None) -> Column:
    if not theirs.has(ours.id):
        return ours
    other = theirs.by_id(ours.id)
    was = base.by_id(ours.id) if base.has(ours.id) else None
    name = _three_way(None if was is None else was.name, ours.name, other.name, rule)
    type_ = _three_way(None if was is None else was.type, ours.type, other.type, rule)
    return Column(ours.id, name, type_, ours.nullable and other.nullable)


def _three_way(was: str | None, ours: str, theirs: str, rule: Rule | None) -> str:
    if theirs in {was, ours}:
        return ours
    return theirs if ours == was or rule == "theirs" else ours


def _order(base: TableSchema, ours: TableSchema, theirs: TableSchema) -> list[str]:
    """Ids of all columns in the order of ours, or of theirs when only theirs moved any; the other's behind."""
    shared = {c.id for c in base.columns if ours.has(c.id) and theirs.has(c.id)}
    first, second = ours, theirs
    if _sequence(ours, shared) == _sequence(base, shared) != _sequence(theirs, shared):
        first, second = theirs, ours
    return list(dict.fromkeys([column.id for column in (*first.columns, *second.columns)]))


def _sequence(schema: TableSchema, among: set[str]) -> Sequence[str]:
    return [column.id for column in schema.columns if column.id in among]
