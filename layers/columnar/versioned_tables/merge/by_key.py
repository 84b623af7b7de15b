"""Three-way merge of tables with a key: by row, and by cell in rows that both sides changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from versioned_tables.compare.diff import Difference, difference
from versioned_tables.format.keys import encode_keys
from versioned_tables.format.manifest import I64, Manifest
from versioned_tables.format.patches import DELETE
from versioned_tables.hashing.row_hash import key_hashes
from versioned_tables.merge.conflicts import Conflict
from versioned_tables.merge.sides import MergeResult, Row, Sides
from versioned_tables.read.pages import row_ids
from versioned_tables.read.union import cells_differ
from versioned_tables.write.edits import Edits, apply_edits, place_keys


def merge_by_key(sides: Sides) -> MergeResult:
    """Rows changed on one side only are taken from it; cells that both changed differently are conflicts, as are rows
    deleted on one side and changed on the other, and cells of rows inserted on both.
    """
    return _KeyedMerge(sides).merged()


@dataclass(frozen=True, slots=True)
class _Touched:
    """Rows that both sides changed, as row numbers of base, ours and theirs; -1 where a version does not have them."""

    base: I64
    ours: I64
    theirs: I64

    def take(self, which: np.ndarray) -> _Touched:
        """Some of them."""
        return _Touched(self.base[which], self.ours[which], self.theirs[which])


@dataclass(slots=True)
class _KeyedMerge:
    sides: Sides
    conflicts: list[Conflict] = field(default_factory=list)
    put: list[pa.Table] = field(default_factory=list)
    chosen: list[dict[str, object]] = field(default_factory=list)
    refused: list[dict[str, object]] = field(default_factory=list)

    def merged(self) -> MergeResult:
        sides = self.sides
        mine, other = (difference(sides.store, sides.base, side) for side in (sides.ours, sides.theirs))
        my_keys, their_keys = self._keys_of(mine), self._keys_of(other)
        touched = np.isin(their_keys, my_keys)
        ops = other.operations
        self.put.append(sides.rows(sides.theirs, ops.after[~touched & (ops.kind != DELETE)]))
        gone = sides.keys(sides.base, ops.before[~touched & (ops.kind == DELETE)])
        both = np.flatnonzero(touched)
        if len(both):
            order = np.argsort(my_keys)
            partner = order[np.searchsorted(my_keys, their_keys[both], sorter=order)]
            self._both_changed(_Touched(ops.before[both], mine.operations.after[partner], ops.after[both]))
        self.put.append(pa.Table.from_pylist(self.chosen, sides.arrow))
        refused = pa.Table.from_pylist(self.refused, sides.arrow).select(list(sides.schema.key))
        return MergeResult.of(
            self._apply(pa.concat_tables(self.put), pa.concat_tables([gone, refused])), self.conflicts
        )

    def _keys_of(self, found: Difference) -> np.ndarray:
        """Key hash of every changed row."""
        ops = found.operations
        keys = np.zeros(len(ops), dtype=np.uint64)
        for manifest, at in ((found.base, ops.before), (found.head, ops.after)):
            rows = np.flatnonzero(at >= 0)
            keys[rows] = key_hashes(self.sides.keys(manifest, at[rows]), self.sides.schema)
        return keys

    def _both_changed(self, rows: _Touched) -> None:
        """Take each cell from the side that changed it, and note or end what is in conflict."""
        kept = (rows.ours >= 0) & (rows.theirs >= 0)
        self._merge_cells(rows.take(kept))
        self._half_deleted(rows.take((rows.ours >= 0) != (rows.theirs >= 0)))

    def _half_deleted(self, rows: _Touched) -> None:
        """Rows that one side deleted and the other changed."""
        was, our, their = (
            self._rows(manifest, at)
            for manifest, at in (
                (self.sides.base, rows.base),
                (self.sides.ours, rows.ours),
                (self.sides.theirs, rows.theirs),
            )
        )
        for before, mine, other in zip(was, our, their, strict=True):
            kind = "deleted_by_us" if mine is None else "deleted_by_them"
            self._end(kind, (), (before, mine, other), mine)

    def _rows(self, manifest: Manifest, positions: I64) -> list[Row]:
        """Rows in the order of the positions, None for -1."""
        present = iter(self.sides.rows(manifest, positions[positions >= 0]).to_pylist())
        return [next(present) if at >= 0 else None for at in positions.tolist()]

    def _merge_cells(self, rows: _Touched) -> None:
        """Rows that both sides have; the base may lack them."""
        cells = _Cells.of(self.sides, rows)
        merged = cells.merged()
        clashing = np.flatnonzero(np.any([*cells.conflicts.values()], axis=0))
        self.put.append(merged.take(pa.array(np.setdiff1d(np.arange(len(rows.ours)), clashing))))
        if not len(clashing):
            return
        some = rows.take(clashing)
        was = self._rows(self.sides.base, some.base)
        sides = (
            was,
            cells.ours.take(pa.array(clashing)).to_pylist(),
            cells.theirs.take(pa.array(clashing)).to_pylist(),
        )
        chosen = merged.take(pa.array(clashing)).to_pylist()
        for at, before, mine, other, row in zip(clashing.tolist(), *sides, chosen, strict=True):
            columns = tuple(item for item, apart in cells.conflicts.items() if apart[at])
            kind = "both_inserted" if before is None else "cells"
            self._end(kind, columns, (before, mine, other), row)

    def _end(self, kind: str, columns: tuple[str, ...], rows: tuple[Row, Row, Row], merged: Row) -> None:
        """Put or drop a row in conflict as it was resolved; one that was not is recorded, and ours stays in it."""
        was, our, their = rows
        shown = our or their or was or {}
        identity = row_ids(pa.Table.from_pylist([shown], self.sides.arrow), self.sides.schema)[0]
        resolution = self.sides.settlement.of(identity)
        if resolution is None:
            self.conflicts.append(self.sides.conflict(identity, kind, columns, rows))
            chosen = merged
        else:
            chosen = {"ours": our, "theirs": their, "base": was}[resolution.take]
            if columns and chosen is not None and merged is not None:
                chosen = {**merged, **{item: chosen[item] for item in columns}}
            chosen = self.sides.resolved(identity, resolution, chosen)
        if chosen is not None:
            self.chosen.append(chosen)
        elif our is not None:
            self.refused.append(our)

    def _apply(self, put: pa.Table, drop: pa.Table) -> Manifest:
        """Put and delete rows of ours by key."""
        store, target, schema = self.sides.store, self.sides.target, self.sides.schema
        keys = list(schema.key)
        if put.num_rows:
            encoded = encode_keys(put.select(keys), schema)
            put = put.take(pa.array(sorted(range(len(encoded)), key=encoded.__getitem__)))
        found, at = place_keys(store, target, put.select(keys))
        gone, _ = place_keys(store, target, drop.select(keys))
        merged = apply_edits(store, target, Edits(put, at, found, np.sort(gone[gone >= 0])))
        return self.sides.unchanged() if merged.digest == target.digest else merged


@dataclass(frozen=True, slots=True)
class _Cells:
    """Rows that ours and theirs have, as the merged table has them, and per column (by id) where theirs alone changed
    the cell and where both did, to different values.

    A side has changed no cell of a column that it does not have; a row that the base lacks is new in every cell.
    """

    ours: pa.Table
    theirs: pa.Table
    theirs_only: Mapping[str, np.ndarray]
    conflicts: Mapping[str, np.ndarray]

    @staticmethod
    def of(sides: Sides, rows: _Touched) -> _Cells:
        """Compare the cells of some rows, in the types in which the three versions are compared."""
        known = rows.base >= 0
        ours, theirs = sides.seen(sides.ours, rows.ours), sides.seen(sides.theirs, rows.theirs)
        there = np.where(known, np.cumsum(known) - 1, 0)
        was = sides.seen(sides.base, rows.base[known]).take(pa.array(there, mask=~known))
        theirs_only: dict[str, np.ndarray] = {}
        conflicts: dict[str, np.ndarray] = {}
        for column in sides.schema.columns:
            before, our, their = (side.column(column.id).combine_chunks() for side in (was, ours, theirs))
            changed = [
                (cells_differ(before, now) | ~known) & side.schema.has(column.id)
                for now, side in ((our, sides.ours), (their, sides.theirs))
            ]
            theirs_only[column.id] = changed[1] & ~changed[0]
            conflicts[column.id] = changed[0] & changed[1] & cells_differ(our, their)
        return _Cells(sides.rows(sides.ours, rows.ours), sides.rows(sides.theirs, rows.theirs), theirs_only, conflicts)

    def merged(self) -> pa.Table:
        """Theirs where theirs alone changed the cell, ours everywhere else."""
        arrays = [
            pc.if_else(pa.array(self.theirs_only[item]), self.theirs.column(item), self.ours.column(item))
            for item in self.ours.schema.names
        ]
        return pa.Table.from_arrays(arrays, schema=self.ours.schema)
