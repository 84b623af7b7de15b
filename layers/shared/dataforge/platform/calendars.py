"""Times in iCalendar objects (RFC 5545) that every reader takes for the same instants."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar, Component, Timezone, TimezoneDaylight, TimezoneStandard

from dataforge.kernel.zone_rules import Onset, YearlyDay, onsets

MEDIA_TYPE = "text/calendar; charset=utf-8"
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_TIMES = ("DTSTART", "DTEND", "RECURRENCE-ID")


def written_times(instants: tuple[datetime, ...], zone: ZoneInfo) -> tuple[datetime, ...]:
    """The instants as an event of a zone has them: by its clocks, or all in UTC where clocks do not say which is meant.

    Readers disagree about an hour that autumn shows twice: the first for RFC 5545 §3.3.5 and icalendar, the second for
    ical.js and libical.
    """
    local = tuple(instant.astimezone(zone) for instant in instants)
    if any(time.utcoffset() != time.replace(fold=1 - time.fold).utcoffset() for time in local):
        return tuple(instant.astimezone(UTC) for instant in instants)
    return local


def timezone_component(name: str, first: int, last: int) -> Timezone:
    """The VTIMEZONE (§3.6.5) of a zone, for events from one year to another: rules where its clocks follow any.

    Each onset is a component of its own, without RDATE, which some readers ignore.
    """
    zone = Timezone()
    zone.add("tzid", name)
    for onset in onsets(ZoneInfo(name), first, last):
        zone.add_component(_observance(onset))
    return zone


def add_timezones(calendar: Calendar) -> None:
    """Put in front of its components the time zones that a calendar's events name, each for the years they need.

    An event that recurs ends with its rule's UNTIL.
    """
    years: dict[str, set[int]] = {}
    for event in calendar.subcomponents:
        for name, year in _times(event):
            years.setdefault(name, set()).add(year)
    found = [timezone_component(name, min(found), max(found)) for name, found in sorted(years.items())]
    calendar.subcomponents[:0] = found


def _observance(onset: Onset) -> Component:
    component = TimezoneDaylight() if onset.saving else TimezoneStandard()
    component.add("dtstart", onset.wall)
    component.add("tzoffsetfrom", onset.before)
    component.add("tzoffsetto", onset.after)
    if onset.name.isalpha():  # `+03` is no name, but what the zone database has where people have none
        component.add("tzname", onset.name)
    if onset.rule is not None:
        component.add("rrule", _rule(onset.rule))
    return component


def _rule(rule: YearlyDay) -> dict[str, Any]:
    day = _DAYS[rule.weekday - 1]
    if rule.ordinal is not None:
        return {"freq": "yearly", "bymonth": rule.month, "byday": f"{rule.ordinal}{day}"}
    days = list(range(rule.first, rule.last + 1))
    return {"freq": "yearly", "bymonth": rule.month, "bymonthday": days, "byday": day}


def _times(event: Component) -> Iterator[tuple[str, int]]:
    until = [end for rule in _list(event.get("RRULE", [])) for end in _list(rule.get("UNTIL", []))]
    for prop in _TIMES:
        time = event.get(prop)
        if time is None or not isinstance(time.dt, datetime) or "TZID" not in time.params:
            continue
        for at in (time.dt, *until):
            yield str(time.params["TZID"]), at.year


def _list(value: Any) -> list[Any]:  # noqa: ANN401 - icalendar gives one or several
    return value if isinstance(value, list) else [value]
