"""Difficulty and discrimination of questions."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.reports.questions.domain import JudgedResponses


def judged(pairs: list[tuple[int, int]]) -> JudgedResponses:
    """The sums over (right at this question, how many others are right) of each learner."""
    return JudgedResponses(
        learners=len(pairs),
        right=sum(x for x, _ in pairs),
        others=sum(r for _, r in pairs),
        squared_others=sum(r * r for _, r in pairs),
        others_of_right=sum(x * r for x, r in pairs),
    )


def test_difficulty_is_the_share_who_were_right() -> None:
    assert judged([(1, 2), (0, 1), (1, 0), (0, 0)]).difficulty == 0.5


def test_discrimination_by_hand() -> None:
    # Five learners: means of the others 2 where right, 0.5 where wrong; their standard deviation is √1.04 and
    # p = 3/5, so that r = (2 - 0.5)/√1.04 · √(0.6·0.4) = 0.7206.
    sums = judged([(1, 3), (1, 2), (1, 1), (0, 1), (0, 0)])

    assert sums.discrimination == pytest.approx(0.7205766921228921)


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [(1, 3)],
        pytest.param([(1, 1), (1, 2)], id="all were right"),
        pytest.param([(0, 1), (0, 2)], id="all were wrong"),
        pytest.param([(0, 2), (1, 2)], id="equal in all else"),
    ],
)
def test_where_nothing_varies_discrimination_is_not_defined(pairs: list[tuple[int, int]]) -> None:
    assert judged(pairs).discrimination is None


def test_of_no_judged_response_there_is_no_difficulty() -> None:
    assert JudgedResponses().difficulty is None


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 30)), max_size=60))
def test_discrimination_is_pearsons_correlation(pairs: list[tuple[int, int]]) -> None:
    right, others = pd.Series([x for x, _ in pairs], dtype=float), pd.Series([r for _, r in pairs], dtype=float)

    found = judged(pairs).discrimination

    if right.nunique() > 1 and others.nunique() > 1:
        assert found == pytest.approx(right.corr(others), abs=1e-9)
        assert found is not None
        assert -1 - 1e-12 <= found <= 1 + 1e-12
    else:
        assert found is None
