"""Heat map: a row for each learner, a column for each lesson, and a paint for how far the one is with the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

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
    number,
)
from dataforge.contexts.reports.pictures.text import amount, count, listed, percent

COMPLETED, STARTED, NOT_STARTED = "c", "p", "-"
_WORDS = {COMPLETED: "completed", STARTED: "in progress", NOT_STARTED: "not started"}
_LABEL, _RATE, _HEAD, _FOOT, _ROW, _BAND_ROWS = 148.0, 80.0, 116.0, 62.0, 14.0, 50
_NARROWEST, _WIDEST = 10.0, 44.0
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
    """An SVG in bands of 50 learners, each with the lessons above it, so that a band fits a page.

    Neighbours in one state are one rectangle of its path, and thin lines part them: 500 by 50 stay below 1 MB.
    """
    bands = range(0, len(chart.rows), _BAND_ROWS) if chart.columns else range(0)
    height = sum(_HEAD + _ROW * len(chart.rows[first : first + _BAND_ROWS]) + 12 for first in bands) + _FOOT
    columns = len(chart.columns)
    side = min(_WIDEST, max(_NARROWEST, (PAGE_WIDTH - 2 * MARGIN - _LABEL - _RATE) / max(1, columns)))
    width = max(PAGE_WIDTH, 2 * MARGIN + _LABEL + _RATE + side * columns)
    canvas = Canvas(caption, describe_heat_map(chart), width=width, height=28 + height if bands else 30)
    if not bands:
        canvas.nothing("No lessons." if chart.rows else "No learners.")
        return canvas.finish()
    paints = {COMPLETED: STRONG, STARTED: canvas.hatch, NOT_STARTED: PAPER}
    canvas.legend(canvas.top + 12, [Swatch(paints[state], words.capitalize()) for state, words in _WORDS.items()])
    top = canvas.top + 28
    for first in bands:
        top = _draw_band(canvas, chart, range(first, min(first + _BAND_ROWS, len(chart.rows))), top, side) + 12
    canvas.text(MARGIN + _LABEL - 6, top, "Completed", size=SMALL_SIZE, fill=SOFT, anchor="end", room=_LABEL - 8)
    for position, column in enumerate(chart.columns):
        x, words = MARGIN + _LABEL + _middle(side, position), f"{amount(column.completed)} of {amount(column.learners)}"
        canvas.text(x, top - 8, words, size=min(SMALL_SIZE, side), anchor="end", upwards=True, room=_FOOT - 6)
    return canvas.finish()


def _middle(side: float, column: int) -> float:
    """Where the base line of a text upwards in a column is."""
    return side * (column + 0.5) + SMALL_SIZE * 0.35


def _draw_band(canvas: Canvas, chart: HeatMap, rows: range, top: float, side: float) -> float:
    left, grid_top, columns = MARGIN + _LABEL, top + _HEAD, len(chart.columns)
    right, bottom = left + side * columns, grid_top + _ROW * len(rows)
    for position, column in enumerate(chart.columns):
        x = left + _middle(side, position)
        canvas.text(x, grid_top - 5, column.name, size=min(SMALL_SIZE, side), upwards=True, room=_HEAD - 12)
    canvas.text(right + 6, grid_top - 5, "Completed", size=SMALL_SIZE, fill=SOFT, room=_RATE - 8)
    for position, row in enumerate(rows):
        base, done = grid_top + _ROW * (position + 1) - 3.5, chart.cells[row].count(COMPLETED)
        canvas.text(left - 6, base, chart.rows[row], size=SMALL_SIZE, anchor="end", room=_LABEL - 8)
        words = f"{done} of {columns}, {percent(done, columns)}"
        canvas.text(right + 6, base, words, size=SMALL_SIZE, room=_RATE - 8)
    for state, paint in ((STARTED, canvas.hatch), (COMPLETED, STRONG)):
        runs = (
            box(left + side * start, grid_top + _ROW * position, side * length, _ROW)
            for position, row in enumerate(rows)
            for start, length in _runs(chart.cells[row], state)
        )
        canvas.path("".join(runs), fill=paint)
    grid = _grid(left, grid_top, side, columns, len(rows))
    canvas.path(grid, stroke=PAPER, width=2)
    canvas.path(grid, stroke=INK, width=0.3)
    return bottom


def _runs(states: str, wanted: str) -> Iterator[tuple[int, int]]:
    """Where neighbours in this state begin, and how many they are."""
    start = 0
    for state, group in groupby(states):
        length = sum(1 for _ in group)
        if state == wanted:
            yield start, length
        start += length


def _grid(left: float, top: float, side: float, columns: int, rows: int) -> str:
    right, bottom = left + side * columns, top + _ROW * rows
    across = (f"M{number(left)} {number(top + _ROW * row)}H{number(right)}" for row in range(rows + 1))
    down = (f"M{number(left + side * column)} {number(top)}V{number(bottom)}" for column in range(columns + 1))
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
