"""What calendars are sent of lesson dates: one UID, a SEQUENCE that grows, and objects as RFC 5545 wants them."""

import unicodedata
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from dataforge.contexts.notifications.calendar.domain import (
    AgendaEntry,
    Invitation,
    LessonDate,
    Method,
    SentEvent,
    dedupe_key,
    event_uid,
    invitation_to,
)
from dataforge.contexts.notifications.calendar.objects import Attendee, agenda, invitation_attachment

ADA, LESSON = UUID(int=1), UUID(int=100)
DAY = date(2027, 3, 8)
WHOLE_DAY = LessonDate(LESSON, "Fire safety", "https://lms.example.org/fire", DAY)
HELD = LessonDate(LESSON, "Fire safety", "https://lms.example.org/fire", DAY, time(9), 90, "Europe/Berlin")
NOW = datetime(2027, 3, 1, 12, 0, 30, tzinfo=UTC)
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=120)
DATES = st.builds(
    LessonDate,
    lesson_id=st.just(LESSON),
    title=TEXTS,
    lesson_url=st.just("https://lms.example.org/1"),
    lesson_date=st.dates(date(2026, 1, 1), date(2040, 12, 31)),
)


def spaced(text: str) -> list[str]:
    """The words of a text; what is no letter on a line separates them."""
    return "".join(" " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter for letter in text).split()


def mailed(invitation: Invitation, name: str = "Ada Byron") -> bytes:
    attendee = Attendee(ADA, name, "ada@example.org")
    return invitation_attachment(invitation, attendee, "no-reply@forge.example.org", NOW, 1).content


def read(content: bytes) -> tuple[Calendar, Any]:
    calendar = Calendar.from_ical(content)
    [event] = calendar.events
    return calendar, event


def test_a_date_that_was_never_sent_is_an_invitation() -> None:
    assert invitation_to(WHOLE_DAY, None) == Invitation(Method.REQUEST, 0, WHOLE_DAY)


def test_a_date_that_is_as_it_was_sent_is_not_sent_again() -> None:
    assert invitation_to(HELD, SentEvent(HELD, 3, is_cancelled=False)) is None


def test_what_comes_back_after_it_was_cancelled_is_newer_than_that() -> None:
    assert invitation_to(HELD, SentEvent(HELD, 3, is_cancelled=True)) == Invitation(Method.REQUEST, 4, HELD)


@given(st.lists(st.one_of(st.none(), DATES), max_size=12))
def test_whatever_happens_the_sequence_grows_and_the_last_state_is_sent(states: list[LessonDate | None]) -> None:
    sent: SentEvent | None = None
    sequences = []
    for state in states:
        if state is None:
            invitation = sent.cancellation if sent and not sent.is_cancelled else None
        else:
            invitation = invitation_to(state, sent)
        if invitation is not None:
            sequences.append(invitation.sequence)
            sent = SentEvent(invitation.lesson, invitation.sequence, invitation.method is Method.CANCEL)
        assert (sent.lesson if sent and not sent.is_cancelled else None) == state

    assert sequences == list(range(len(sequences)))


@given(DATES, st.sampled_from(Method), st.integers(0, 50))
def test_an_invitation_comes_out_of_its_message_as_it_was(lesson: LessonDate, method: Method, sequence: int) -> None:
    for kept in (lesson, HELD):
        invitation = Invitation(method, sequence, kept)
        assert Invitation.of_content(invitation.as_content()) == invitation


def test_an_invitation_names_who_asks_and_who_is_asked() -> None:
    calendar, event = read(mailed(Invitation(Method.REQUEST, 2, HELD)))

    assert (calendar["METHOD"], calendar["VERSION"]) == ("REQUEST", "2.0")
    assert (event["UID"], event["SEQUENCE"]) == (event_uid(ADA, LESSON), 2)
    assert (str(event["ORGANIZER"]), str(event["ATTENDEE"])) == (
        "mailto:no-reply@forge.example.org",
        "mailto:ada@example.org",
    )
    assert event["ATTENDEE"].params["CN"] == "Ada Byron"
    assert (event["STATUS"], event["TRANSP"]) == ("CONFIRMED", "OPAQUE")
    assert event["DTSTAMP"].dt == NOW
    assert (event["DTSTART"].to_ical(), event["DTSTART"].params["TZID"]) == (b"20270308T090000", "Europe/Berlin")
    assert event["DTEND"].dt - event["DTSTART"].dt == timedelta(minutes=90)
    assert [str(zone["TZID"]) for zone in calendar.timezones] == ["Europe/Berlin"]


