"""Carries a deployment out: statement by statement, each marked in the transaction that ran it.

What people wrote is run with the login of the workspace, which owns its schema and nothing else.
A worker that is killed leaves whole steps; the next one goes on after the last that is marked. What runs in no
transaction (indexes that are built concurrently) is looked at before it is run again.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection, errors
from psycopg.rows import dict_row

from dataforge.contexts.schemas.contract import SchemaDrifted
from dataforge.contexts.schemas.deployments import logins
from dataforge.contexts.schemas.deployments.domain import (
    LEASE,
    DeploymentStatus,
)
from dataforge.contexts.schemas.deployments.repository import Journal, forget_workspace, is_there
from dataforge.contexts.schemas.deployments.work import Put, Terms, Work, deployment_ended
from dataforge.contexts.schemas.designs.domain.names import NAMESPACE, namespace_of
from dataforge.contexts.schemas.designs.queries import read_schema
from dataforge.contexts.schemas.drift.repository import drift_state, keep_check, put_off_check
from dataforge.contexts.schemas.plans.trials import drop_copies_of
from dataforge.contexts.schemas.trash.repository import delete_due
from dataforge.kernel.clock import Clock
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.texts import Text
from dataforge.platform.db.outbox import write_event

LOCK_TIMEOUT = "4s"
BUDGET = 840.0  # seconds of a run; the function is ended after 900
_FACTS = """
SELECT d.id, d.workspace_id, d.created_by, p.namespace, p.plan_hash, p.base_fingerprint, p.target_fingerprint,
       p.down_changes, p.proof -> 'happened' AS happened,
       (SELECT json_agg(json_build_object('position', s.position, 'phase', s.phase, 'op', s.op, 'object', s.object,
                                          'sql', s.sql, 'done', s.done_at IS NOT NULL) ORDER BY s.position)
          FROM schemas.deployment_steps s WHERE s.deployment_id = d.id) AS steps,
       (SELECT count(*) FROM schemas.revisions r WHERE r.workspace_id = d.workspace_id) AS revisions,
       (SELECT r.revision FROM schemas.revisions r WHERE r.workspace_id = d.workspace_id ORDER BY r.number DESC LIMIT 1)
         AS latest
  FROM schemas.deployments d JOIN schemas.plans p ON p.id = d.plan_id WHERE d.id = %s
