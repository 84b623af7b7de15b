"""How many have completed a lesson, are on their way, and have not begun."""

from dataforge.contexts.reports.captions import caption_of, lesson_name, shown_of
from dataforge.contexts.reports.incomplete.domain import IncompleteReport
from dataforge.contexts.reports.pictures.bar_chart import Bar, BarChart, draw_bars
from dataforge.contexts.reports.pictures.text import amount, count, percent


def picture_of_incomplete(report: IncompleteReport) -> str:
    """An SVG with those who have completed the lesson, and of the page those in progress and those not started."""
    begun = sum(learner.started_at is not None for learner in report.learners)
    sizes = (
        ("Completed", report.expected - report.missing, False),
        ("In progress", begun, True),
        ("Not started", len(report.learners) - begun, True),
    )
    bars = [
        Bar(name, size, f"{amount(size)}, {percent(size, report.expected)}", missing) for name, size, missing in sizes
    ]
    shown = shown_of(len(report.learners), report.missing, "missing learner")
    expected = f"expected of {count(report.expected, 'learner')}"
    caption = caption_of(f"Not completed: {lesson_name(report.lesson)}", report.basis, expected, shown)
    return draw_bars(caption, BarChart(bars, "state", float(report.expected), "Completed", "Not completed"))
