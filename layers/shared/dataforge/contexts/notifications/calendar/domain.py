"""When a learner has which lesson, and what their calendar has to hear of it (RFC 5546).

An event has one UID for each lesson and learner. Its SEQUENCE grows with every change that is sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Self
from uuid import UUID, uuid5

from dataforge.contexts.notifications.reminders.domain import instant_of, zone_of
from dataforge.kernel.canonical import content_hash
from dataforge.kernel.errors import NotFound

KIND = "lesson_calendar"
# The lessons of a year, and as many mails as there are parts of it, are better read in a calendar.
MOST_INVITATIONS = 20
_UIDS = UUID("0c7e2c2e-5a34-4a2e-9d5c-6c1f6a9e4b11")


class NoLessonDate(NotFound):
    """The lesson has no date, or is not one of the signed-in person's; the answer does not say which."""

    code = "no_lesson_date"
    title = "There is no such lesson date"


class Method(StrEnum):
    """What a calendar is to do: take an event, or its change; or take it out (RFC 5546 §3.2)."""

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


@dataclass(frozen=True, slots=True)
class LessonDate:
    """A lesson of a learner on a day: all of it, or from `start_time` for some minutes by the clocks of `zone`."""

    lesson_id: UUID
    title: str
    lesson_url: str
    lesson_date: date
    start_time: time | None = None
    duration_minutes: int | None = None
    zone: str | None = None

    @property
    def hours(self) -> tuple[datetime, datetime] | None:
        """Start and end (UTC); None for a whole day.

        A start that spring leaves out is the instant of the jump, one that autumn shows twice is the first.
        """
        if self.start_time is None or self.duration_minutes is None or self.zone is None:
            return None
        start = instant_of(self.lesson_date, self.start_time, zone_of(self.zone))
        return start, start + timedelta(minutes=self.duration_minutes)


@dataclass(frozen=True, slots=True)
class Invitation:
    """What one calendar is sent of a lesson's date; `sequence` is greater than in whatever was sent before."""

    method: Method
    sequence: int
    lesson: LessonDate

    def as_content(self) -> dict[str, Any]:
        """As a message keeps it."""
        lesson = self.lesson
        return {
            "method": self.method.value,
            "sequence": self.sequence,
            "lesson_id": str(lesson.lesson_id),
            "title": lesson.title,
            "url": lesson.lesson_url,
            "date": lesson.lesson_date.isoformat(),
            "start_time": None if lesson.start_time is None else lesson.start_time.isoformat("minutes"),
            "duration_minutes": lesson.duration_minutes,
            "zone": lesson.zone,
            "starts_at": None if lesson.hours is None else lesson.hours[0].isoformat(),
        }

    @classmethod
    def of_content(cls, content: Mapping[str, Any]) -> Self:
        """From what a message kept."""
        start = content["start_time"]
        lesson = LessonDate(
            UUID(content["lesson_id"]),
            content["title"],
            content["url"],
            date.fromisoformat(content["date"]),
            None if start is None else time.fromisoformat(start),
            content["duration_minutes"],
            content["zone"],
        )
        return cls(Method(content["method"]), content["sequence"], lesson)


@dataclass(frozen=True, slots=True)
class SentEvent:
    """What a learner's calendar was sent last of a lesson."""

    lesson: LessonDate
    sequence: int
    is_cancelled: bool

    @property
    def cancellation(self) -> Invitation:
        """What takes it out of the calendar."""
        return Invitation(Method.CANCEL, self.sequence + 1, self.lesson)


@dataclass(frozen=True, slots=True)
class AgendaEntry:
    """A date in somebody's agenda; `changed_at` is when it was last changed."""

    lesson: LessonDate
    sequence: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """What one learner's calendar has to hear."""

    user_id: UUID
    invitation: Invitation


def invitation_to(lesson: LessonDate, sent: SentEvent | None) -> Invitation | None:
    """What a calendar has to hear of a date, given what it was sent last; None if it has it as it is."""
    if sent is None:
        return Invitation(Method.REQUEST, 0, lesson)
    if sent.lesson == lesson and not sent.is_cancelled:
        return None
    return Invitation(Method.REQUEST, sent.sequence + 1, lesson)


def event_uid(user_id: UUID, lesson_id: UUID) -> str:
    """The UID of a lesson in the calendar of a learner (RFC 7986 §5.3: a UUID), always the same."""
    return str(uuid5(_UIDS, f"{user_id} {lesson_id}"))


def dedupe_key(user_id: UUID, invitations: list[Invitation]) -> str:
    """One for each learner and set of changes."""
    changes = sorted([str(item.lesson.lesson_id), item.sequence, item.method.value] for item in invitations)
    return f"{KIND}:{user_id}:{content_hash(changes)[:32]}"


def without_zone(lesson: LessonDate) -> LessonDate:
    """A whole day has no zone: it is that day everywhere."""
    return lesson if lesson.start_time is not None else replace(lesson, zone=None)
