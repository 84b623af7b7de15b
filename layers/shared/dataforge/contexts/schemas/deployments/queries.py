"""Reads of deployments and revisions."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.schemas.deployments.domain import UNDER_WAY, RevisionNotFound, missing_deployment
from dataforge.contexts.schemas.plans.domain.copies import is_stale
from dataforge.contexts.schemas.tables import deployment_steps, deployments, plans, revisions
from dataforge.kernel.paging import Page
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict

_MOST_FOLLOWED = 100


async def find_deployment(connection: AsyncConnection, deployment_id: UUID) -> dict[str, Any]:
    """A deployment with its steps; raises DeploymentNotFound."""
    query = (
        select(
            deployments,
            plans.c.plan_hash,
            plans.c.namespace,
            plans.c.base_fingerprint,
            plans.c.target_fingerprint,
            revisions.c.revision,
        )
        .join(plans, plans.c.id == deployments.c.plan_id)
        .outerjoin(revisions, revisions.c.deployment_id == deployments.c.id)
        .where(deployments.c.id == deployment_id)
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise missing_deployment(deployment_id)
    steps = select(deployment_steps).where(deployment_steps.c.deployment_id == deployment_id)
    found = [row_dict(step) for step in await connection.execute(steps.order_by(deployment_steps.c.position))]
    done = sum(step["done_at"] is not None for step in found)
    state = "new" if row.status == "succeeded" else "old" if done == 0 else "between"
    return {**row_dict(row), "steps": found, "steps_done": done, "steps_total": len(found), "schema_state": state}


async def newest_deployment(connection: AsyncConnection, workspace_id: UUID) -> dict[str, Any] | None:
    """The deployment of a workspace that was asked for last: its id and status; None before the first."""
    query = select(deployments.c.id, deployments.c.status).where(deployments.c.workspace_id == workspace_id)
    query = query.order_by(deployments.c.created_at.desc(), deployments.c.id.desc()).limit(1)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else row_dict(row)


async def is_newest(connection: AsyncConnection, workspace_id: UUID, deployment_id: UUID) -> bool:
    """Whether no deployment of the workspace was asked for later."""
    newest = await newest_deployment(connection, workspace_id)
    return newest is not None and newest["id"] == deployment_id


async def list_revisions(
    connection: AsyncConnection, workspace_id: UUID, *, after: tuple[Any, ...] | None, limit: int
) -> Page[dict[str, Any]]:
    """Revisions of a workspace, newest first."""
    columns = [column for column in revisions.c if column.name not in ("target", "sql", "down_sql")]
    query = select(*columns).where(revisions.c.workspace_id == workspace_id)
    if after is not None:
        query = query.where(revisions.c.number < after[0])
    rows = [
        row_dict(row) for row in await connection.execute(query.order_by(revisions.c.number.desc()).limit(limit + 1))
    ]
    more = len(rows) > limit
    return Page(rows[:limit], (rows[limit - 1]["number"],) if more else None)


async def latest_revision(connection: AsyncConnection, workspace_id: UUID) -> dict[str, Any] | None:
    """The newest revision of a workspace, whole."""
    query = select(revisions).where(revisions.c.workspace_id == workspace_id).order_by(revisions.c.number.desc())
    row = (await connection.execute(query.limit(1))).one_or_none()
    return None if row is None else row_dict(row)


async def is_deployed(connection: AsyncConnection, workspace_id: UUID) -> bool:
    """Whether anything was ever to be deployed for the workspace."""
    query = select(deployments.c.id).where(deployments.c.workspace_id == workspace_id).limit(1)
    return (await connection.execute(query)).first() is not None


async def left_behind(connection: AsyncConnection, now: datetime) -> list[UUID]:
    """Deployments that wait without a worker: their message was lost, or their worker was."""
    waiting = func.coalesce(deployments.c.lease_until, deployments.c.created_at + func.make_interval(0, 0, 0, 0, 0, 1))
    query = select(deployments.c.id).where(deployments.c.status.in_(UNDER_WAY), waiting < now)
    return list((await connection.scalars(query)).all())


async def left_trials(connection: AsyncConnection) -> list[str]:
    """The copies of trials whose process died."""
    names = await connection.scalars(text("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'trial%'"))
    return [name for name in names if is_stale(name)]


async def target_of(connection: AsyncConnection, workspace_id: UUID, number: int) -> dict[str, Any]:
    """The target of a revision; raises RevisionNotFound."""
    query = select(revisions.c.target).where(revisions.c.workspace_id == workspace_id, revisions.c.number == number)
    target: dict[str, Any] | None = (await connection.execute(query)).scalar_one_or_none()
    if target is None:
        message = Text("There is no revision {number} in this workspace.", number=number)
        raise RevisionNotFound(message)
    return target


async def targets_since(connection: AsyncConnection, workspace_id: UUID, number: int) -> list[dict[str, Any]]:
    """The targets of the revisions after one, in order; those of the last hundred."""
    query = select(revisions.c.target).where(revisions.c.workspace_id == workspace_id, revisions.c.number > number)
    newest = list((await connection.scalars(query.order_by(revisions.c.number.desc()).limit(_MOST_FOLLOWED))).all())
    return newest[::-1]
