"""Lessons and courses beside each other, counted by the database."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.basis import Window
from dataforge.contexts.reports.comparison.domain import ComparedBy, ComparisonReport, ComparisonRow
from dataforge.contexts.reports.reading import LEARNERS, basis_of, workspace_of

_LESSON = "l.lesson_id AS id, l.title AS title, l.lesson_id"
_COMPARED = {
    ComparedBy.LESSON: f"SELECT {_LESSON}, l.cohort_id FROM learning.lessons l",
    ComparedBy.COURSE: "SELECT s.course_id AS id, s.course_title AS title, l.lesson_id, l.cohort_id "
    "FROM learning.lessons l JOIN academics.taught_sections s ON s.section_id = l.section_id",
}


def _query(by: ComparedBy) -> str:
    """What is on the page is decided first, so that a page costs what it shows."""
    return (
        f"WITH part AS ({_COMPARED[by]} WHERE l.created_at <= :watermark "
        "AND l.workspace_id IS NOT DISTINCT FROM CAST(:workspace_id AS uuid) "
        "AND (CAST(:cohort_id AS uuid) IS NULL OR l.cohort_id IS NULL OR l.cohort_id = :cohort_id)), "
        "shown AS (SELECT DISTINCT title, id FROM part "
        "WHERE CAST(:after AS uuid) IS NULL OR (title, id) > (:title, :after) ORDER BY title, id LIMIT :limit), "
        "member AS (SELECT DISTINCT c.cohort_id, d.user_id FROM learning.cohorts c "
        "CROSS JOIN LATERAL learning.members_as_of(:watermark, c.cohort_id) m "
        "JOIN identity.directory d ON d.user_id = m.user_id "
        "WHERE (c.cohort_id = CAST(:cohort_id AS uuid) OR CAST(:cohort_id AS uuid) IS NULL AND c.active "
        "AND c.workspace_id IS NULL) "
        "AND (d.suspended_at IS NULL OR d.suspended_at > :watermark)), "
        "expected AS (SELECT DISTINCT p.id, p.lesson_id, m.user_id FROM part p JOIN shown s ON s.id = p.id "
        "JOIN member m ON p.cohort_id IS NULL OR p.cohort_id = m.cohort_id), "
        "counted AS (SELECT e.id, count(*) AS expected, count(g.user_id) AS started, "
        "count(g.completed_at) AS completed, percentile_cont(0.5) WITHIN GROUP (ORDER BY "
        "CAST(extract(epoch FROM g.completed_at - g.started_at) AS double precision)) AS median_seconds, "
        "CAST(avg(g.score_scaled) FILTER (WHERE g.completed_at IS NOT NULL) AS double precision) AS mean_score, "
        "count(g.score_scaled) FILTER (WHERE g.completed_at IS NOT NULL) AS scored FROM expected e "
        "LEFT JOIN learning.progress_as_of(:watermark, CAST(:users AS uuid[]), NULL) g "
        "ON g.user_id = e.user_id AND g.lesson_id = e.lesson_id GROUP BY e.id) "
        "SELECT s.id, s.title, coalesce(c.expected, 0), coalesce(c.started, 0), coalesce(c.completed, 0), "
        "c.median_seconds, c.mean_score, coalesce(c.scored, 0) FROM shown s LEFT JOIN counted c ON c.id = s.id "
        "ORDER BY s.title, s.id"
    )


_USERS = text(f"SELECT user_id FROM ({LEARNERS}) l")
_QUERIES = {by: text(_query(by)) for by in ComparedBy}


async def read_comparison(
    connection: AsyncConnection,
    statements: StatementMatching,
    by: ComparedBy,
    window: Window,
    cohort_id: UUID | None = None,
) -> ComparisonReport:
    """Lessons, or courses with those of their sections, by title; raises NotFound for an unknown cohort."""
    workspace_id = await workspace_of(connection, cohort_id)
    basis = await basis_of(connection, statements, window)
    title, after = window.key or ("", None)
    given: dict[str, Any] = {"watermark": basis.watermark, "cohort_id": cohort_id, "workspace_id": workspace_id}
    given["users"] = None
    if cohort_id is not None:
        given["users"] = (await connection.execute(_USERS, given)).scalars().all()
    given |= {"title": title, "after": after, "limit": window.limit + 1}
    found = [ComparisonRow(*row) for row in await connection.execute(_QUERIES[by], given)]
    rows = found[: window.limit]
    last = window.next_key(basis, rows[-1].title, rows[-1].id) if len(found) > window.limit else None
    return ComparisonReport(basis, by, cohort_id, rows, last)
