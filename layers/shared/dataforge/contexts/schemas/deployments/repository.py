"""The write SQL of deployments: their rows from requests, and the journal that is written with the steps themselves."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection as Driver
from psycopg.types.json import Jsonb
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.schemas.deployments.domain import UNDER_WAY, Revision, Step
from dataforge.contexts.schemas.designs.domain.names import quoted
from dataforge.contexts.schemas.tables import deployment_steps, deployments


class Deployments:
    """Deployments in `schemas.deployments` and their steps."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def is_under_way(self, workspace_id: UUID) -> bool:
        """Whether a deployment of the workspace has not ended."""
        query = select(deployments.c.id).where(
            deployments.c.workspace_id == workspace_id, deployments.c.status.in_(UNDER_WAY)
        )
        return (await self._connection.execute(query.limit(1))).first() is not None

    async def add(self, values: Mapping[str, Any], steps: Iterable[Step]) -> None:
        """Insert a deployment and its steps."""
        await self._connection.execute(insert(deployments).values(**values))
        rows = [
            {
                "deployment_id": values["id"],
                "position": step.position,
                "phase": step.phase,
                "op": step.op,
                "object": step.object,
                "sql": step.sql,
            }
            for step in steps
        ]
        if rows:
            await self._connection.execute(insert(deployment_steps), rows)

    async def lock(self, workspace_id: UUID, deployment_id: UUID) -> Any | None:  # noqa: ANN401 - a row of the table
        """The row, locked until the end of the transaction."""
        query = select(deployments).where(deployments.c.id == deployment_id, deployments.c.workspace_id == workspace_id)
        return (await self._connection.execute(query.with_for_update())).one_or_none()

    async def set(self, deployment_id: UUID, **values: object) -> None:
        """Change columns."""
        statement = update(deployments).where(deployments.c.id == deployment_id).values(**values)
        await self._connection.execute(statement)


_CLAIM = """
UPDATE schemas.deployments SET status = 'running', attempt = attempt + 1, lease_until = %(until)s,
       started_at = coalesce(started_at, %(now)s)
 WHERE id = %(id)s AND status IN ('queued', 'running') RETURNING id
"""
_STEPS_DONE = """
UPDATE schemas.deployment_steps SET done_at = coalesce(done_at, %s) WHERE deployment_id = %s AND position = ANY(%s)
"""
_EXTEND = "UPDATE schemas.deployments SET lease_until = %s WHERE id = %s RETURNING cancel_requested"
_END = """
UPDATE schemas.deployments SET status = %s, error = %s, finished_at = %s, lease_until = NULL WHERE id = %s
"""
_REVISION = """
INSERT INTO schemas.revisions (id, workspace_id, number, revision, down_revision, deployment_id, plan_hash, fingerprint,
       target, sql, down_sql, file_s3_key, file_sha256, status, applied_by, applied_at)
SELECT %(id)s, p.workspace_id, %(number)s, %(revision)s, %(down_revision)s, d.id, p.plan_hash, p.target_fingerprint,
       p.target, p.sql, p.down_sql, %(key)s, %(sha256)s, 'applied', d.created_by, %(now)s
  FROM schemas.deployments d JOIN schemas.plans p ON p.id = d.plan_id WHERE d.id = %(deployment)s
"""
_TABLES = """
CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(64) NOT NULL PRIMARY KEY);
CREATE TABLE IF NOT EXISTS deployment_journal (
    deployment_id uuid NOT NULL, position integer NOT NULL, PRIMARY KEY (deployment_id, position)
);
"""
_KEEP_STEP = "INSERT INTO deployment_journal VALUES (%s, %s) ON CONFLICT DO NOTHING"
_KEPT_STEPS = "SELECT position FROM deployment_journal WHERE deployment_id = %s"
_SEARCH = "SELECT set_config('search_path', %s, true)"


class SchemaJournal:
    """What was done to a schema, in the schema itself: a step and its mark are one transaction of its own login."""

    def __init__(self, connection: "Driver[Any]", deployment_id: UUID, namespace: str) -> None:
        self._connection = connection
        self._id = deployment_id
        self._namespace = namespace

    async def open(self) -> set[int]:
        """Make the tables; returns the positions of the steps that are done."""
        async with self._connection.transaction():
            await self._connection.execute(_SEARCH, [quoted(self._namespace)])
            await self._connection.execute(_TABLES)
            return await self.kept()

    async def kept(self) -> set[int]:
        """The positions of the steps that are done, within a transaction."""
        await self._connection.execute(_SEARCH, [quoted(self._namespace)])
        cursor = await self._connection.execute(_KEPT_STEPS, [self._id])
        return {position for (position,) in await cursor.fetchall()}

    async def keep(self, position: int) -> None:
        """Mark a step."""
        await self._connection.execute(_KEEP_STEP, [self._id, position])


class Journal:
    """What a deployment has done, for those who look at it."""

    def __init__(self, connection: "Driver[Any]", deployment_id: UUID) -> None:
        self._connection = connection
        self._id = deployment_id

    async def claim(self, now: datetime, until: datetime) -> bool:
        """Take the deployment; False when it has ended."""
        cursor = await self._connection.execute(_CLAIM, {"id": self._id, "now": now, "until": until})
        return await cursor.fetchone() is not None

    async def extend(self, until: datetime) -> bool:
        """Keep the lease; returns whether somebody asked to cancel."""
        row = await (await self._connection.execute(_EXTEND, [until, self._id])).fetchone()
        return bool(row and row[0])

    async def done(self, positions: Iterable[int], now: datetime) -> None:
        """Mark steps."""
        await self._connection.execute(_STEPS_DONE, [now, self._id, list(positions)])

    async def end(self, status: str, now: datetime, error: Mapping[str, Any] | None = None) -> None:
        """Close the deployment."""
        await self._connection.execute(_END, [status, None if error is None else Jsonb(dict(error)), now, self._id])

    async def add_revision(self, revision_id: UUID, revision: Revision, sha256: str, namespace: str) -> None:
        """Insert the revision, and tell Alembic's own table of it."""
        values = {
            "id": revision_id,
            "number": revision.number,
            "revision": revision.revision,
            "down_revision": revision.down_revision,
            "key": revision.key,
            "sha256": sha256,
            "now": revision.applied_at,
            "deployment": self._id,
        }
        await self._connection.execute(_REVISION, values)
        await self._connection.execute(_SEARCH, [quoted(namespace)])
        await self._connection.execute("DELETE FROM deployment_journal")
        await self._connection.execute("DELETE FROM alembic_version")
        await self._connection.execute("INSERT INTO alembic_version VALUES (%s)", [revision.revision])


_THERE = "SELECT EXISTS (SELECT FROM workspaces.directory WHERE workspace_id = %s)"
_FORGET = (
    "DELETE FROM schemas.revisions WHERE workspace_id = %s",
    "DELETE FROM schemas.deployments WHERE workspace_id = %s",  # with their steps
    "DELETE FROM schemas.plans WHERE workspace_id = %s",
    "DELETE FROM schemas.trash WHERE workspace_id = %s",
    "DELETE FROM schemas.drift_checks WHERE workspace_id = %s",
)


async def is_there(connection: Driver[Any], workspace_id: UUID) -> bool:
    """Whether there is such a workspace that is not deleted."""
    row = await (await connection.execute(_THERE, [workspace_id])).fetchone()
    return bool(row and row[0])


async def forget_workspace(connection: Driver[Any], workspace_id: UUID) -> None:
    """Delete the plans, deployments and revisions of a workspace that is gone."""
    for statement in _FORGET:
        await connection.execute(statement, [workspace_id])
