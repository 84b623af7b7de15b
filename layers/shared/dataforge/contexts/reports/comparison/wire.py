"""Wire models of comparisons."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from dataforge.contexts.reports.comparison.domain import ComparedBy, ComparisonReport
from dataforge.contexts.reports.comparison.picture import picture_of_comparison
from dataforge.contexts.reports.tabular import Kind, Tabular
from dataforge.contexts.reports.wire import ReportPageOut, Representations


class ComparisonRowOut(BaseModel):
    """A lesson or a course: pairs of learner and lesson that are expected, started and completed."""

    id: UUID
    title: str
    expected: int
    started: int
    completed: int
    rate: float | None = Field(description="completed of expected, 0 to 1")
    median_seconds: float | None = Field(description="from the first statement of a lesson to its completion")
    mean_score: float | None = Field(description="mean scaled score, -1 to 1, of the completions that have one")
    scored: int


class ComparisonOut(ReportPageOut):
    """Lessons or courses by title."""

    by: ComparedBy
    cohort_id: UUID | None
    items: list[ComparisonRowOut]


_COLUMNS = {
    "id": Kind.TEXT,
    "title": Kind.TEXT,
    "expected": Kind.COUNT,
    "started": Kind.COUNT,
    "completed": Kind.COUNT,
    "rate": Kind.NUMBER,
    "median_seconds": Kind.NUMBER,
    "mean_score": Kind.NUMBER,
    "scored": Kind.COUNT,
}


def _rows(report: ComparisonReport) -> list[dict[str, Any]]:
    return [
        {
            "id": str(row.id),
            "title": row.title,
            "expected": row.expected,
            "started": row.started,
            "completed": row.completed,
            "rate": row.rate,
            "median_seconds": row.median_seconds,
            "mean_score": row.mean_score,
            "scored": row.scored,
        }
        for row in report.rows
    ]


def _body(report: ComparisonReport) -> dict[str, Any]:
    return {"by": report.by, "cohort_id": report.cohort_id, "items": _rows(report)}


def _table(report: ComparisonReport) -> Tabular:
    return Tabular.of(_COLUMNS, _rows(report))


COMPARISON = Representations("comparison", _body, _table, picture_of_comparison, columns=_COLUMNS)
