"""Who has completed what, and who has not."""

from collections.abc import Mapping
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

# The first completion of each member and lesson; LATERAL lets a page stop as soon as it is full.
_COMPLETIONS = text(
    "SELECT m.user_id, d.display_name, d.email, l.id AS lesson_id, l.lesson_url, l.lesson_number, "
    "l.title AS lesson_title, c.statement_id, c.occurred_at AS completed_at, c.score_scaled "
    "FROM records.cohort_members m JOIN identity.directory d ON d.user_id = m.user_id CROSS JOIN records.lessons l "
    "CROSS JOIN LATERAL (SELECT f.statement_id, f.occurred_at, f.score_scaled FROM records.statements_flat f "
    "WHERE f.lesson_id = l.id AND f.user_id = m.user_id AND f.completes AND NOT f.voided "
    "AND (CAST(:as_of AS timestamptz) IS NULL OR f.stored_at <= :as_of) "
    "ORDER BY f.occurred_at, f.statement_id LIMIT 1) c "
    "WHERE m.cohort_id = :cohort_id AND m.left_at IS NULL AND (l.cohort_id IS NULL OR l.cohort_id = :cohort_id) "
    "AND (m.user_id, l.id) > (:user_id, :lesson_id) ORDER BY m.user_id, l.id LIMIT :limit"
)
_INCOMPLETE = text(
    "SELECT d.user_id, d.display_name, d.email FROM identity.directory d "
    "WHERE d.suspended_at IS NULL AND d.user_id > :user_id AND EXISTS (SELECT 1 FROM records.cohort_members m "
    "JOIN records.cohorts c ON c.id = m.cohort_id WHERE m.user_id = d.user_id AND m.left_at IS NULL AND c.active "
    "AND (CAST(:cohort_id AS uuid) IS NULL OR m.cohort_id = :cohort_id)) "
    "AND NOT EXISTS (SELECT 1 FROM records.statements_flat f WHERE f.lesson_id = :lesson_id AND f.user_id = d.user_id "
    "AND f.completes AND NOT f.voided AND (CAST(:as_of AS timestamptz) IS NULL OR f.stored_at <= :as_of)) "
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

    Lessons that belong to no cohort count for every cohort.
    """
    await get_cohort(connection, cohort_id)
    watermark = await _watermark(connection, as_of, statements)
    user_id, lesson_id = (UUID(after[0]), UUID(after[1])) if after else (_NIL, _NIL)
    values = {"cohort_id": cohort_id, "user_id": user_id, "lesson_id": lesson_id, "as_of": as_of, "limit": limit + 1}
    rows = [row_dict(row) for row in await connection.execute(_COMPLETIONS, values)]
    return paged(rows, limit, ("user_id", "lesson_id")), watermark


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

    Expected are the members of the lesson's cohort, or of every active cohort when the lesson belongs to none.
    """
    lesson = await get_lesson(connection, lesson_id)
    watermark = await _watermark(connection, as_of, statements)
    values: Mapping[str, Any] = {
        "lesson_id": lesson_id,
        "cohort_id": lesson["cohort_id"],
        "user_id": UUID(after[0]) if after else _NIL,
        "as_of": as_of,
        "limit": limit + 1,
    }
    rows = [row_dict(row) for row in await connection.execute(_INCOMPLETE, values)]
    return paged(rows, limit, ("user_id",)), watermark


async def _watermark(connection: AsyncConnection, as_of: datetime | None, statements: StatementMatching) -> datetime:
    """Every statement stored up to this instant is in the answer: the bound, or the earlier instant asked for."""
    bound = await statements.reported_through(connection)
    return bound if as_of is None else min(as_of, bound)
