"""Lessons."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.learning.lessons.domain import DuplicateLessonUrl
from dataforge.contexts.learning.tables import lessons
from dataforge.kernel.errors import NotFound
from dataforge.platform.db.versioned_rows import Refusals, Row, VersionedRows


class Lessons(VersionedRows):
    """Lessons inside one transaction; raises DuplicateLessonUrl, and NotFound for an unknown cohort."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        refusals: Refusals = {"uq_lessons_lesson_url": _taken, "fk_lessons_cohort_id_cohorts": _no_cohort}
        super().__init__(connection, lessons, "lesson", now, refusals=refusals)


def _taken(row: Row) -> DuplicateLessonUrl:
    return DuplicateLessonUrl(f"There is already a lesson for {row.get('lesson_url')!r}.")


def _no_cohort(row: Row) -> NotFound:
    return NotFound(f"There is no cohort {row.get('cohort_id')}.")
