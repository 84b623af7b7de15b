"""Activity over time, counted by the database between instants that are worked out here."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.activity.domain import ActivityReport, Interval, Period, default_days, intervals_of
from dataforge.contexts.reports.basis import Window
from dataforge.contexts.reports.reading import LEARNERS, basis_of, find_lesson, workspace_of

_USERS = text(f"SELECT user_id FROM ({LEARNERS}) l")
_LESSONS = text("SELECT lesson_id FROM learning.lessons_as_of(:watermark, :cohort_id)")
# Null for all lessons while none belongs to a workspace.
_OF_ORGANISATION = text(
    "SELECT CASE WHEN EXISTS (SELECT FROM learning.lessons WHERE workspace_id IS NOT NULL) THEN "
    "coalesce((SELECT array_agg(lesson_id) FROM learning.lessons WHERE workspace_id IS NULL), '{}') END"
)
# The row without a number is of all intervals.
_ACTIVITY = text(
    "SELECT width_bucket(occurred_at, CAST(:borders AS timestamptz[])) AS number, count(*) AS statements, "
    "count(DISTINCT user_id) AS learners "
    "FROM learning.activity_as_of(:watermark, :earliest, :latest, CAST(:users AS uuid[]), CAST(:lessons AS uuid[])) "
    "GROUP BY GROUPING SETS ((1), ())"
)
_COMPLETIONS = text(
    "SELECT width_bucket(completed_at, CAST(:borders AS timestamptz[])) AS number, count(*) AS completions "
    "FROM learning.progress_as_of(:watermark, CAST(:users AS uuid[]), CAST(:lessons AS uuid[])) "
    "WHERE completed_at >= :earliest AND completed_at < :latest GROUP BY 1"
)


@dataclass(frozen=True, slots=True)
class AskedActivity:
    """Which activity is asked for: without days the last thirty; of a cohort's learners in its lessons, of a lesson."""

    first: date | None = None
    last: date | None = None
    interval: Interval = Interval.DAY
    time_zone: str = "UTC"
    cohort_id: UUID | None = None
    lesson_id: UUID | None = None


async def read_activity(
    connection: AsyncConnection, statements: StatementMatching, asked: AskedActivity, window: Window
) -> ActivityReport:
    """Statements, learners and completions per interval; raises NotFound and PeriodRefused."""
    workspace_id = await workspace_of(connection, asked.cohort_id)
    if asked.lesson_id is not None:
        await find_lesson(connection, asked.lesson_id)
    basis = await basis_of(connection, statements, window)
    days = default_days(basis.watermark, asked.time_zone, asked.first, asked.last)
    borders = Period(*days, asked.interval, asked.time_zone).borders()
    given: dict[str, Any] = {"watermark": basis.watermark, "users": None, "lessons": None}
    given |= {"borders": list(borders), "earliest": borders[0], "latest": borders[-1]}
    if asked.cohort_id is not None:
        of_cohort = {"watermark": basis.watermark, "cohort_id": asked.cohort_id, "workspace_id": workspace_id}
        given["users"] = (await connection.execute(_USERS, of_cohort)).scalars().all()
        given["lessons"] = (await connection.execute(_LESSONS, of_cohort)).scalars().all()
    if asked.lesson_id is not None:
        given["lessons"] = [asked.lesson_id]
    elif asked.cohort_id is None:
        given["lessons"] = await connection.scalar(_OF_ORGANISATION)
    found = {row.number: (row.statements, row.learners) for row in await connection.execute(_ACTIVITY, given)}
    completed = {row.number: row.completions for row in await connection.execute(_COMPLETIONS, given)}
    return ActivityReport(
        basis=basis,
        interval=asked.interval,
        time_zone=asked.time_zone,
        cohort_id=asked.cohort_id,
        lesson_id=asked.lesson_id,
        statements=found[None][0],
        learners=found[None][1],
        completions=sum(completed.values()),
        intervals=intervals_of(borders, found, completed),
    )
