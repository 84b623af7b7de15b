"""Funnel: how many reach each stage, and how many of those before."""

from collections.abc import Sequence
from dataclasses import dataclass

from dataforge.contexts.reports.pictures.canvas import (
    LIGHT,
    LINE,
    MARGIN,
    PAGE_WIDTH,
    SMALL_SIZE,
    SOFT,
    Canvas,
    Caption,
)
from dataforge.contexts.reports.pictures.text import amount, count, percent
from dataforge.kernel.pictures import number

_LABEL, _WORDS, _BAR, _GAP = 150.0, 170.0, 34.0, 26.0


@dataclass(frozen=True, slots=True)
class FunnelBar:
    """A stage, how many `people` reached it, and what else is to be said of it."""

    name: str
    people: int
    note: str = ""


def draw_funnel(caption: Caption, stages: Sequence[FunnelBar]) -> str:
    """An SVG with a bar for each stage, in proportion to the largest."""
    height = len(stages) * (_BAR + _GAP) or 30
    canvas = Canvas(caption, describe_funnel(stages), width=PAGE_WIDTH, height=height)
    if not stages:
        canvas.nothing("No stages.")
    left, room = MARGIN + _LABEL, PAGE_WIDTH - 2 * MARGIN - _LABEL - _WORDS
    middle, most = left + room / 2, max((stage.people for stage in stages), default=0)
    widths = [room * stage.people / most if most else 0.0 for stage in stages]
    for position, (stage, width) in enumerate(zip(stages, widths, strict=True)):
        y = canvas.top + position * (_BAR + _GAP)
        if position + 1 < len(stages):
            below = widths[position + 1]
            canvas.path(
                f"M{number(middle - width / 2)} {number(y + _BAR)}L{number(middle + width / 2)} {number(y + _BAR)}"
                f"L{number(middle + below / 2)} {number(y + _BAR + _GAP)}"
                f"L{number(middle - below / 2)} {number(y + _BAR + _GAP)}z",
                fill=LIGHT,
            )
        canvas.rectangle(middle - width / 2, y, width, _BAR, name=f"{stage.name}: {amount(stage.people)}")
        canvas.line(middle, y, middle, y + _BAR, stroke=LINE, width=1 if width == 0 else 0)
        canvas.text(left - 10, y + 21, stage.name, anchor="end", room=_LABEL - 12, bold=True)
        words = amount(stage.people) if position == 0 else f"{amount(stage.people)} · {_share(stages, position)}"
        canvas.text(left + room + 10, y + (16 if stage.note else 21), words, room=_WORDS - 12, bold=True)
        if stage.note:
            canvas.text(left + room + 10, y + 30, stage.note, size=SMALL_SIZE, fill=SOFT, room=_WORDS - 12)
    return canvas.finish()


def _share(stages: Sequence[FunnelBar], position: int) -> str:
    return percent(stages[position].people, stages[0].people)


def describe_funnel(stages: Sequence[FunnelBar]) -> str:
    """The numbers of a funnel in words."""
    words = []
    for position, stage in enumerate(stages):
        share = f", {_share(stages, position)} of the first stage" if position else ""
        words.append(f"{stage.name}: {count(stage.people, 'learner')}{share}{f', {stage.note}' if stage.note else ''}.")
    return " ".join(words) or "No stages."
