"""Lesson dates as iCalendar objects (RFC 5545): one invitation (RFC 5546, RFC 6047), or all dates of a learner."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from unicodedata import category
from uuid import UUID

from icalendar import Calendar, Event, vCalAddress

from dataforge.contexts.notifications.calendar.domain import AgendaEntry, Invitation, LessonDate, Method, event_uid
from dataforge.contexts.notifications.reminders.domain import zone_of
from dataforge.platform.calendars import add_timezones, written_times
from dataforge.platform.mail.message import Attachment

_PRODUCT = "-//DataForge//Lesson dates//EN"
_BREAKING = ("Cc", "Zl", "Zp")
_WEB = ("https://", "http://")


@dataclass(frozen=True, slots=True)
class Attendee:
    """Whose calendar it is for."""

    user_id: UUID
    name: str
    email: str


def invitation_attachment(
    invitation: Invitation, attendee: Attendee, organizer: str, stamp: datetime, number: int
) -> Attachment:
    """The invitation as a mail carries it (RFC 6047 §2.4): its type names the method that the object has."""
    calendar = _calendar(invitation.method)
    event = _event(invitation.lesson, attendee.user_id, invitation.sequence, stamp)
    event.add("status", "CANCELLED" if invitation.method is Method.CANCEL else "CONFIRMED")
    event.add("organizer", _address(organizer, "DataForge"))
    person = {"ROLE": "REQ-PARTICIPANT", "PARTSTAT": "NEEDS-ACTION", "RSVP": "FALSE"}
    event.add("attendee", _address(attendee.email, attendee.name, **person))
    calendar.add_component(event)
    media_type = f"text/calendar; method={invitation.method.value}; charset=UTF-8"
    return Attachment(f"lesson-{number}.ics", media_type, _content(calendar))


def invitation_attachments(
    content: Mapping[str, Any], attendee: Attendee, organizer: str, stamp: datetime
) -> tuple[Attachment, ...]:
    """The invitations that a message keeps; one object has one UID (RFC 5546 §3.2.2), so each is a file of its own."""
    invitations = map(Invitation.of_content, content["events"])
    return tuple(
        invitation_attachment(invitation, attendee, organizer, stamp, number)
        for number, invitation in enumerate(invitations, 1)
    )


def agenda(user_id: UUID, entries: Iterable[AgendaEntry]) -> bytes:
    """All dates in one object to subscribe to: without a method, the same bytes until something changes (§3.8.7.2)."""
    calendar = _calendar(None)
    for entry in entries:
        event = _event(entry.lesson, user_id, entry.sequence, entry.changed_at)
        event.add("last-modified", entry.changed_at)
        event.add("status", "CONFIRMED")
        calendar.add_component(event)
    return _content(calendar)


def _calendar(method: Method | None) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    if method is not None:
        calendar.add("method", method.value)
    return calendar


def _event(lesson: LessonDate, user_id: UUID, sequence: int, stamp: datetime) -> Event:
    event = Event()
    event.add("uid", event_uid(user_id, lesson.lesson_id))
    event.add("dtstamp", stamp)
    event.add("sequence", sequence)
    event.add("summary", _one_line(lesson.title))
    if lesson.hours is None or lesson.zone is None:
        event.add("dtstart", lesson.lesson_date)
        if lesson.lesson_date < date.max:  # without an end a day is that day (§3.6.1)
            event.add("dtend", lesson.lesson_date + timedelta(days=1))
        event.add("transp", "TRANSPARENT")  # a day on which a lesson is to be done is not a day that is taken
    else:
        start, end = written_times(lesson.hours, zone_of(lesson.zone))
        event.add("dtstart", start)
        event.add("dtend", end)
        event.add("transp", "OPAQUE")
    event.add("description", lesson.lesson_url)
    if lesson.lesson_url.startswith(_WEB):
        event.add("url", lesson.lesson_url)
    return event


def _address(email: str, name: str, **parameters: str) -> vCalAddress:
    # A parameter's value has no quotation marks (§3.1), and readers take a backslash for what it is in texts.
    common_name = _one_line(name).replace('"', "'").replace("\\", "/")
    return vCalAddress(f"mailto:{email}", params={"CN": common_name, **parameters})


def _one_line(text: str) -> str:
    """Without control characters, which no text of a calendar may have, and some readers take for the end of a line."""
    return " ".join("".join(" " if category(letter) in _BREAKING else letter for letter in text).split())


def _content(calendar: Calendar) -> bytes:
    add_timezones(calendar)
    content: Any = calendar.to_ical()
    return bytes(content)
