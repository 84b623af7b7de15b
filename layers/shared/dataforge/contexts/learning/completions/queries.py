"""Who has completed what, and who has not."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.learning.cohorts.queries import get_cohort
from dataforge.contexts.learning.lessons.queries import get_lesson
from dataforge.contexts.learning.pages_of_rows import After, paged
from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.kernel.paging import Page
from dataforge.platform.db.database import row_dict

_COMPLETIONS = text(
    "SELECT m.user_id, d.display_name, d.email, l.lesson_id, l.lesson_url, l.lesson_number, "
    "l.title AS lesson_title, p.completed_by AS statement_id, p.completed_at, p.score_scaled "
    "FROM learning.members_as_of(:as_of, :cohort_id) m JOIN identity.directory d ON d.user_id = m.user_id "
    "CROSS JOIN learning.lessons_as_of(:as_of, :cohort_id) l "
    "JOIN LATERAL learning.progress_as_of(:as_of, ARRAY[m.user_id], ARRAY[l.lesson_id]) p "
    "ON p.completed_at IS NOT NULL "
    "WHERE (m.user_id, l.lesson_id) > (:user_id, :lesson_id) ORDER BY m.user_id, l.lesson_id LIMIT :limit"
)
_INCOMPLETE = text(
    "SELECT d.user_id, d.display_name, d.email FROM identity.directory d "
    "WHERE d.suspended_at IS NULL AND d.user_id > :user_id AND EXISTS (SELECT 1 FROM learning.memberships m "
    "JOIN learning.cohorts c ON c.cohort_id = m.cohort_id WHERE m.user_id = d.user_id AND m.joined_at <= :as_of "
    "AND (m.left_at IS NULL OR m.left_at > :as_of) AND c.active "
    "AND (m.cohort_id = CAST(:cohort_id AS uuid) OR CAST(:cohort_id AS uuid) IS NULL "
    "AND c.workspace_id IS NOT DISTINCT FROM CAST(:workspace_id AS uuid))) "
    "AND NOT EXISTS (SELECT 1 FROM learning.progress_as_of(:as_of, ARRAY[d.user_id], "
    "ARRAY[CAST(:lesson_id AS uuid)]) p WHERE p.completed_at IS NOT NULL) "
    "ORDER BY d.user_id LIMIT :limit"
)
_NIL = UUID(int=0)


async def completions_of_cohort(
    connection: AsyncConnection,
    cohort_id: UUID,
    statements: StatementMatching,
    *,
    after: After,
    limit: int,
    as_of: datetime | None,
) -> tuple[Page[dict[str, Any]], datetime]:
    """Who of a cohort completed which of its lessons, first completion each, and the watermark; raises NotFound.

    Lessons that belong to no cohort count for every cohort of their workspace, or of the organisation.
    """
    await get_cohort(connection, cohort_id)
    watermark = await _watermark(connection, _begun_at(after, 2) or as_of, statements)
    user_id, lesson_id = (UUID(after[0]), UUID(after[1])) if after else (_NIL, _NIL)
    values = {
        "cohort_id": cohort_id,
        "user_id": user_id,
        "lesson_id": lesson_id,
        "as_of": watermark,
        "limit": limit + 1,
    }
    rows = [row_dict(row) for row in await connection.execute(_COMPLETIONS, values)]
    return _as_of(paged(rows, limit, ("user_id", "lesson_id")), watermark), watermark


async def missing_completions(
    connection: AsyncConnection,
    lesson_id: UUID,
    statements: StatementMatching,
    *,
    after: After,
    limit: int,
    as_of: datetime | None,
) -> tuple[Page[dict[str, Any]], datetime]:
    """Who should have completed a lesson and has not, and the watermark; raises NotFound.

    Expected are the members of the lesson's cohort, or, when it belongs to none, of every active cohort of its
    workspace, or of the organisation.
    """
    lesson = await get_lesson(connection, lesson_id)
    watermark = await _watermark(connection, _begun_at(after, 1) or as_of, statements)
    values: Mapping[str, Any] = {
        "lesson_id": lesson_id,
        "cohort_id": lesson["cohort_id"],
        "workspace_id": lesson["workspace_id"],
        "user_id": UUID(after[0]) if after else _NIL,
        "as_of": watermark,
        "limit": limit + 1,
    }
    rows = [row_dict(row) for row in await connection.execute(_INCOMPLETE, values)]
    return _as_of(paged(rows, limit, ("user_id",)), watermark), watermark


def _as_of(page: Page[dict[str, Any]], watermark: datetime) -> Page[dict[str, Any]]:
    """The page, whose cursor brings the next one as of the same watermark."""
    return page if page.next_key is None else replace(page, next_key=(*page.next_key, watermark.isoformat()))


def _begun_at(after: After, position: int) -> datetime | None:
    """The watermark of the page before."""
    return datetime.fromisoformat(after[position]) if after and len(after) > position else None


async def _watermark(connection: AsyncConnection, as_of: datetime | None, statements: StatementMatching) -> datetime:
    """The answer is what was known at this instant: the bound, or the earlier instant asked for."""
    bound = await statements.reported_through(connection)
    return bound if as_of is None else min(as_of, bound)
