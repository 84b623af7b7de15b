"""Pairing rows of two versions by hash, vectorised."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from versioned_tables.hashing.leaves import I64
from versioned_tables.hashing.row_hash import U64

_LOW16 = np.uint64(0xFFFF)
_ODD = np.uint64(0x9E3779B97F4A7C15)


def occurrence(keys: U64) -> U64:
    """Which repetition of its value each entry is: 0 for the first, 1 for the second, in order."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    firsts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(ordered)])
    rank = np.arange(len(keys)) - np.repeat(firsts, np.diff(np.append(firsts, len(keys))))
    found = np.empty(len(keys), dtype=np.uint64)
    found[order] = rank.astype(np.uint64)
    return found


def pair_up(one: U64, other: U64) -> tuple[I64, I64]:
    """Indexes of equal values, each entry used once: repeated values pair first with first, second with second."""
    if not len(one) or not len(other):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    found = _pairs(one, other)
    return (
        found if found is not None else _pairs_or_none(one + occurrence(one) * _ODD, other + occurrence(other) * _ODD)
    )


def may_differ(lanes: Sequence[tuple[U64, U64]]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which entries of either side may have no equal on the other one, for sides that repeat no value.

    Each lane is a pair of arrays, one a side; entries are equal when all their lanes are. Sorting values without their
    places is five times faster than pairing, so this goes first where most entries are equal. Entries with an equal may
    be reported too, then on both sides.
    """
    found = [_unlike(lane) for lane in lanes]
    return np.any([one for one, _ in found], axis=0), np.any([other for _, other in found], axis=0)


def _unlike(lane: tuple[U64, U64]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    both = np.concatenate(lane)
    both.sort()
    new = np.ones(len(both) + 1, dtype=bool)
    np.not_equal(both[1:], both[:-1], out=new[1:-1])
    firsts = np.flatnonzero(new)
    alone = both[firsts[:-1][np.diff(firsts) != 2]]
    marked = np.zeros(1 << 16, dtype=bool)
    marked[alone & _LOW16] = True
    return marked[lane[0] & _LOW16], marked[lane[1] & _LOW16]


def _pairs(one: U64, other: U64) -> tuple[I64, I64] | None:
    """Neighbours after one sort of both sides together; None when a side repeats a value."""
    both = np.concatenate([one, other])
    order = np.argsort(both)
    ordered = both[order]
    equal = np.flatnonzero(ordered[1:] == ordered[:-1])
    first, second = order[equal], order[equal + 1]
    left, right = np.minimum(first, second), np.maximum(first, second)
    if ((left < len(one)) & (right >= len(one))).all() and (np.diff(equal) > 1).all():
        by_left = np.argsort(left)
        return left[by_left], right[by_left] - len(one)
    return None


def _pairs_or_none(one: U64, other: U64) -> tuple[I64, I64]:
    found = _pairs(one, other)
    if found is None:
        message = "the occurrence numbers of a value are not unique"
        raise ArithmeticError(message)
    return found
