"""Three-way merge of a table, revert and cherry-pick.

The schemas are merged first, then the rows: by key (`merge_by_key`), or in a table without one by place
(`merge_by_place`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dataforge.kernel.texts import Text
from versioned_tables.compare.diff import difference, select
from versioned_tables.errors import ColumnConflict, SchemaMismatch
from versioned_tables.format.manifest import Manifest
from versioned_tables.format.patches import INSERT
from versioned_tables.merge.by_key import merge_by_key
from versioned_tables.merge.by_position import merge_by_place
from versioned_tables.merge.conflicts import Resolution, Rule, Settlement
from versioned_tables.merge.schemas import column_conflict, merged_schema
from versioned_tables.merge.sides import MergeResult, Sides
from versioned_tables.read.rows import rows_at_positions, scan
from versioned_tables.read.union import compared_types, restricted
from versioned_tables.schema.arrow_types import conform
from versioned_tables.schema.columns import Column, TableSchema
from versioned_tables.storage.table_store import TableStore
from versioned_tables.write.operations import change_schema
from versioned_tables.write.writer import TableWriter


def merge(
    store: TableStore,
    base: Manifest,
    ours: Manifest,
    theirs: Manifest,
    *,
    rule: Rule | None = None,
    column_rule: Rule | None = None,
    resolutions: Mapping[str, Resolution] | None = None,
) -> MergeResult:
    """Bring what `theirs` changed since `base` into `ours`. The result's change is relative to `ours`.

    Columns are merged by id, cells by row and column; a column that a version lacks is null in it. `column_rule` is
    for what both sides made of one column, `rule` where it is not given. Raises ColumnConflict where the columns do
    not go together.
    """
    if not base.schema.key == ours.schema.key == theirs.schema.key:
        raise ColumnConflict(Text("The key of the table changed on one side; merge by importing it anew."))
    column_rule = column_rule or rule
    if column_rule is None:
        _check_columns(store, base, ours, theirs)
    schema = merged_schema(base.schema, ours.schema, theirs.schema, column_rule)
    store.learn(base.schema, ours.schema, theirs.schema)
    target = _as_schema(store, ours, schema)
    sides = Sides(
        store,
        restricted(base, schema),
        restricted(ours, schema),
        restricted(theirs, schema),
        target,
        compared_types(schema, base.schema, ours.schema, theirs.schema),
        Settlement(rule, dict(resolutions or {})),
    )
    result = merge_by_key(sides) if schema.key else merge_by_place(sides)
    if target.digest == ours.digest:
        return result
    # The recorded change is relative to ours under the merged schema.
    return MergeResult.of(result.settled.without_change(), result.conflicts)


def revert(
    store: TableStore, commit: Manifest, parent: Manifest, head: Manifest, *, rule: Rule | None = None
) -> MergeResult:
    """The head without what a commit did. A column that the commit dropped comes back with its id and its values."""
    return merge(store, commit, head, parent, rule=rule)


def cherry_pick(
    store: TableStore, commit: Manifest, parent: Manifest, head: Manifest, *, rule: Rule | None = None
) -> MergeResult:
    """The head with what a commit on another line did."""
    return merge(store, parent, head, commit, rule=rule)


def _check_columns(store: TableStore, base: Manifest, ours: Manifest, theirs: Manifest) -> None:
    """Refuse what both sides made of one column differently. With a rule a name and a type are those of its side, and
    what was dropped is gone.
    """
    for column in ours.schema.columns:
        if theirs.schema.has(column.id):
            was = base.schema.by_id(column.id) if base.schema.has(column.id) else None
            problem = column_conflict(was, column, theirs.schema.by_id(column.id))
            if problem is not None:
                raise ColumnConflict(Text("{problem} Choose by rule, or change one of them first.", problem=problem))
    for side, other in ((ours, theirs), (theirs, ours)):
        for column in base.schema.columns:
            if side.schema.has(column.id) and not other.schema.has(column.id):
                _check_dropped(store, base, side, column)


def _check_dropped(store: TableStore, base: Manifest, side: Manifest, column: Column) -> None:
    """Refuse to let a column go that the other side dropped and this one changed or filled."""
    now = side.schema.by_id(column.id)
    if (now.name, now.type) != (column.name, column.type):
        what = f"renamed to {now.name!r}" if now.name != column.name else f"changed to {now.type}"
        raise ColumnConflict(
            Text(
                "Column {name!r} was dropped on one side and {what} on the other; with a rule it is dropped.",
                name=column.name,
                what=what,
            )
        )
    found = difference(store, base, side)
    changed = len(select(found, store, kinds=("updated",), columns=[column.id]))
    if changed:
        raise ColumnConflict(
            Text(
                "Column {name!r} was dropped on one side, and {changed} "
                "changed on the other; with a rule it is dropped.",
                name=column.name,
                changed=_counted(changed, "cell in it", "cells in it"),
            )
        )
    new = found.operations.after[found.operations.kind == INSERT]
    filled = rows_at_positions(store, side, new, [column.id]).column(column.id)
    count = len(filled) - filled.null_count
    if count:
        raise ColumnConflict(
            Text(
                "Column {name!r} was dropped on one side, and {count} "
                "inserted with a value in it on the other; with a rule it is dropped.",
                name=column.name,
                count=_counted(count, "row", "rows"),
            )
        )


def _counted(count: int, one: str, several: str) -> str:
    return f"1 {one} was" if count == 1 else f"{count} {several} were"


def _as_schema(store: TableStore, ours: Manifest, schema: TableSchema) -> Manifest:
    """Ours under the merged schema: the same rows in the same order. Raises ColumnConflict when a value does not fit
    its type.
    """
    if ours.schema == schema:
        return ours
    drop = [c.name for c in ours.schema.columns if not schema.has(c.id)]
    types = {c.name: schema.by_id(c.id).type for c in ours.schema.columns if schema.has(c.id)}
    types = {name: type_ for name, type_ in types.items() if _type_of(ours.schema, name) != type_}
    target = ours
    if drop or types:
        try:
            target = change_schema(store, ours, drop=drop, types=types)
        except SchemaMismatch as error:
            raise ColumnConflict(
                Text("Our side cannot take the types of theirs. {detail}", detail=error.detail)
            ) from error
    if any(ours.schema.left_behind(column.id) for column in schema.columns):
        target = _rewritten(store, target, schema)
    return replace(target, schema=schema)


def _type_of(schema: TableSchema, name: str) -> str | None:
    column = schema.by_name(name)
    return None if column is None else column.type


def _rewritten(store: TableStore, manifest: Manifest, schema: TableSchema) -> Manifest:
    """Rows stored without the columns that come back: what was stored in one when it was left behind is not what it
    has now, and need not even be of its type. So nothing stored is compared with, either.
    """
    writer = TableWriter(store, schema)
    for table in scan(store, manifest):
        writer.add(conform(table, schema))
    return writer.finish()
