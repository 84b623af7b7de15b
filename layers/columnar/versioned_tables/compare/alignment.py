"""Two versions of a table without a key, line against line: which rows stayed, in order, and where the others stood.

Equal leaves stay as they are; between them rows are compared by hash. A row that moved counts as gone from one place
and come to another.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np

from versioned_tables.format.manifest import I64, Leaves, Manifest
from versioned_tables.hashing.pairing import pair_up
from versioned_tables.hashing.row_hash import U64, RowHashes
from versioned_tables.read.union import hashes_in
from versioned_tables.schema.columns import TableSchema
from versioned_tables.schema.sequences import increasing
from versioned_tables.storage.table_store import TableStore

_SLOW_PAIRS = 250_000


@dataclass(frozen=True, slots=True)
class Alignment:
    """Row numbers, sorted: `gone` of the base, `come` of the side. All other rows are the same in the same order."""

    gone: I64
    come: I64

    def gaps(self) -> I64:
        """Per row that came the base row before which it stands: the first of the gone ones it stands in place of,
        when there are any.
        """
        ranks = self.come - np.arange(len(self.come))
        kept_before = self.gone - np.arange(len(self.gone))
        found: I64 = ranks + np.searchsorted(kept_before, ranks, side="left")
        return found

    def gap_of_gone(self) -> I64:
        """The same for rows that are gone: the first of the run of gone rows they are in."""
        ranks = self.gone - np.arange(len(self.gone))
        found: I64 = ranks + np.searchsorted(ranks, ranks, side="left")
        return found

    def place(self, base_rows: I64) -> I64:
        """Rows of the side for base rows that it still has; for the others the place after what stands for them."""
        inserted = np.searchsorted(np.sort(self.gaps()), base_rows, side="right")
        found: I64 = base_rows - np.searchsorted(self.gone, base_rows) + inserted
        return found


def align(store: TableStore, schema: TableSchema, base: Manifest, side: Manifest) -> Alignment:
    """Compare the rows in the types of `schema`; a column that a version lacks is null in it."""
    segments = _between_equal_leaves(base, side)
    old, new = (
        np.concatenate([np.arange(segment[at], segment[at + 1]) for segment in segments] or [np.arange(0)])
        for at in (0, 2)
    )
    before, after = (
        row_codes(hashes_in(store, manifest, schema, rows)) for manifest, rows in ((base, old), (side, new))
    )
    stays, stayed = np.zeros(len(old), dtype=bool), np.zeros(len(new), dtype=bool)
    at = to = 0
    for first, stop, start, end in segments:
        one, two = before[at : at + stop - first], after[to : to + end - start]
        left, right = _same_rows(one, two)
        stays[at + left] = stayed[to + right] = True
        at, to = at + len(one), to + len(two)
    return Alignment(old[~stays], new[~stayed])


def row_codes(hashes: RowHashes) -> U64:
    """One word per row."""
    return hashes.low ^ (hashes.high * np.uint64(3))


def _between_equal_leaves(base: Manifest, side: Manifest) -> list[tuple[int, int, int, int]]:
    """Row ranges of both versions between leaves that both have in the same order."""
    first, second = _in_order(*pair_up(_leaf_codes(base.leaves), _leaf_codes(side.leaves)))
    counts = base.leaves.counts[first]
    starts = base.leaf_ends[first] - counts
    mates = side.leaf_ends[second] - counts
    found = zip(
        np.concatenate([[0], starts + counts]).tolist(),
        np.concatenate([starts, [base.rows]]).tolist(),
        np.concatenate([[0], mates + counts]).tolist(),
        np.concatenate([mates, [side.rows]]).tolist(),
        strict=True,
    )
    return [segment for segment in found if segment[1] > segment[0] or segment[3] > segment[2]]


def _leaf_codes(leaves: Leaves) -> U64:
    words: U64 = leaves.hashes[:, 0] ^ (leaves.hashes[:, 1] * np.uint64(3))
    return words


def _same_rows(one: U64, two: U64) -> tuple[I64, I64]:
    """Indexes of rows that both have, increasing on both sides."""
    shorter = min(len(one), len(two))
    differ = np.flatnonzero(one[:shorter] != two[:shorter])
    head = int(differ[0]) if len(differ) else shorter
    differ = np.flatnonzero(one[::-1][: shorter - head] != two[::-1][: shorter - head])
    tail = int(differ[0]) if len(differ) else shorter - head
    left, right = _middle(one[head : len(one) - tail], two[head : len(two) - tail])
    ends = np.arange(tail)
    return (
        np.concatenate([np.arange(head), left + head, ends + len(one) - tail]),
        np.concatenate([np.arange(head), right + head, ends + len(two) - tail]),
    )


def _middle(one: U64, two: U64) -> tuple[I64, I64]:
    first, second = pair_up(one, two)
    if not (np.diff(second) < 0).any() or len(one) * len(two) > _SLOW_PAIRS:
        return _in_order(first, second)
    blocks = SequenceMatcher(None, one.tolist(), two.tolist(), autojunk=False).get_matching_blocks()
    left = [block.a + at for block in blocks for at in range(block.size)]
    right = [block.b + at for block in blocks for at in range(block.size)]
    return np.array(left, dtype=np.int64), np.array(right, dtype=np.int64)


def _in_order(first: I64, second: I64) -> tuple[I64, I64]:
    """The longest choice of pairs in which both sides increase; `first` increases already."""
    if not (np.diff(second) < 0).any():
        return first, second
    picks = np.array(increasing(second.tolist()), dtype=np.int64)
    return first[picks], second[picks]
