"""Cohorts and lessons to choose from."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.kernel.access import Reach
from dataforge.platform.db.reach import reach_values, within_sql

MOST_CHOICES = 200
_COHORTS = text(
    "SELECT c.cohort_id, c.name, c.active, (SELECT count(*) FROM learning.memberships m "
    "WHERE m.cohort_id = c.cohort_id AND m.left_at IS NULL) AS members "
    "FROM learning.cohorts c WHERE (c.name ILIKE :pattern OR c.cohort_id = CAST(:chosen AS uuid)) "
    f"AND {within_sql('c.workspace_id')} "
    "ORDER BY c.active DESC, lower(c.name), c.cohort_id LIMIT :limit"
)
_LESSONS = text(
    "SELECT l.lesson_id, l.title, l.lesson_number, l.lesson_date, c.name AS cohort_name "
    "FROM learning.lessons l LEFT JOIN learning.cohorts c ON c.cohort_id = l.cohort_id "
    f"WHERE (l.title ILIKE :pattern OR l.lesson_id = CAST(:chosen AS uuid)) AND {within_sql('l.workspace_id')} "
    "ORDER BY lower(l.title), l.lesson_id LIMIT :limit"
)
_NAMES = text("SELECT user_id, display_name FROM identity.directory WHERE user_id = ANY (CAST(:ids AS uuid[]))")
_TITLES = text("SELECT lesson_id, title FROM learning.lessons WHERE lesson_id = ANY (CAST(:ids AS uuid[]))")


@dataclass(frozen=True, slots=True)
class CohortChoice:
    """A cohort and how many are in it now."""

    cohort_id: UUID
    name: str
    active: bool
    members: int


@dataclass(frozen=True, slots=True)
class LessonChoice:
    """A lesson; without `cohort_name` it is for everybody."""

    lesson_id: UUID
    title: str
    lesson_number: int | None
    cohort_name: str | None


async def cohort_choices(
    connection: AsyncConnection, reach: Reach, words: str = "", *, chosen: UUID | None = None, limit: int = MOST_CHOICES
) -> Sequence[CohortChoice]:
    """Cohorts within reach whose name has these words in it, active ones first; the chosen one with them."""
    given = {"pattern": _pattern(words), "chosen": chosen, "limit": limit, **reach_values(reach)}
    rows = await connection.execute(_COHORTS, given)
    return [CohortChoice(row.cohort_id, row.name, row.active, row.members) for row in rows]


async def lesson_choices(
    connection: AsyncConnection, reach: Reach, words: str = "", *, chosen: UUID | None = None, limit: int = MOST_CHOICES
) -> Sequence[LessonChoice]:
    """Lessons within reach whose title has these words in it, by title; the chosen one with them."""
    given = {"pattern": _pattern(words), "chosen": chosen, "limit": limit, **reach_values(reach)}
    rows = await connection.execute(_LESSONS, given)
    return [LessonChoice(row.lesson_id, row.title, row.lesson_number, row.cohort_name) for row in rows]


async def names_of_people(connection: AsyncConnection, ids: Collection[UUID]) -> Mapping[UUID, str]:
    """What people are called; those that are gone have no name."""
    found = await connection.execute(_NAMES, {"ids": list(ids)})
    return {**dict.fromkeys(ids, ""), **{row.user_id: row.display_name for row in found}}


async def titles_of_lessons(connection: AsyncConnection, ids: Collection[UUID]) -> Mapping[UUID, str]:
    """What lessons are called; those that are gone have no title."""
    found = await connection.execute(_TITLES, {"ids": list(ids)})
    return {**dict.fromkeys(ids, ""), **{row.lesson_id: row.title for row in found}}


def _pattern(words: str) -> str:
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
