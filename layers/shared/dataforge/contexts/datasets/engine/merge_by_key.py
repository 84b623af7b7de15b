"""Three-way merge of tables with a key: by row, and by cell in rows that both sides changed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from dataforge.contexts.datasets.engine.diffing import Difference, cells_differ, difference
from dataforge.contexts.datasets.engine.edits import Edits, apply_edits, place_keys
from dataforge.contexts.datasets.engine.keys import encode_keys
from dataforge.contexts.datasets.engine.manifest import I64, Manifest
from dataforge.contexts.datasets.engine.merge_sides import MergeResult, Row, Sides
from dataforge.contexts.datasets.engine.pages import row_ids
from dataforge.contexts.datasets.engine.patches import DELETE
from dataforge.contexts.datasets.engine.reading import rows_at_positions
from dataforge.contexts.datasets.engine.rowhash import hash_rows, key_hashes
from dataforge.contexts.datasets.model.columns import TableSchema
from dataforge.contexts.datasets.model.merges import Conflict


def merge_by_key(sides: Sides) -> MergeResult:
    """Rows changed on one side only are taken from it; cells that both changed differently are conflicts, as are rows
    deleted on one side and changed on the other, and rows inserted on both.
    """
    return _KeyedMerge(sides).merged()


@dataclass(slots=True)
class _KeyedMerge:
    sides: Sides
    conflicts: list[Conflict] = field(default_factory=list)

    def merged(self) -> MergeResult:
        mine, other = (
            difference(self.sides.tables, self.sides.base, self.sides.ours),
            difference(self.sides.tables, self.sides.base, self.sides.theirs),
        )
        ops = other.operations
        touched = np.isin(self._keys_of(other), self._keys_of(mine))
        clean_rows = np.flatnonzero(~touched & (ops.kind != DELETE))
        clean_gone = np.flatnonzero(~touched & (ops.kind == DELETE))
        rows = [self.sides.rows(self.sides.theirs, ops.after[clean_rows])]
        gone = [self.sides.rows(self.sides.base, ops.before[clean_gone])]
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
                self.sides.tables, replace(manifest, schema=self.sides.schema), at[rows], list(self.sides.schema.key)
            )
            keys[rows] = key_hashes(table, self.sides.schema)
        return keys

    def _both_changed(self, mine: Difference, other: Difference, rows: I64) -> tuple[pa.Table, pa.Table]:
        """Rows to put and rows to delete among those that both sides changed."""
        my_keys, their_keys = self._keys_of(mine), self._keys_of(other)[rows]
        order = np.argsort(my_keys)
        partner = order[np.searchsorted(my_keys, their_keys, sorter=order)]
        sides = [
            self._side(self.sides.base, other.operations.before[rows]),
            self._side(self.sides.ours, mine.operations.after[partner]),
            self._side(self.sides.theirs, other.operations.after[rows]),
        ]
        put: list[dict[str, object]] = []
        drop: list[dict[str, object]] = []
        differ = _Differences(sides, self.sides.schema)
        for index in range(len(rows)):
            was, our, their = (side.at(index) for side in sides)
            merged = self._merge_row(index, was, our, their, differ)
            if merged is not None:
                put.append(merged)
            elif our is not None:
                drop.append(our)
        types = self.sides.arrow
        return pa.Table.from_pylist(put, types), pa.Table.from_pylist(drop, types)

    def _side(self, manifest: Manifest, positions: I64) -> _Side:
        present = np.flatnonzero(positions >= 0)
        return _Side(self.sides.rows(manifest, positions[present]), {int(row): at for at, row in enumerate(present)})

    def _merge_row(self, index: int, was: Row, our: Row, their: Row, differ: _Differences) -> Row:
        """The merged row, None for a deleted one; notes a conflict that nothing resolves."""
        if our is None and their is None:
            return None
        if our is None or their is None:
            kind = "deleted_by_us" if our is None else "deleted_by_them"
            return self._resolve(kind, (), was, our, their, None)
        columns = differ.conflicting(index)
        merged = {
            c.id: their[c.id] if differ.theirs_only(index, c.id) else our[c.id] for c in self.sides.schema.columns
        }
        if not columns:
            return merged
        return self._resolve("cells" if was is not None else "both_inserted", columns, was, our, their, merged)

    def _resolve(self, kind: str, columns: tuple[str, ...], was: Row, our: Row, their: Row, merged: Row) -> Row:
        shown = our or their or was or {}
        identity = row_ids(pa.Table.from_pylist([shown], self.sides.arrow), self.sides.schema)[0]
        resolution = self.sides.settlement.of(identity)
        if resolution is None:
            self.conflicts.append(self.sides.conflict(identity, kind, columns, (was, our, their)))
            return our
        chosen = {"ours": our, "theirs": their, "base": was}[resolution.take]
        if merged is not None and chosen is not None:
            chosen = {**merged, **{item: chosen[item] for item in columns}}
        return self.sides.settled(identity, resolution, chosen)

    def _apply(self, put: pa.Table, drop: pa.Table) -> Manifest:
        """Put and delete rows of ours by key."""
        keys = list(self.sides.schema.key)
        if put.num_rows:
            encoded = encode_keys(put.select(keys), self.sides.schema)
            put = put.take(pa.array(sorted(range(len(encoded)), key=encoded.__getitem__)))
        found, at = place_keys(self.sides.tables, self.sides.ours, put.select(keys))
        gone, _ = place_keys(self.sides.tables, self.sides.ours, drop.select(keys))
        same = np.zeros(len(found), dtype=bool)
        known = np.flatnonzero(found >= 0)
        if len(known):
            new = hash_rows(put.take(pa.array(known)), self.sides.schema)
            old = self.sides.hashes(self.sides.ours, found[known])
            same[known] = (new.low == old.low) & (new.high == old.high)
        keep = np.flatnonzero(~same)
        edits = Edits(put.take(pa.array(keep)), at[keep], found[keep], np.sort(gone[gone >= 0]))
        return apply_edits(self.sides.tables, self.sides.ours, edits) if len(edits) else self.sides.unchanged()


@dataclass(slots=True)
class _Side:
    """Rows of one version, for those indexes that it has."""

    table: pa.Table
    place: dict[int, int]

    def at(self, index: int) -> Row:
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
