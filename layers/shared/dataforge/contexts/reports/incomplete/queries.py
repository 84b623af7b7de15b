"""Who has not completed a lesson, read from the database."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.basis import Window
from dataforge.contexts.reports.incomplete.domain import IncompleteReport, MissingLearner
from dataforge.contexts.reports.reading import EXPECTED, basis_of, find_cohort, find_lesson

_FOUND = (
    f"WITH found AS (SELECT e.user_id, e.display_name, e.email, p.started_at, p.last_at, p.completed_at "
    f"FROM ({EXPECTED}) e LEFT JOIN learning.progress_as_of(:watermark, NULL, CAST(:lessons AS uuid[])) p "
    "ON p.user_id = e.user_id) "
)
_COUNTS = text(
    f"{_FOUND} SELECT count(*) AS expected, count(*) FILTER (WHERE completed_at IS NULL) AS missing FROM found"
)
_PAGE = text(
    f"{_FOUND} SELECT user_id, display_name, email, started_at, last_at FROM found WHERE completed_at IS NULL "
    "AND (CAST(:user_id AS uuid) IS NULL OR (display_name, user_id) > (:display_name, :user_id)) "
    "ORDER BY display_name, user_id LIMIT :limit"
)


async def read_incomplete(
    connection: AsyncConnection,
    statements: StatementMatching,
    lesson_id: UUID,
    window: Window,
    cohort_id: UUID | None = None,
) -> IncompleteReport:
    """Who of a cohort, or of all of whom the lesson is expected, has not completed it; raises NotFound."""
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
    counts = (await connection.execute(_COUNTS, given)).one()
    display_name, user_id = window.key or ("", None)
    position = {"display_name": display_name, "user_id": user_id, "limit": window.limit + 1}
    found = [MissingLearner(*row) for row in await connection.execute(_PAGE, {**given, **position})]
    learners = found[: window.limit]
    more = len(found) > window.limit
    last = window.next_key(basis, learners[-1].display_name, learners[-1].user_id) if more else None
    return IncompleteReport(basis, lesson.label, cohort_id, counts.expected, counts.missing, learners, last)
