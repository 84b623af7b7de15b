"""Rows that two versions do not name at the same physical address, found by runs of rows instead of row by row.

Example: the base names rows 0 .. 9 of one chunk; the head names 0 .. 3, then row 0 of a patch, then 5 .. 9. Cut at each
other's ends the base has the runs 0–3, 4 and 5–9; the first and the last are the head's, too. What remains is row 4 of
the base and row 4 of the head. A version of a million rows has some ten thousand runs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from versioned_tables.format.manifest import EMPTY, I64, Manifest, Pieces, pieces_within
from versioned_tables.read.rows import leaf_rows

Mask: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Runs:
    """Rows one after the other in a version and in a source: address (source << 32 | row) and row number of the first,
    and how many they are. In order of the version.
    """

    address: I64
    position: I64
    count: I64


def unshared_rows(base: Manifest, head: Manifest, left: Mask, right: Mask) -> tuple[I64, I64]:
    """Row numbers of both sides, ascending, within the leaves that the masks name and without the rows that both sides
    name at the same physical address. An address that a side names twice is left to whoever compares rows.
    """
    if {source.id for source in base.sources}.isdisjoint(source.id for source in head.sources):
        return leaf_rows(base, np.flatnonzero(left)), leaf_rows(head, np.flatnonzero(right))
    one, other = _runs(base, left), _runs(renumbered(base, head), right)
    ends = [side.address + side.count for side in (one, other)]
    cuts = np.unique(np.concatenate([one.address, other.address, *ends]))
    first, second = _cut(one, cuts), _cut(other, cuts)
    named = [np.bincount(np.searchsorted(cuts, side.address), minlength=len(cuts)) for side in (first, second)]
    alike = (named[0] == 1) & (named[1] == 1)
    return _expanded(first, ~alike[np.searchsorted(cuts, first.address)]), _expanded(
        second, ~alike[np.searchsorted(cuts, second.address)]
    )


def renumbered(base: Manifest, head: Manifest) -> Manifest:
    """The head with sources numbered as the base numbers them, those it does not have behind."""
    places = {source.id: at for at, source in enumerate(base.sources)}
    extra = len(base.sources)
    renumber = np.array([places.get(source.id, extra + at) for at, source in enumerate(head.sources)], dtype=np.int64)
    pieces = head.pieces
    return replace(head, pieces=Pieces(renumber[pieces.source], pieces.start, pieces.count)) if len(pieces) else head


def _runs(manifest: Manifest, leaves: Mask) -> _Runs:
    """The pieces of some leaves."""
    turns = np.flatnonzero(np.diff(leaves.astype(np.int8), prepend=0, append=0))
    begins = np.concatenate([[0], manifest.leaf_ends])[turns]
    pieces, rows = pieces_within(manifest, begins[::2], begins[1::2])
    return _Runs((pieces.source << 32) + pieces.start, rows, pieces.count)


def _cut(runs: _Runs, cuts: I64) -> _Runs:
    """The same rows in runs that end wherever one of `cuts` lies within them."""
    first = np.searchsorted(cuts, runs.address)
    parts = np.searchsorted(cuts, runs.address + runs.count) - first
    at = _counted(first, parts)
    address = cuts[at]
    position = address + np.repeat(runs.position - runs.address, parts)
    return _Runs(address, position, cuts[at + 1] - address)


def _expanded(runs: _Runs, keep: Mask) -> I64:
    """The row numbers of some runs."""
    return _counted(runs.position[keep], runs.count[keep])


def _counted(starts: I64, counts: I64) -> I64:
    """`start, start + 1, …` as often as is said, one after the other."""
    if not len(starts):
        return EMPTY
    before = np.cumsum(counts) - counts
    found: I64 = np.repeat(starts - before, counts) + np.arange(int(counts.sum()))
    return found
