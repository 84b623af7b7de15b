"""Timestamps and durations as text and as values."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataforge.contexts.lrs.statements.domain import duration_ms, format_timestamp, parse_timestamp
from dataforge.contexts.lrs.statements.domain.times import (
    canonical_duration,
    canonical_timestamp,
    in_utc,
    is_duration,
    is_rfc_3339,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2008-09-15T15:53:00.601+00:00", datetime(2008, 9, 15, 15, 53, 0, 601000, UTC)),
        ("2023-05-04T12:00:00-05:00", datetime(2023, 5, 4, 17, tzinfo=UTC)),
        ("2023-05-04T12:00:00+0530", datetime(2023, 5, 4, 6, 30, tzinfo=UTC)),
        ("2023-05-04T12:00:00+02", datetime(2023, 5, 4, 10, tzinfo=UTC)),
        ("2023-05-04T12:00Z", datetime(2023, 5, 4, 12, tzinfo=UTC)),
        ("2023-05-04T12:00+02:00", datetime(2023, 5, 4, 10, tzinfo=UTC)),
        ("2023-05-04T12:00", datetime(2023, 5, 4, 12, tzinfo=UTC)),
        ("20230504T120000Z", datetime(2023, 5, 4, 12, tzinfo=UTC)),
        ("20230504T120000,25+0200", datetime(2023, 5, 4, 10, 0, 0, 250_000, UTC)),
        ("20230504T1200-05", datetime(2023, 5, 4, 17, tzinfo=UTC)),
        ("2023-05-04t12:00:00z", datetime(2023, 5, 4, 12, tzinfo=UTC)),
        ("2023-05-04T12:00:00", datetime(2023, 5, 4, 12, tzinfo=UTC)),
        ("2023-05-04T12:00:00.1234567899Z", datetime(2023, 5, 4, 12, 0, 0, 123456, UTC)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, 999999, UTC)),
    ],
)
def test_a_timestamp_is_an_instant_in_utc(text: str, expected: datetime) -> None:
    assert parse_timestamp(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "2023-05-04", "20230504", "2023-05-04T120000Z", "20230504T12:00:00Z", "2023-05-04T12Z", "2023-05-04T12:00.5Z",
     "20231304T1200Z", "20230504T2460Z", "20230504T120000-0000", "2023-05-04 12:00:00Z", "2023-13-01T00:00:00Z",
     "2023-02-29T00:00:00Z", "2023-01-01T24:00:00Z", "2023-01-01T12:00:61Z", "2023-01-01T12:00:00-00:00",
     "2023-01-01T12:00:00+25:00", "9999-12-31T23:59:59-01:00", "0000-01-01T00:00:00Z", "２023-01-01T12:00:00Z",
     "2023-01-01T12:00:00Z\n"],
)  # fmt: skip
def test_other_text_is_no_timestamp(text: str) -> None:
    assert parse_timestamp(text) is None


def test_the_same_instant_has_one_canonical_timestamp() -> None:
    assert canonical_timestamp("2023-05-04T12:00:00.500-05:00") == "2023-05-04T17:00:00.5Z"
    assert canonical_timestamp("2023-05-04T17:00:00.5Z") == "2023-05-04T17:00:00.5Z"
    assert canonical_timestamp("2023-05-04T17:00:00.000Z") == "2023-05-04T17:00:00Z"
    assert canonical_timestamp("2023-05-04T17:00:00.12345678Z") == "2023-05-04T17:00:00.12345678Z"
    assert canonical_timestamp("no time") == "no time"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-05-04T12:00:00.100Z", "2023-05-04T12:00:00.100Z"),
        ("2023-05-04T12:00:00z", "2023-05-04T12:00:00Z"),
        ("2023-05-04T12:00Z", "2023-05-04T12:00:00Z"),
        ("20230504T120000Z", "2023-05-04T12:00:00Z"),
        ("2023-05-04T12:00:00,5Z", "2023-05-04T12:00:00.5Z"),
        ("2023-05-04T12:00:00.123456789+02:00", "2023-05-04T10:00:00.123456789Z"),
    ],
)
def test_a_time_in_utc_is_written_as_rfc_3339_wants_it(text: str, expected: str) -> None:
    assert in_utc(text) == expected
    assert is_rfc_3339(in_utc(text))
    assert parse_timestamp(in_utc(text)) == parse_timestamp(text)


@settings(deadline=None)
@given(st.datetimes(timezones=st.just(timezone(timedelta(hours=-3)))).filter(lambda at: 1 < at.year < 9999))
def test_a_written_timestamp_reads_back_as_the_same_instant(at: datetime) -> None:
    assert parse_timestamp(format_timestamp(at)) == at


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PT0S", 0),
        ("PT4H35M59.14S", 16_559_140),
        ("PT16559.14S", 16_559_140),
        ("P4W", 4 * 7 * 86_400_000),
        ("P3Y", 3 * 365 * 86_400_000),
        ("P1M", 30 * 86_400_000),
        ("PT1M", 60_000),
        ("P1DT12H36M0.12567S", 131_760_125),
        ("PT0,5H", 1_800_000),
        ("PT1.9999S", 1_999),
    ],
)
def test_a_duration_in_milliseconds_is_truncated(text: str, expected: int) -> None:
    assert duration_ms(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "P1DT", "PA1H0M0S", "1H", "PT1H30", "-PT1H", "P1H", "PT1D", "P1.5DT2H", "P1Y2W", "P1W2D", "pt1h",
     "PT1S ", "PT.5S", "PT" + "1" * 300 + "S"],
)  # fmt: skip
def test_other_text_is_no_duration(text: str) -> None:
    assert not is_duration(text)
    assert duration_ms(text) is None


def test_a_duration_too_long_for_the_column_has_no_milliseconds() -> None:
    assert is_duration("P" + "9" * 100 + "Y")
    assert duration_ms("P" + "9" * 100 + "Y") is None


def test_durations_compare_to_a_hundredth_of_a_second() -> None:
    assert canonical_duration("P1DT12H36M0.1237S") == "P1DT12H36M0.12S"
    assert canonical_duration("P1DT12H36M0,129S") == "P1DT12H36M0.12S"
    assert canonical_duration("PT1.00S") == "PT1S"
    assert canonical_duration("PT1H") == "PT1H"
    assert canonical_duration("soon") == "soon"
