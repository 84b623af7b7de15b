"""The heat map of a cohort."""

from dataforge.contexts.reports.captions import caption_of, lesson_name, shown_of
from dataforge.contexts.reports.cohort.domain import MatrixReport
from dataforge.contexts.reports.pictures.heat_map import HeatColumn, HeatMap, draw_heat_map


def picture_of_matrix(report: MatrixReport) -> str:
    """An SVG with a row for each learner of the page; below each lesson how many of the whole cohort completed it."""
    columns = [HeatColumn(lesson_name(item.lesson), item.completed, item.learners) for item in report.columns]
    chart = HeatMap([row.display_name for row in report.rows], columns, [row.states for row in report.rows])
    shown = shown_of(len(report.rows), report.learners, "learner")
    return draw_heat_map(caption_of(f"Lessons completed in {report.cohort_name}", report.basis, shown), chart)
