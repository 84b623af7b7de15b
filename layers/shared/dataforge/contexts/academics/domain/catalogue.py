"""Courses, semesters and meetings: what may be offered, when, and how it may change."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from dataforge.contexts.academics.domain.errors import InvalidTransition, invalid
from dataforge.contexts.academics.domain.status import CourseState
from dataforge.kernel.errors import ValidationFailed, Violation

_NEXT_STATE = {CourseState.DRAFT: CourseState.PUBLISHED, CourseState.PUBLISHED: CourseState.ARCHIVED}


def next_course_state(current: CourseState, wanted: CourseState) -> CourseState:
    """The state after a change: the same or the next; raises InvalidTransition for any other."""
    if wanted in (current, _NEXT_STATE.get(current)):
        return wanted
    message = f"A course goes from draft to published to archived; this one is {current} and cannot become {wanted}."
    raise InvalidTransition(message, facts={"from": current, "to": wanted})


@dataclass(frozen=True, slots=True)
class Meeting:
    """A weekly hour: ISO weekday 1 (Monday) to 7, local times of the semester's zone, half-open [starts, ends)."""

    weekday: int
    starts: time
    ends: time
    room: str = ""

    def overlaps(self, other: "Meeting") -> bool:
        """Whether both take place at some same minute of the week."""
        return self.weekday == other.weekday and self.starts < other.ends and other.starts < self.ends

    def __str__(self) -> str:
        day = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")[self.weekday - 1]
        return f"{day} {self.starts:%H:%M}–{self.ends:%H:%M}"


def check_meetings(meetings: tuple[Meeting, ...]) -> None:
    """Raise ValidationFailed when a meeting ends before it starts or two of one section overlap."""
    for index, meeting in enumerate(meetings):
        if meeting.starts >= meeting.ends:
            raise invalid(f"/meetings/{index}/ends", "A meeting ends after it starts, on the same day.")
        for earlier in meetings[:index]:
            if meeting.overlaps(earlier):
                raise invalid(f"/meetings/{index}", f"It overlaps with {earlier} of the same section.")


@dataclass(frozen=True, slots=True)
class Semester:
    """A term: its dates are whole days in its own time zone, each deadline included."""

    id: UUID
    code: str
    starts_on: date
    ends_on: date
    add_by: date
    drop_by: date
    withdraw_by: date
    max_credits: Decimal
    time_zone: str = "UTC"

    def check(self) -> None:
        """Raise ValidationFailed unless starts_on ≤ ends_on and add_by ≤ drop_by ≤ withdraw_by ≤ ends_on."""
        broken: list[Violation] = []
        if self.starts_on > self.ends_on:
            broken.append(Violation("/ends_on", "A semester ends on or after the day it starts."))
        if self.drop_by < self.add_by:
            broken.append(Violation("/drop_by", "The last day to drop is not before the last day to add."))
        if self.withdraw_by < self.drop_by:
            broken.append(Violation("/withdraw_by", "The last day to withdraw is not before the last day to drop."))
        if self.withdraw_by > self.ends_on:
            broken.append(Violation("/withdraw_by", "The last day to withdraw lies within the semester."))
        if self.time_zone not in available_timezones():
            broken.append(
                Violation("/time_zone", "Use a name of the IANA time zone database, Europe/Berlin for example.")
            )
        if broken:
            raise ValidationFailed(" ".join(item.message for item in broken), violations=broken)

    def today(self, now: datetime) -> date:
        """The calendar day in the semester's time zone."""
        return now.astimezone(ZoneInfo(self.time_zone)).date()


_WORD = re.compile(r"[^\W_]+")


def search_words(*texts: str) -> str:
    """The lower-case words of some texts, separated by spaces: what search indexes and what it is asked."""
    return " ".join(word.lower() for text in texts for word in _WORD.findall(text))
