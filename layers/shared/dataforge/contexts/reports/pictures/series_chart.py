"""Time line of numbers: one or several series over the same time, each with an axis of its own, one above the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dataforge.contexts.reports.pictures.axes import Area, TimeScale, draw_numbers, draw_times, ticks
from dataforge.contexts.reports.pictures.canvas import MARGIN, PAGE_WIDTH, STRONG, Canvas, Caption, box
from dataforge.contexts.reports.pictures.text import amount, count, day, listed

_PANEL, _LEFT, _BELOW, _HEAD = 110.0, 56.0, 26.0, 24.0
_MOST_NAMED = 31


@dataclass(frozen=True, slots=True)
class Series:
    """A number for each period, and one for all of them together, which need not be the sum: a learner is one."""

    name: str
    values: Sequence[int]
    total: int


@dataclass(frozen=True, slots=True)
class SeriesChart:
    """`starts` are when the periods begin, in order; each ends with the next, the last one at `end`.

    Every series has a number for each. Days are written in the time zone of the first start.
    """

    starts: Sequence[datetime]
    end: datetime
    series: Sequence[Series]


def draw_series(caption: Caption, chart: SeriesChart) -> str:
    """An SVG with a panel for each series: columns from the first period to the last, in one path."""
    height = len(chart.series) * (_HEAD + _PANEL) + _BELOW if chart.starts and chart.series else 30.0
    canvas = Canvas(caption, describe_series(chart), width=PAGE_WIDTH, height=height)
    if not chart.starts or not chart.series:
        canvas.nothing("No activity.")
        return canvas.finish()
    earliest, latest = chart.starts[0], chart.end
    ends = [*chart.starts[1:], chart.end]
    for position, series in enumerate(chart.series):
        top = canvas.top + position * (_HEAD + _PANEL) + _HEAD
        area = Area(MARGIN + _LEFT, top, PAGE_WIDTH - 2 * MARGIN - _LEFT, _PANEL)
        scale = TimeScale(area, earliest, latest)
        marks = ticks(max(series.values), 4)
        canvas.text(area.left, top - 9, f"{series.name}: {amount(series.total)} in all", bold=True, room=area.width)
        draw_numbers(canvas, area, marks)
        draw_times(canvas, scale, named=position == len(chart.series) - 1)
        columns = (
            _column(scale, start, end, area.y(value, marks[-1]))
            for start, end, value in zip(chart.starts, ends, series.values, strict=True)
            if value
        )
        canvas.path("".join(columns), fill=STRONG)
    return canvas.finish()


def _column(scale: TimeScale, start: datetime, end: datetime, y: float) -> str:
    left = scale.x(start)
    return box(left, y, max(0.5, scale.x(end) - left - 0.5), scale.area.bottom - y)


def describe_series(chart: SeriesChart) -> str:
    """The numbers of series in words: all of a month, and of more the sum and the most."""
    if not chart.starts or not chart.series:
        return "No activity."
    words = [f"{count(len(chart.starts), 'period')} from {day(chart.starts[0])} to {day(chart.end)}."]
    for series in chart.series:
        if len(chart.starts) <= _MOST_NAMED:
            each = (f"{day(start)}: {amount(value)}" for start, value in zip(chart.starts, series.values, strict=True))
            words.append(f"{series.name}: {amount(series.total)} in all ({listed(each)}).")
        else:
            most = max(series.values)
            when = day(chart.starts[list(series.values).index(most)])
            highest = f"at most {amount(most)} in the period that begins {when}"
            words.append(f"{series.name}: {amount(series.total)} in all, {highest}.")
    return " ".join(words)
