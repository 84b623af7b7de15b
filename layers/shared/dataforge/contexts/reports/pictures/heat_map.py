"""Heat map: a row for each learner, a column for each lesson, and a paint for how far the one is with the other."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dataforge.contexts.reports.pictures.canvas import (
    INK,
    MARGIN,
    PAGE_WIDTH,
    PAPER,
    SMALL_SIZE,
    SOFT,
    STRONG,
    Canvas,
    Caption,
    Swatch,
    box,
)
from dataforge.contexts.reports.pictures.text import amount, count, listed, percent
from dataforge.kernel.pictures import number

COMPLETED, STARTED, NOT_STARTED = "c", "p", "-"
_WORDS = {COMPLETED: "completed", STARTED: "in progress", NOT_STARTED: "not started"}
_LABEL, _RATE, _LEGEND, _HEAD, _FOOT, _ROW, _GAP = 148.0, 80.0, 28.0, 116.0, 62.0, 14.0, 12.0
_BAND = 50  # learners, and lessons, that fit a page
_WIDEST = 44.0
_MOST_NAMED = 60  # columns whose numbers are in the description; a list of more helps nobody


@dataclass(frozen=True, slots=True)
class HeatColumn:
    """A lesson, and how many of how many learners have completed it, also of those that are not among the rows."""

    name: str
    completed: int
    learners: int


@dataclass(frozen=True, slots=True)
class HeatMap:
    """`cells` has a text for each of `rows`, with a letter for each of `columns`: c, p or - (see above)."""

    rows: Sequence[str]
    columns: Sequence[HeatColumn]
    cells: Sequence[str]


def draw_heat_map(caption: Caption, chart: HeatMap) -> str:
    """An SVG in bands of 50 learners by 50 lessons, each with its lessons above it, so that a band fits a page.

    Neighbours in one state are one rectangle of its path, and thin lines part them: 500 by 50 stay below 1 MB.
    """
    bands, slices = _parts(len(chart.rows)), _parts(len(chart.columns))
    drawn = bool(bands and slices)
    height = len(slices) * (sum(_HEAD + _ROW * len(rows) + _GAP for rows in bands) + _FOOT)
    canvas = Canvas(caption, describe_heat_map(chart), width=PAGE_WIDTH, height=_LEGEND + height if drawn else 30)
    if not drawn:
        canvas.nothing("No lessons." if chart.rows else "No learners.")
        return canvas.finish()
    paints = {COMPLETED: STRONG, STARTED: canvas.hatch, NOT_STARTED: PAPER}
    canvas.legend(canvas.top + 12, [Swatch(paints[state], words.capitalize()) for state, words in _WORDS.items()])
    side = min(_WIDEST, (PAGE_WIDTH - 2 * MARGIN - _LABEL - _RATE) / len(slices[0]))
    top = canvas.top + _LEGEND
    for columns in slices:
        for rows in bands:
            _draw_band(canvas, chart, _Band(rows, columns, top, side))
            top += _HEAD + _ROW * len(rows) + _GAP
        _draw_foot(canvas, chart, _Band(range(0), columns, top, side))
        top += _FOOT
    return canvas.finish()


@dataclass(frozen=True, slots=True)
class _Band:
    """Some learners and lessons, and where their cells are."""

    rows: range
    columns: range
    top: float
    side: float

    left = MARGIN + _LABEL

    @property
    def grid_top(self) -> float:
        return self.top + _HEAD

    @property
    def right(self) -> float:
        return self.left + self.side * len(self.columns)

    def middle(self, position: int) -> float:
        """Where the base line of a text upwards in a column is."""
        return self.left + self.side * (position + 0.5) + SMALL_SIZE * 0.35


def _parts(number_of: int) -> list[range]:
    return [range(first, min(first + _BAND, number_of)) for first in range(0, number_of, _BAND)]


def _draw_band(canvas: Canvas, chart: HeatMap, band: _Band) -> None:
    for position, column in enumerate(band.columns):
        name, size = chart.columns[column].name, min(SMALL_SIZE, band.side)
        canvas.text(band.middle(position), band.grid_top - 5, name, size=size, upwards=True, room=_HEAD - 12)
    canvas.text(band.right + 6, band.grid_top - 5, "Completed", size=SMALL_SIZE, fill=SOFT, room=_RATE - 8)
    for position, row in enumerate(band.rows):
        base, done = band.grid_top + _ROW * (position + 1) - 3.5, chart.cells[row].count(COMPLETED)
        canvas.text(band.left - 6, base, chart.rows[row], size=SMALL_SIZE, anchor="end", room=_LABEL - 8)
        words = f"{done} of {len(chart.columns)}, {percent(done, len(chart.columns))}"
        canvas.text(band.right + 6, base, words, size=SMALL_SIZE, room=_RATE - 8)
    for state, paint in ((STARTED, canvas.hatch), (COMPLETED, STRONG)):
        runs = (
            box(band.left + band.side * start, band.grid_top + _ROW * position, band.side * length, _ROW)
            for position, row in enumerate(band.rows)
            for start, length in _runs(chart.cells[row][band.columns.start : band.columns.stop], state)
        )
        canvas.path("".join(runs), fill=paint)
    grid = _grid(band)
    canvas.path(grid, stroke=PAPER, width=2)
    canvas.path(grid, stroke=INK, width=0.3)


def _draw_foot(canvas: Canvas, chart: HeatMap, band: _Band) -> None:
    canvas.text(band.left - 6, band.top, "Completed", size=SMALL_SIZE, fill=SOFT, anchor="end", room=_LABEL - 8)
    for position, column in enumerate(chart.columns[band.columns.start : band.columns.stop]):
        words, size = f"{amount(column.completed)} of {amount(column.learners)}", min(SMALL_SIZE, band.side)
        x, y = band.middle(position), band.top - 8
        canvas.text(x, y, words, size=size, anchor="end", upwards=True, room=_FOOT - 6)


def _runs(states: str, wanted: str) -> Iterator[tuple[int, int]]:
    """Where neighbours in this state begin, and how many they are."""
    return ((run.start(), run.end() - run.start()) for run in re.finditer(f"{wanted}+", states))


def _grid(band: _Band) -> str:
    bottom = band.grid_top + _ROW * len(band.rows)
    heights = (band.grid_top + _ROW * row for row in range(len(band.rows) + 1))
    sides = (band.left + band.side * column for column in range(len(band.columns) + 1))
    across = (f"M{number(band.left)} {number(y)}H{number(band.right)}" for y in heights)
    down = (f"M{number(x)} {number(band.grid_top)}V{number(bottom)}" for x in sides)
    return "".join((*across, *down))


def describe_heat_map(chart: HeatMap) -> str:
    """The numbers of a heat map in words."""
    states = "".join(chart.cells)
    summary = f"{count(len(chart.rows), 'learner')} and {count(len(chart.columns), 'lesson')}."
    if not states:
        return summary
    numbers = ", ".join(f"{amount(states.count(state))} {words}" for state, words in _WORDS.items())
    by_lesson = listed(
        f"{column.name}: {amount(column.completed)} of {count(column.learners, 'learner')}"
        for column in chart.columns[:_MOST_NAMED]
    )
    more = len(chart.columns) - _MOST_NAMED
    rest = f"; and {count(more, 'more lesson')}" if more > 0 else ""
    share = percent(states.count(COMPLETED), len(states))
    return f"{summary} Of {amount(len(states))} cells {numbers}: {share} completed. By lesson: {by_lesson}{rest}."
