"""Wire models of activity over time."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from dataforge.contexts.reports.activity.domain import ActivityReport, Interval
from dataforge.contexts.reports.activity.picture import picture_of_activity
from dataforge.contexts.reports.tabular import Kind, Tabular
from dataforge.contexts.reports.wire import BasisOut, Representations
from dataforge.http.wire import TimeZone, WrittenOut

FirstDay = Annotated[
    date | None, WrittenOut, Query(alias="from", description="first day; thirty days up to the last one when left out")
]
LastDay = Annotated[date | None, WrittenOut, Query(alias="to", description="last day; the watermark's when left out")]
ZoneOfDays = Annotated[TimeZone, Query(description="IANA time zone whose days these are")]


class ActivityIntervalOut(BaseModel):
    """What happened from `begins` to before `ends`; `learners` are different people."""

    begins: datetime
    ends: datetime
    statements: int
    learners: int
    completions: int


class ActivityOut(BasisOut):
    """Activity per interval; the totals count each learner once."""

    interval: Interval
    time_zone: str
    cohort_id: UUID | None
    lesson_id: UUID | None
    statements: int
    learners: int
    completions: int
    items: list[ActivityIntervalOut]


_COLUMNS = {
    "begins": Kind.TIME,
    "ends": Kind.TIME,
    "statements": Kind.COUNT,
    "learners": Kind.COUNT,
    "completions": Kind.COUNT,
}


def _body(report: ActivityReport) -> dict[str, Any]:
    return {
        "interval": report.interval,
        "time_zone": report.time_zone,
        "cohort_id": report.cohort_id,
        "lesson_id": report.lesson_id,
        "statements": report.statements,
        "learners": report.learners,
        "completions": report.completions,
        "items": [asdict(interval) for interval in report.intervals],
    }


def _table(report: ActivityReport) -> Tabular:
    return Tabular.of(_COLUMNS, [asdict(interval) for interval in report.intervals])


ACTIVITY = Representations("activity", _body, _table, picture_of_activity, paged=False, columns=_COLUMNS)
