"""Round numbers and calendar steps."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dataforge.contexts.reports.pictures.axes import Area, TimeScale, draw_times, ticks
from dataforge.contexts.reports.pictures.canvas import Canvas, Caption, number
from tests.builders.svg import read_picture

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


@given(st.integers(0, 10**12), st.integers(2, 10))
@example(10**10 + 1, 10)
@example(10**12 + 1, 7)
def test_marks_are_few_evenly_apart_and_reach_the_largest_number(most: int, at_most: int) -> None:
    marks = ticks(most, at_most)

    assert marks[0] == 0
    assert marks[-1] >= most
    assert len(marks) <= at_most + 1
    assert len({later - earlier for earlier, later in pairwise(marks)}) == 1


@pytest.mark.parametrize(
    ("most", "marks"), [(0, [0, 1]), (1, [0, 1]), (7, [0, 2, 4, 6, 8]), (1000, [0, 200, 400, 600, 800, 1000])]
)
def test_marks_are_round(most: int, marks: list[int]) -> None:
    assert ticks(most) == marks


def labels(earliest: datetime, latest: datetime) -> list[str]:
    canvas = Canvas(Caption("Times"), "", width=760, height=100)
    area = Area(100, canvas.top, 640, 60)
    draw_times(canvas, TimeScale(area, earliest, latest))
    return read_picture(canvas.finish()).texts[1:]


@pytest.mark.parametrize(
    ("span", "first", "last"),
    [
        (timedelta(hours=4), "10:00", "13:00"),
        (timedelta(days=3), "12:00", "4 Mar"),
        (timedelta(days=10), "2 Mar", "11 Mar"),
        (timedelta(days=60), "2 Mar", "27 Apr"),
        (timedelta(days=300), "Apr", "Dec"),
        (timedelta(days=900), "Apr 2026", "Jul 2028"),
        (timedelta(days=3650), "2028", "2036"),
    ],
)
def test_a_time_line_is_labelled_by_the_calendar(span: timedelta, first: str, last: str) -> None:
    found = labels(NOW, NOW + span)

    assert (found[0], found[-1]) == (first, last)
    assert len(found) <= 16


@given(
    st.timedeltas(timedelta(0), timedelta(days=80_000)).map(lambda since: datetime(1970, 1, 2, tzinfo=UTC) + since),
    st.timedeltas(timedelta(0), timedelta(days=40_000)),
)
def test_any_span_has_a_label_and_none_is_outside(earliest: datetime, span: timedelta) -> None:
    assert labels(earliest, earliest + span)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_no_coordinate(value: float) -> None:
    with pytest.raises(ValueError, match="no coordinate"):
        number(value)


@given(st.floats(-1e7, 1e7))
def test_a_coordinate_is_written_with_two_digits(value: float) -> None:
    assert abs(float(number(value)) - value) <= 0.005 + 1e-6
    assert "e" not in number(value)
