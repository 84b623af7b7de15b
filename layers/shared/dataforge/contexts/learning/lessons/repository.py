"""Lessons."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.learning.lessons.domain import DuplicateLessonUrl
from dataforge.contexts.learning.tables import lessons
from dataforge.kernel.errors import NotFound
from dataforge.platform.db.database import row_dict


def _constraint(error: IntegrityError) -> str:
    diagnostics = getattr(error.orig, "diag", None)
    return str(getattr(diagnostics, "constraint_name", ""))


class Lessons:
    """Lessons inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Insert and return the row; raises DuplicateLessonUrl, or NotFound for an unknown cohort."""
        return await self._write(insert(lessons).values(**values).returning(lessons), values)

    async def lock(self, lesson_id: UUID) -> Mapping[str, Any] | None:
        """The row, locked."""
        return await self._one(select(lessons).where(lessons.c.id == lesson_id).with_for_update())

    async def change(self, lesson_id: UUID, changes: Mapping[str, Any]) -> None:
        """Write the changes and count the revision up; raises DuplicateLessonUrl, or NotFound for an unknown cohort."""
        statement = update(lessons).where(lessons.c.id == lesson_id).values(**changes, revision=lessons.c.revision + 1)
        await self._write(statement.returning(lessons), changes)

    async def _write(self, statement: Any, values: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ANN401 - insert or update
        try:
            return row_dict((await self._connection.execute(statement)).one())
        except IntegrityError as error:
            if _constraint(error) == "uq_lessons_lesson_url":
                message = f"There is already a lesson for {values.get('lesson_url')!r}."
                raise DuplicateLessonUrl(message) from error
            message = f"There is no cohort {values.get('cohort_id')}."
            raise NotFound(message) from error

    async def delete(self, lesson_id: UUID) -> None:
        """Delete; its statements are to be released before."""
        await self._connection.execute(delete(lessons).where(lessons.c.id == lesson_id))

    async def _one(self, query: Any) -> Mapping[str, Any] | None:  # noqa: ANN401 - a select
        row = (await self._connection.execute(query)).one_or_none()
        return None if row is None else row_dict(row)
