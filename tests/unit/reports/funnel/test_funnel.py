"""Stages, quartiles and the histogram of a funnel."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.reports.funnel.domain import (
    BIN_EDGES,
    Durations,
    Stage,
    duration_histogram,
    durations_of,
    funnel_stages,
)

SECONDS = st.lists(st.floats(0, 1e8), max_size=40)


def test_shares_are_of_all_and_of_the_stage_before() -> None:
    stages = funnel_stages(8, 6, 3)

    assert [(stage.stage, stage.learners, stage.share, stage.share_of_previous) for stage in stages] == [
        (Stage.EXPECTED, 8, 1.0, 1.0),
        (Stage.STARTED, 6, 0.75, 0.75),
        (Stage.COMPLETED, 3, 0.375, 0.5),
    ]


def test_of_nobody_there_is_no_share() -> None:
    assert {(stage.share, stage.share_of_previous) for stage in funnel_stages(0, 0, 0)} == {(None, None)}
    assert funnel_stages(4, 0, 0)[2].share_of_previous is None


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ([], Durations(0, None, None, None)),
        ([60.0], Durations(1, 60, 60, 60)),
        ([10.0, 20.0], Durations(2, 12.5, 15, 17.5)),
        # By hand: positions 0.75, 1.5 and 2.25 of 1, 2, 4, 8.
        ([1.0, 2.0, 4.0, 8.0], Durations(4, 1.75, 3, 5)),
    ],
)
def test_quartiles_lie_between_the_values(seconds: list[float], expected: Durations) -> None:
    assert durations_of(seconds) == expected


@given(SECONDS)
def test_quartiles_are_those_of_pandas(seconds: list[float]) -> None:
    found = durations_of(seconds)

    quartiles = [found.lower_quartile, found.median, found.upper_quartile]
    expected = list(pd.Series(seconds, dtype=float).quantile([0.25, 0.5, 0.75])) if seconds else [None] * 3
    assert quartiles == pytest.approx(expected)


@given(SECONDS)
def test_every_time_is_in_one_bin_of_the_histogram(seconds: list[float]) -> None:
    bins = duration_histogram(seconds)

    assert sum(item.learners for item in bins) == len(seconds)
    assert [item.least_seconds for item in bins] == list(BIN_EDGES)
    assert [item.below_seconds for item in bins] == [*BIN_EDGES[1:], None]


def test_a_time_on_an_edge_is_in_the_longer_bin() -> None:
    assert [item.learners for item in duration_histogram([299.9, 300, 900])][:3] == [1, 1, 1]
