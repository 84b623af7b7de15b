"""Lessons or courses beside each other."""

from dataforge.contexts.reports.captions import caption_of
from dataforge.contexts.reports.comparison.domain import ComparisonReport
from dataforge.contexts.reports.pictures.bar_chart import Bar, BarChart, draw_bars
from dataforge.contexts.reports.pictures.text import amount, percent


def picture_of_comparison(report: ComparisonReport) -> str:
    """An SVG with a bar for each lesson or course: the share that is completed of what is expected."""
    bars = [
        Bar(
            row.title,
            row.rate or 0.0,
            f"{amount(row.completed)} of {amount(row.expected)}, {percent(row.completed, row.expected)}",
        )
        for row in report.rows
    ]
    return draw_bars(caption_of(f"Completed by {report.by}", report.basis), BarChart(bars, report.by, 1.0))
