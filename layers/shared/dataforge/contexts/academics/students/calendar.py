"""A schedule as an iCalendar object (RFC 5545)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event

from dataforge.kernel.texts import Text
from dataforge.platform.calendars import add_timezones

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def _first_day(starts_on: date, weekday: int) -> date:
    return starts_on + timedelta(days=(weekday - starts_on.isoweekday()) % 7)


def schedule_calendar(entries: Sequence[Mapping[str, Any]], *, stamp: datetime) -> bytes:
    """One weekly event per meeting of each section the student is enrolled in, in the semester's time zone.

    UIDs are stable, so that a subscribed calendar updates its events; a waitlisted section is TENTATIVE (§3.8.1.11).
    """
    calendar = Calendar()
    calendar.add("prodid", "-//DataForge//Schedule//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for entry in entries:
        for meeting in entry["meetings"]:
            event = _event(entry, meeting, stamp)
            if event is not None:
                calendar.add_component(event)
    add_timezones(calendar)
    return bytes(calendar.to_ical())


def _event(entry: Mapping[str, Any], meeting: Mapping[str, Any], stamp: datetime) -> Event | None:
    zone = ZoneInfo(entry["time_zone"])
    day = _first_day(entry["starts_on"], meeting["weekday"])
    if day > entry["ends_on"]:
        return None
    starts, ends = (datetime.combine(day, time.fromisoformat(meeting[key]), zone) for key in ("starts", "ends"))
    event = Event()
    event.add("uid", f"{entry['section_id']}-{meeting['weekday']}-{meeting['starts'].replace(':', '')}@dataforge")
    event.add("dtstamp", stamp)
    event.add("summary", f"{entry['course_code']} {entry['course_title']} ({entry['section_code']})")
    event.add("dtstart", starts)
    event.add("dtend", ends)
    last_moment = datetime.combine(entry["ends_on"], time(23, 59, 59), zone).astimezone(UTC)
    event.add("rrule", {"freq": "weekly", "byday": _DAYS[meeting["weekday"] - 1], "until": last_moment})
    event.add("status", "CONFIRMED" if entry["status"] == "ENROLLED" else "TENTATIVE")
    if meeting["room"]:
        event.add("location", meeting["room"])
    if entry["instructor_name"]:
        event.add("description", Text("Instructor: {instructor_name}", instructor_name=entry["instructor_name"]))
    return event
