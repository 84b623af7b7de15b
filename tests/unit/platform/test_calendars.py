"""Times in iCalendar objects: local where clocks are clear, and time zones with rules."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar, Event

from dataforge.platform.calendars import add_timezones, timezone_component, written_times

BERLIN = ZoneInfo("Europe/Berlin")


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_a_time_is_written_as_the_zones_clocks_show_it() -> None:
    [written] = written_times((instant("2026-07-01T09:00+02:00"),), BERLIN)

    assert (written.isoformat(), written.tzinfo) == ("2026-07-01T09:00:00+02:00", BERLIN)


@pytest.mark.parametrize("start", ["2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00", "2026-10-25T01:45+02:00"])
def test_an_hour_that_clocks_show_twice_is_written_in_utc(start: str) -> None:
    end = datetime.fromisoformat("2026-10-25T02:45+01:00")

    written = written_times((instant(start), instant(end.isoformat())), BERLIN)

    assert [time.tzinfo for time in written] == [UTC, UTC]
    assert written == (instant(start), end)


def test_the_rules_of_a_zone_as_other_programs_write_them() -> None:
    lines = timezone_component("Europe/Berlin", 2026, 2040).to_ical().decode().splitlines()

    assert lines == [
        "BEGIN:VTIMEZONE",
        "TZID:Europe/Berlin",
        "BEGIN:DAYLIGHT",
        "DTSTART:20250330T020000",
        "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3",
        "TZNAME:CEST",
        "TZOFFSETFROM:+0100",
        "TZOFFSETTO:+0200",
        "END:DAYLIGHT",
        "BEGIN:STANDARD",
        "DTSTART:20251026T030000",
        "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
        "TZNAME:CET",
        "TZOFFSETFROM:+0200",
        "TZOFFSETTO:+0100",
        "END:STANDARD",
        "END:VTIMEZONE",
    ]


def test_days_that_have_no_number_are_named_by_their_dates() -> None:
    text = timezone_component("America/Nuuk", 2027, 2027).to_ical().decode().replace("\r\n ", "")

    assert "RRULE:FREQ=YEARLY;BYDAY=SA;BYMONTHDAY=24,25,26,27,28,29,30;BYMONTH=3" in text
    assert "TZNAME" not in text
    assert "RDATE" not in timezone_component("Africa/Casablanca", 2026, 2040).to_ical().decode()


def test_only_the_zones_that_events_name_are_added_and_in_front_of_them() -> None:
    calendar = Calendar()
    for start in (
        datetime(2026, 5, 4, 9, tzinfo=BERLIN),
        datetime(2027, 5, 4, 9, tzinfo=BERLIN),
        datetime(2026, 5, 4, 9, tzinfo=UTC),
        date(2026, 5, 4),
    ):
        event = Event()
        event.add("dtstart", start)
        calendar.add_component(event)

    add_timezones(calendar)

    assert [component.name for component in calendar.subcomponents] == ["VTIMEZONE", *["VEVENT"] * 4]


def test_an_event_that_recurs_has_its_zone_until_it_ends() -> None:
    event, calendar = Event(), Calendar()
    event.add("dtstart", datetime(2026, 1, 5, 9, tzinfo=ZoneInfo("Africa/Casablanca")))
    event.add("rrule", {"freq": "weekly", "until": datetime(2030, 1, 5, tzinfo=UTC)})
    calendar.add_component(event)

    add_timezones(calendar)

    [zone] = calendar.timezones
    assert max(onset["DTSTART"].dt.year for onset in zone.subcomponents) == 2031
