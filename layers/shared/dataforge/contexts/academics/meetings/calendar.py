"""Meetings of sections as an iCalendar object (RFC 5545)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event

from dataforge.contexts.academics.meetings.domain import (
    MeetingState,
    Occurrence,
    last_date,
    occurrences,
)
from dataforge.contexts.academics.meetings.queries import dates_of
from dataforge.contexts.academics.sections.domain import Meeting
from dataforge.kernel.texts import Text
from dataforge.platform.calendars import add_timezones, written_times

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
# Years of which the rules of time zones are known (kernel/zone_rules.py), with one to spare.
_FIRST_YEAR, _LAST_YEAR = 1972, 2168


def meetings_calendar(entries: Sequence[Mapping[str, Any]], *, name: str = "", stamp: datetime | None = None) -> bytes:
    """One series of events per weekly meeting of each section, in the semester's time zone.

    A series leaves out holidays and what is cancelled (EXDATE), and has an event of its own (RECURRENCE-ID) for what is
    moved, and for nights in which clocks change, because readers disagree about how long these last. UIDs are stable,
    so that a subscribed calendar updates its events; a waitlisted section is TENTATIVE (§3.8.1.11). An entry is a row
    of `queries.calendar_entries`; without a `stamp`, equal entries give equal bytes.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//DataForge//Schedule//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    if name:
        calendar.add("x-wr-calname", name)
    for entry in entries:
        for event in _events(entry, stamp or entry["changed_at"]):
            calendar.add_component(event)
    add_timezones(calendar)
    return bytes(calendar.to_ical())


def _events(entry: Mapping[str, Any], stamp: datetime) -> Iterator[Event]:
    timetable, holidays, changes = dates_of(entry)
    last = last_date(timetable)
    if timetable.starts_on.year < _FIRST_YEAR or last.year > _LAST_YEAR:
        return
    dates = sorted(occurrences(timetable, holidays, changes), key=lambda item: (_key(item.planned), item.planned_on))
    for _, same in groupby(dates, key=lambda item: _key(item.planned)):
        yield from _meeting_events(entry, list(same), last, stamp)


def _meeting_events(
    entry: Mapping[str, Any], dates: Sequence[Occurrence], last: date, stamp: datetime
) -> Iterator[Event]:
    zone, meeting = ZoneInfo(entry["time_zone"]), dates[0].planned
    uid = f"{entry['section_id']}-{meeting.weekday}-{meeting.starts:%H%M}"
    if not any(item.takes_place for item in dates):
        return
    plain = [_is_plain(item, zone) for item in dates]
    if not plain[0] or not all(_starts_plainly(item, zone) for item in dates):
        # Nothing that all readers agree on could name single dates of a series.
        for item in dates:
            if item.takes_place:
                yield _event(entry, item, f"{uid}-{item.planned_on:%Y%m%d}@dataforge", stamp, zone)
        return
    first = dates[0]
    series = _about(entry, f"{uid}@dataforge", stamp, meeting.room)
    begins = datetime.combine(first.planned_on, meeting.starts, zone)
    series.add("dtstart", begins)
    series.add("dtend", datetime.combine(meeting.last_day(first.planned_on), meeting.ends, zone))
    until = datetime.combine(last, time(23, 59, 59), zone).astimezone(UTC)
    series.add("rrule", {"freq": "weekly", "byday": _DAYS[meeting.weekday - 1], "until": until})
    left_out = [datetime.combine(item.planned_on, meeting.starts, zone) for item in dates if not item.takes_place]
    if left_out:
        series.add("exdate", left_out)
    yield series
    for item, is_plain in zip(dates, plain, strict=True):
        if item.takes_place and not (is_plain and item.state is MeetingState.SCHEDULED):
            event = _event(entry, item, f"{uid}@dataforge", stamp, zone)
            event.add("recurrence-id", datetime.combine(item.planned_on, meeting.starts, zone))
            yield event


def _event(entry: Mapping[str, Any], item: Occurrence, uid: str, stamp: datetime, zone: ZoneInfo) -> Event:
    event = _about(entry, uid, stamp, item.slot.room)
    starts, ends = written_times((item.starts_at, item.ends_at), zone)
    event.add("dtstart", starts)
    event.add("dtend", ends)
    return event


def _about(entry: Mapping[str, Any], uid: str, stamp: datetime, room: str) -> Event:
    event = Event()
    event.add("uid", uid)
    event.add("dtstamp", stamp)
    event.add("summary", f"{entry['course_code']} {entry['course_title']} ({entry['section_code']})")
    event.add("status", "TENTATIVE" if entry.get("status") == "WAITLISTED" else "CONFIRMED")
    if room:
        event.add("location", room)
    if entry.get("instructor_name"):
        event.add("description", Text("Instructor: {instructor_name}", instructor_name=entry["instructor_name"]))
    return event


def _key(meeting: Meeting) -> tuple[int, time]:
    return meeting.weekday, meeting.starts


def _planned_times(item: Occurrence) -> tuple[datetime, datetime]:
    """What a clock on the wall would show at both ends."""
    meeting = item.planned
    last_day = meeting.last_day(item.planned_on)
    return datetime.combine(item.planned_on, meeting.starts), datetime.combine(last_day, meeting.ends)


def _starts_plainly(item: Occurrence, zone: ZoneInfo) -> bool:
    """Whether a clock shows the time at which it was to start once on that day."""
    return _is_shown_once(_planned_times(item)[0], zone)


def _is_plain(item: Occurrence, zone: ZoneInfo) -> bool:
    """Whether clocks show both ends once, and as much time passes between them as they say."""
    starts, ends = _planned_times(item)
    if not (_is_shown_once(starts, zone) and _is_shown_once(ends, zone)):
        return False
    passed: timedelta = ends.replace(tzinfo=zone).astimezone(UTC) - starts.replace(tzinfo=zone).astimezone(UTC)
    return passed == ends - starts


def _is_shown_once(wall: datetime, zone: ZoneInfo) -> bool:
    return wall.replace(tzinfo=zone, fold=0).utcoffset() == wall.replace(tzinfo=zone, fold=1).utcoffset()
