"""Numbers, spans and times in words."""

from datetime import UTC, datetime, timedelta

import pytest

from dataforge.contexts.reports.pictures.text import amount, count, duration, instant, percent


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [(0, 0, "–"), (0, 9, "0%"), (9, 9, "100%"), (1, 3, "33%"), (1, 1000, "<1%"), (999, 1000, ">99%"), (1, 200, "<1%")],
)
def test_only_none_is_0_and_only_all_is_100_percent(part: int, whole: int, words: str) -> None:
    assert percent(part, whole) == words


def test_numbers_in_words() -> None:
    assert (amount(1234567), amount(0.5, 2)) == ("1,234,567", "0.50")
    assert (count(1, "class", "classes"), count(0, "learner"), count(1200, "class", "classes")) == (
        "1 class",
        "0 learners",
        "1,200 classes",
    )
    assert instant(datetime(2026, 3, 1, 9, 5, tzinfo=UTC)) == "1 Mar 2026, 09:05 UTC"


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(0), "0 seconds"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=119), "119 seconds"),
        (timedelta(seconds=120), "2 minutes"),
        (timedelta(hours=30), "30 hours"),
        (timedelta(days=90), "90 days"),
    ],
)
def test_a_duration_is_in_a_unit_that_people_use(span: timedelta, words: str) -> None:
    assert duration(span) == words
