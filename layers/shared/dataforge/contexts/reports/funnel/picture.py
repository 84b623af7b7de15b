"""The funnel of a lesson, and the histogram of how long it took."""

from datetime import timedelta

from dataforge.contexts.reports.captions import caption_of, lesson_name
from dataforge.contexts.reports.funnel.domain import DurationBin, FunnelReport, FunnelStage, Stage
from dataforge.contexts.reports.pictures.funnel_chart import FunnelBar, draw_funnel
from dataforge.contexts.reports.pictures.histogram import Bin, Histogram, draw_histogram
from dataforge.contexts.reports.pictures.text import count, duration

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def picture_of_funnel(report: FunnelReport) -> str:
    """An SVG with the stages; beside the last one the median time from the first statement to completion."""
    bars = [FunnelBar(item.stage.capitalize(), item.learners, _note(report, item)) for item in report.stages]
    return draw_funnel(caption_of(f"From expected to completed: {lesson_name(report.lesson)}", report.basis), bars)


def picture_of_durations(report: FunnelReport) -> str:
    """An SVG with how many learners took how long from the first statement of the lesson to its completion."""
    bins = [Bin(duration_class(item), item.learners) for item in report.histogram]
    title = f"Time from start to completion: {lesson_name(report.lesson)}"
    chart = Histogram(bins, "learners", "Time from start to completion")
    return draw_histogram(caption_of(title, report.basis, key="durations"), chart)


def duration_class(item: DurationBin) -> str:
    """A class of times in short: 5–15 min, 4 h – 1 d, over 90 d."""
    if item.below_seconds is None:
        return f"over {_short(item.least_seconds)}"
    if item.least_seconds == 0:
        return f"under {_short(item.below_seconds)}"
    least, below = _short(item.least_seconds), _short(item.below_seconds)
    (amount, unit), (_, unit_below) = least.split(" "), below.split(" ")
    return f"{amount}–{below}" if unit == unit_below else f"{least} – {below}"


def _short(seconds: int) -> str:
    length, unit = next((length, unit) for length, unit in _UNITS if seconds % length == 0 and seconds >= length)
    return f"{seconds // length} {unit}"


def _note(report: FunnelReport, item: FunnelStage) -> str:
    if item.stage is Stage.COMPLETED and report.durations.median is not None:
        return f"median time {duration(timedelta(seconds=report.durations.median))}"
    if item.stage is Stage.STARTED:
        missing = report.stages[0].learners - item.learners
        return f"{count(missing, 'has', 'have')} not started" if missing else ""
    return ""
