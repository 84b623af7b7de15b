"""What is known of a zone's clocks: the offsets are the zone's own, and rules stand where the law has rules."""

from datetime import UTC, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.kernel.zone_rules import Onset, YearlyDay, onsets

ZONES = sorted(available_timezones() - {"localtime"})
HOUR = timedelta(hours=1)


def offset_at(found: tuple[Onset, ...], at: datetime) -> timedelta:
    """The offset of the last onset before an instant, as a reader works it out (RFC 5545 §3.6.5)."""
    naive = at.replace(tzinfo=None)
    begun = []
    for onset in found:
        walls = [onset.wall]
        if onset.rule is not None:
            days = map(onset.rule.in_year, range(onset.wall.year, naive.year + 2))
            walls = [datetime.combine(day, onset.wall.time()) for day in days if day]
        begun += [(wall - onset.before, onset.after) for wall in walls if onset.wall <= wall]
    return max((start, after) for start, after in begun if start <= naive)[1]


@given(zone=st.sampled_from(ZONES), first=st.integers(2020, 2040), more=st.integers(0, 5), data=st.data())
def test_the_offsets_are_the_zones_own(zone: str, first: int, more: int, data: st.DataObject) -> None:
    start, end = datetime(first, 1, 1, tzinfo=UTC), datetime(first + more + 1, 1, 1, tzinfo=UTC)
    instants = st.integers(0, int((end - start).total_seconds()) - 1)
    at = start + timedelta(seconds=data.draw(instants))

    assert offset_at(onsets(ZoneInfo(zone), first, first + more), at) == at.astimezone(ZoneInfo(zone)).utcoffset()


@given(zone=st.sampled_from(ZONES), first=st.integers(2026, 2040), years=st.integers(0, 50), second=st.integers(0))
def test_rules_go_on_after_the_years_that_were_asked_for(zone: str, first: int, years: int, second: int) -> None:
    found = onsets(ZoneInfo(zone), first, first)
    at = datetime(first + years, 1, 1, tzinfo=UTC) + timedelta(seconds=second % 31_536_000)

    if any(onset.rule for onset in found):
        assert offset_at(found, at) == at.astimezone(ZoneInfo(zone)).utcoffset()


def rules_of(zone: str, year: int = 2027) -> list[tuple[YearlyDay | None, time, timedelta, timedelta, bool]]:
    found = onsets(ZoneInfo(zone), year, year)
    return [(onset.rule, onset.wall.time(), onset.before, onset.after, onset.saving) for onset in found]


def test_the_last_sunday_has_its_name() -> None:
    summer, winter = rules_of("Europe/Berlin")

    assert summer == (YearlyDay(3, 25, 31, 7), time(2), HOUR, 2 * HOUR, True)
    assert winter == (YearlyDay(10, 25, 31, 7), time(3), 2 * HOUR, HOUR, False)
    assert (YearlyDay(3, 25, 31, 7).ordinal, YearlyDay(11, 1, 7, 7).ordinal, YearlyDay(3, 8, 14, 7).ordinal) == (
        -1,
        1,
        2,
    )


def test_in_ireland_summer_is_what_is_saved() -> None:
    assert [saving for *_, saving in rules_of("Europe/Dublin")] == [True, False]


def test_the_evening_before_the_last_sunday_is_no_last_saturday() -> None:
    spring = rules_of("America/Nuuk")[0]

    assert spring == (YearlyDay(3, 24, 30, 6), time(23), -2 * HOUR, -HOUR, True)
    assert YearlyDay(3, 24, 30, 6).ordinal is None


def test_the_end_of_a_last_thursday_may_be_in_the_next_month() -> None:
    rules = {rule for rule, *_ in rules_of("Africa/Cairo")}

    assert {YearlyDay(10, 26, 31, 5), YearlyDay(11, 1, 1, 5)} < rules


@pytest.mark.parametrize(("zone", "step"), [("Australia/Lord_Howe", 30), ("Antarctica/Troll", 120)])
def test_clocks_change_by_other_than_an_hour(zone: str, step: int) -> None:
    assert {abs(after - before) for _, _, before, after, _ in rules_of(zone)} == {timedelta(minutes=step)}


@pytest.mark.parametrize("zone", ["Africa/Casablanca", "Africa/El_Aaiun", "Asia/Gaza"])
def test_where_the_moon_decides_single_changes_are_listed_to_the_end(zone: str) -> None:
    found = onsets(ZoneInfo(zone), 2040, 2042)

    assert {onset.rule for onset in found} == {None}
    assert found[0].wall.year == 2039
    assert found[-1].wall.year == 2043


def test_what_was_before_the_present_rules_is_listed_by_itself() -> None:
    # Mexico City gave up daylight saving time in 2022.
    before = onsets(ZoneInfo("America/Mexico_City"), 2021, 2024)

    assert {onset.rule for onset in before} == {None}
    assert [onset.wall.year for onset in before] == [2020, 2021, 2021, 2022, 2022]
    assert [onset.rule for onset in onsets(ZoneInfo("America/Mexico_City"), 2024, 2024)] == [None]


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5, minutes=45)), ZoneInfo("Asia/Tokyo")])
def test_a_zone_without_changes_has_one_offset(zone: timezone) -> None:
    [onset] = onsets(zone, 2026, 2040)

    assert onset.before == onset.after == datetime(2026, 1, 1, tzinfo=zone).utcoffset()
    assert (onset.rule, onset.saving) == (None, False)


@pytest.mark.parametrize(("first", "last"), [(1970, 1970), (2026, 2171), (2027, 2026)])
def test_years_out_of_reach_are_refused(first: int, last: int) -> None:
    with pytest.raises(ValueError, match="1971 to 2170"):
        onsets(UTC, first, last)
