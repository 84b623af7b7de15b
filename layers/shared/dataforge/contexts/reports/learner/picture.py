"""The time line of a learner."""

from dataforge.contexts.reports.captions import caption_of, lesson_name
from dataforge.contexts.reports.learner.domain import LearnerReport
from dataforge.contexts.reports.pictures.lane_chart import Lane, draw_lanes


def picture_of_learner(report: LearnerReport) -> str:
    """An SVG with a lane for each lesson, from the first statement to completion."""
    lanes = [
        Lane(lesson_name(item.lesson), item.started_at, item.completed_at, item.statements_at)
        for item in report.lessons
    ]
    return draw_lanes(caption_of(f"Time line of {report.display_name}", report.basis), lanes)
