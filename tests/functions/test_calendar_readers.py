"""Calendars of ours as three published readers read them: ical.js, libical, and icalendar with dateutil.

Each is given the rules of the time zones under names that it does not know.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import islice
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

import pytest
from icalendar import Calendar, Event

from dataforge.contexts.notifications.calendar.domain import Invitation, LessonDate, Method, event_uid
from dataforge.contexts.notifications.calendar.objects import Attendee, invitation_attachment
from dataforge.platform.calendars import add_timezones, written_times
from tests.builders.calendar_readers import READERS, Seconds, under_other_names
from tests.builders.time import NOW, clock_changes, offsets_by_day

pytestmark = pytest.mark.slow
YEARS = range(2020, 2041)
LESSON = timedelta(minutes=45)
NEAR = (-1, 0, 1799, 3600, -3600, -86_400, 1800, -2700, 5400, 86_400, 1, 7200, -1800, -7200)  # seconds to a change
Reader = Callable[[bytes], Seconds]


@cache
def zones() -> dict[str, list[datetime]]:
    """One zone of each kind, with its changes: two whose clocks always agree are of one kind."""
    kinds = {}
    for name in sorted(available_timezones() - {"localtime"}):
        kinds.setdefault(offsets_by_day(ZoneInfo(name), YEARS, 4), name)
    return {name: clock_changes(ZoneInfo(name), YEARS) for name in kinds.values()}


def calendar_of(zone: str, instants: Iterable[datetime], label: str = "") -> tuple[Calendar, Seconds]:
    """A calendar with a lesson at each instant, and when these are."""
    calendar, expected = Calendar(), {}
    for instant in instants:
        start, end = written_times((instant, instant + LESSON), ZoneInfo(zone))
        event = Event()
        uid = f"{zone}{label} {instant.astimezone(ZoneInfo(zone)).isoformat()}"
        for name, value in {"uid": uid, "dtstamp": NOW, "dtstart": start, "dtend": end}.items():
            event.add(name, value)
        calendar.add_component(event)
        expected[uid] = (int(instant.timestamp()), int((instant + LESSON).timestamp()))
    add_timezones(calendar)
    return calendar, expected


def in_one(calendars: Iterable[tuple[bytes, Seconds]]) -> tuple[bytes, Seconds]:
    """All components in one calendar: a reader is started once."""
    parts, expected = [], {}
    for part, seconds in calendars:
        parts.append(part)
        expected |= seconds
    head = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//DataForge//Tests//EN\r\n"
    return head + b"".join(parts) + b"END:VCALENDAR\r\n", expected


def components(calendar: Calendar) -> bytes:
    return b"".join(component.to_ical() for component in calendar.subcomponents)


@cache
def twenty_years() -> tuple[bytes, Seconds]:
    """Each kind of zone once, with lessons in every season and around every change."""

    def instants(number: int, changes: list[datetime]) -> set[datetime]:
        seasons = {datetime(year, month, 15, 9, tzinfo=UTC) for year in YEARS[::2] for month in (1, 7)}
        near = (
            at + timedelta(seconds=NEAR[(number + count + more) % len(NEAR)])
            for count, at in enumerate(changes)
            for more in range(2)
        )
        return seasons | set(near)

    found = enumerate(zones().items())
    made = (calendar_of(zone, sorted(instants(number, changes))) for number, (zone, changes) in found)
    return in_one((under_other_names(components(calendar)), seconds) for calendar, seconds in made)


@cache
def single_years() -> tuple[bytes, Seconds]:
    """Each kind of zone once for each year with a change: its rules begin anew, as in an invitation."""
    parts = []
    for zone, changes in zones().items():
        for number, change in enumerate(changes):
            instants = [change + timedelta(seconds=NEAR[(number + more) % len(NEAR)]) for more in range(2)]
            calendar, seconds = calendar_of(zone, instants, f" {number}")
            text = under_other_names(components(calendar))
            parts.append((text.replace(b"Of ", b"Of %d " % number), seconds))
    return in_one(parts)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("made", [twenty_years, single_years])
def test_every_zone_is_read_as_the_same_instants(made: Callable[[], tuple[bytes, Seconds]], read: Reader) -> None:
    calendar, expected = made()

    found = read(calendar)

    wrong = {uid: (seconds, found.get(uid)) for uid, seconds in expected.items() if found.get(uid) != seconds}
    assert dict(islice(wrong.items(), 5)) == {}
    assert found.keys() == expected.keys()


@pytest.mark.parametrize("read", READERS)
def test_the_readers_go_by_the_rules_they_are_given(read: Reader) -> None:
    summer = datetime(2040, 7, 1, 9, tzinfo=UTC)
    calendar, expected = calendar_of("Europe/Berlin", [summer])
    [uid] = expected
    text = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + under_other_names(components(calendar)) + b"END:VCALENDAR\r\n"
    shifted = text.replace(b"TZOFFSETTO:+0200", b"TZOFFSETTO:+0230").replace(b"Of Eur", b"Of Shifted Eur")

    assert read(text) == expected
    assert read(shifted)[uid][0] == expected[uid][0] - 1800


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("zone", ["Europe/Dublin", "Africa/Cairo", "Africa/Casablanca", "America/Nuuk", "Asia/Kolkata"])
def test_an_invitation_as_it_is_mailed_is_read_as_its_hours(zone: str, read: Reader) -> None:
    title = 'Brandschutz; "Übung", Teil 2\\3 ' + "消防" * 40
    lesson = LessonDate(UUID(int=1), title, "https://lms.example.org/1", date(2039, 11, 4), time(9), 90, zone)
    attendee = Attendee(UUID(int=2), "Ada, Countess", "ada@example.org")

    mailed = invitation_attachment(Invitation(Method.REQUEST, 0, lesson), attendee, "forge@example.org", NOW, 1)

    start = datetime(2039, 11, 4, 9, tzinfo=ZoneInfo(zone)).timestamp()
    assert read(under_other_names(mailed.content)) == {
        event_uid(attendee.user_id, lesson.lesson_id): (int(start), int(start) + 5400)
    }
