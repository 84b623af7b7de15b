"""The dates of a section: each weekly meeting of the semester, unless it is a holiday, cancelled or moved."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from dataforge.contexts.academics.sections.domain import Meeting, Timetable, check_length, instants_of
from dataforge.kernel.errors import ValidationFailed, Violation, invalid
from dataforge.kernel.texts import Text, joined

MOST_HOLIDAYS, MOST_DATES = 200, 10_000
# Dates are counted up to so many days after the first one, however long a semester is.
HORIZON = timedelta(days=3653)
# A meeting is moved to a day of its semester, or to one not farther from it.
FARTHEST = timedelta(days=365)
_DAY = timedelta(days=1)


class MeetingState(StrEnum):
    """What becomes of one weekly meeting on one day."""

    SCHEDULED = "scheduled"
    MOVED = "moved"
    CANCELLED = "cancelled"
    HOLIDAY = "holiday"


@dataclass(frozen=True, slots=True)
class Holiday:
    """Days of a semester on which no meeting starts, both included."""

    starts_on: date
    ends_on: date
    name: str

    def covers(self, day: date) -> bool:
        """Whether it is a day of the holiday."""
        return self.starts_on <= day <= self.ends_on


def check_holidays(holidays: Sequence[Holiday], starts_on: date, ends_on: date) -> None:
    """Raise ValidationFailed for holidays that end before they start, overlap, or have no day of the semester."""
    broken = []
    for place, holiday in enumerate(holidays):
        if holiday.ends_on < holiday.starts_on:
            broken.append(
                Violation(f"/holidays/{place}/ends_on", Text("A holiday ends on or after the day it starts."))
            )
        elif holiday.ends_on < starts_on or holiday.starts_on > ends_on:
            message = Text(
                "The semester lasts from {starts_on} to {ends_on}; no day of it is in this holiday.",
                starts_on=starts_on,
                ends_on=ends_on,
            )
            broken.append(Violation(f"/holidays/{place}/starts_on", message))
        broken += [
            Violation(f"/holidays/{place}", Text("It overlaps with {earlier}.", earlier=earlier.name))
            for earlier in holidays[:place]
            if earlier.starts_on <= holiday.ends_on and holiday.starts_on <= earlier.ends_on
        ]
    if broken:
        raise ValidationFailed(joined([item.message for item in broken]), violations=broken)


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a meeting takes place instead: a day and local times; at an earlier one it ends on the next day."""

    on: date
    starts: time
    ends: time
    room: str = ""


@dataclass(frozen=True, slots=True)
class MeetingChange:
    """What becomes of the meeting that was to start on a day at a time; without a slot it is cancelled."""

    on: date
    starts: time
    moved_to: Slot | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One weekly meeting on one day: where it was planned, and where it takes place if it does."""

    planned_on: date
    planned: Meeting
    slot: Slot
    state: MeetingState
    note: str
    starts_at: datetime
    ends_at: datetime

    @property
    def takes_place(self) -> bool:
        """Whether anybody should come."""
        return self.state in (MeetingState.SCHEDULED, MeetingState.MOVED)


def occurrences(
    timetable: Timetable, holidays: Sequence[Holiday] = (), changes: Iterable[MeetingChange] = ()
) -> Iterator[Occurrence]:
    """All dates of a section in the order in which they were planned, of at most ten years; instants are in UTC.

    A meeting that was moved takes place even on a holiday. A change of a meeting that there is not counts for nothing.
    """
    zone = ZoneInfo(timetable.time_zone)
    changed: Mapping[tuple[date, time], MeetingChange] = {(item.on, item.starts): item for item in changes}
    meetings = sorted(timetable.meetings, key=lambda meeting: meeting.starts)
    day, last = timetable.starts_on, last_date(timetable)
    while day <= last:
        for meeting in meetings:
            if meeting.weekday == day.isoweekday():
                yield _occurrence(day, meeting, changed.get((day, meeting.starts)), holidays, zone)
        if day == date.max:
            return
        day += _DAY


def last_date(timetable: Timetable) -> date:
    """The last day that is counted: the semester's, or the one ten years after its first."""
    if date.max - timetable.starts_on < HORIZON:
        return timetable.ends_on
    return min(timetable.ends_on, timetable.starts_on + HORIZON)


def planned_meeting(timetable: Timetable, on: date, starts: time | None) -> Meeting:
    """The meeting of a day, named by when it starts where there are several; raises ValidationFailed."""
    within = timetable.starts_on <= on <= timetable.ends_on
    of_day = [item for item in timetable.meetings if within and item.weekday == on.isoweekday()]
    if not of_day:
        raise invalid("/on", Text("The section does not meet on {on}.", on=on), "no_meeting")
    fitting = [item for item in of_day if starts in (None, item.starts)]
    if len(fitting) == 1:
        return fitting[0]
    named = ", ".join(f"{item.starts:%H:%M}" for item in sorted(of_day, key=lambda item: item.starts))
    message = Text("On {on} the section meets at {named}; say which one is meant.", on=on, named=named)
    raise invalid("/starts", message, "no_meeting")


def check_slot(timetable: Timetable, slot: Slot) -> None:
    """Raise ValidationFailed for a meeting without a length, and for one that is moved too far from its semester."""
    check_length("/moved_to/ends", slot.starts, slot.ends)
    if slot.on + FARTHEST < timetable.starts_on or slot.on - FARTHEST > timetable.ends_on:
        message = Text(
            "The semester lasts from {starts_on} to {ends_on}; a meeting is moved at most {days} days away from it.",
            starts_on=timetable.starts_on,
            ends_on=timetable.ends_on,
            days=FARTHEST.days,
        )
        raise invalid("/moved_to/on", message, "range")


def _occurrence(
    day: date, meeting: Meeting, change: MeetingChange | None, holidays: Sequence[Holiday], zone: ZoneInfo
) -> Occurrence:
    holiday = next((item for item in holidays if item.covers(day)), None)
    slot, state, note = Slot(day, meeting.starts, meeting.ends, meeting.room), MeetingState.SCHEDULED, ""
    if change is not None and change.moved_to is not None:
        slot, state, note = change.moved_to, MeetingState.MOVED, change.note
    elif change is not None:
        state, note = MeetingState.CANCELLED, change.note
    elif holiday is not None:
        state, note = MeetingState.HOLIDAY, holiday.name
    over_midnight = slot.ends < slot.starts
    ends_on = slot.on + _DAY if over_midnight and slot.on < date.max else slot.on
    starts_at, ends_at = instants_of((slot.on, slot.starts), (ends_on, slot.ends), zone)
    return Occurrence(day, meeting, slot, state, note, starts_at, ends_at)
