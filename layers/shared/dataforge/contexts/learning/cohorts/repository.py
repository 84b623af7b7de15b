"""Cohorts and their members."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.learning.cohorts.domain import CohortInUse, DuplicateCohort
from dataforge.contexts.learning.tables import (
    cohort_members,
    cohorts,
    directory,
    former_members,
    launches,
    memberships,
)
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict
from dataforge.platform.db.reassign import reassign
from dataforge.platform.db.versioned_rows import Refusals, Row, VersionedRows

_PAIRS = "unnest(CAST(:cohorts AS uuid[]), CAST(:users AS uuid[])) AS g (cohort_id, user_id)"
_KEEP_FORMER = text(
    "INSERT INTO records.former_members (cohort_id, user_id, joined_at, left_at) "
    f"SELECT m.cohort_id, m.user_id, m.joined_at, m.left_at FROM records.cohort_members m JOIN {_PAIRS} "
    "USING (cohort_id, user_id) WHERE m.left_at > m.joined_at ORDER BY m.cohort_id, m.user_id "
    "ON CONFLICT DO NOTHING"
)
_JOIN = text(
    "INSERT INTO records.cohort_members AS m (cohort_id, user_id, joined_at) "
    f"SELECT cohort_id, user_id, CAST(:at AS timestamptz) FROM {_PAIRS} ORDER BY cohort_id, user_id "
    "ON CONFLICT (cohort_id, user_id) DO UPDATE SET joined_at = greatest(excluded.joined_at, m.left_at), "
    "left_at = NULL WHERE m.left_at IS NOT NULL"
)
# Of two memberships of one cohort the running one counts, from when the first running one began.
_EARLIER = text(
    "UPDATE records.cohort_members k SET left_at = CASE WHEN k.left_at IS NULL OR m.left_at IS NULL THEN NULL "
    "ELSE greatest(k.left_at, m.left_at) END, joined_at = CASE WHEN (k.left_at IS NULL) = (m.left_at IS NULL) "
    "THEN least(k.joined_at, m.joined_at) WHEN k.left_at IS NULL THEN k.joined_at ELSE m.joined_at END "
    "FROM records.cohort_members m WHERE m.cohort_id = k.cohort_id AND k.user_id = :kept AND m.user_id = :merged"
)

# Memberships of somebody who only claims the address that another person has proved.
_CLAIMED = text(
    "SELECT d.user_id AS person, c.user_id AS loser, m.cohort_id, o.name FROM identity.directory d "
    "JOIN identity.directory c ON c.email = d.proved_email AND c.proved_email IS NULL "
    "JOIN records.cohort_members m ON m.user_id = c.user_id AND m.left_at IS NULL "
    "JOIN records.cohorts o ON o.id = m.cohort_id WHERE d.suspended_at IS NULL "
    "AND (CAST(:ids AS uuid[]) IS NULL OR d.user_id = ANY(CAST(:ids AS uuid[]))) ORDER BY 1, 2, 4, 3"
)


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
        """Make users members; who had left is a member again, whoever is one stays so. `at` is a revision."""
        ordered = sorted(set(pairs))
        if ordered:
            values = {"cohorts": [cohort for cohort, _ in ordered], "users": [user for _, user in ordered], "at": at}
            await self._connection.execute(_KEEP_FORMER, values)
            await self._connection.execute(_JOIN, values)

    async def leave(self, cohort_id: UUID, user_id: UUID, at: datetime) -> bool:
        """End a membership; False if there was none. `at` is a revision."""
        statement = (
            update(cohort_members)
            .where(
                cohort_members.c.cohort_id == cohort_id,
                cohort_members.c.user_id == user_id,
                cohort_members.c.left_at.is_(None),
            )
            .values(left_at=func.greatest(at, cohort_members.c.joined_at))
            .returning(cohort_members.c.user_id)
        )
        return (await self._connection.execute(statement)).one_or_none() is not None

    async def claimed(self, user_ids: Sequence[UUID] | None) -> Sequence[Any]:
        """Memberships that people's addresses should have brought them (None: everybody), and who has them."""
        ids = None if user_ids is None else list(user_ids)
        return (await self._connection.execute(_CLAIMED, {"ids": ids})).all()

    async def is_suspended(self, user_id: UUID) -> bool | None:
        """Whether the person is suspended; None when there is no such person."""
        query = select(directory.c.suspended_at.is_not(None)).where(directory.c.user_id == user_id)
        return (await self._connection.execute(query)).scalar_one_or_none()

    async def lock_of_workspace(self, workspace_id: UUID) -> Sequence[Row]:
        """The cohorts of a workspace, locked."""
        query = select(cohorts).where(cohorts.c.workspace_id == workspace_id).order_by(cohorts.c.id).with_for_update()
        return [row_dict(row) for row in await self._connection.execute(query)]

    async def shares_workspace(self, workspace_id: UUID | None, user_id: UUID) -> bool:
        """Whether the person is in the workspace."""
        query = select(memberships.c.user_id).where(
            memberships.c.workspace_id == workspace_id, memberships.c.user_id == user_id
        )
        return (await self._connection.execute(query)).first() is not None


def _taken(row: Row) -> DuplicateCohort:
    return DuplicateCohort(Text("There is already a cohort named {get!r}.", get=row.get("name")))


def _in_use(_: Row) -> CohortInUse:
    return CohortInUse(Text("Move or delete the cohort's lessons first."))


async def merge_members(connection: AsyncConnection, *, merged: UUID, kept: UUID) -> None:
    """Let the memberships and launches of one account be those of another, past ones too.

    Somebody who is in a cohort with both is in it since the first of the two began, unless that one has ended.
    """
    await connection.execute(_EARLIER, {"merged": merged, "kept": kept})
    for column in (cohort_members.c.user_id, former_members.c.user_id, launches.c.user_id):
        await reassign(connection, column, before=merged, after=kept)
