"""When a section really meets: weekly meetings between two days, on the clocks of one time zone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dataforge.contexts.academics.domain.catalogue import Meeting

_DAY = timedelta(days=1)
_WEEK = timedelta(weeks=1)
# Clocks of two zones differ by up to 26 hours, and so do the days they call by one name.
_MARGIN = timedelta(days=2)
# The differences between two zones repeat every year; ten years show all of them, however long a semester is.
_HORIZON = timedelta(days=3653)


@dataclass(frozen=True, slots=True)
class Timetable:
    """Weekly meetings from the first day to the last, both included."""

    meetings: tuple[Meeting, ...]
    starts_on: date
    ends_on: date
    time_zone: str

    def clash(self, other: "Timetable") -> tuple[Meeting, Meeting] | None:
        """A meeting of this timetable and one of the other that take place at some same minute; None without any.

        Within one zone the wall clocks are compared. Between zones the instants are, date by date, because summer time
        begins and ends on other days in each.
        """
        if not self.meetings or not other.meetings:
            return None
        if self.time_zone == other.time_zone:
            return self._clash_on_one_clock(other)
        return self._clash_ofinstants(other)

    def _clash_on_one_clock(self, other: "Timetable") -> tuple[Meeting, Meeting] | None:
        first, last = max(self.starts_on, other.starts_on), min(self.ends_on, other.ends_on)
        for mine in self.meetings:
            if next(_days(mine, first, last), None) is None:
                continue
            for theirs in other.meetings:
                if mine.overlaps(theirs):
                    return mine, theirs
        return None

    def _clash_ofinstants(self, other: "Timetable") -> tuple[Meeting, Meeting] | None:
        first, last = max(self.starts_on, other.starts_on), min(self.ends_on, other.ends_on)
        if last < first - _MARGIN:
            return None
        first, last = first - _MARGIN, min(last, first + _HORIZON) + _MARGIN
        mine, theirs = self.instants(first, last), other.instants(first, last)
        here, there = next(mine, None), next(theirs, None)
        while here is not None and there is not None:
            if here[0] < there[1] and there[0] < here[1]:
                return here[2], there[2]
            # Whichever ends first cannot meet anything later.
            if here[1] <= there[1]:
                here = next(mine, None)
            else:
                there = next(theirs, None)
        return None

    def instants(self, first: date, last: date) -> Iterator[tuple[datetime, datetime, Meeting]]:
        """Every meeting between two days as (from, until, meeting) in UTC, in order of time."""
        zone = ZoneInfo(self.time_zone)
        day, last = max(first, self.starts_on), min(last, self.ends_on)
        while day <= last:
            met = [
                (_instant(day, meeting.starts, zone), _instant(day, meeting.ends, zone), meeting)
                for meeting in self.meetings
                if meeting.weekday == day.isoweekday()
            ]
            yield from sorted(met, key=lambda item: item[0])
            day += _DAY


def _days(meeting: Meeting, first: date, last: date) -> Iterator[date]:
    """The days of a weekly meeting between two days."""
    day = first + timedelta(days=(meeting.weekday - first.isoweekday()) % 7)
    while day <= last:
        yield day
        day += _WEEK


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Of an hour that is there twice the first; of one that is left out, as long after midnight as it would be."""
    return datetime.combine(day, at, zone).astimezone(UTC)
