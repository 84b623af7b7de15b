"""Three-way merge of a table, revert and cherry-pick.

The schemas are merged first, then the rows: by key (`merge_by_key`), or in a table without one by place
(`merge_by_place`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dataforge.contexts.datasets.engine.diffing import difference, select
from dataforge.contexts.datasets.engine.manifest import Change, Manifest
from dataforge.contexts.datasets.engine.merge_by_key import merge_by_key
from dataforge.contexts.datasets.engine.merge_by_place import merge_by_place
from dataforge.contexts.datasets.engine.merge_sides import MergeResult, Sides
from dataforge.contexts.datasets.engine.operations import change_schema
from dataforge.contexts.datasets.engine.table_store import TableStore
from dataforge.contexts.datasets.errors import MergeConflicts
from dataforge.contexts.datasets.model.columns import Column, TableSchema, common_type
from dataforge.contexts.datasets.model.merges import Resolution, Rule, Settlement


def merge(
    tables: TableStore,
    base: Manifest,
    ours: Manifest,
    theirs: Manifest,
    *,
    rule: Rule | None = None,
    resolutions: Mapping[str, Resolution] | None = None,
) -> MergeResult:
    """Bring what `theirs` changed since `base` into `ours`. The result's change is relative to `ours`.

    Raises MergeConflicts where the columns do not go together.
    """
    if rule is None:
        _check_columns(tables, base, ours, theirs)
    schema = merged_schema(base.schema, ours.schema, theirs.schema, rule)
    target = ours if ours.schema == schema else _as_schema(tables, ours, schema)
    if target.schema.key != base.schema.key or theirs.schema.key != base.schema.key:
        raise MergeConflicts("The key of the table changed on one side; merge by importing it anew.")
    sides = Sides(tables, base, target, theirs, schema, Settlement(rule, dict(resolutions or {})))
    result = merge_by_key(sides) if schema.key else merge_by_place(sides)
    if result.manifest is None or target is ours:
        return result
    return MergeResult(replace(result.manifest, change=Change(ours.digest)), result.conflicts)


def revert(
    tables: TableStore, commit: Manifest, parent: Manifest, head: Manifest, *, rule: Rule | None = None
) -> MergeResult:
    """The head without what a commit did."""
    return merge(tables, commit, head, parent, rule=rule)


def cherry_pick(
    tables: TableStore, commit: Manifest, parent: Manifest, head: Manifest, *, rule: Rule | None = None
) -> MergeResult:
    """The head with what a commit on another line did."""
    return merge(tables, parent, head, commit, rule=rule)


def _check_columns(tables: TableStore, base: Manifest, ours: Manifest, theirs: Manifest) -> None:
    """Refuse two new names of one column, and changed cells in a column that the other side dropped. With a rule the
    name is that of its side, and what was dropped is gone.
    """
    for column in base.schema.columns:
        here, there = ours.schema.has(column.id), theirs.schema.has(column.id)
        if here and there:
            names = [side.schema.by_id(column.id).name for side in (ours, theirs)]
            if len({column.name, *names}) == 3:
                raise MergeConflicts(
                    f"Column {column.name!r} is now {names[0]!r} on our side and {names[1]!r} on theirs; "
                    "choose by rule, or rename one of them first."
                )
        elif here or there:
            found = difference(tables, base, ours if here else theirs)
            changed = len(select(found, tables, kinds=("updated",), column=column.id))
            if changed:
                raise MergeConflicts(
                    f"Column {column.name!r} was dropped on one side, and {changed} of its cells were changed on the "
                    "other; with a rule it is dropped."
                )


def merged_schema(base: TableSchema, ours: TableSchema, theirs: TableSchema, rule: Rule | None = None) -> TableSchema:
    """Columns of ours, with what theirs added, dropped, renamed or widened since base."""
    columns: list[Column] = []
    for column in ours.columns:
        if base.has(column.id) and not theirs.has(column.id):
            continue
        if not theirs.has(column.id):
            columns.append(column)
            continue
        other = theirs.by_id(column.id)
        was = base.by_id(column.id) if base.has(column.id) else column
        theirs_wins = column.name == was.name or (rule == "theirs" and other.name != was.name)
        name = other.name if theirs_wins else column.name
        type_ = (
            other.type
            if column.type == was.type
            else column.type
            if other.type == was.type
            else common_type(column.type, other.type)
        )
        columns.append(Column(column.id, name, type_, column.nullable and other.nullable))
    columns += [c for c in theirs.columns if not base.has(c.id) and not ours.has(c.id)]
    names = [column.name for column in columns]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise MergeConflicts(f"Both sides have a column {twice!r} that is not the same one; rename one of them first.")
    return TableSchema(tuple(columns), ours.key).after(ours, theirs)


def _as_schema(tables: TableStore, manifest: Manifest, schema: TableSchema) -> Manifest:
    old = manifest.schema
    by_id = {column.id: column for column in schema.columns}
    changed = change_schema(
        tables,
        manifest,
        drop=[c.name for c in old.columns if c.id not in by_id],
        types={c.name: by_id[c.id].type for c in old.columns if c.id in by_id and by_id[c.id].type != c.type},
    )
    return replace(changed, schema=schema)
