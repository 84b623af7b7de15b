"""Reads of plans."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.schemas.plans.domain.plan import PlanNotFound
from dataforge.contexts.schemas.tables import plans
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict


async def find_plan(connection: AsyncConnection, workspace_id: UUID, plan_id: UUID) -> dict[str, Any]:
    """A plan of the workspace; raises PlanNotFound."""
    query = select(plans).where(plans.c.id == plan_id, plans.c.workspace_id == workspace_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        message = Text("There is no plan {plan_id} in this workspace.", plan_id=plan_id)
        raise PlanNotFound(message)
    return row_dict(row)
