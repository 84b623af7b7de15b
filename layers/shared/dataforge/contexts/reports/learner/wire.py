"""Wire models of the time line of a learner."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from dataforge.contexts.reports.learner.domain import LearnerReport
from dataforge.contexts.reports.learner.picture import picture_of_learner
from dataforge.contexts.reports.tabular import Kind, Tabular
from dataforge.contexts.reports.wire import LessonLabelOut, ReportPageOut, Representations, lesson_body


class LearnerLessonOut(LessonLabelOut):
    """A lesson that is expected of the learner, or that they have begun; `score_scaled` is -1 to 1."""

    expected: bool
    started_at: datetime | None
    last_activity: datetime | None
    completed_at: datetime | None
    statements: int
    score_scaled: float | None


class LearnerEventOut(BaseModel):
    """A statement of the learner about a lesson."""

    statement_id: UUID
    lesson_id: UUID
    lesson_title: str
    completes: bool
    occurred_at: datetime


class LearnerOut(ReportPageOut):
    """All lessons of a learner, and a page of their statements, newest first."""

    user_id: UUID
    display_name: str
    email: str
    lessons: list[LearnerLessonOut]
    items: list[LearnerEventOut]


_COLUMNS = {
    "occurred_at": Kind.TIME,
    "lesson_id": Kind.TEXT,
    "lesson_title": Kind.TEXT,
    "completes": Kind.FLAG,
    "statement_id": Kind.TEXT,
}


def _rows(report: LearnerReport) -> list[dict[str, Any]]:
    return [
        {
            "occurred_at": event.occurred_at,
            "lesson_id": str(event.lesson_id),
            "lesson_title": event.title,
            "completes": event.completes,
            "statement_id": str(event.statement_id),
        }
        for event in report.events
    ]


def _body(report: LearnerReport) -> dict[str, Any]:
    return {
        "user_id": report.user_id,
        "display_name": report.display_name,
        "email": report.email,
        "lessons": [
            {
                **lesson_body(item.lesson),
                "expected": item.expected,
                "started_at": item.started_at,
                "last_activity": item.last_at,
                "completed_at": item.completed_at,
                "statements": item.statements,
                "score_scaled": item.score_scaled,
            }
            for item in report.lessons
        ],
        "items": _rows(report),
    }


def _table(report: LearnerReport) -> Tabular:
    return Tabular.of(_COLUMNS, _rows(report))


LEARNER = Representations("learner", _body, _table, picture_of_learner, columns=_COLUMNS)
