"""Two timetables clash when they meet at one instant, whatever the clocks on their walls show."""

from contextlib import nullcontext
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.academics.sections.domain import Meeting, Timetable, check_meetings
from dataforge.kernel.errors import ValidationFailed

MONDAY, TUESDAY, SUNDAY = 1, 2, 7
AUTUMN = (date(2026, 9, 7), date(2026, 12, 18))


def weekly(weekday: int, starts: str, ends: str, zone: str = "UTC", days: tuple[date, date] = AUTUMN) -> Timetable:
    return Timetable((Meeting(weekday, time.fromisoformat(starts), time.fromisoformat(ends)),), *days, zone)


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        # One zone: wall clocks.
        (weekly(1, "09:00", "10:00"), weekly(1, "09:30", "11:00"), True),
        (weekly(1, "09:00", "10:00"), weekly(1, "10:00", "11:00"), False),
        (weekly(1, "09:00", "10:00"), weekly(2, "09:00", "10:00"), False),
        # 09:00 in Berlin is 03:00 in New York: the same wall clock is no clash, the same instant is.
        (weekly(1, "09:00", "10:00", "Europe/Berlin"), weekly(1, "09:00", "10:00", "America/New_York"), False),
        (weekly(1, "15:00", "16:00", "Europe/Berlin"), weekly(1, "09:00", "10:00", "America/New_York"), True),
        # The day differs too.
        (weekly(1, "08:00", "09:00", "Asia/Tokyo"), weekly(7, "19:00", "20:00", "America/New_York"), True),
        (weekly(1, "23:30", "23:59", "Pacific/Honolulu"), weekly(2, "22:30", "23:30", "Pacific/Auckland"), True),
        # Only between 25 October and 1 November is New York five hours from Berlin: 14:00 there is 09:00 here then.
        (weekly(1, "14:00", "15:00", "Europe/Berlin"), weekly(1, "09:00", "10:00", "America/New_York"), True),
        (
            weekly(1, "14:00", "15:00", "Europe/Berlin", (date(2026, 9, 7), date(2026, 10, 24))),
            weekly(1, "09:00", "10:00", "America/New_York"),
            False,
        ),
        # Over midnight, and over the end of the week.
        (weekly(1, "22:00", "02:00"), weekly(2, "01:30", "03:00"), True),
        (weekly(1, "22:00", "02:00"), weekly(2, "02:00", "03:00"), False),
        (weekly(1, "22:00", "02:00"), weekly(1, "21:00", "22:00"), False),
        (weekly(1, "22:00", "02:00"), weekly(1, "23:00", "23:30"), True),
        (weekly(1, "22:00", "02:00"), weekly(1, "01:00", "01:30"), False),
        (weekly(7, "22:00", "02:00"), weekly(1, "01:30", "03:00"), True),
        (weekly(7, "22:00", "02:00"), weekly(7, "20:00", "23:00"), True),
        (weekly(1, "12:00", "11:00"), weekly(2, "10:00", "09:00"), True),
        # 22:00 to 02:00 in Berlin is 16:00 to 20:00 in New York, but for a week from 25 October on.
        (weekly(1, "22:00", "02:00", "Europe/Berlin"), weekly(1, "19:30", "20:30", "America/New_York"), True),
        (weekly(1, "22:00", "02:00", "Europe/Berlin"), weekly(1, "20:00", "20:30", "America/New_York"), True),
        (weekly(1, "22:00", "02:00", "Europe/Berlin"), weekly(1, "21:00", "21:30", "America/New_York"), False),
        # The night in which clocks go back is an hour longer.
        (
            weekly(6, "22:00", "04:00", "Europe/Berlin", (date(2026, 10, 24), date(2026, 10, 24))),
            weekly(7, "02:30", "04:00", "UTC", (date(2026, 10, 25), date(2026, 10, 25))),
            True,
        ),
        # The last night of one semester is the first morning of the next.
        (weekly(5, "22:00", "02:00"), weekly(6, "01:00", "03:00", days=(date(2026, 12, 19), date(2027, 3, 1))), True),
        (weekly(5, "22:00", "02:00"), weekly(6, "01:00", "03:00", days=(date(2026, 12, 20), date(2027, 3, 1))), False),
        # Two names of one clock.
        (weekly(1, "09:00", "10:00", "Europe/Berlin"), weekly(1, "09:00", "10:00", "Europe/Paris"), True),
        (weekly(1, "09:00", "10:00", "UTC"), weekly(1, "09:00", "10:00", "Etc/UTC"), True),
    ],
)
def test_timetables_clash_by_instant(one: Timetable, other: Timetable, clash: bool) -> None:
    assert (one.clash(other) is not None, other.clash(one) is not None) == (clash, clash)


