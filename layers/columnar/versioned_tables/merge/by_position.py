"""Three-way merge of tables without a key: rows have a place instead of an identity.

What theirs deleted, inserted and replaced is carried over to the same places of ours. A base row that both sides
replaced by different rows, or that one deleted and the other replaced, is a conflict; its number in the base names it.
Which of several new rows replaced which old one is decided by similarity; a new row that has no cell in common with a
deleted one merely stands in its place. A row that a side only moved is not changed, and rows that both sides inserted
alike at one place are inserted once.

Example: the base is a1 b2 c3 d4 e5. Ours deleted b2 and put x0 behind d4: a1 c3 d4 x0 e5. Theirs made c3 into C3.
Base row 1 is gone on our side, base row 2 is replaced on theirs, x0 came at a place that theirs left alone; no row has
two answers, so the result is a1 C3 d4 x0 e5. Had ours made c3 into K3, base row 2 ("row 3") would be the conflict.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from versioned_tables.compare.alignment import Alignment, align, row_codes
from versioned_tables.compare.similarity import MOST_COMPARED, alike, cell_matrix
from versioned_tables.format.manifest import EMPTY, I64, Manifest
from versioned_tables.hashing.pairing import pair_up
from versioned_tables.hashing.row_hash import U64
from versioned_tables.merge.conflicts import Conflict
from versioned_tables.merge.sides import MergeResult, Row, Sides
from versioned_tables.read.union import cells_differ
from versioned_tables.write.edits import Edits, apply_edits


def merge_by_place(sides: Sides) -> MergeResult:
    """Bring what theirs did into ours, place by place."""
    return _PlaceMerge(sides, _Changes.of(sides, sides.ours), _Changes.of(sides, sides.theirs)).merged()


@dataclass(slots=True)
class _Changes:
    """What one side did to the base. `moved` and `replaced` are rows of the side by base row; a gone row that is in
    neither was deleted. `unlike` are the replaced rows that have no cell in common with what stands in their place.
    `agreed` rows of the side came to the same place on the other side, too.
    """

    manifest: Manifest
    rows: Alignment
    come: U64
    moved: dict[int, int]
    replaced: dict[int, int] = field(default_factory=dict)
    unlike: set[int] = field(default_factory=set)
    agreed: I64 = field(default_factory=lambda: EMPTY)

    @staticmethod
    def of(sides: Sides, manifest: Manifest) -> _Changes:
        """Align a side with the base, and tell moved rows from new ones."""
        rows = align(sides.store, sides.compared, sides.base, manifest)
        gone = row_codes(sides.hashes(sides.base, rows.gone))
        come = row_codes(sides.hashes(manifest, rows.come))
        first, second = pair_up(gone, come)
        moved = dict(zip(rows.gone[first].tolist(), rows.come[second].tolist(), strict=True))
        return _Changes(manifest, rows, come, moved)

    def pair_like(self, sides: Sides) -> None:
        """Find what replaced which base row, gap by gap, by the cells they have in common."""
        gone, come, bounds = self._gaps(np.array(list(self.moved.values()), dtype=np.int64))
        small = np.prod([stop - start for start, stop in bounds], axis=0) <= MOST_COMPARED
        codes = [
            _cell_codes(sides, manifest, rows, where[:, small])
            for manifest, rows, where in ((sides.base, gone, bounds[0]), (self.manifest, come, bounds[1]))
        ]
        for first, stop, start, end, few in zip(*bounds[0].tolist(), *bounds[1].tolist(), small.tolist(), strict=True):
            pairs = (
                alike(codes[0][:, first:stop], codes[1][:, start:end]) if few else _in_turn(stop - first, end - start)
            )
            for left, right in pairs:
                self.replaced[int(gone[first + left])] = int(come[start + right])

    def pair_rest(self) -> None:
        """Pair what is left in turn: rows without a cell in common with what stands in their place."""
        used = [*self.moved.values(), *self.replaced.values(), *self.agreed.tolist()]
        gone, come, bounds = self._gaps(np.array(used, dtype=np.int64))
        for first, stop, start, end in zip(*bounds[0].tolist(), *bounds[1].tolist(), strict=True):
            for left, right in _in_turn(stop - first, end - start):
                row = int(gone[first + left])
                self.replaced[row] = int(come[start + right])
                self.unlike.add(row)

    def _gaps(self, used: I64) -> tuple[I64, I64, list[I64]]:
        """Gone rows that nothing stands for yet, come rows that are not `used`, and per gap with both the ranges."""
        gone = ~np.isin(self.rows.gone, [*self.moved, *self.replaced])
        come = ~np.isin(self.rows.come, used)
        places = self.rows.gap_of_gone()[gone], self.rows.gaps()[come]
        gaps = np.intersect1d(*places)
        bounds = [np.searchsorted(where, np.stack([gaps, gaps + 1])) for where in places]
        return self.rows.gone[gone], self.rows.come[come], bounds

    def unpaired(self) -> np.ndarray:
        """Which of the rows that came replace nothing."""
        return ~np.isin(self.rows.come, list(self.replaced.values()))

    def is_like(self, row: int) -> bool:
        """Whether a base row was changed into another: one with cells in common."""
        return row in self.replaced and row not in self.unlike

    def anchors(self) -> I64:
        """Per row that came the base row it stands for or before, never decreasing; behind all that stand for gone
        rows it is the one after the gone ones.
        """
        found, gone_gaps = self.rows.gaps(), self.rows.gap_of_gone()
        runs, lengths = np.unique(gone_gaps, return_counts=True)
        ends = dict(zip(runs.tolist(), (runs + lengths).tolist(), strict=True))
        stands_for = {new: old for old, new in self.replaced.items()}
        run = anchor = -1
        for at in np.flatnonzero(np.isin(found, runs))[::-1].tolist():
            gap = int(found[at])
            if gap != run:
                run, anchor = gap, ends[gap]
            anchor = min(anchor, stands_for.get(int(self.rows.come[at]), anchor))
            found[at] = anchor
        return found

    def earliest(self) -> I64:
        """The same seen from the other end: the first base row that it may stand before, as nothing tells where among
        gone rows a new one belongs.
        """
        found, stands_for = self.rows.gaps(), {new: old for old, new in self.replaced.items()}
        run = place = -1
        for at in np.flatnonzero(np.isin(found, self.rows.gap_of_gone())).tolist():
            gap = int(found[at])
            if gap != run:
                run = place = gap
            found[at] = place
            place = max(place, stands_for.get(int(self.rows.come[at]), place - 1) + 1)
        return found

    def places(self, base_rows: I64) -> I64:
        """Where rows that stood before these base rows stand now."""
        found = self.rows.place(base_rows)
        replaced = sorted(self.replaced)
        runs = dict(zip(self.rows.gone.tolist(), self.rows.gap_of_gone().tolist(), strict=True))
        for at in np.flatnonzero(np.isin(base_rows, self.rows.gone)).tolist():
            row = int(base_rows[at])
            following = replaced[bisect_left(replaced, row) :][:1]
            if following and runs[following[0]] == runs[row]:
                found[at] = self.replaced[following[0]]
        return found


def _cell_codes(sides: Sides, manifest: Manifest, rows: I64, ranges: I64) -> U64:
    """One row per column, one word per cell; read for the ranges of `rows` only."""
    found = np.zeros((len(sides.schema.columns), len(rows)), dtype=np.uint64)
    wanted = np.concatenate([np.arange(start, stop) for start, stop in ranges.T.tolist()] or [EMPTY])
    found[:, wanted] = cell_matrix(sides.seen(manifest, rows[wanted]), sides.schema)
    return found


def _in_turn(rows: int, others: int) -> list[tuple[int, int]]:
    return [(at, at) for at in range(min(rows, others))]


@dataclass(frozen=True, slots=True)
class _Clash:
    """A base row that is gone on both sides, and the rows that stand for it; -1 for a side that deleted it."""

    base: int
    ours: int
    theirs: int


@dataclass(slots=True)
class _PlaceMerge:
    sides: Sides
    mine: _Changes
    other: _Changes
    _conflicts: list[Conflict] = field(default_factory=list)
    _left_out: set[int] = field(default_factory=set)
    _at: dict[int, int] = field(default_factory=dict)
    _deletes: list[int] = field(default_factory=list)
    _resolved: list[tuple[int, dict[str, object]]] = field(default_factory=list)

    def merged(self) -> MergeResult:
        mine, other = self.mine.rows, self.other.rows
        both = np.intersect1d(mine.gone, other.gone)
        for changes in (self.mine, self.other):
            changes.pair_like(self.sides)
        anchors = self.other.anchors()
        self._agree(anchors)
        for changes in (self.mine, self.other):
            changes.pair_rest()
        clashes = [clash for row in both.tolist() if (clash := self._both_changed(row)) is not None]
        self._resolve(clashes)
        kept = ~np.isin(other.come, np.concatenate([self.other.agreed, np.array(list(self._left_out), dtype=np.int64)]))
        come = other.come[kept]
        at = self.mine.places(anchors[kept])
        moved = np.array([self._at.get(row, -1) for row in come.tolist()], dtype=np.int64)
        at = np.concatenate(
            [np.where(moved >= 0, moved, at), np.array([place for place, _ in self._resolved], np.int64)]
        )
        resolved = pa.Table.from_pylist([row for _, row in self._resolved], self.sides.arrow)
        rows = pa.concat_tables([self.sides.rows(self.sides.theirs, come), resolved])
        gone = mine.place(np.setdiff1d(other.gone, mine.gone))
        deletes = np.unique(np.concatenate([gone, np.array(self._deletes, dtype=np.int64)]))
        if not len(at) and not len(deletes):
            return MergeResult.of(self.sides.unchanged(), self._conflicts)
        order = np.argsort(at, kind="stable")
        edits = Edits(rows.take(pa.array(order)), at[order], np.full(len(at), -1, dtype=np.int64), deletes)
        return MergeResult.of(apply_edits(self.sides.store, self.sides.target, edits), self._conflicts)

    def _both_changed(self, row: int) -> _Clash | None:
        """What to do about a base row that is gone from its place on both sides; None when they agree."""
        ours, theirs = self.mine.replaced.get(row, -1), self.other.replaced.get(row, -1)
        if row in self.other.moved:
            # Theirs only moved it: what ours did stays.
            self._left_out.add(self.other.moved[row])
        elif row in self.mine.moved:
            self._deletes.append(self.mine.moved[row])
            if theirs >= 0:
                self._at[theirs] = self.mine.moved[row]
        elif (ours >= 0 and theirs >= 0) or self.mine.is_like(row) or self.other.is_like(row):
            return _Clash(row, ours, theirs)
        return None

    def _resolve(self, clashes: Sequence[_Clash]) -> None:
        """End each clash as the settlement says; equal rows on both sides are none."""
        before, ours, theirs = (
            self._rows(manifest, [getattr(clash, name) for clash in clashes])
            for manifest, name in ((self.sides.base, "base"), (self.sides.ours, "ours"), (self.sides.theirs, "theirs"))
        )
        for clash, was, our, their, columns in zip(
            clashes, before, ours, theirs, self._differing(clashes), strict=True
        ):
            if clash.theirs >= 0:
                self._left_out.add(clash.theirs)
            if our is None or their is None or columns:
                self._end(clash, columns, (was, our, their))

    def _end(self, clash: _Clash, columns: tuple[str, ...], rows: tuple[Row, Row, Row]) -> None:
        was, our, their = rows
        kind = "deleted_by_us" if our is None else "deleted_by_them" if their is None else "both_replaced"
        name = f"row {clash.base + 1}"
        resolution = self.sides.settlement.of(name)
        if resolution is None:
            self._conflicts.append(self.sides.conflict(name, kind, columns, rows))
            return
        if resolution.take == "ours" and not resolution.values:
            return
        chosen = self.sides.resolved(name, resolution, {"ours": our, "theirs": their, "base": was}[resolution.take])
        if clash.ours >= 0:
            self._deletes.append(clash.ours)
        if chosen is not None:
            place = clash.ours if clash.ours >= 0 else int(self.mine.places(np.array([clash.base]))[0])
            self._resolved.append((place, chosen))

    def _rows(self, manifest: Manifest, positions: Sequence[int]) -> list[Row]:
        """Rows in the order of the positions, None for -1."""
        present = np.array([at for at in positions if at >= 0], dtype=np.int64)
        found = iter(self.sides.rows(manifest, present).to_pylist())
        return [next(found) if at >= 0 else None for at in positions]

    def _differing(self, clashes: Sequence[_Clash]) -> list[tuple[str, ...]]:
        """Per clash the columns in which the two new rows differ; none where a side has no row."""
        where = [at for at, clash in enumerate(clashes) if clash.ours >= 0 and clash.theirs >= 0]
        one = self.sides.rows(self.sides.ours, np.array([clashes[at].ours for at in where], dtype=np.int64))
        two = self.sides.rows(self.sides.theirs, np.array([clashes[at].theirs for at in where], dtype=np.int64))
        found: list[list[str]] = [[] for _ in clashes]
        for column in self.sides.schema.columns:
            apart = cells_differ(*(side.column(column.id).combine_chunks() for side in (one, two)))
            for at in np.flatnonzero(apart).tolist():
                found[where[at]].append(column.id)
        return [tuple(columns) for columns in found]

    def _agree(self, anchors: I64) -> None:
        """Find equal rows that both sides put where it may be the same place, and that replace nothing: each counts
        once.
        """
        mine, other = self.mine, self.other
        known: dict[int, list[tuple[int, int, int]]] = {}
        spans = mine.earliest().tolist(), mine.anchors().tolist()
        for at in np.flatnonzero(np.isin(mine.come, other.come) & mine.unpaired()).tolist():
            known.setdefault(int(mine.come[at]), []).append((spans[0][at], spans[1][at], int(mine.rows.come[at])))
        pairs: list[tuple[int, int]] = []
        earliest = other.earliest().tolist()
        for at in np.flatnonzero(np.isin(other.come, mine.come) & other.unpaired()).tolist():
            waiting = known.get(int(other.come[at]), [])
            meets = (n for n, (low, high, _) in enumerate(waiting) if low <= anchors[at] and earliest[at] <= high)
            found = next(meets, None)
            if found is not None:
                pairs.append((waiting.pop(found)[2], int(other.rows.come[at])))
        mine.agreed, other.agreed = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
