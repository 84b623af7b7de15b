"""Read models of records: lessons, cohorts, and who has done what."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.records.domain.consistency import MARGIN_SECONDS
from dataforge.contexts.records.tables import cohort_members, cohorts, directory, lessons
from dataforge.kernel.errors import NotFound
from dataforge.kernel.paging import Page
from dataforge.platform.db.database import row_dict

After = tuple[Any, ...] | None

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
_BOUND = text(
    "SELECT least((SELECT min(stored_at) - interval '1 microsecond' FROM records.intake), "
    "(SELECT min(stored_at) - interval '1 microsecond' FROM records.statements_raw "
    "WHERE state IN ('pending','failed')), "
    f"clock_timestamp() - interval '{MARGIN_SECONDS} seconds')"
)
_NIL = UUID(int=0)


async def get_cohort(connection: AsyncConnection, cohort_id: UUID) -> dict[str, Any]:
    """A cohort; raises NotFound."""
    return await _one(connection, select(cohorts).where(cohorts.c.id == cohort_id), f"There is no cohort {cohort_id}.")


async def get_lesson(connection: AsyncConnection, lesson_id: UUID) -> dict[str, Any]:
    """A lesson; raises NotFound."""
    return await _one(connection, select(lessons).where(lessons.c.id == lesson_id), f"There is no lesson {lesson_id}.")


async def list_cohorts(
    connection: AsyncConnection, *, after: After, limit: int, active: bool | None
) -> Page[dict[str, Any]]:
    """Cohorts by name."""
    query = select(cohorts).order_by(cohorts.c.name, cohorts.c.id).limit(limit + 1)
    if active is not None:
        query = query.where(cohorts.c.active == active)
    if after is not None:
        query = query.where(tuple_(cohorts.c.name, cohorts.c.id) > tuple_(after[0], UUID(after[1])))
    return await _page(connection, query, limit, ("name", "id"))


async def list_members(
    connection: AsyncConnection, cohort_id: UUID, *, after: After, limit: int
) -> Page[dict[str, Any]]:
    """Current members of a cohort by user id; raises NotFound."""
    await get_cohort(connection, cohort_id)
    query = (
        select(cohort_members.c.user_id, directory.c.display_name, directory.c.email, cohort_members.c.joined_at)
        .join(directory, directory.c.user_id == cohort_members.c.user_id)
        .where(cohort_members.c.cohort_id == cohort_id, cohort_members.c.left_at.is_(None))
        .order_by(cohort_members.c.user_id)
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(cohort_members.c.user_id > UUID(after[0]))
    return await _page(connection, query, limit, ("user_id",))


async def list_lessons(
    connection: AsyncConnection, *, after: After, limit: int, cohort_id: UUID | None
) -> Page[dict[str, Any]]:
    """Lessons in order of creation, of one cohort or all."""
    query = select(lessons).order_by(lessons.c.id).limit(limit + 1)
    if cohort_id is not None:
        query = query.where(lessons.c.cohort_id == cohort_id)
    if after is not None:
        query = query.where(lessons.c.id > UUID(after[0]))
    return await _page(connection, query, limit, ("id",))


async def cohort_completions(
    connection: AsyncConnection, cohort_id: UUID, *, after: After, limit: int, as_of: datetime | None
) -> tuple[Page[dict[str, Any]], datetime]:
    """Who of a cohort completed which of its lessons, first completion each, and the watermark; raises NotFound.

    Lessons that belong to no cohort count for every cohort.
    """
    await get_cohort(connection, cohort_id)
    watermark = await _watermark(connection, as_of)
    user_id, lesson_id = (UUID(after[0]), UUID(after[1])) if after else (_NIL, _NIL)
    values = {"cohort_id": cohort_id, "user_id": user_id, "lesson_id": lesson_id, "as_of": as_of, "limit": limit + 1}
    rows = [row_dict(row) for row in await connection.execute(_COMPLETIONS, values)]
    return _paged(rows, limit, ("user_id", "lesson_id")), watermark


async def lesson_incomplete(
    connection: AsyncConnection, lesson_id: UUID, *, after: After, limit: int, as_of: datetime | None
) -> tuple[Page[dict[str, Any]], datetime]:
    """Who should have completed a lesson and has not, and the watermark; raises NotFound.

    Expected are the members of the lesson's cohort, or of every active cohort when the lesson belongs to none.
    """
    lesson = await get_lesson(connection, lesson_id)
    watermark = await _watermark(connection, as_of)
    values: Mapping[str, Any] = {
        "lesson_id": lesson_id,
        "cohort_id": lesson["cohort_id"],
        "user_id": UUID(after[0]) if after else _NIL,
        "as_of": as_of,
        "limit": limit + 1,
    }
    rows = [row_dict(row) for row in await connection.execute(_INCOMPLETE, values)]
    return _paged(rows, limit, ("user_id",)), watermark


async def _watermark(connection: AsyncConnection, as_of: datetime | None) -> datetime:
    """Every statement stored up to this instant is in the answer: the bound, or the earlier instant asked for."""
    bound: datetime = (await connection.execute(_BOUND)).scalar_one()
    return bound if as_of is None else min(as_of, bound)


async def _one(connection: AsyncConnection, query: Select[Any], missing: str) -> dict[str, Any]:
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFound(missing)
    return row_dict(row)


async def _page(
    connection: AsyncConnection, query: Select[Any], limit: int, key: tuple[str, ...]
) -> Page[dict[str, Any]]:
    return _paged([row_dict(row) for row in await connection.execute(query)], limit, key)


def _paged(rows: list[dict[str, Any]], limit: int, key: tuple[str, ...]) -> Page[dict[str, Any]]:
    more, rows = len(rows) > limit, rows[:limit]
    return Page(rows, tuple(str(rows[-1][name]) for name in key) if more else None)
