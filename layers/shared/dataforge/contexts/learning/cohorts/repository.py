"""Cohorts and their members."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.learning.cohorts.domain import CohortInUse, DuplicateCohort
from dataforge.contexts.learning.tables import cohort_members, cohorts, directory
from dataforge.platform.db.database import row_dict


class Cohorts:
    """Cohorts and members inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Insert and return the row; raises DuplicateCohort."""
        return await self._write(insert(cohorts).values(**values).returning(cohorts), values)

    async def lock(self, cohort_id: UUID) -> Mapping[str, Any] | None:
        """The row, locked."""
        return await self._one(select(cohorts).where(cohorts.c.id == cohort_id).with_for_update())

    async def change(self, cohort_id: UUID, changes: Mapping[str, Any]) -> None:
        """Write the changes and count the revision up; raises DuplicateCohort."""
        statement = update(cohorts).where(cohorts.c.id == cohort_id).values(**changes, revision=cohorts.c.revision + 1)
        await self._write(statement.returning(cohorts), changes)

    async def _write(self, statement: Any, values: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ANN401 - insert or update
        try:
            return row_dict((await self._connection.execute(statement)).one())
        except IntegrityError as error:
            message = f"There is already a cohort named {values.get('name')!r}."
            raise DuplicateCohort(message) from error

    async def delete(self, cohort_id: UUID) -> None:
        """Delete with its members; raises CohortInUse."""
        try:
            await self._connection.execute(delete(cohorts).where(cohorts.c.id == cohort_id))
        except IntegrityError as error:
            message = "Move or delete the cohort's lessons first."
            raise CohortInUse(message) from error

    async def by_name(self, names: Iterable[str]) -> Mapping[str, UUID]:
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

    async def is_suspended(self, user_id: UUID) -> bool | None:
        """Whether the person is suspended; None when there is no such person."""
        query = select(directory.c.suspended_at.is_not(None)).where(directory.c.user_id == user_id)
        return (await self._connection.execute(query)).scalar_one_or_none()

    async def _one(self, query: Any) -> Mapping[str, Any] | None:  # noqa: ANN401 - a select
        row = (await self._connection.execute(query)).one_or_none()
        return None if row is None else row_dict(row)
