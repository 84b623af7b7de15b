"""Lessons as lists show them."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.learning.pages_of_rows import After, one_row, page_of
from dataforge.contexts.learning.tables import lesson_addresses, lessons
from dataforge.kernel.paging import Page


async def get_lesson(connection: AsyncConnection, lesson_id: UUID) -> dict[str, Any]:
    """A lesson; raises NotFound."""
    return await one_row(
        connection, select(lessons).where(lessons.c.id == lesson_id), f"There is no lesson {lesson_id}."
    )


async def list_lessons(
    connection: AsyncConnection, *, after: After, limit: int, cohort_id: UUID | None
) -> Page[dict[str, Any]]:
    """Lessons in order of creation, of one cohort or all."""
    query = select(lessons).order_by(lessons.c.id).limit(limit + 1)
    if cohort_id is not None:
        query = query.where(lessons.c.cohort_id == cohort_id)
    if after is not None:
        query = query.where(lessons.c.id > UUID(after[0]))
    return await page_of(connection, query, limit, ("id",))


async def get_aliases(connection: AsyncConnection, lesson_id: UUID) -> dict[str, Any]:
    """A lesson with its `aliases`, in order; raises NotFound."""
    lesson = await get_lesson(connection, lesson_id)
    query = (
        select(lesson_addresses.c.address)
        .where(lesson_addresses.c.lesson_id == lesson_id, lesson_addresses.c.alias)
        .order_by(lesson_addresses.c.address)
    )
    return {**lesson, "aliases": list((await connection.execute(query)).scalars())}
