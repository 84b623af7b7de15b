"""Meetings of sections as ical.js and libical read them: the instants that our own dates have, no more and no fewer."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from dataforge.contexts.academics.meetings.calendar import meetings_calendar
from dataforge.contexts.academics.meetings.domain import occurrences
from dataforge.contexts.academics.meetings.queries import dates_of
from tests.builders.calendar_readers import EXPANDERS, Occurrences, under_other_names
from tests.builders.time import NOW

pytestmark = pytest.mark.slow
ZONES = (
    "UTC", "Europe/Berlin", "Europe/Dublin", "America/New_York", "America/Santiago", "Australia/Lord_Howe",
    "Africa/Casablanca", "Asia/Kolkata", "Africa/Cairo",
)  # fmt: skip
Expander = Callable[[bytes], Occurrences]


def entry(
    meetings: Sequence[tuple[int, str, str]],
    zone: str = "Europe/Berlin",
    days: tuple[date, date] = (date(2026, 9, 7), date(2027, 4, 30)),
    holidays: Sequence[tuple[str, str]] = (),
    changes: Sequence[tuple[str, str, str, str, str] | tuple[str, str]] = (),
    number: int = 1,
) -> dict[str, Any]:
    """A row of `calendar_entries`; changes are (on, starts) or with (new_on, new_starts, new_ends)."""
    return {
        "section_id": UUID(int=number),
        "section_code": "A",
        "course_code": "AST1",
        "course_title": "Astronomy; „Nächte“, Teil 2",
        "starts_on": days[0],
        "ends_on": days[1],
        "time_zone": zone,
        "meetings": [(day, starts, ends, "Dome") for day, starts, ends in meetings],
        "holidays": [(first, last, "a holiday") for first, last in holidays],
        "changes": [(*change[:2], *(change[2:] or (None, None, None)), "", "") for change in changes],
        "changed_at": NOW,
    }


def expected_of(entries: Sequence[Mapping[str, Any]]) -> Occurrences:
    found = [item for given in entries for item in occurrences(*dates_of(given)) if item.takes_place]
    return sorted((int(item.starts_at.timestamp()), int(item.ends_at.timestamp())) for item in found)


def at(wall: str, zone: str = "Europe/Berlin") -> int:
    return int(datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone)).timestamp())


@pytest.mark.parametrize("expand", EXPANDERS)
def test_holidays_and_cancelled_meetings_are_not_there_and_moved_ones_are_elsewhere(expand: Expander) -> None:
    given = entry(
        [(1, "09:00", "10:30")],
        days=(date(2026, 9, 7), date(2026, 10, 12)),
        holidays=[("2026-10-04", "2026-10-06")],
        changes=[("2026-09-07", "09:00"), ("2026-09-21", "09:00", "2026-09-22", "23:00", "01:00")],
    )

    found = expand(under_other_names(meetings_calendar([given])))

    assert found == [
        (at(f"2026-09-{start}"), at(f"2026-09-{end}"))
        for start, end in (("14T09:00", "14T10:30"), ("22T23:00", "23T01:00"), ("28T09:00", "28T10:30"))
    ] + [(at("2026-10-12T09:00"), at("2026-10-12T10:30"))]


@pytest.mark.parametrize("expand", EXPANDERS)
def test_nights_in_which_clocks_change_last_as_long_as_they_do(expand: Expander) -> None:
    # Six hours and four for 22:00 to 03:00; an end that is left out, one that is there twice; starts of both kinds.
    nights = [(6, "22:00", "03:00"), (7, "01:30", "02:30"), (7, "02:15", "02:45"), (7, "02:30", "03:00")]
    given = [entry([night], number=number) for number, night in enumerate(nights, 1)]

    found = expand(under_other_names(meetings_calendar(given)))

    assert found == expected_of(given)
    assert {end - start for start, end in found} >= {4 * 3600, 5 * 3600, 6 * 3600}


@pytest.mark.parametrize("expand", EXPANDERS)
def test_whatever_becomes_of_meetings_is_read_as_it_is(expand: Expander) -> None:
    random, entries = Random(16), []
    for number in range(1, 61):
        first = date(2026, 1, 1) + timedelta(random.randrange(400))
        days = (first, first + timedelta(random.randrange(40, 250)))
        starts = time(random.randrange(24), random.choice((0, 15, 30, 45)))
        ends = (datetime.combine(first, starts) + timedelta(minutes=random.randrange(15, 720, 15))).time()
        weekday = random.randrange(1, 8)
        plain = entry([(weekday, f"{starts:%H:%M}", f"{ends:%H:%M}")], random.choice(ZONES), days, number=number)
        dates = [item.planned_on for item in occurrences(*dates_of(plain))]
        changes: list[tuple[str, str, str, str, str] | tuple[str, str]] = []
        for day in random.sample(dates, min(5, len(dates))):
            slot = (str(day + timedelta(random.randrange(-3, 4))), f"{random.randrange(24):02}:30", "06:15")
            changes.append((str(day), f"{starts:%H:%M}", *(slot if random.random() < 0.5 else ())))
        holiday = first + timedelta(random.randrange(30))
        plain["holidays"] = [(str(holiday), str(holiday + timedelta(random.randrange(9))), "a holiday")]
        plain["changes"] = [(*change[:2], *(change[2:] or (None, None, None)), "", "") for change in changes]
        entries.append(plain)

    found, expected = expand(under_other_names(meetings_calendar(entries))), expected_of(entries)

    assert (sorted(set(found) - set(expected)), sorted(set(expected) - set(found))) == ([], [])
    assert found == expected
