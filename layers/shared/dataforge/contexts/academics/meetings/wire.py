"""Requests and answers about holidays and the dates of sections."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from dataforge.contexts.academics.meetings.domain import MOST_HOLIDAYS, MeetingState
from dataforge.contexts.academics.wire import Day, In, Line, LocalTime


class HolidayIn(In):
    """Days of the semester without meetings, both included."""

    starts_on: Day
    ends_on: Day
    name: Line


class HolidaysIn(In):
    """All holidays of a semester; they do not overlap, and each has a day of the semester."""

    holidays: Annotated[list[HolidayIn], Field(max_length=MOST_HOLIDAYS)]


class HolidayOut(BaseModel):
    """Days without meetings, both included."""

    starts_on: date
    ends_on: date
    name: str


class HolidaysOut(BaseModel):
    """The holidays of a semester in order; `revision` is the semester's, and in the ETag too."""

    semester_id: UUID
    revision: int
    holidays: list[HolidayOut]


class SlotIn(In):
    """Where a meeting is moved to: a day and local times; at an earlier one than it starts it ends on the next day."""

    on: Day
    starts: LocalTime
    ends: LocalTime
    room: Annotated[str, Field(max_length=100)] = ""


class MeetingChangeIn(In):
    """The meeting that was to start on a day is cancelled, or moved if `moved_to` says where to.

    `starts` names the meeting where the section meets several times on that day.
    """

    on: Day
    starts: LocalTime | None = None
    moved_to: SlotIn | None = None
    note: Annotated[str, Field(max_length=1_000)] = ""


class SlotOut(BaseModel):
    """Where a meeting is moved to, times as HH:MM."""

    on: date
    starts: str
    ends: str
    room: str


class MeetingChangeOut(BaseModel):
    """What becomes of one meeting; `applies` is false when the section has no such meeting any more."""

    id: UUID
    section_id: UUID
    on: date
    starts: str
    state: MeetingState
    moved_to: SlotOut | None
    note: str
    applies: bool
    changed_by: UUID | None
    changed_at: datetime


class MeetingDateOut(BaseModel):
    """One meeting on one day: `on`, `starts` and `ends` are where it takes place, or would have.

    `note` is what was written about the change, or the name of the holiday.
    """

    on: date
    starts: str
    ends: str
    room: str
    state: MeetingState
    note: str
    planned_on: date
    planned_starts: str
    starts_at: datetime
    ends_at: datetime


class MeetingDatesOut(BaseModel):
    """The dates of a section in order of time, in the time zone of its semester."""

    section_id: UUID
    time_zone: str
    items: list[MeetingDateOut]
