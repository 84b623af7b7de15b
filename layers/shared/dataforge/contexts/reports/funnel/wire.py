"""Wire models of funnels."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from dataforge.contexts.reports.funnel.domain import FunnelReport, Stage
from dataforge.contexts.reports.funnel.picture import picture_of_funnel
from dataforge.contexts.reports.tabular import Kind, Tabular
from dataforge.contexts.reports.wire import BasisOut, LessonLabelOut, Representations, lesson_body


class FunnelStageOut(BaseModel):
    """How many learners reached a stage; shares, 0 to 1, are of those expected and of those in the stage before."""

    stage: Stage
    learners: int
    share: float | None
    share_of_previous: float | None


class DurationsOut(BaseModel):
    """Quartiles in seconds of the times from first statement to completion, of `n` learners."""

    n: int
    lower_quartile: float | None
    median: float | None
    upper_quartile: float | None


class DurationBinOut(BaseModel):
    """How many learners took at least `least_seconds`, and less than `below_seconds` if that is not null."""

    least_seconds: int
    below_seconds: int | None
    learners: int


class FunnelOut(BasisOut):
    """The funnel of a lesson."""

    lesson: LessonLabelOut
    cohort_id: UUID | None
    stages: list[FunnelStageOut]
    durations: DurationsOut
    histogram: list[DurationBinOut]


_COLUMNS = {
    "stage": Kind.TEXT,
    "learners": Kind.COUNT,
    "share": Kind.NUMBER,
    "share_of_previous": Kind.NUMBER,
    "lower_quartile_seconds": Kind.NUMBER,
    "median_seconds": Kind.NUMBER,
    "upper_quartile_seconds": Kind.NUMBER,
}


def _body(report: FunnelReport) -> dict[str, Any]:
    return {
        "lesson": lesson_body(report.lesson),
        "cohort_id": report.cohort_id,
        "stages": [asdict(stage) for stage in report.stages],
        "durations": asdict(report.durations),
        "histogram": [asdict(item) for item in report.histogram],
    }


def _table(report: FunnelReport) -> Tabular:
    """The stages; times stand beside the last one, which they are of."""
    times = report.durations
    quartiles = (times.lower_quartile, times.median, times.upper_quartile)
    return Tabular(
        _COLUMNS,
        [
            (
                stage.stage.value,
                stage.learners,
                stage.share,
                stage.share_of_previous,
                *(quartiles if stage.stage is Stage.COMPLETED else (None, None, None)),
            )
            for stage in report.stages
        ],
    )


FUNNEL = Representations("funnel", _body, _table, picture_of_funnel, paged=False, columns=_COLUMNS)
