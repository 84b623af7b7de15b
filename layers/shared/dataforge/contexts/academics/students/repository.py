"""Writes about students."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, case, exists, insert, literal_column, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.academics.access import missing
from dataforge.contexts.academics.catalog.domain import Completion
from dataforge.contexts.academics.tables import (
    calendar_feeds,
    course_completions,
    enrollments,
    holds,
    overrides,
    sections,
    students,
)
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict
from dataforge.platform.db.reassign import reassign
from dataforge.platform.db.versioned_rows import VersionedRows, explained

# Records with an address that somebody has proved and that are nobody's, or of somebody who only claims the address.
_ADDRESSED = text(
    "SELECT s.id, s.number, s.first_name, s.last_name, s.revision, s.user_id AS loser, d.user_id AS person, "
    "(SELECT o.number FROM academics.students o WHERE o.user_id = d.user_id) AS other, "
    "count(*) OVER (PARTITION BY d.user_id) AS records FROM academics.students s "
    "JOIN identity.directory d ON d.proved_email = lower(s.email) "
    "LEFT JOIN identity.directory c ON c.user_id = s.user_id WHERE d.suspended_at IS NULL "
    "AND (s.user_id IS NULL OR (c.email = d.proved_email AND c.proved_email IS NULL)) "
    "AND (CAST(:ids AS uuid[]) IS NULL OR d.user_id = ANY(CAST(:ids AS uuid[]))) ORDER BY d.user_id, s.number"
)


class Students(VersionedRows):
    """Students, with their holds, overrides and completions."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        super().__init__(connection, students, "student", now)

    async def of_user(self, user_id: UUID) -> UUID | None:
        """The student a user is."""
        student_id: UUID | None = await self._connection.scalar(
            select(students.c.id).where(students.c.user_id == user_id)
        )
        return student_id

    async def is_active_user(self, user_id: UUID) -> bool:
        """Whether identity knows the user, and has not suspended them."""
        known = text("SELECT 1 FROM identity.directory WHERE user_id = :id AND suspended_at IS NULL")
        return await self._connection.scalar(known, {"id": user_id}) is not None

    async def addressed(self, user_ids: Sequence[UUID] | None) -> Sequence[Any]:
        """Records that bear the address which people have proved (None: everybody), and that they do not have."""
        ids = None if user_ids is None else list(user_ids)
        return (await self._connection.execute(_ADDRESSED, {"ids": ids})).all()

    async def add_hold(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Place a hold."""
        return await self._add(holds, "hold", values)

    async def add_override(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Grant an override."""
        return await self._add(overrides, "override", values)

    async def release_hold(self, student_id: UUID, hold_id: UUID, by: UUID | None, at: datetime) -> dict[str, Any]:
        """Release a hold in force."""
        statement = (
            update(holds)
            .where(holds.c.id == hold_id, holds.c.student_id == student_id, holds.c.released_at.is_(None))
            .values(released_by=by, released_at=at)
            .returning(holds)
        )
        row = (await self._connection.execute(statement)).one_or_none()
        if row is None:
            raise missing(Text("hold in force"), hold_id)
        return row_dict(row)

    async def revoke_override(
        self, student_id: UUID, override_id: UUID, by: UUID | None, at: datetime
    ) -> dict[str, Any]:
        """Revoke an override in force."""
        statement = (
            update(overrides)
            .where(
                overrides.c.id == override_id, overrides.c.student_id == student_id, overrides.c.revoked_at.is_(None)
            )
            .values(revoked_by=by, revoked_at=at)
            .returning(overrides)
        )
        row = (await self._connection.execute(statement)).one_or_none()
        if row is None:
            raise missing(Text("override in force"), override_id)
        return row_dict(row)

    async def add_completion(self, student_id: UUID, completion: Completion, at: datetime) -> bool:
        """Store evidence once; the same evidence again changes score and day only."""
        statement = upsert(course_completions).values(
            id=uuid7(),
            student_id=student_id,
            course_id=completion.course_id,
            score=completion.score,
            completed_on=completion.completed_on,
            source=completion.source.value,
            reference=completion.reference,
            created_at=at,
        )
        columns = ["student_id", "course_id", "source", "reference"]
        changed = {"score": statement.excluded.score, "completed_on": statement.excluded.completed_on}
        async with explained("completion", "course_completions"):
            # xmax is 0 on a row this statement inserted, and its own transaction on one it updated.
            inserted = await self._connection.scalar(
                statement.on_conflict_do_update(index_elements=columns, set_=changed).returning(
                    literal_column("xmax = 0")
                )
            )
        return bool(inserted)

    async def touch(self, student_id: UUID) -> None:
        """Raise the revision of the student's facts, which locks the row until the transaction ends."""
        statement = (
            update(students)
            .where(students.c.id == student_id)
            .values(facts_revision=students.c.facts_revision + 1)
            .returning(students.c.id)
        )
        if (await self._connection.execute(statement)).first() is None:
            raise missing("student", student_id)

    async def waits_in(self, student_id: UUID) -> list[UUID]:
        """Sections with a free seat in which the student waits."""
        statement = (
            select(sections.c.id)
            .join(enrollments, enrollments.c.section_id == sections.c.id)
            .where(
                enrollments.c.student_id == student_id,
                enrollments.c.status == "WAITLISTED",
                sections.c.enrolled_count < sections.c.capacity,
            )
            .order_by(sections.c.id)
        )
        return list((await self._connection.scalars(statement)).all())

    async def _add(self, table: Table, entity: str, values: Mapping[str, Any]) -> dict[str, Any]:
        async with explained(entity, table.name):
            statement = insert(table).values(id=uuid7(), **values).returning(table)
            return row_dict((await self._connection.execute(statement)).one())


async def merge_users(connection: AsyncConnection, *, merged: UUID, kept: UUID) -> None:
    """Let the student and the sections of one account be another's.

    Somebody who is a student already stays that one: of two records of one person the registrar decides, and the one
    that the merged account had is then nobody's.
    """
    other = students.alias()
    is_student = exists().where(other.c.user_id == kept)
    await connection.execute(
        update(students)
        .where(students.c.user_id == merged)
        .values(
            user_id=case((is_student, None), else_=kept),
            facts_revision=students.c.facts_revision + 1,
            revision=students.c.revision + 1,
        )
    )
    await reassign(connection, sections.c.instructor_id, before=merged, after=kept, revised=True)
    await reassign(connection, calendar_feeds.c.owner_id, before=merged, after=kept)
