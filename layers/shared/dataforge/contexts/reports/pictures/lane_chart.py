"""Time line of one learner: a lane for each lesson, from its beginning to its completion, with what happened on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dataforge.contexts.reports.pictures.axes import Area, TimeScale, draw_times
from dataforge.contexts.reports.pictures.canvas import (
    ACCENT,
    INK,
    MARGIN,
    PAGE_WIDTH,
    SMALL_SIZE,
    STRONG,
    Canvas,
    Caption,
    Swatch,
    box,
)
from dataforge.contexts.reports.pictures.text import count, instant, listed

_LABEL, _ROW, _BELOW = 200.0, 24.0, 26.0
_MOST_NAMED = 60


@dataclass(frozen=True, slots=True)
class Lane:
    """A lesson: when it was started and completed, and when there was a statement of it, in any order."""

    name: str
    started_at: datetime | None = None
    completed_at: datetime | None = None
    statements_at: Sequence[datetime] = ()

    @property
    def times(self) -> list[datetime]:
        """Every time in the lane."""
        ends = [at for at in (self.started_at, self.completed_at) if at is not None]
        return [*ends, *self.statements_at]


def draw_lanes(caption: Caption, lanes: Sequence[Lane]) -> str:
    """An SVG with a row for each lesson: dots are statements, the bar ends with a diamond where it was completed.

    Statements at one place are one dot, so that ten thousand stay as many as the picture is wide.
    """
    height = 24 + _ROW * len(lanes) + _BELOW if lanes else 30.0
    canvas = Canvas(caption, describe_lanes(lanes), width=PAGE_WIDTH, height=height)
    times = [at for lane in lanes for at in lane.times]
    if not lanes or not times:
        canvas.nothing("Nothing happened yet.")
        return canvas.finish()
    canvas.legend(canvas.top + 10, _legend(canvas))
    top = canvas.top + 24
    area = Area(MARGIN + _LABEL, top, PAGE_WIDTH - 2 * MARGIN - _LABEL - 8, _ROW * len(lanes))
    earliest, latest = min(times), max(times)
    scale = TimeScale(area, earliest, latest if latest > earliest else earliest + timedelta(hours=1))
    draw_times(canvas, scale)
    for position, lane in enumerate(lanes):
        _draw_lane(canvas, scale, lane, top + _ROW * (position + 0.5))
    return canvas.finish()


def _legend(canvas: Canvas) -> list[Swatch]:
    return [
        Swatch(STRONG, "From start to completion"),
        Swatch(canvas.hatch, "Begun, not completed"),
        Swatch(ACCENT, "Completed", "diamond"),
        Swatch(INK, "Statements", "tick"),
    ]


def _draw_lane(canvas: Canvas, scale: TimeScale, lane: Lane, y: float) -> None:
    canvas.text(scale.area.left - 10, y + 4, lane.name, size=SMALL_SIZE + 1, anchor="end", room=_LABEL - 12)
    times = lane.times
    if not times:
        return
    first, last = scale.x(min(times)), scale.x(lane.completed_at or max(times))
    paint = STRONG if lane.completed_at else canvas.hatch
    canvas.rectangle(min(first, last), y - 4, max(1.0, abs(last - first)), 8, fill=paint, name=_lane_words(lane))
    dots = sorted({round(scale.x(at)) for at in lane.statements_at})
    canvas.path("".join(box(x - 0.75, y + 5.5, 1.5, 4) for x in dots), fill=INK)
    if lane.completed_at:
        canvas.diamond(last, y)


def describe_lanes(lanes: Sequence[Lane]) -> str:
    """The times of a learner in words."""
    completed = sum(lane.completed_at is not None for lane in lanes)
    words = listed(_lane_words(lane) for lane in lanes[:_MOST_NAMED])
    more = len(lanes) - _MOST_NAMED
    rest = f"; and {count(more, 'more lesson')}" if more > 0 else ""
    return f"{count(len(lanes), 'lesson')}, {completed:,} completed{f'. {words}{rest}' if words else ''}."


def _lane_words(lane: Lane) -> str:
    if not lane.times:
        return f"{lane.name}: not started"
    parts = [f"started {instant(min(lane.times))}"]
    if lane.completed_at:
        parts.append(f"completed {instant(lane.completed_at)}")
    if lane.statements_at:
        parts.append(count(len(lane.statements_at), "statement"))
    return f"{lane.name}: {', '.join(parts)}"
