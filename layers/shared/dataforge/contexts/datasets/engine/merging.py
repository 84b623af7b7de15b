"""Three-way merge by row and cell, revert and cherry-pick.

With a key, a row changed on one side only is taken from it; a row changed on both is merged cell by cell, and cells
that both changed to different values are conflicts, as are rows deleted on one side and changed on the other. Without
a key rows have no identity: each side's deletions and insertions are carried over in place, and a row that both sides
replaced differently is a conflict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pyarrow as pa

from dataforge.contexts.datasets.engine.arrow_types import arrow_schema, plain_rows
from dataforge.contexts.datasets.engine.diffing import Difference, cells_differ, difference
from dataforge.contexts.datasets.engine.edits import Edits, apply_edits, place_keys
from dataforge.contexts.datasets.engine.keys import column_from_json, encode_keys
from dataforge.contexts.datasets.engine.manifest import I64, Change, Manifest
from dataforge.contexts.datasets.engine.operations import change_schema
from dataforge.contexts.datasets.engine.pages import row_ids
from dataforge.contexts.datasets.engine.patches import DELETE, INSERT
from dataforge.contexts.datasets.engine.reading import addresses_at, hashes_at, rows_at_positions
from dataforge.contexts.datasets.engine.rowhash import hash_rows, key_hashes
from dataforge.contexts.datasets.engine.table_store import TableStore
from dataforge.contexts.datasets.errors import MergeConflicts
from dataforge.contexts.datasets.model.columns import Column, TableSchema, common_type

Rule = Literal["ours", "theirs"]


@dataclass(frozen=True, slots=True)
class Resolution:
    """How one conflict ends: the row of a side, of the base, or with these cells (by column name) over ours."""

    take: Literal["ours", "theirs", "base"] = "ours"
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conflict:
    """A row both sides changed: `kind` cells | deleted_by_us | deleted_by_them | both_inserted | both_replaced;
    rows by column name.
    """

    row_id: str
    kind: str
    columns: tuple[str, ...]
    base: dict[str, object] | None
    ours: dict[str, object] | None
    theirs: dict[str, object] | None


@dataclass(frozen=True, slots=True)
class MergeResult:
    """The merged version, or None while conflicts remain."""

    manifest: Manifest | None
    conflicts: list[Conflict]

    def require(self) -> Manifest:
        """The merged version; raises MergeConflicts listing the first hundred."""
        if self.manifest is None:
            raise MergeConflicts(
                f"{len(self.conflicts)} rows were changed on both sides; resolve them by rule or one by one.",
                facts={"conflicts": [c.row_id for c in self.conflicts[:100]]},
            )
        return self.manifest


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
    merger = _Merger(tables, base, target, theirs, schema, rule, dict(resolutions or {}))
    result = merger.keyed() if schema.key else merger.unkeyed()
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


@dataclass(slots=True)
class _Merger:
    tables: TableStore
    base: Manifest
    ours: Manifest
    theirs: Manifest
    schema: TableSchema
    rule: Rule | None
    resolutions: dict[str, Resolution]
    conflicts: list[Conflict] = field(default_factory=list)

    def _rows(self, manifest: Manifest, positions: I64) -> pa.Table:
        return rows_at_positions(self.tables, replace(manifest, schema=self.schema), positions)

    def keyed(self) -> MergeResult:
        """Merge by key."""
        mine, other = difference(self.tables, self.base, self.ours), difference(self.tables, self.base, self.theirs)
        ops = other.operations
        touched = np.isin(self._keys_of(other), self._keys_of(mine))
        clean_rows = np.flatnonzero(~touched & (ops.kind != DELETE))
        clean_gone = np.flatnonzero(~touched & (ops.kind == DELETE))
        rows = [self._rows(self.theirs, ops.after[clean_rows])]
        gone = [self._rows(self.base, ops.before[clean_gone])]
        both = np.flatnonzero(touched)
        if len(both):
            put, drop = self._both_changed(mine, other, both)
            rows.append(put)
            gone.append(drop)
        if self.conflicts:
            return MergeResult(None, self.conflicts)
        return MergeResult(self._apply(pa.concat_tables(rows), pa.concat_tables(gone)), [])

    def _keys_of(self, found: Difference) -> np.ndarray:
        """Key hash of every changed row."""
        ops = found.operations
        keys = np.zeros(len(ops), dtype=np.uint64)
        for manifest, at in ((found.base, ops.before), (found.head, ops.after)):
            rows = np.flatnonzero(at >= 0)
            table = rows_at_positions(
                self.tables, replace(manifest, schema=self.schema), at[rows], list(self.schema.key)
            )
            keys[rows] = key_hashes(table, self.schema)
        return keys

    def _both_changed(self, mine: Difference, other: Difference, rows: I64) -> tuple[pa.Table, pa.Table]:
        """Rows to put and rows to delete among those that both sides changed."""
        my_keys, their_keys = self._keys_of(mine), self._keys_of(other)[rows]
        order = np.argsort(my_keys)
        partner = order[np.searchsorted(my_keys, their_keys, sorter=order)]
        sides = [
            self._side(self.base, other.operations.before[rows]),
            self._side(self.ours, mine.operations.after[partner]),
            self._side(self.theirs, other.operations.after[rows]),
        ]
        put: list[dict[str, object]] = []
        drop: list[dict[str, object]] = []
        differ = _Differences(sides, self.schema)
        for index in range(len(rows)):
            was, our, their = (side.at(index) for side in sides)
            merged = self._merge_row(index, was, our, their, differ)
            if merged is not None:
                put.append(merged)
            elif our is not None:
                drop.append(our)
        types = self._arrow()
        return pa.Table.from_pylist(put, types), pa.Table.from_pylist(drop, types)

    def _arrow(self) -> pa.Schema:
        return arrow_schema(self.schema)

    def _side(self, manifest: Manifest, positions: I64) -> _Side:
        present = np.flatnonzero(positions >= 0)
        return _Side(self._rows(manifest, positions[present]), {int(row): at for at, row in enumerate(present)})

    def _merge_row(self, index: int, was: _Row, our: _Row, their: _Row, differ: _Differences) -> _Row:
        """The merged row, None for a deleted one; notes a conflict that nothing resolves."""
        if our is None and their is None:
            return None
        if our is None or their is None:
            kind = "deleted_by_us" if our is None else "deleted_by_them"
            return self._resolve(kind, (), was, our, their, None)
        columns = differ.conflicting(index)
        merged = {c.id: their[c.id] if differ.theirs_only(index, c.id) else our[c.id] for c in self.schema.columns}
        if not columns:
            return merged
        return self._resolve("cells" if was is not None else "both_inserted", columns, was, our, their, merged)

    def _resolve(self, kind: str, columns: tuple[str, ...], was: _Row, our: _Row, their: _Row, merged: _Row) -> _Row:
        shown = our or their or was or {}
        identity = row_ids(pa.Table.from_pylist([shown], self._arrow()), self.schema)[0]
        resolution = self.resolutions.get(identity)
        take = resolution.take if resolution else self.rule
        if take is None:
            names = tuple(self.schema.by_id(item).name for item in columns)
            self.conflicts.append(
                Conflict(identity, kind, names, self._plain(was), self._plain(our), self._plain(their))
            )
            return our
        chosen = {"ours": our, "theirs": their, "base": was}[take]
        if merged is not None and chosen is not None:
            chosen = {**merged, **{item: chosen[item] for item in columns}}
        if resolution and resolution.values and chosen is not None:
            for name, value in resolution.values.items():
                column = self.schema.by_name(name)
                if column is None or column.id in self.schema.key:
                    raise MergeConflicts(
                        f"The resolution of row {identity} sets {name!r}, which is no column or part of the key."
                    )
                chosen = {**chosen, column.id: column_from_json([value], column)[0].as_py()}
        return chosen

    def _plain(self, row: _Row) -> dict[str, object] | None:
        if row is None:
            return None
        return plain_rows(pa.Table.from_pylist([row], self._arrow()).rename_columns(self.schema.names))[0]

    def _apply(self, put: pa.Table, drop: pa.Table) -> Manifest:
        """Put and delete rows of ours by key."""
        keys = list(self.schema.key)
        if put.num_rows:
            encoded = encode_keys(put.select(keys), self.schema)
            put = put.take(pa.array(sorted(range(len(encoded)), key=encoded.__getitem__)))
        found, at = place_keys(self.tables, self.ours, put.select(keys))
        gone, _ = place_keys(self.tables, self.ours, drop.select(keys))
        same = np.zeros(len(found), dtype=bool)
        known = np.flatnonzero(found >= 0)
        if len(known):
            new = hash_rows(put.take(pa.array(known)), self.schema)
            old = hashes_at(self.tables, self.schema, self.ours.sources, addresses_at(self.ours, found[known]))
            same[known] = (new.low == old.low) & (new.high == old.high)
        keep = np.flatnonzero(~same)
        edits = Edits(put.take(pa.array(keep)), at[keep], found[keep], np.sort(gone[gone >= 0]))
        if not len(edits):
            return replace(self.ours, change=Change(self.ours.digest, complete=True))
        return apply_edits(self.tables, self.ours, edits)

    def unkeyed(self) -> MergeResult:
        """Merge by place: theirs' deletions and insertions carried over to ours."""
        mine, other = (
            difference(self.tables, self.base, self.ours).operations,
            difference(self.tables, self.base, self.theirs).operations,
        )
        my_gone, my_come = np.sort(mine.before[mine.kind == DELETE]), np.sort(mine.after[mine.kind == INSERT])
        their_gone, their_come = np.sort(other.before[other.kind == DELETE]), np.sort(other.after[other.kind == INSERT])
        my_gap, their_gap = _gaps(my_gone, my_come), _gaps(their_gone, their_come)
        fresh = self._hashes(self.theirs, their_come)
        kept = np.ones(len(their_come), dtype=bool)
        both = np.intersect1d(my_gone, their_gone)
        extra_gone: list[int] = []
        for row in both.tolist():
            my_new = my_come[my_gap == row]
            their_new = np.flatnonzero(their_gap == row)
            same = set(self._hashes(self.ours, my_new).tolist())
            if not len(their_new) or all(int(fresh[at]) in same for at in their_new):
                kept[their_new] = False
            elif len(my_new):
                self._replaced(row, my_new, their_come[their_new])
                if self.rule == "theirs":
                    extra_gone += my_new.tolist()
                else:
                    kept[their_new] = False
        if self.conflicts and self.rule is None:
            return MergeResult(None, self.conflicts)
        self.conflicts.clear()
        come = their_come[kept]
        at = _place(their_gap[kept], my_gone, my_gap)
        gone_base = np.setdiff1d(their_gone, my_gone)
        gone = np.sort(np.concatenate([_place(gone_base, my_gone, my_gap), np.array(extra_gone, dtype=np.int64)]))
        order = np.argsort(at, kind="stable")
        rows = self._rows(self.theirs, come[order])
        edits = Edits(rows, at[order], np.full(len(come), -1, dtype=np.int64), gone)
        if not len(edits):
            return MergeResult(replace(self.ours, change=Change(self.ours.digest, complete=True)), [])
        return MergeResult(apply_edits(self.tables, self.ours, edits), [])

    def _hashes(self, manifest: Manifest, rows: I64) -> np.ndarray:
        return hashes_at(self.tables, self.schema, manifest.sources, addresses_at(manifest, rows)).low

    def _replaced(self, row: int, mine: I64, other: I64) -> None:
        shown = [
            plain_rows(self._rows(m, at).rename_columns(self.schema.names))[0]
            for m, at in ((self.base, np.array([row])), (self.ours, mine[:1]), (self.theirs, other[:1]))
        ]
        self.conflicts.append(Conflict(f"row {row + 1}", "both_replaced", tuple(self.schema.names), *shown))


