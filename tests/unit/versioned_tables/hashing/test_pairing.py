"""Rows are paired by value, and the quick look before it loses none that differ."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from versioned_tables.hashing.pairing import may_differ, pair_up

DISTINCT = st.lists(st.integers(0, (1 << 64) - 1), unique=True, max_size=60)


@given(DISTINCT, DISTINCT, DISTINCT)
def test_what_has_no_equal_on_the_other_side_is_told_and_equals_stay_together(
    shared: list[int], old: list[int], new: list[int]
) -> None:
    one, two = np.array(shared + old, dtype=np.uint64), np.array(new + shared, dtype=np.uint64)
    one, two = np.unique(one), np.unique(two)[::-1]

    left, right = may_differ([(one, two)])

    assert set(one.tolist()) - set(two.tolist()) <= set(one[left].tolist())
    assert set(two.tolist()) - set(one.tolist()) <= set(two[right].tolist())
    both = set(one.tolist()) & set(two.tolist())
    assert both & set(one[left].tolist()) == both & set(two[right].tolist())


def test_most_equal_entries_are_left_out() -> None:
    values = np.random.default_rng(1).integers(0, 1 << 63, 50_000).astype(np.uint64)
    other = values.copy()
    other[7] += np.uint64(1)

    left, right = may_differ([(values, other)])

    assert left[7]
    assert right[7]
    assert left.sum() == right.sum() < 50


@given(st.lists(st.integers(0, 5), max_size=30), st.lists(st.integers(0, 5), max_size=30))
def test_repeated_values_pair_as_often_as_both_sides_have_them(one: list[int], two: list[int]) -> None:
    first, second = pair_up(np.array(one, dtype=np.uint64), np.array(two, dtype=np.uint64))

    assert [one[at] for at in first] == [two[at] for at in second]
    assert sorted(one[at] for at in first) == sorted(v for n in range(6) for v in [n] * min(one.count(n), two.count(n)))
    assert len(set(first.tolist())) == len(first)
