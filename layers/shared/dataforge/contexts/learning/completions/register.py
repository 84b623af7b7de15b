"""What the record store asks of learning while it loads: which lesson an activity is, and who has completed it."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Text, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.learning.contract import LessonCompleted
from dataforge.contexts.learning.tables import lesson_addresses, lessons
from dataforge.contexts.lrs.contract import MatchedStatement
from dataforge.kernel.events import Event

_PLACE = (lessons.c.id, lessons.c.section_id, lessons.c.workspace_id)


class SqlLessonRegister:
    """Lessons inside one transaction; remembers the sections and workspaces of those it has read."""

    def __init__(self, connection: AsyncConnection, publish: Callable[[Event], None]) -> None:
        self._connection = connection
        self._publish = publish
        self._places: dict[UUID, tuple[UUID | None, UUID | None]] = {}

    async def by_address(self, addresses: Sequence[str]) -> Mapping[str, UUID]:
        """Lesson ids by activity id in its normal form."""
        if not addresses:
            return {}
        wanted = bindparam("addresses", list(addresses), type_=ARRAY(Text))
        query = (
            select(lesson_addresses.c.address, *_PLACE)
            .join(lessons, lessons.c.id == lesson_addresses.c.lesson_id)
            .where(lesson_addresses.c.address == wanted.any_())
        )
        rows = (await self._connection.execute(query)).all()
        self._places.update({row.id: (row.section_id, row.workspace_id) for row in rows})
        return {row.address: row.id for row in rows}

    async def addresses(self) -> Mapping[str, UUID]:
        """The addresses of all lessons, aliases included."""
        rows = await self._connection.execute(select(lesson_addresses.c.address, lesson_addresses.c.lesson_id))
        return {row.address: row.lesson_id for row in rows}

    async def record_completions(self, statements: Sequence[MatchedStatement]) -> None:
        """Publish the completions of known lessons by known people.

        A statement that was matched to both, one after the other, is there twice; its last form counts.
        """
        last = {item.statement_id: item for item in statements}
        completed = [item for item in last.values() if item.completes and not item.voided and item.user_id is not None]
        await self._read_places({item.lesson_id for item in completed if item.lesson_id is not None})
        for item in completed:
            if item.user_id is not None and item.lesson_id is not None:
                section_id, workspace_id = self._places.get(item.lesson_id, (None, None))
                self._publish(
                    LessonCompleted(
                        item.user_id,
                        item.lesson_id,
                        section_id,
                        item.statement_id,
                        item.score,
                        item.occurred_at,
                        workspace_id,
                    )
                )

    async def _read_places(self, lesson_ids: set[UUID]) -> None:
        missing = lesson_ids - self._places.keys()
        if missing:
            rows = await self._connection.execute(select(*_PLACE).where(lessons.c.id.in_(missing)))
            self._places.update({row.id: (row.section_id, row.workspace_id) for row in rows})


class SqlLessonDirectory:
    """Keeps the record store's LessonDirectory."""

    def within(self, connection: AsyncConnection, publish: Callable[[Event], None]) -> SqlLessonRegister:
        """The register within the transaction of this connection."""
        return SqlLessonRegister(connection, publish)
