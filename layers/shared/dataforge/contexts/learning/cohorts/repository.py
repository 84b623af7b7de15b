"""Cohorts and their members."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.learning.cohorts.domain import CohortInUse, DuplicateCohort
from dataforge.contexts.learning.tables import cohort_members, cohorts, directory
from dataforge.platform.db.versioned_rows import Refusals, Row, VersionedRows


class Cohorts(VersionedRows):
    """Cohorts and members inside one transaction; raises DuplicateCohort, and CohortInUse when one is removed."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        refusals: Refusals = {"uq_cohorts_workspace_id_name_ci": _taken, "fk_lessons_cohort_id_cohorts": _in_use}
        super().__init__(connection, cohorts, "cohort", now, refusals=refusals)

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


def _taken(row: Row) -> DuplicateCohort:
    return DuplicateCohort(f"There is already a cohort named {row.get('name')!r}.")


def _in_use(_: Row) -> CohortInUse:
    return CohortInUse("Move or delete the cohort's lessons first.")
