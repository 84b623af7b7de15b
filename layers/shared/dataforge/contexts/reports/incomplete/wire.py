"""Wire models of who has not completed a lesson."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from dataforge.contexts.reports.incomplete.domain import IncompleteReport
from dataforge.contexts.reports.incomplete.picture import picture_of_incomplete
from dataforge.contexts.reports.tabular import Kind, Tabular
from dataforge.contexts.reports.wire import LessonLabelOut, ReportPageOut, Representations, lesson_body


class MissingLearnerOut(BaseModel):
    """Somebody who has not completed the lesson; `state` is `in_progress` or `not_started`."""

    user_id: UUID
    display_name: str
    email: str
    state: str
    started_at: datetime | None
    last_activity: datetime | None


class IncompleteOut(ReportPageOut):
    """Who has not completed a lesson, of all of whom it is expected."""

    lesson: LessonLabelOut
    cohort_id: UUID | None
    expected: int
    missing: int
    items: list[MissingLearnerOut]


_COLUMNS = {
    "user_id": Kind.TEXT,
    "display_name": Kind.TEXT,
    "email": Kind.TEXT,
    "state": Kind.TEXT,
    "started_at": Kind.TIME,
    "last_activity": Kind.TIME,
}


def _rows(report: IncompleteReport) -> list[dict[str, Any]]:
    return [
        {
            "user_id": str(learner.user_id),
            "display_name": learner.display_name,
            "email": learner.email,
            "state": "not_started" if learner.started_at is None else "in_progress",
            "started_at": learner.started_at,
            "last_activity": learner.last_activity,
        }
        for learner in report.learners
    ]


def _body(report: IncompleteReport) -> dict[str, Any]:
    return {
        "lesson": lesson_body(report.lesson),
        "cohort_id": report.cohort_id,
        "expected": report.expected,
        "missing": report.missing,
        "items": _rows(report),
    }


def _table(report: IncompleteReport) -> Tabular:
    return Tabular.of(_COLUMNS, _rows(report))


INCOMPLETE = Representations("incomplete", _body, _table, picture_of_incomplete, columns=_COLUMNS)