"""


class Deployer:
    """Runs deployments on connections of its own."""

    def __init__(
        self,
        url: str,
        readers: Sequence[str],
        put: Put,
        clock: Clock,
        *,
        pause: float = 0.5,
        lock_timeout: str = LOCK_TIMEOUT,
        budget: float = BUDGET,
    ) -> None:
        self._url = url
        self._terms = Terms(readers, put, clock, pause, lock_timeout, budget)

    async def run(self, deployment_id: UUID) -> str:
        """Carry the deployment out, or go on with it; returns the status it has then.

        `queued` means that another worker is at this workspace: ask again later; `running` that the time of this run
        is over: ask again at once.
        """
        async with await AsyncConnection.connect(self._url, autocommit=True, prepare_threshold=None) as owner:
            journal = Journal(owner, deployment_id)
            facts = await _facts(owner, deployment_id)
            namespace: str = facts["namespace"]
            if not NAMESPACE.fullmatch(namespace):
                message = Text("{namespace} is not the schema of a workspace", namespace=namespace)
                raise ValueError(message)
            if not await self._lock(owner, namespace):
                return DeploymentStatus.QUEUED
            # Whoever holds the lock is alone at this schema, whatever a lease of a worker that died says.
            now = self._terms.clock.now()
            if not await journal.claim(now, now + LEASE):
                return await _status_of(owner, deployment_id)
            await logins.ensure_schema(owner, namespace)
            await logins.end_sessions(owner, namespace)
            await logins.own_all(owner, namespace, self._terms.lock_timeout)
            try:
                async with await logins.open_login(owner, self._url, namespace) as worker:
                    return await Work(self._terms, owner, worker, journal, facts).run()
            except DataForgeError as error:
                return await _fail(owner, journal, facts, self._terms.clock.now(), error)
            finally:
                if not owner.broken:
                    await logins.close_login(owner, namespace)

    async def drop(self, workspace_id: UUID) -> bool:
        """Drop what was deployed for a workspace that is gone, and forget how; does nothing where nothing is left.

        False while somebody is at the schema: ask again later. Raises ValueError for a workspace that is there.
        """
        namespace = namespace_of(workspace_id)
        async with await AsyncConnection.connect(self._url, autocommit=True, prepare_threshold=None) as owner:
            if not await self._lock(owner, namespace):
                return False
            if await is_there(owner, workspace_id):
                message = Text("workspace {workspace_id} is not deleted", workspace_id=workspace_id)
                raise ValueError(message)
            await owner.execute("SELECT set_config('lock_timeout', %s, false)", [self._terms.lock_timeout])
            try:
                async with owner.transaction():
                    await logins.drop_schema(owner, namespace)
                    await forget_workspace(owner, workspace_id)
            except errors.LockNotAvailable:
                return False
        return True

    async def drop_trials(self) -> int:
        """Drop the copies of trials whose process died; returns how many."""
        async with await AsyncConnection.connect(self._url, prepare_threshold=None) as owner:
            await owner.execute("SELECT set_config('lock_timeout', %s, false)", [self._terms.lock_timeout])
            return await drop_copies_of(owner, self._terms.readers)

    async def empty_trash(self, workspace_id: UUID) -> list[str] | None:
        """Delete what has been kept in a workspace's trash long enough, or shall go; returns the names.

        None while somebody is at the schema: ask again later.
        """
        async with await AsyncConnection.connect(self._url, autocommit=True, prepare_threshold=None) as owner:
            if not await self._lock(owner, namespace_of(workspace_id)):
                return None
            await owner.execute("SELECT set_config('lock_timeout', %s, false)", [self._terms.lock_timeout])
            try:
                async with owner.transaction():
                    return await delete_due(owner, workspace_id, self._terms.clock.now())
            except errors.LockNotAvailable:
                return None

    async def check_drift(self, workspace_id: UUID) -> bool | None:
        """Whether the schema of a workspace is not as it was deployed last; people hear of each drift once.

        None where nothing was deployed, while somebody is at the schema, and after a deployment that has not succeeded:
        that one tells where the schema stands.
        """
        namespace = namespace_of(workspace_id)
        async with await AsyncConnection.connect(self._url, autocommit=True, prepare_threshold=None) as owner:
            if not await self._lock(owner, namespace):
                return None
            async with owner.transaction():
                state = await drift_state(owner, workspace_id)
                now = self._terms.clock.now()
                if state is None:
                    return None
                if state.status != DeploymentStatus.SUCCEEDED:
                    await put_off_check(owner, workspace_id, state, now)
                    return None
                found = (await read_schema(owner, namespace)).fingerprint
                await keep_check(owner, workspace_id, state, found, now)
                drifted = found != state.fingerprint
                if drifted and found != state.announced:
                    keepers = tuple(state.keepers)
                    event = SchemaDrifted(workspace_id, namespace, state.revision, found, keepers)
                    await write_event(owner, event, now)
        return drifted

    async def _lock(self, owner: "AsyncConnection[Any]", namespace: str) -> bool:
        """Take the lock of the workspace's schema, which ends with the connection.

        Asked for, never waited for: a session that waits in pg_advisory_lock keeps CREATE INDEX CONCURRENTLY waiting.
        """
        for turn in range(4):
            query = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
            row = await (await owner.execute(query, [f"schemas/{namespace}"])).fetchone()
            if row and row[0]:
                return True
            await self._terms.wait(turn)
        return False


async def _fail(
    owner: "AsyncConnection[Any]", journal: Journal, facts: dict[str, Any], now: datetime, error: DataForgeError
) -> str:
    document = {"code": error.code, "title": error.title, "detail": error.detail, "facts": error.facts}
    async with owner.transaction():
        await journal.end(DeploymentStatus.FAILED, now, document)
        await write_event(owner, deployment_ended(facts, error=error), now)
    return DeploymentStatus.FAILED


async def _facts(connection: "AsyncConnection[Any]", deployment_id: UUID) -> dict[str, Any]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_FACTS, [deployment_id])
        found = await cursor.fetchone()
    if found is None:
        message = f"deployment {deployment_id} has no plan"
        raise LookupError(message)
    return found


async def _status_of(connection: "AsyncConnection[Any]", deployment_id: UUID) -> str:
    query = "SELECT status FROM schemas.deployments WHERE id = %s"
    row = await (await connection.execute(query, [deployment_id])).fetchone()
    return str(row[0]) if row else DeploymentStatus.CANCELLED
