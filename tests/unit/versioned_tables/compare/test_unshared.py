"""Runs of rows that two versions share are found as a look at every row would find them."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.examples import examples
from tests.builders.tables import PEOPLE
from versioned_tables.compare.unshared import Mask, unshared_rows
from versioned_tables.format.manifest import I64, NO_LEAVES, KeyList, Leaves, Manifest, Pieces, Source, pieces_within
from versioned_tables.read.rows import addresses_at, leaf_rows

Drawn = tuple[Manifest, Mask]


def integers(values: list[int]) -> I64:
    return np.array(values, dtype=np.int64)


def expanded(starts: I64, counts: I64) -> list[int]:
    """Every number of some runs."""
    runs = zip(starts.tolist(), counts.tolist(), strict=True)
    return [number for start, count in runs for number in range(start, start + count)]


@st.composite
def versions(draw: st.DrawFn) -> Drawn:
    """A version of small pieces of up to four sources, some rows named twice; and some of its leaves."""
    names = draw(st.permutations("abcd"))[: draw(st.integers(1, 4))]
    piece = st.tuples(st.integers(0, len(names) - 1), st.integers(0, 20), st.integers(1, 9))
    pieces = draw(st.lists(piece, max_size=12))
    source, start, count = (integers([drawn[at] for drawn in pieces]) for at in range(3))
    cuts = draw(st.sets(st.integers(1, max(1, int(count.sum()) - 1))))
    ends = sorted({*(cut for cut in cuts if cut < count.sum()), int(count.sum())}) if pieces else []
    counts = np.diff(integers([0, *ends]))
    leaves = Leaves(counts, np.zeros((len(counts), 2), dtype=np.uint64), KeyList.of([])) if ends else NO_LEAVES
    sources = tuple(Source("chunk", name, 40, 1) for name in names)
    manifest = Manifest(PEOPLE, sources, leaves, Pieces(source, start, count))
    mask = np.array(draw(st.lists(st.booleans(), min_size=len(counts), max_size=len(counts))), dtype=bool)
    return manifest, mask


def named(version: Drawn) -> list[tuple[int, str, int]]:
    """Row number, source and row there, of every row in the leaves that are meant."""
    manifest, mask = version
    rows = leaf_rows(manifest, np.flatnonzero(mask))
    addresses = zip(rows.tolist(), addresses_at(manifest, rows).tolist(), strict=True)
    return [(row, manifest.sources[address >> 32].id, address & 0xFFFFFFFF) for row, address in addresses]


@settings(max_examples=examples(300))
@given(versions(), versions())
def test_what_remains_is_what_a_look_at_every_row_leaves(base: Drawn, head: Drawn) -> None:
    one, other = named(base), named(head)
    times = [Counter((source, row) for _, source, row in side) for side in (one, other)]
    both = {address for address, count in times[0].items() if count == times[1][address] == 1}

    old, new = unshared_rows(base[0], head[0], base[1], head[1])

    assert old.tolist() == [at for at, source, row in one if (source, row) not in both]
    assert new.tolist() == [at for at, source, row in other if (source, row) not in both]


@settings(max_examples=examples(200))
@given(versions(), st.lists(st.integers(0, 60), unique=True).map(sorted))
def test_pieces_within_ranges_are_the_rows_of_the_ranges(version: Drawn, bounds: list[int]) -> None:
    manifest, _ = version
    bounds = [at for at in bounds if at <= manifest.rows]
    starts, stops = integers(bounds[: len(bounds) // 2 * 2 : 2]), integers(bounds[1::2])
    wanted = expanded(starts, stops - starts)

    pieces, first = pieces_within(manifest, starts, stops)

    assert expanded(first, pieces.count) == wanted
    addresses = expanded((pieces.source << 32) + pieces.start, pieces.count)
    assert addresses == addresses_at(manifest, integers(wanted)).tolist()


@pytest.mark.parametrize("rows", [1, 1000])
def test_versions_without_a_common_source_share_nothing(rows: int) -> None:
    pieces = Pieces(integers([0]), integers([0]), integers([rows]))
    leaves = Leaves(integers([rows]), np.zeros((1, 2), dtype=np.uint64), KeyList.of([]))
    base, head = (Manifest(PEOPLE, (Source("chunk", name, rows, 1),), leaves, pieces) for name in "ab")

    old, new = unshared_rows(base, head, np.array([True]), np.array([True]))

    assert old.tolist() == new.tolist() == list(range(rows))