_Row = dict[str, object] | None


@dataclass(slots=True)
class _Side:
    """Rows of one version, for those indexes that it has."""

    table: pa.Table
    place: dict[int, int]

    def at(self, index: int) -> _Row:
        """The row, None when this side does not have it."""
        if index not in self.place:
            return None
        return {name: self.table.column(name)[self.place[index]].as_py() for name in self.table.schema.names}


class _Differences:
    """Per row and column which sides differ, for rows that all sides have (the base may lack it)."""

    def __init__(self, sides: list[_Side], schema: TableSchema) -> None:
        self._schema = schema
        base, ours, theirs = sides
        shared = [index for index in ours.place if index in theirs.place]
        self._at = {index: at for at, index in enumerate(shared)}
        self._sides: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
        in_base = np.array([index in base.place for index in shared], dtype=bool)
        for column in schema.columns:
            our = (
                ours.table.column(column.id)
                .take(pa.array([ours.place[i] for i in shared], pa.int64()))
                .combine_chunks()
            )
            their = (
                theirs.table.column(column.id)
                .take(pa.array([theirs.place[i] for i in shared], pa.int64()))
                .combine_chunks()
            )
            was = (
                base.table.column(column.id)
                .take(pa.array([base.place.get(i) for i in shared], pa.int64()))
                .combine_chunks()
            )
            apart = cells_differ(our, their)
            self._sides[column.id] = (cells_differ(was, our) | ~in_base, cells_differ(was, their) | ~in_base, apart)

    def theirs_only(self, index: int, column: str) -> bool:
        """Whether only theirs changed the cell."""
        ours, theirs, _ = self._sides[column]
        at = self._at[index]
        return bool(theirs[at] and not ours[at])

    def conflicting(self, index: int) -> tuple[str, ...]:
        """Columns that both changed, to different values."""
        at = self._at[index]
        return tuple(c.id for c in self._schema.columns if all(bool(side[at]) for side in self._sides[c.id]))


def _gaps(gone: I64, come: I64) -> I64:
    """Per inserted row the base row before which it stands: the deleted one it replaces when there is one."""
    ranks = come - np.arange(len(come))
    kept_before = gone - np.arange(len(gone))
    return ranks + np.searchsorted(kept_before, ranks, side="left")


def _place(base_rows: I64, my_gone: I64, my_gap: I64) -> I64:
    """Row numbers of ours for base rows that ours still has, or for places before them."""
    inserted_before = np.searchsorted(np.sort(my_gap), base_rows, side="right")
    found: I64 = base_rows - np.searchsorted(my_gone, base_rows) + inserted_before
    return found
