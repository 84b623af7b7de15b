"""Lessons as lists show them."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.learning.pages_of_rows import After, one_row, page_of
from dataforge.contexts.learning.tables import lesson_addresses, lessons
from dataforge.kernel.access import Reach
from dataforge.kernel.errors import NotFound
from dataforge.kernel.paging import Page
from dataforge.kernel.texts import Text
from dataforge.platform.db.reach import within


def lesson_missing(lesson_id: UUID) -> NotFound:
    """The refusal for a lesson that is not there, and for everybody who may not read it."""
    return NotFound(Text("There is no lesson {lesson_id}.", lesson_id=lesson_id))


async def workspace_of_lesson(connection: AsyncConnection, lesson_id: UUID) -> UUID | None:
    """The workspace that a lesson belongs to, None for one of the organisation; raises NotFound."""
    row = (await connection.execute(select(lessons.c.workspace_id).where(lessons.c.id == lesson_id))).one_or_none()
    if row is None:
        raise lesson_missing(lesson_id)
    workspace_id: UUID | None = row.workspace_id
    return workspace_id


async def get_lesson(connection: AsyncConnection, lesson_id: UUID) -> dict[str, Any]:
    """A lesson; raises NotFound."""
    return await one_row(
        connection,
        select(lessons).where(lessons.c.id == lesson_id),
        Text("There is no lesson {lesson_id}.", lesson_id=lesson_id),
    )


async def list_lessons(
    connection: AsyncConnection,
    reach: Reach,
    *,
    after: After,
    limit: int,
    cohort_id: UUID | None,
    workspace_id: UUID | None = None,
) -> Page[dict[str, Any]]:
    """Lessons within reach in order of creation, of one cohort or workspace or all."""
    query = select(lessons).where(within(lessons.c.workspace_id, reach)).order_by(lessons.c.id).limit(limit + 1)
    if workspace_id is not None:
        query = query.where(lessons.c.workspace_id == workspace_id)
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