def test_semesters_that_share_no_day_of_the_meeting_do_not_clash() -> None:
    ending = weekly(MONDAY, "09:00", "10:00", days=(date(2026, 6, 1), date(2026, 9, 4)))
    beginning = weekly(MONDAY, "09:00", "10:00", days=(date(2026, 9, 2), date(2026, 12, 18)))

    assert ending.clash(beginning) is None


def test_days_that_only_differ_in_name_clash() -> None:
    last = weekly(MONDAY, "20:00", "21:00", "Pacific/Honolulu", (date(2026, 6, 1), date(2026, 9, 7)))
    first = weekly(TUESDAY, "18:00", "19:00", "Pacific/Auckland", (date(2026, 9, 8), date(2026, 12, 18)))

    assert last.clash(first) is not None


@pytest.mark.parametrize(
    ("meetings", "clashing"),
    [
        ((Meeting(7, time(22), time(2)), Meeting(1, time(1), time(3))), True),
        ((Meeting(7, time(22), time(2)), Meeting(1, time(2), time(3))), False),
        ((Meeting(1, time(22), time(22)),), True),
    ],
)
def test_meetings_of_one_section_share_no_minute(meetings: tuple[Meeting, ...], clashing: bool) -> None:
    with pytest.raises(ValidationFailed) if clashing else nullcontext():
        check_meetings(meetings)


def test_a_meeting_over_midnight_names_both_days() -> None:
    assert str(Meeting(7, time(22), time(2))) == "Sunday 22:00–Monday 02:00"


def test_a_semester_of_centuries_is_compared_as_fast_as_one_of_years() -> None:
    ages = (date(1900, 1, 1), date(9998, 12, 31))

    assert weekly(1, "09:00", "10:00", "Europe/Berlin", ages).clash(weekly(1, "20:00", "21:00", "UTC", ages)) is None


ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland", "Asia/Kathmandu", "Pacific/Kiritimati"]
meetings = st.builds(
    lambda day, start, minutes: Meeting(
        day, time(start // 60, start % 60), time((start + minutes) // 60 % 24, (start + minutes) % 60)
    ),
    st.integers(1, 7),
    st.integers(0, 24 * 60 - 1),
    st.integers(1, 59) | st.integers(60, 24 * 60 - 1),
)
timetables = st.builds(
    lambda meeting, start, days, zone: Timetable(
        (meeting,), date(2026, 1, 1) + timedelta(start), date(2026, 1, 1) + timedelta(start + days), zone
    ),
    meetings,
    st.integers(0, 330),
    st.integers(0, 60),
    st.sampled_from(ZONES),
)


def minutes_of(table: Timetable) -> set[datetime]:
    """Every minute in UTC at which it meets, counted one by one."""
    [meeting], zone = table.meetings, ZoneInfo(table.time_zone)
    found: set[datetime] = set()
    for offset in range((table.ends_on - table.starts_on).days + 1):
        day = table.starts_on + timedelta(offset)
        if day.isoweekday() == meeting.weekday:
            begin = datetime.combine(day, meeting.starts, zone).astimezone(UTC)
            last = day + timedelta(meeting.ends < meeting.starts)
            end = datetime.combine(last, meeting.ends, zone).astimezone(UTC)
            found |= {begin + timedelta(minutes=n) for n in range(int((end - begin).total_seconds()) // 60)}
    return found


@given(timetables, timetables)
def test_a_clash_is_a_common_minute(one: Timetable, other: Timetable) -> None:
    assert (one.clash(other) is not None) == bool(minutes_of(one) & minutes_of(other))
