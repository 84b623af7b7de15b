"""Who is at risk, read from the database."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.at_risk.domain import AtRiskLearner, AtRiskReport, idle_since, whole_days
from dataforge.contexts.reports.basis import Window
from dataforge.contexts.reports.reading import basis_of, workspace_of

_MEMBERS = (
    "SELECT m.user_id, c.cohort_id, c.name FROM learning.cohorts c "
    "CROSS JOIN LATERAL learning.members_as_of(:watermark, c.cohort_id) m "
    "WHERE c.active AND c.workspace_id IS NOT DISTINCT FROM CAST(:workspace_id AS uuid)"
)
_USERS = text(
    f"SELECT DISTINCT user_id FROM ({_MEMBERS}) m WHERE CAST(:cohort_id AS uuid) IS NULL OR cohort_id = :cohort_id"
)
# Who has been idle long enough comes first; what is required of whom is worked out for these only. Activity is a
# statement of any lesson of the workspace, or of the organisation.
_AT_RISK = (
    f"WITH member AS ({_MEMBERS}), "
    "active AS (SELECT p.user_id, max(p.last_at) AS last_activity "
    "FROM learning.progress_as_of(:watermark, CAST(:users AS uuid[]), NULL) p "
    "JOIN learning.lessons o ON o.lesson_id = p.lesson_id "
    "AND o.workspace_id IS NOT DISTINCT FROM CAST(:workspace_id AS uuid) GROUP BY p.user_id), "
    "idle AS (SELECT d.user_id, d.display_name, d.email, a.last_activity FROM identity.directory d "
    "LEFT JOIN active a ON a.user_id = d.user_id WHERE d.user_id = ANY (CAST(:users AS uuid[])) "
    "AND (d.suspended_at IS NULL OR d.suspended_at > :watermark) "
    "AND (a.last_activity <= :idle_since OR a.last_activity IS NULL AND :never_started)), "
    "required AS (SELECT DISTINCT i.user_id, l.lesson_id FROM idle i JOIN member m ON m.user_id = i.user_id "
    "CROSS JOIN LATERAL learning.lessons_as_of(:watermark, m.cohort_id) l WHERE l.required), "
    "counted AS (SELECT r.user_id, count(*) AS required, count(p.user_id) AS started, "
    "count(p.completed_at) AS completed FROM required r "
    "LEFT JOIN learning.progress_as_of(:watermark, CAST(:users AS uuid[]), NULL) p "
    "ON p.user_id = r.user_id AND p.lesson_id = r.lesson_id GROUP BY r.user_id), "
    "at_risk AS (SELECT i.*, c.required, c.started, c.completed, "
    "coalesce(i.last_activity, '-infinity') AS place FROM idle i JOIN counted c ON c.user_id = i.user_id "
    "WHERE c.completed < c.required) "
)
_TOTAL = text(f"{_AT_RISK} SELECT count(*) FROM at_risk")
_PAGE = text(
    f"{_AT_RISK} SELECT a.user_id, a.display_name, a.email, a.last_activity, a.required, a.started, a.completed, "
    "(SELECT array_agg(m.name ORDER BY m.name) FROM member m WHERE m.user_id = a.user_id) AS cohorts FROM at_risk a "
    "WHERE CAST(:user_id AS uuid) IS NULL OR (a.place, a.user_id) > (CAST(:place AS timestamptz), :user_id) "
    "ORDER BY a.place, a.user_id LIMIT :limit"
)


async def read_at_risk(
    connection: AsyncConnection,
    statements: StatementMatching,
    window: Window,
    cohort_id: UUID | None = None,
    *,
    idle_days: int = 7,
    include_never_started: bool = False,
) -> AtRiskReport:
    """Learners of active cohorts who are at risk, longest idle first; raises NotFound for an unknown cohort."""
    workspace_id = await workspace_of(connection, cohort_id)
    basis = await basis_of(connection, statements, window)
    given: dict[str, Any] = {
        "watermark": basis.watermark,
        "cohort_id": cohort_id,
        "workspace_id": workspace_id,
        "idle_since": idle_since(basis.watermark, idle_days),
        "never_started": include_never_started,
    }
    given["users"] = (await connection.execute(_USERS, given)).scalars().all()
    total = (await connection.execute(_TOTAL, given)).scalar_one()
    place, user_id = window.key or ("-infinity", None)
    rows = (
        await connection.execute(_PAGE, {**given, "place": place, "user_id": user_id, "limit": window.limit + 1})
    ).all()
    learners = [
        AtRiskLearner(
            user_id=row.user_id,
            display_name=row.display_name,
            email=row.email,
            cohorts=tuple(row.cohorts),
            required=row.required,
            started=row.started,
            completed=row.completed,
            last_activity=row.last_activity,
            idle_days=whole_days(row.last_activity, basis.watermark),
        )
        for row in rows[: window.limit]
    ]
    last = None
    if len(rows) > window.limit:
        last = window.next_key(basis, _place(learners[-1].last_activity), learners[-1].user_id)
    return AtRiskReport(basis, cohort_id, idle_days, include_never_started, total, learners, last)


def _place(last_activity: datetime | None) -> str:
    return "-infinity" if last_activity is None else last_activity.isoformat()
