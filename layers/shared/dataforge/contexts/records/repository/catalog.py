"""Lessons, cohorts and their members, and what is matched to them later."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.records.domain.errors import CohortInUse, DuplicateCohort, DuplicateLessonUrl
from dataforge.contexts.records.domain.flat_rows import Landed
from dataforge.contexts.records.tables import cohort_members, cohorts, directory, lessons
from dataforge.kernel.errors import NotFound
from dataforge.platform.db.database import row_dict

_RETURN_COMPLETIONS = "f.statement_id, f.user_id, f.lesson_id, f.completes, f.voided, f.score_scaled, f.occurred_at"
_MATCH_LESSONS = text(
    "UPDATE records.statements_flat f SET lesson_id = l.id FROM records.lessons l "
    "WHERE f.lesson_id IS NULL AND f.lesson_url = l.lesson_url AND (CAST(:id AS uuid) IS NULL OR l.id = :id) "
    f"RETURNING {_RETURN_COMPLETIONS}"
)
_MATCH_PEOPLE = tuple(
    text(
        "UPDATE records.statements_flat f SET user_id = d.user_id FROM identity.directory d "
        f"WHERE f.user_id IS NULL AND f.{key} = d.{column} "
        "AND (CAST(:ids AS uuid[]) IS NULL OR d.user_id = ANY(CAST(:ids AS uuid[]))) "
        f"RETURNING {_RETURN_COMPLETIONS}"
    )
    for key, column in (("actor_email", "email"), ("actor_account", "avatar"))
)


def _constraint(error: IntegrityError) -> str:
    diagnostics = getattr(error.orig, "diag", None)
    return str(getattr(diagnostics, "constraint_name", ""))


class SqlCatalog:
    """Lessons, cohorts and members inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add_cohort(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Insert and return the row; raises DuplicateCohort."""
        return await self._cohort_write(insert(cohorts).values(**values).returning(cohorts), values)

    async def lock_cohort(self, cohort_id: UUID) -> Mapping[str, Any] | None:
        """The row, locked."""
        return await self._one(select(cohorts).where(cohorts.c.id == cohort_id).with_for_update())

    async def update_cohort(self, cohort_id: UUID, changes: Mapping[str, Any]) -> None:
        """Write the changes and count the revision up; raises DuplicateCohort."""
        statement = update(cohorts).where(cohorts.c.id == cohort_id).values(**changes, revision=cohorts.c.revision + 1)
        await self._cohort_write(statement.returning(cohorts), changes)

    async def _cohort_write(self, statement: Any, values: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ANN401 - insert or update
        try:
            return row_dict((await self._connection.execute(statement)).one())
        except IntegrityError as error:
            message = f"There is already a cohort named {values.get('name')!r}."
            raise DuplicateCohort(message) from error

    async def delete_cohort(self, cohort_id: UUID) -> None:
        """Delete with its members; raises CohortInUse."""
        try:
            await self._connection.execute(delete(cohorts).where(cohorts.c.id == cohort_id))
        except IntegrityError as error:
            message = "Move or delete the cohort's lessons first."
            raise CohortInUse(message) from error

    async def cohorts_by_name(self, names: Iterable[str]) -> Mapping[str, UUID]:
        """Ids by lower-cased name, of cohorts outside a workspace."""
        query = text(
            "SELECT lower(name), id FROM records.cohorts WHERE workspace_id IS NULL "
            "AND lower(name) IN (SELECT lower(n) FROM unnest(CAST(:names AS text[])) n)"
        )
        found = await self._connection.execute(query, {"names": list(names)})
        return {row[0]: row[1] for row in found}

    async def members(self, cohort_ids: Iterable[UUID]) -> set[tuple[UUID, UUID]]:
        """Current (cohort, user) pairs."""
        query = select(cohort_members.c.cohort_id, cohort_members.c.user_id).where(
            cohort_members.c.cohort_id.in_(list(cohort_ids)), cohort_members.c.left_at.is_(None)
        )
        return {(row.cohort_id, row.user_id) for row in await self._connection.execute(query)}

    async def join(self, pairs: Iterable[tuple[UUID, UUID]], at: datetime) -> None:
        """Make users members; who had left is a member again, whoever is one stays so."""
        rows = [{"cohort_id": cohort, "user_id": user, "joined_at": at} for cohort, user in sorted(set(pairs))]
        if not rows:
            return
        statement = upsert(cohort_members)
        again = {"joined_at": statement.excluded.joined_at, "left_at": None}
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["cohort_id", "user_id"], set_=again, where=cohort_members.c.left_at.is_not(None)
            ),
            rows,
        )

    async def leave(self, cohort_id: UUID, user_id: UUID, at: datetime) -> bool:
        """End a membership; False if there was none."""
        statement = (
            update(cohort_members)
            .where(
                cohort_members.c.cohort_id == cohort_id,
                cohort_members.c.user_id == user_id,
                cohort_members.c.left_at.is_(None),
            )
            .values(left_at=at)
            .returning(cohort_members.c.user_id)
        )
        return (await self._connection.execute(statement)).one_or_none() is not None

    async def person_suspended(self, user_id: UUID) -> bool | None:
        """Whether the person is suspended; None when there is no such person."""
        query = select(directory.c.suspended_at.is_not(None)).where(directory.c.user_id == user_id)
        return (await self._connection.execute(query)).scalar_one_or_none()

    async def add_lesson(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Insert and return the row; raises DuplicateLessonUrl, or NotFound for an unknown cohort."""
        return await self._lesson_write(insert(lessons).values(**values).returning(lessons), values)

    async def lock_lesson(self, lesson_id: UUID) -> Mapping[str, Any] | None:
        """The row, locked."""
        return await self._one(select(lessons).where(lessons.c.id == lesson_id).with_for_update())

    async def update_lesson(self, lesson_id: UUID, changes: Mapping[str, Any]) -> None:
        """Write the changes and count the revision up; raises DuplicateLessonUrl, or NotFound for an unknown cohort."""
        statement = update(lessons).where(lessons.c.id == lesson_id).values(**changes, revision=lessons.c.revision + 1)
        await self._lesson_write(statement.returning(lessons), changes)

    async def _lesson_write(self, statement: Any, values: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ANN401 - insert or update
        try:
            return row_dict((await self._connection.execute(statement)).one())
        except IntegrityError as error:
            if _constraint(error) == "uq_lessons_lesson_url":
                message = f"There is already a lesson for {values.get('lesson_url')!r}."
                raise DuplicateLessonUrl(message) from error
            message = f"There is no cohort {values.get('cohort_id')}."
            raise NotFound(message) from error

    async def delete_lesson(self, lesson_id: UUID) -> None:
        """Delete; its statements stay and belong to no lesson."""
        await self.release_lesson(lesson_id)
        await self._connection.execute(delete(lessons).where(lessons.c.id == lesson_id))

    async def release_lesson(self, lesson_id: UUID) -> None:
        """Take the lesson from its statements; `match_lesson` gives them one again."""
        release = text("UPDATE records.statements_flat SET lesson_id = NULL WHERE lesson_id = :lesson_id")
        await self._connection.execute(release, {"lesson_id": lesson_id})

    async def match_lessons(self, lesson_id: UUID | None = None) -> Sequence[Landed]:
        """Give statements that arrived before their lesson that lesson (None: all lessons); returns completions."""
        return await self._matched(_MATCH_LESSONS, {"id": lesson_id})

    async def match_people(self, user_ids: Sequence[UUID] | None = None) -> Sequence[Landed]:
        """Give statements that arrived before their account that person (None: everybody); returns completions."""
        found: list[Landed] = []
        for statement in _MATCH_PEOPLE:
            found += await self._matched(statement, {"ids": None if user_ids is None else list(user_ids)})
        return found

    async def sections(self, lesson_ids: Iterable[UUID]) -> Mapping[UUID, UUID | None]:
        """The section of each lesson."""
        query = select(lessons.c.id, lessons.c.section_id).where(lessons.c.id.in_(set(lesson_ids)))
        return {row.id: row.section_id for row in await self._connection.execute(query)}

    async def _matched(self, statement: Any, values: Mapping[str, Any]) -> Sequence[Landed]:  # noqa: ANN401 - SQL text
        return [Landed(*row) for row in await self._connection.execute(statement, values)]

    async def _one(self, query: Any) -> Mapping[str, Any] | None:  # noqa: ANN401 - a select
        row = (await self._connection.execute(query)).one_or_none()
        return None if row is None else row_dict(row)
