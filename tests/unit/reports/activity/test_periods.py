"""Where intervals begin and end, by the calendar of a time zone."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.reports.activity.domain import (
    MOST_INTERVALS,
    Interval,
    Period,
    PeriodRefused,
    default_days,
    intervals_of,
)

ZONES = ["UTC", "Europe/Berlin", "America/Havana", "Pacific/Apia", "Asia/Kathmandu", "America/St_Johns", "Asia/Beirut"]


def hours(period: Period) -> list[float]:
    """How long each interval is."""
    return [(ends - begins).total_seconds() / 3600 for begins, ends in pairwise(utc(period))]


def utc(period: Period) -> list[datetime]:
    return [border.astimezone(UTC) for border in period.borders()]


def test_days_of_berlin_have_23_or_25_hours_when_the_clock_changes() -> None:
    spring = Period(date(2026, 3, 28), date(2026, 3, 30), Interval.DAY, "Europe/Berlin")
    autumn = Period(date(2026, 10, 24), date(2026, 10, 26), Interval.DAY, "Europe/Berlin")

    assert (hours(spring), hours(autumn)) == ([24, 23, 24], [24, 25, 24])
    assert [str(border) for border in spring.borders()][1:3] == [
        "2026-03-29 00:00:00+01:00",
        "2026-03-30 00:00:00+02:00",
    ]


def test_a_day_whose_midnight_is_skipped_begins_when_the_clock_has_jumped() -> None:
    # Havana's clock goes from 0:00 to 1:00 on 8 March 2026.
    period = Period(date(2026, 3, 7), date(2026, 3, 8), Interval.DAY, "America/Havana")

    assert [str(border) for border in period.borders()] == [
        "2026-03-07 00:00:00-05:00",
        "2026-03-08 01:00:00-04:00",
        "2026-03-09 00:00:00-04:00",
    ]


def test_a_day_that_a_zone_left_out_has_no_interval() -> None:
    # Samoa had no 30 December 2011.
    period = Period(date(2011, 12, 29), date(2011, 12, 31), Interval.DAY, "Pacific/Apia")

    assert [border.date() for border in period.borders()] == [date(2011, 12, 29), date(2011, 12, 31), date(2012, 1, 1)]
    assert hours(period) == [24, 24]


def test_weeks_begin_on_monday_and_keep_to_the_days_that_are_asked_for() -> None:
    period = Period(date(2026, 4, 1), date(2026, 4, 14), Interval.WEEK, "UTC")

    assert [border.date() for border in period.borders()] == [
        date(2026, 4, 1),
        date(2026, 4, 6),
        date(2026, 4, 13),
        date(2026, 4, 15),
    ]


def test_months_go_over_the_end_of_the_year() -> None:
    period = Period(date(2026, 11, 15), date(2027, 1, 31), Interval.MONTH, "UTC")

    assert [border.date() for border in period.borders()] == [
        date(2026, 11, 15),
        date(2026, 12, 1),
        date(2027, 1, 1),
        date(2027, 2, 1),
    ]


def test_one_day_is_a_period() -> None:
    period = Period(date(2026, 4, 1), date(2026, 4, 1), Interval.MONTH, "UTC")

    assert [border.date() for border in period.borders()] == [date(2026, 4, 1), date(2026, 4, 2)]


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [(date(2026, 4, 2), date(2026, 4, 1), "before the first"), (date(2020, 1, 1), date(2026, 1, 1), "intervals")],
)
def test_a_period_that_ends_first_or_is_too_long_is_refused(first: date, last: date, words: str) -> None:
    with pytest.raises(PeriodRefused, match=words):
        Period(first, last, Interval.DAY, "UTC").borders()


@given(
    st.dates(date(1990, 1, 1), date(2040, 1, 1)),
    st.integers(0, MOST_INTERVALS - 1),
    st.sampled_from(Interval),
    st.sampled_from(ZONES),
)
def test_intervals_follow_one_another_and_begin_with_a_day(
    first: date, days: int, interval: Interval, time_zone: str
) -> None:
    last = first + timedelta(days=days)
    borders = Period(first, last, interval, time_zone).borders()

    instants = [border.astimezone(UTC) for border in borders]
    assert instants == sorted(set(instants))
    for border in borders:
        before = (border.astimezone(UTC) - timedelta(microseconds=1)).astimezone(border.tzinfo)
        assert before.date() < border.date()
    assert borders[0].date() in (first, first + timedelta(days=1))


def test_without_days_a_period_is_the_thirty_up_to_the_watermark() -> None:
    watermark = datetime(2026, 4, 30, 23, tzinfo=UTC)

    assert default_days(watermark, "Europe/Berlin", None, None) == (date(2026, 4, 2), date(2026, 5, 1))
    assert default_days(watermark, "UTC", None, date(2026, 4, 10)) == (date(2026, 3, 12), date(2026, 4, 10))
    assert default_days(watermark, "UTC", date(2026, 1, 1), None) == (date(2026, 1, 1), date(2026, 4, 30))


def test_an_interval_in_which_nothing_happened_is_there() -> None:
    borders = Period(date(2026, 4, 1), date(2026, 4, 2), Interval.DAY, "UTC").borders()

    first, second = intervals_of(borders, {2: (5, 3)}, {2: 1})

    assert (first.statements, first.learners, first.completions) == (0, 0, 0)
    assert (second.statements, second.learners, second.completions) == (5, 3, 1)
    assert first.ends == second.begins
