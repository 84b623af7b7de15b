"""Cohorts and their members as lists show them."""

from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.learning.pages_of_rows import After, one_row, page_of
from dataforge.contexts.learning.tables import cohort_members, cohorts, directory
from dataforge.kernel.access import Reach
from dataforge.kernel.errors import NotFound
from dataforge.kernel.paging import Page
from dataforge.kernel.texts import Text
from dataforge.platform.db.reach import within


def cohort_missing(cohort_id: UUID) -> NotFound:
    """The refusal for a cohort that is not there, and for everybody who may not read it."""
    return NotFound(Text("There is no cohort {cohort_id}.", cohort_id=cohort_id))


async def workspace_of_cohort(connection: AsyncConnection, cohort_id: UUID) -> UUID | None:
    """The workspace that a cohort belongs to, None for one of the organisation; raises NotFound."""
    row = (await connection.execute(select(cohorts.c.workspace_id).where(cohorts.c.id == cohort_id))).one_or_none()
    if row is None:
        raise cohort_missing(cohort_id)
    workspace_id: UUID | None = row.workspace_id
    return workspace_id


async def get_cohort(connection: AsyncConnection, cohort_id: UUID) -> dict[str, Any]:
    """A cohort; raises NotFound."""
    return await one_row(
        connection,
        select(cohorts).where(cohorts.c.id == cohort_id),
        Text("There is no cohort {cohort_id}.", cohort_id=cohort_id),
    )


async def list_cohorts(
    connection: AsyncConnection,
    reach: Reach,
    *,
    after: After,
    limit: int,
    active: bool | None,
    workspace_id: UUID | None = None,
) -> Page[dict[str, Any]]:
    """Cohorts within reach by name, of one workspace if it is given."""
    query = select(cohorts).where(within(cohorts.c.workspace_id, reach))
    query = query.order_by(cohorts.c.name, cohorts.c.id).limit(limit + 1)
    if workspace_id is not None:
        query = query.where(cohorts.c.workspace_id == workspace_id)
    if active is not None:
        query = query.where(cohorts.c.active == active)
    if after is not None:
        query = query.where(tuple_(cohorts.c.name, cohorts.c.id) > tuple_(after[0], UUID(after[1])))
    return await page_of(connection, query, limit, ("name", "id"))


async def list_members(
    connection: AsyncConnection, cohort_id: UUID, *, after: After, limit: int
) -> Page[dict[str, Any]]:
    """Current members of a cohort by user id; raises NotFound."""
    await get_cohort(connection, cohort_id)
    query = (
        select(cohort_members.c.user_id, directory.c.display_name, directory.c.email, cohort_members.c.joined_at)
        .join(directory, directory.c.user_id == cohort_members.c.user_id)
        .where(cohort_members.c.cohort_id == cohort_id, cohort_members.c.left_at.is_(None))
        .order_by(cohort_members.c.user_id)
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(cohort_members.c.user_id > UUID(after[0]))
    return await page_of(connection, query, limit, ("user_id",))
