"""Histogram: how many fall into each of some classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from dataforge.contexts.reports.pictures.axes import Area, draw_numbers, ticks
from dataforge.contexts.reports.pictures.canvas import (
    MARGIN,
    PAGE_WIDTH,
    SMALL_SIZE,
    SOFT,
    STRONG,
    Canvas,
    Caption,
    box,
)
from dataforge.contexts.reports.pictures.text import amount, count, listed
from dataforge.kernel.pictures import width_of

_HEIGHT, _LEFT, _BELOW = 190.0, 56.0, 44.0
_MOST_NAMED, _MOST_NUMBERED = 60, 24


@dataclass(frozen=True, slots=True)
class Bin:
    """A class of values and how many are in it."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """Classes in their order; `what` is counted (questions), `along` says what the classes are of (Difficulty)."""

    bins: Sequence[Bin]
    what: str
    along: str


def draw_histogram(caption: Caption, chart: Histogram) -> str:
    """An SVG with a column for each class; its number above it where there is room, and as many names as fit."""
    canvas = Canvas(caption, describe_histogram(chart), width=PAGE_WIDTH, height=_HEIGHT + _BELOW)
    if not chart.bins:
        canvas.nothing(f"No {chart.what}.")
        return canvas.finish()
    area = Area(MARGIN + _LEFT, canvas.top + 18, PAGE_WIDTH - 2 * MARGIN - _LEFT, _HEIGHT - 18)
    marks = ticks(max(item.size for item in chart.bins))
    draw_numbers(canvas, area, marks)
    step = area.width / len(chart.bins)
    gap = min(3.0, step * 0.1)
    columns = (
        box(
            area.left + step * position + gap,
            area.y(item.size, marks[-1]),
            step - 2 * gap,
            area.bottom - area.y(item.size, marks[-1]),
        )
        for position, item in enumerate(chart.bins)
        if item.size
    )
    canvas.path("".join(columns), fill=STRONG)
    if len(chart.bins) <= _MOST_NUMBERED:
        for position, item in enumerate(chart.bins):
            y = area.y(item.size, marks[-1]) - 4
            middle = area.left + step * (position + 0.5)
            canvas.text(middle, y, amount(item.size), size=SMALL_SIZE, anchor="middle", room=max(step, 24))
    _draw_names(canvas, area, [item.name for item in chart.bins])
    canvas.text(area.left, area.bottom + 34, chart.along, size=SMALL_SIZE, fill=SOFT, room=area.width)
    return canvas.finish()


def _draw_names(canvas: Canvas, area: Area, names: Sequence[str]) -> None:
    step = area.width / len(names)
    widest = min(110.0, max(width_of(name, SMALL_SIZE) for name in names) + 8)
    every = max(1, ceil(widest / step))
    for position in range(0, len(names), every):
        room = min(step * every - 4, 2 * (area.right - area.left - step * (position + 0.5)) + 2 * MARGIN - 4)
        if position == 0 or room >= widest - 8:
            middle = area.left + step * (position + 0.5)
            canvas.text(middle, area.bottom + 15, names[position], size=SMALL_SIZE, anchor="middle", room=max(room, 8))


def describe_histogram(chart: Histogram) -> str:
    """The numbers of a histogram in words; of a long one those of its largest classes."""
    total = f"{amount(sum(item.size for item in chart.bins))} {chart.what}."
    if not chart.bins:
        return total
    if len(chart.bins) <= _MOST_NAMED:
        return f"{total} {chart.along}: {listed(f'{item.name}: {amount(item.size)}' for item in chart.bins)}."
    largest = max(chart.bins, key=lambda item: item.size)
    classes = count(len(chart.bins), "class", "classes")
    return f"{total} {chart.along}: {classes}, most in {largest.name}: {amount(largest.size)}."
