"""Bars: one number for each of some names, from the left."""

from collections.abc import Sequence
from dataclasses import dataclass

from dataforge.contexts.reports.pictures.canvas import (
    LINE,
    MARGIN,
    PAGE_WIDTH,
    SMALL_SIZE,
    STRONG,
    Canvas,
    Caption,
    Swatch,
)
from dataforge.contexts.reports.pictures.text import amount, count, listed

_LABEL, _WORDS, _ROW, _BAR = 210.0, 150.0, 22.0, 14.0
_MOST_NAMED = 60


@dataclass(frozen=True, slots=True)
class Bar:
    """A name and how long its bar is; `words` is the number as people read it, `hatched` sets it apart from others."""

    name: str
    length: float
    words: str
    hatched: bool = False


@dataclass(frozen=True, slots=True)
class BarChart:
    """Bars in their order; `most` is the length of a whole one, the longest without; `what` they are of (lesson).

    `solid` and `hatched` are the words for the two paints, if there are two.
    """

    bars: Sequence[Bar]
    what: str
    most: float | None = None
    solid: str = ""
    hatched: str = ""


def draw_bars(caption: Caption, chart: BarChart) -> str:
    """An SVG with a row for each bar, its words at its end; with two paints, a legend."""
    legend = 24.0 if chart.hatched else 0.0
    height = legend + (len(chart.bars) * _ROW or 30)
    canvas = Canvas(caption, describe_bars(chart), width=PAGE_WIDTH, height=height)
    if not chart.bars:
        canvas.nothing(f"No {chart.what}s.")
        return canvas.finish()
    if legend:
        canvas.legend(canvas.top + 10, [Swatch(STRONG, chart.solid), Swatch(canvas.hatch, chart.hatched)])
    left, room = MARGIN + _LABEL, PAGE_WIDTH - 2 * MARGIN - _LABEL - _WORDS
    most = max(chart.most or 0.0, *(bar.length for bar in chart.bars)) or 1.0
    top = canvas.top + legend
    for position, bar in enumerate(chart.bars):
        y = top + _ROW * position
        width = room * max(0.0, bar.length) / most
        paint = canvas.hatch if bar.hatched else STRONG
        canvas.rectangle(left, y + 3, width, _BAR, fill=paint, name=f"{bar.name}: {bar.words}")
        canvas.text(left - 8, y + 14, bar.name, size=SMALL_SIZE + 1, anchor="end", room=_LABEL - 10)
        canvas.text(left + width + 8, y + 14, bar.words, size=SMALL_SIZE + 1, room=_WORDS - 10)
    canvas.line(left, top, left, top + _ROW * len(chart.bars), stroke=LINE)
    return canvas.finish()


def describe_bars(chart: BarChart) -> str:
    """The numbers of bars in words."""
    words = listed(f"{bar.name}: {bar.words}" for bar in chart.bars[:_MOST_NAMED])
    more = len(chart.bars) - _MOST_NAMED
    rest = f"; and {amount(more)} more" if more > 0 else ""
    return f"{count(len(chart.bars), chart.what)}{f'. {words}{rest}' if words else ''}."
