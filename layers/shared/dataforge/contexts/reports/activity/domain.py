"""Activity over time: intervals by the calendar of a time zone, and what happened in each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from dataforge.contexts.reports.basis import Basis
from dataforge.kernel.errors import BadRequest, Violation
from dataforge.kernel.texts import Text

MOST_INTERVALS = 400
FIRST_YEAR, LAST_YEAR = 1900, 2199  # so that a day is a day in every zone, and zones are known


_EARLIEST, _LATEST = datetime(FIRST_YEAR, 2, 1, tzinfo=UTC), datetime(LAST_YEAR, 12, 1, tzinfo=UTC)


class PeriodRefused(BadRequest):
    """The period ends before it begins, is not of our time, or has more than 400 intervals of the length asked for."""

    code = "period_refused"
    status = 422
    title = "The period cannot be reported"


class Interval(StrEnum):
    """How long an interval is by the calendar; weeks begin on Monday (ISO 8601)."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def after(self, day: date) -> date:
        """The day the next interval begins."""
        match self:
            case Interval.DAY:
                return day + timedelta(days=1)
            case Interval.WEEK:
                return day + timedelta(days=7 - day.weekday())
            case Interval.MONTH:
                return date(day.year + day.month // 12, day.month % 12 + 1, 1)


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `first` to `last`, in intervals by the calendar of a time zone.

    The first interval begins with `first` and the last ends with `last`, also within a week or month.
    """

    first: date
    last: date
    interval: Interval
    time_zone: str

    def borders(self) -> tuple[datetime, ...]:
        """The instants between the intervals, the beginning of the first and the end of the last included, in the zone.

        A day begins with its first instant: at the end of the gap where the clock jumps over midnight. A day that the
        zone leaves out has none, and its interval falls away. Raises PeriodRefused.
        """
        for place, day in (("query:from", self.first), ("query:to", self.last)):
            if not FIRST_YEAR <= day.year <= LAST_YEAR:
                raise _refused(
                    place,
                    Text(
                        "The day {day} is not of the years {first_year} to {last_year}.",
                        day=day,
                        first_year=FIRST_YEAR,
                        last_year=LAST_YEAR,
                    ),
                )
        if self.last < self.first:
            raise _refused(
                "query:to",
                Text("The last day, {last}, is before the first, {first}.", last=self.last, first=self.first),
            )
        days, end = [self.first], self.last + timedelta(days=1)
        while (following := self.interval.after(days[-1])) < end:
            days.append(following)
            if len(days) > MOST_INTERVALS:
                message = Text(
                    "The period has more than {most_intervals} intervals; ask for fewer days or longer ones.",
                    most_intervals=MOST_INTERVALS,
                )
                raise _refused("query:interval", message)
        zone = ZoneInfo(self.time_zone)
        instants = sorted({datetime.combine(day, time(), zone).astimezone(UTC) for day in (*days, end)})
        return tuple(instant.astimezone(zone) for instant in instants)


def _refused(place: str, message: str) -> PeriodRefused:
    return PeriodRefused(message, violations=[Violation(place, message, "period")])


@dataclass(frozen=True, slots=True)
class ActivityInterval:
    """What happened from `begins` to before `ends`, both instants with the offset of the time zone.

    `learners` are different people; `completions` are first completions of a lesson by a learner.
    """

    begins: datetime
    ends: datetime
    statements: int
    learners: int
    completions: int


@dataclass(frozen=True, slots=True)
class ActivityReport:
    """Activity per interval, also of those in which nothing happened; the totals count each learner once."""

    basis: Basis
    interval: Interval
    time_zone: str
    cohort_id: UUID | None
    lesson_id: UUID | None
    statements: int
    learners: int
    completions: int
    intervals: Sequence[ActivityInterval]


def intervals_of(
    borders: Sequence[datetime], counts: Mapping[int, tuple[int, int]], completions: Mapping[int, int]
) -> tuple[ActivityInterval, ...]:
    """The intervals between borders with what is counted in them (statements and learners) by number, from 1."""
    return tuple(
        ActivityInterval(begins, ends, *counts.get(number, (0, 0)), completions.get(number, 0))
        for number, (begins, ends) in enumerate(pairwise(borders), 1)
    )


def default_days(watermark: datetime, time_zone: str, first: date | None, last: date | None) -> tuple[date, date]:
    """The days of a period whose ends may be left out: up to the day of the watermark, and thirty days of them."""
    # The first and the last days that there are have none before or after them in some zones.
    until = last or min(max(watermark, _EARLIEST), _LATEST).astimezone(ZoneInfo(time_zone)).date()
    return first or max(until, _EARLIEST.date()) - timedelta(days=29), until
