"""Wire models of learners at risk."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from dataforge.contexts.reports.at_risk.domain import AtRiskReport
from dataforge.contexts.reports.at_risk.picture import picture_of_at_risk
from dataforge.contexts.reports.tabular import Kind, Tabular
from dataforge.contexts.reports.wire import ReportPageOut, Representations


class AtRiskLearnerOut(BaseModel):
    """A learner at risk: how many lessons are required of them in all, and how far they have come.

    `idle_days` are whole days from the last activity to the watermark.
    """

    user_id: UUID
    display_name: str
    email: str
    cohorts: list[str]
    required: int
    started: int
    completed: int
    last_activity: datetime | None
    idle_days: int | None


class AtRiskOut(ReportPageOut):
    """Learners at risk, those first who were idle longest; `total` counts them all."""

    cohort_id: UUID | None
    idle_days: int
    include_never_started: bool
    total: int
    items: list[AtRiskLearnerOut]


_COLUMNS = {
    "user_id": Kind.TEXT,
    "display_name": Kind.TEXT,
    "email": Kind.TEXT,
    "cohorts": Kind.TEXT,
    "required": Kind.COUNT,
    "started": Kind.COUNT,
    "completed": Kind.COUNT,
    "last_activity": Kind.TIME,
    "idle_days": Kind.COUNT,
}


def _rows(report: AtRiskReport) -> list[dict[str, Any]]:
    return [
        {
            "user_id": str(learner.user_id),
            "display_name": learner.display_name,
            "email": learner.email,
            "cohorts": learner.cohorts,
            "required": learner.required,
            "started": learner.started,
            "completed": learner.completed,
            "last_activity": learner.last_activity,
            "idle_days": learner.idle_days,
        }
        for learner in report.learners
    ]


def _body(report: AtRiskReport) -> dict[str, Any]:
    return {
        "cohort_id": report.cohort_id,
        "idle_days": report.idle_days,
        "include_never_started": report.include_never_started,
        "total": report.total,
        "items": _rows(report),
    }


def _table(report: AtRiskReport) -> Tabular:
    return Tabular.of(_COLUMNS, [{**row, "cohorts": "; ".join(row["cohorts"])} for row in _rows(report)])


AT_RISK = Representations("at-risk", _body, _table, picture_of_at_risk, columns=_COLUMNS)