def test_a_lesson_without_hours_takes_the_day_and_leaves_people_free() -> None:
    calendar, event = read(mailed(Invitation(Method.REQUEST, 0, WHOLE_DAY)))

    assert (event["DTSTART"].dt, event["DTEND"].dt) == (DAY, DAY + timedelta(days=1))
    assert event["TRANSP"] == "TRANSPARENT"
    assert calendar.timezones == []


def test_the_last_day_of_the_calendar_has_no_day_after_it() -> None:
    _, event = read(mailed(Invitation(Method.REQUEST, 0, LessonDate(LESSON, "Late", "urn:late", date.max))))

    assert (event["DTSTART"].dt, "DTEND" in event) == (date.max, False)


@pytest.mark.parametrize(("day", "zone"), [("1971-01-01", "Pacific/Kiritimati"), ("2169-12-31", "America/Adak")])
def test_the_first_and_the_last_hour_are_within_reach(day: str, zone: str) -> None:
    held = date.fromisoformat(day), time(23, 59), 1440, zone
    lesson = LessonDate(LESSON, "Far", "urn:far", *held)

    _, event = read(mailed(Invitation(Method.REQUEST, 0, lesson)))

    assert event["DTSTART"].dt.replace(tzinfo=None) == datetime.combine(date.fromisoformat(day), time(23, 59))


def test_a_cancellation_says_so_twice() -> None:
    calendar, event = read(mailed(Invitation(Method.CANCEL, 5, HELD)))

    assert (calendar["METHOD"], event["STATUS"], event["SEQUENCE"]) == ("CANCEL", "CANCELLED", 5)


@pytest.mark.parametrize("method", Method)
def test_the_type_of_an_attachment_names_its_method(method: Method) -> None:
    attendee = Attendee(ADA, "Ada", "ada@example.org")

    attachment = invitation_attachment(Invitation(method, 0, HELD), attendee, "no-reply@forge.example.org", NOW, 3)

    assert attachment.media_type == f"text/calendar; method={method.value}; charset=UTF-8"
    assert attachment.name == "lesson-3.ics"


@given(title=TEXTS, name=TEXTS)
def test_texts_are_escaped_and_long_lines_folded_between_characters(title: str, name: str) -> None:
    lesson = LessonDate(LESSON, title, "https://lms.example.org/" + "ä" * 200, DAY)

    content = mailed(Invitation(Method.REQUEST, 0, lesson), name)

    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    for line in content.split(b"\r\n"):
        line.decode()
    _, event = read(content)
    assert str(event["SUMMARY"]).split() == spaced(title)
    assert event["ATTENDEE"].params.get("CN", "").split() == spaced(name.replace('"', "'").replace("\\", "/"))
    assert str(event["DESCRIPTION"]) == lesson.lesson_url


@pytest.mark.parametrize(
    ("day", "clock", "starts"),
    [
        # 02:30 is not there in spring, and there twice in autumn.
        ("2027-03-28", "02:30", "2027-03-28T01:00:00+00:00"),
        ("2027-10-31", "02:30", "2027-10-31T00:30:00+00:00"),
    ],
)
def test_an_hour_that_clocks_leave_out_or_show_twice(day: str, clock: str, starts: str) -> None:
    lesson = LessonDate(
        LESSON, "Fire", "urn:x", date.fromisoformat(day), time.fromisoformat(clock), 30, "Europe/Berlin"
    )

    _, event = read(mailed(Invitation(Method.REQUEST, 0, lesson)))

    assert event["DTSTART"].dt.astimezone(UTC) == datetime.fromisoformat(starts)
    assert "URL" not in event


def test_an_agenda_is_the_same_bytes_until_something_changes() -> None:
    entry = AgendaEntry(HELD, 1, NOW)

    first, again = (agenda(ADA, [entry]) for _ in range(2))

    calendar, event = read(first)
    assert first == again
    assert "METHOD" not in calendar
    assert (event["UID"], event["DTSTAMP"].dt, event["LAST-MODIFIED"].dt) == (event_uid(ADA, LESSON), NOW, NOW)
    assert agenda(ADA, [AgendaEntry(HELD, 2, NOW)]) != first


def test_every_learner_and_lesson_has_a_uid_of_its_own() -> None:
    uids = {event_uid(UUID(int=user), UUID(int=lesson)) for user in range(5) for lesson in range(5)}

    assert len(uids) == 25
    assert len(dedupe_key(ADA, [Invitation(Method.REQUEST, 0, HELD)])) < 120
