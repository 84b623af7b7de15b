"""Lessons."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.learning.lessons.domain import DuplicateLessonUrl, LessonAddress, WrittenAddress
from dataforge.contexts.learning.tables import lesson_addresses, lessons
from dataforge.kernel.errors import NotFound
from dataforge.kernel.iri import normal_iri
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict
from dataforge.platform.db.versioned_rows import Refusals, Row, VersionedRows, explained


class Lessons(VersionedRows):
    """Lessons inside one transaction; raises DuplicateLessonUrl, and NotFound for an unknown cohort."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        refusals: Refusals = {"uq_lessons_lesson_url": _taken, "fk_lessons_cohort_id_cohorts": _no_cohort}
        super().__init__(connection, lessons, "lesson", now, refusals=refusals)

    async def lock_of_workspace(self, workspace_id: UUID) -> Sequence[Row]:
        """The lessons of a workspace, locked."""
        query = select(lessons).where(lessons.c.workspace_id == workspace_id).order_by(lessons.c.id).with_for_update()
        return [row_dict(row) for row in await self._connection.execute(query)]

    async def addresses(self, lesson_id: UUID) -> Sequence[LessonAddress]:
        """The addresses of a lesson, its own first; call it with the lesson locked."""
        query = (
            select(lesson_addresses.c.address, lesson_addresses.c.alias)
            .where(lesson_addresses.c.lesson_id == lesson_id)
            .order_by(lesson_addresses.c.alias, lesson_addresses.c.address)
        )
        return [LessonAddress(row.address, alias=row.alias) for row in await self._connection.execute(query)]

    async def exists(self, lesson_id: UUID) -> bool:
        """Whether there is the lesson, which then stays until the end of the transaction."""
        return await self.find(lessons.c.id == lesson_id) is not None

    async def add_address(self, lesson_id: UUID, address: LessonAddress, url: str) -> None:
        """Let an address mean the lesson; `url` is how it was written. Raises DuplicateLessonUrl."""
        values = {"address": address.address, "lesson_id": lesson_id, "alias": address.alias}
        async with explained(
            "lesson", "lesson_addresses", refusals={"pk_lesson_addresses": _taken}, row={"lesson_url": url}
        ):
            await self._connection.execute(insert(lesson_addresses).values(values))

    async def mark_address(self, lesson_id: UUID, address: LessonAddress) -> None:
        """Say of an address of the lesson whether it is an alias."""
        statement = (
            update(lesson_addresses)
            .where(lesson_addresses.c.lesson_id == lesson_id, lesson_addresses.c.address == address.address)
            .values(alias=address.alias)
        )
        await self._connection.execute(statement)

    async def with_other_address(self) -> Sequence[WrittenAddress]:
        """Lessons whose address is not the normal form of their URL, oldest first."""
        own = (lesson_addresses.c.lesson_id == lessons.c.id) & ~lesson_addresses.c.alias
        query = (
            select(lessons.c.id, lessons.c.lesson_url, lesson_addresses.c.address)
            .select_from(lessons.outerjoin(lesson_addresses, own))
            .order_by(lessons.c.created_at, lessons.c.id)
        )
        rows = [WrittenAddress(row.id, row.lesson_url, row.address) for row in await self._connection.execute(query)]
        return [row for row in rows if row.address != normal_iri(row.lesson_url)]

    async def replace_address(self, lesson_id: UUID, old: str | None, new: str) -> bool:
        """Give a lesson another address of its own; False if that means a lesson already."""
        values = {"address": new, "lesson_id": lesson_id, "alias": False}
        added = await self._connection.execute(upsert(lesson_addresses).values(values).on_conflict_do_nothing())
        if added.rowcount and old is not None:
            await self.remove_address(lesson_id, old)
        return bool(added.rowcount)

    async def remove_address(self, lesson_id: UUID, address: str) -> None:
        """Let an address mean the lesson no longer."""
        await self._connection.execute(
            delete(lesson_addresses).where(
                lesson_addresses.c.lesson_id == lesson_id, lesson_addresses.c.address == address
            )
        )


def _taken(row: Row) -> DuplicateLessonUrl:
    return DuplicateLessonUrl(Text("There is already a lesson for {get!r}.", get=row.get("lesson_url")))


def _no_cohort(row: Row) -> NotFound:
    return NotFound(Text("There is no cohort {get}.", get=row.get("cohort_id")))
