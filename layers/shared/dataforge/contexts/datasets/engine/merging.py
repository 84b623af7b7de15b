"""Three-way merge of a table, revert and cherry-pick.

The schemas are merged first, then the rows: by key (`merge_by_key`), or in a table without one by place
(`merge_by_place`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

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
    """Bring what `theirs` changed since `base` into `ours`. The result's change is relative to `ours`."""
    schema = merged_schema(base.schema, ours.schema, theirs.schema)
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


def merged_schema(base: TableSchema, ours: TableSchema, theirs: TableSchema) -> TableSchema:
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
        name = column.name if column.name != was.name else other.name
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
    return TableSchema(tuple(columns), ours.key)


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
