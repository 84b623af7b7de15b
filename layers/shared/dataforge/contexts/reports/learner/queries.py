"""The time line of a learner."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.basis import Window
from dataforge.contexts.reports.learner.domain import LearnerEvent, LearnerLesson, LearnerReport
from dataforge.contexts.reports.reading import basis_of, label_of
from dataforge.kernel.access import Reach
from dataforge.kernel.errors import NotFound
from dataforge.kernel.texts import Text
from dataforge.platform.db.reach import reach_values, within_sql

MOST_TIMES = 10_000  # of statements in the picture
_PERSON = text("SELECT display_name, email FROM identity.directory WHERE user_id = :user_id")
_LESSONS = text(
    "WITH expected AS (SELECT DISTINCT l.lesson_id FROM learning.memberships m "
    "JOIN learning.cohorts c ON c.cohort_id = m.cohort_id AND c.active "
    "CROSS JOIN LATERAL learning.lessons_as_of(:watermark, m.cohort_id) l WHERE m.user_id = :user_id "
    "AND m.joined_at <= :watermark AND (m.left_at IS NULL OR m.left_at > :watermark)) "
    "SELECT l.lesson_id, l.title, l.lesson_number, l.lesson_date, l.required, e.lesson_id IS NOT NULL AS expected, "
    "p.started_at, p.last_at, p.completed_at, coalesce(p.statements, 0) AS statements, p.score_scaled "
    "FROM learning.lessons l LEFT JOIN expected e ON e.lesson_id = l.lesson_id "
    "LEFT JOIN learning.progress_as_of(:watermark, CAST(:users AS uuid[]), NULL) p ON p.lesson_id = l.lesson_id "
    f"WHERE (e.lesson_id IS NOT NULL OR p.lesson_id IS NOT NULL) AND {within_sql('l.workspace_id')} "
    "ORDER BY l.lesson_number NULLS LAST, l.lesson_date NULLS LAST, l.title, l.lesson_id"
)
_TIMES = text(
    "SELECT a.lesson_id, a.occurred_at "
    "FROM learning.activity_as_of(:watermark, NULL, NULL, CAST(:users AS uuid[]), NULL) a "
    f"JOIN learning.lessons l ON l.lesson_id = a.lesson_id WHERE {within_sql('l.workspace_id')} "
    "ORDER BY a.occurred_at DESC, a.statement_id DESC LIMIT :limit"
)
_EVENTS = text(
    "SELECT a.statement_id, a.lesson_id, l.title, a.completes, a.occurred_at "
    "FROM learning.activity_as_of(:watermark, NULL, NULL, CAST(:users AS uuid[]), NULL) a "
    "JOIN learning.lessons l ON l.lesson_id = a.lesson_id "
    f"WHERE {within_sql('l.workspace_id')} AND (CAST(:occurred_at AS timestamptz) IS NULL "
    "OR (a.occurred_at, a.statement_id) < (CAST(:occurred_at AS timestamptz), CAST(:statement_id AS uuid))) "
    "ORDER BY a.occurred_at DESC, a.statement_id DESC LIMIT :limit"
)


async def read_learner(
    connection: AsyncConnection, statements: StatementMatching, user_id: UUID, reach: Reach, window: Window
) -> LearnerReport:
    """The lessons of a learner within reach, and `window.limit` of their statements, newest first; raises NotFound."""
    person = (await connection.execute(_PERSON, {"user_id": user_id})).one_or_none()
    if person is None:
        message = Text("There is no learner {user_id}.", user_id=user_id)
        raise NotFound(message)
    basis = await basis_of(connection, statements, window)
    given = {"watermark": basis.watermark, "user_id": user_id, "users": [user_id], **reach_values(reach)}
    times = await _times(connection, given)
    lessons = [_lesson(row, times) for row in await connection.execute(_LESSONS, given)]
    occurred_at, statement_id = window.key or (None, None)
    position = {"occurred_at": occurred_at, "statement_id": statement_id, "limit": window.limit + 1}
    rows = (await connection.execute(_EVENTS, {**given, **position})).all()
    more, rows = len(rows) > window.limit, rows[: window.limit]
    last = window.next_key(basis, rows[-1].occurred_at.isoformat(), str(rows[-1].statement_id)) if more else None
    events = [LearnerEvent(row.statement_id, row.lesson_id, row.title, row.completes, row.occurred_at) for row in rows]
    return LearnerReport(basis, user_id, person.display_name, person.email, lessons, events, last)


async def _times(connection: AsyncConnection, given: Mapping[str, Any]) -> Mapping[UUID, list[datetime]]:
    times: dict[UUID, list[datetime]] = defaultdict(list)
    for row in await connection.execute(_TIMES, {**given, "limit": MOST_TIMES}):
        times[row.lesson_id].append(row.occurred_at)
    return times


def _lesson(row: Any, times: Mapping[UUID, list[datetime]]) -> LearnerLesson:  # noqa: ANN401 - a row of _LESSONS
    score = None if row.score_scaled is None else float(row.score_scaled)
    return LearnerLesson(
        label_of(row),
        row.expected,
        row.started_at,
        row.last_at,
        row.completed_at,
        row.statements,
        score,
        times.get(row.lesson_id, ()),
    )
