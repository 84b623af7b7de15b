"""Activity over time."""

from dataforge.contexts.reports.activity.domain import ActivityReport
from dataforge.contexts.reports.captions import caption_of
from dataforge.contexts.reports.pictures.series_chart import Series, SeriesChart, draw_series


def picture_of_activity(report: ActivityReport) -> str:
    """An SVG with statements, learners and first completions for each interval, days in the report's time zone."""
    intervals = report.intervals
    series = [
        Series("Statements", [item.statements for item in intervals], report.statements),
        Series("Learners", [item.learners for item in intervals], report.learners),
        Series("Completions", [item.completions for item in intervals], report.completions),
    ]
    end = intervals[-1].ends if intervals else report.basis.watermark
    chart = SeriesChart([item.begins for item in intervals], end, series)
    caption = caption_of(f"Activity by {report.interval}", report.basis, f"days of {report.time_zone}")
    return draw_series(caption, chart)
