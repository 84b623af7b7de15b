"""Axes: round numbers to count by, and calendar steps for times."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from math import ceil

from dataforge.contexts.reports.pictures.canvas import INK, LINE, SMALL_SIZE, SOFT, Canvas
from dataforge.contexts.reports.pictures.text import amount
from dataforge.kernel.pictures import width_of

# Labels of a time axis: up to this span, by this step.
_HOURS = ((timedelta(hours=12), 1), (timedelta(days=1.5), 3), (timedelta(days=4), 12))
_DAYS = ((timedelta(days=12), 1), (timedelta(days=24), 2), (timedelta(days=80), 7))
_MONTHS = ((timedelta(days=400), 1), (timedelta(days=1200), 3), (timedelta(days=3000), 12))
_MOST_YEARS = 8


@dataclass(frozen=True, slots=True)
class Area:
    """Where a chart is drawn, between its axes."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """The lower edge, on which numbers begin."""
        return self.top + self.height

    def y(self, value: float, most: float) -> float:
        """The height at which a number is, if `most` is at the upper edge."""
        return self.bottom - self.height * value / most


def ticks(most: float, at_most: int = 5) -> list[int]:
    """Round whole numbers from 0 to `most` or a little beyond, at most so many steps apart."""
    if most <= 0:
        return [0, 1]
    steps = (factor * 10**power for power in count() for factor in (1, 2, 5))
    step = next(step for step in steps if step * at_most >= most)
    return [step * position for position in range(ceil(most / step) + 1)]


def draw_numbers(canvas: Canvas, area: Area, marks: list[int]) -> None:
    """The axis of numbers on the left, with a thin line for each of its marks."""
    for mark in marks:
        y = area.y(mark, marks[-1])
        canvas.line(area.left, y, area.right, y, stroke="#dde1ec" if mark else LINE)
        canvas.text(area.left - 6, y + 3.5, amount(mark), size=SMALL_SIZE, fill=SOFT, anchor="end", room=area.left - 8)


@dataclass(frozen=True, slots=True)
class TimeScale:
    """Places times between the edges of an area; those outside are put on the edge."""

    area: Area
    earliest: datetime
    latest: datetime

    def x(self, at: datetime) -> float:
        """Where a time is."""
        span = (self.latest - self.earliest) / timedelta(seconds=1)
        share = (at - self.earliest) / timedelta(seconds=1) / span if span > 0 else 0.5
        return self.area.left + self.area.width * min(1.0, max(0.0, share))


def draw_times(canvas: Canvas, scale: TimeScale, *, named: bool = True) -> None:
    """Thin lines through an area at calendar times in the zone of the earliest, and what those are called below it.

    Names that would touch are left out.
    """
    area, free = scale.area, 0.0
    for at, words in _calendar(scale.earliest, scale.latest):
        x, width = scale.x(at), width_of(words, SMALL_SIZE)
        canvas.line(x, area.top, x, area.bottom + (4 if named else 0), stroke="#dde1ec")
        middle = min(max(x, width / 2 + 2), canvas.width - width / 2 - 2)
        if named and middle - width / 2 >= free:
            canvas.text(middle, area.bottom + 16, words, size=SMALL_SIZE, fill=INK, anchor="middle", room=width + 1)
            free = middle + width / 2 + 6
    canvas.line(area.left, area.bottom, area.right, area.bottom)


def _calendar(earliest: datetime, latest: datetime) -> Iterator[tuple[datetime, str]]:
    """The times to label, with their words; the first one alone if the calendar has no step in between."""
    labels = [(at, words) for at, words in _steps(earliest, latest) if earliest <= at <= latest]
    yield from labels or [(earliest, _day(earliest, year=True))]


def _steps(earliest: datetime, latest: datetime) -> Iterator[tuple[datetime, str]]:
    span, midnight = latest - earliest, earliest.replace(hour=0, minute=0, second=0, microsecond=0)
    for limit, hours in _HOURS:
        if span <= limit:
            for position in range(int((latest - midnight) / timedelta(hours=hours)) + 1):
                at = midnight + timedelta(hours=hours * position)
                yield at, _day(at) if at.hour == 0 else f"{at:%H:%M}"
            return
    for limit, days in _DAYS:
        if span <= limit:
            first = midnight - timedelta(days=midnight.weekday()) if days == 7 else midnight
            for position in range((latest - first).days // days + 1):
                at = first + timedelta(days=days * position)
                yield at, _day(at)
            return
    months = next((step for limit, step in _MONTHS if span <= limit), 0)
    yield from _by_month(midnight, latest, months or 12 * ceil(span.days / 365 / _MOST_YEARS))


def _by_month(midnight: datetime, latest: datetime, step: int) -> Iterator[tuple[datetime, str]]:
    first = midnight.year * 12 + (midnight.month - 1 if step < 12 else 0)
    first -= first % min(step, 12)
    last = latest.year * 12 + latest.month
    for position in range(first, last + 1, step):
        year, month = divmod(position, 12)
        at = datetime(year, month + 1, 1, tzinfo=midnight.tzinfo)
        yield at, f"{year}" if step >= 12 else f"{at:%b} {year}" if month == 0 or step > 1 else f"{at:%b}"


def _day(at: datetime, *, year: bool = False) -> str:
    return f"{at.day} {at:%b %Y}" if year else f"{at.day} {at:%b}"
