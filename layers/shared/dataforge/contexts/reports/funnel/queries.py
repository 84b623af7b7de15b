"""The funnel of a lesson, counted by the database."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.basis import Window
from dataforge.contexts.reports.funnel.domain import FunnelReport, duration_histogram, durations_of, funnel_stages
from dataforge.contexts.reports.reading import EXPECTED, basis_of, find_cohort, find_lesson

_FUNNEL = text(
    "SELECT count(*) AS expected, count(p.user_id) AS started, count(p.completed_at) AS completed, "
    "array_agg(CAST(extract(epoch FROM p.completed_at - p.started_at) AS double precision)) "
    "FILTER (WHERE p.completed_at IS NOT NULL) AS seconds "
    f"FROM ({EXPECTED}) e LEFT JOIN learning.progress_as_of(:watermark, NULL, CAST(:lessons AS uuid[])) p "
    "ON p.user_id = e.user_id"
)


async def read_funnel(
    connection: AsyncConnection,
    statements: StatementMatching,
    lesson_id: UUID,
    window: Window,
    cohort_id: UUID | None = None,
) -> FunnelReport:
    """The funnel of a lesson, in a cohort or among all of whom it is expected; raises NotFound."""
    lesson = await find_lesson(connection, lesson_id)
    if cohort_id is not None:
        await find_cohort(connection, cohort_id)
    basis = await basis_of(connection, statements, window)
    given = {
        "watermark": basis.watermark,
        "lessons": [lesson_id],
        "cohort_id": cohort_id,
        "of_cohort": lesson.cohort_id,
        "workspace_id": lesson.workspace_id,
    }
    row = (await connection.execute(_FUNNEL, given)).one()
    seconds = sorted(row.seconds or ())
    stages = funnel_stages(row.expected, row.started, row.completed)
    return FunnelReport(basis, lesson.label, cohort_id, stages, durations_of(seconds), duration_histogram(seconds))
