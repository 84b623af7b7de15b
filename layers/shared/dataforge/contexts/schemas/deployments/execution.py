"""Carries a deployment out: statement by statement, each marked in the transaction that ran it.

What people wrote is run with the login of the workspace, which owns its schema and nothing else.
A worker that is killed leaves whole steps; the next one goes on after the last that is marked. What runs in no
transaction (indexes that are built concurrently) is looked at before it is run again.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncConnection, errors
from psycopg.rows import dict_row

from dataforge.contexts.schemas.contract import SchemaDeploymentEnded, SchemaDrifted
from dataforge.contexts.schemas.deployments import logins
from dataforge.contexts.schemas.deployments.domain import (
    LEASE,
    DeploymentStatus,
    Revision,
    Step,
    revision_file,
    revision_name,
    steps_of,
)
from dataforge.contexts.schemas.deployments.repository import Journal, SchemaJournal, forget_workspace, is_there
from dataforge.contexts.schemas.designs.domain.names import NAMESPACE, namespace_of, quoted, trash_of
from dataforge.contexts.schemas.designs.queries import read_schema
from dataforge.contexts.schemas.drift.repository import drift_state, keep_check, put_off_check
from dataforge.contexts.schemas.plans.domain.changes import Phase
from dataforge.contexts.schemas.plans.proof import read_kept
from dataforge.contexts.schemas.plans.trials import drop_copies_of
from dataforge.contexts.schemas.trash.repository import delete_due, record_trash
from dataforge.kernel.clock import Clock
from dataforge.kernel.errors import Conflict, DataForgeError, PlanStale
from dataforge.kernel.ids import uuid7
from dataforge.platform.db.outbox import write_event

LOCK_TIMEOUT = "4s"
BUDGET = 840.0  # seconds of a run; the function is ended after 900
_LEAST_SECONDS = 1.0
TRIES = 5
_ALONE = (Phase.BUILD, Phase.VALIDATE)
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
_HOLDERS = """
SELECT DISTINCT a.pid, a.usename AS login, a.application_name AS application, a.state, c.relname AS table
  FROM pg_locks l
  JOIN pg_class c ON c.oid = l.relation
  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = %(namespace)s
  JOIN pg_stat_activity a ON a.pid = l.pid
 WHERE l.granted AND l.pid <> ALL(%(own)s)
UNION
SELECT a.pid, a.usename, a.application_name, a.state, NULL
  FROM pg_stat_activity a
 WHERE %(snapshots)s AND a.backend_xmin IS NOT NULL AND a.datname = current_database() AND a.pid <> ALL(%(own)s)
 ORDER BY 1 LIMIT 10
"""
_BUILT = """
SELECT i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s
"""

logger = logging.getLogger(__name__)
Put = Callable[[str, bytes], Awaitable[None]]


class LockHeld(Conflict):
    """Somebody else kept a lock that a statement needs, time after time."""

    code = "lock_held"
    title = "Somebody else holds a lock"


class StatementFailed(Conflict):
    """PostgreSQL refused a statement on the live schema; rows did not fit, most likely."""

    code = "statement_failed"
    title = "A statement failed"


class TargetMissed(Conflict):
    """Everything ran and yet the schema is not as planned: somebody else changed it meanwhile."""

    code = "target_missed"
    title = "The schema is not as planned"


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
        self._readers = readers
        self._put = put
        self._clock = clock
        self._pause = pause
        self.lock_timeout = lock_timeout
        self.budget = budget

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
                message = f"{namespace} is not the schema of a workspace"
                raise ValueError(message)
            if not await self._lock(owner, namespace):
                return DeploymentStatus.QUEUED
            # Whoever holds the lock is alone at this schema, whatever a lease of a worker that died says.
            now = self._clock.now()
            if not await journal.claim(now, now + LEASE):
                return await _status_of(owner, deployment_id)
            await logins.ensure_schema(owner, namespace)
            await logins.end_sessions(owner, namespace)
            try:
                async with await logins.open_login(owner, self._url, namespace) as worker:
                    return await _Work(self, owner, worker, journal, facts).run()
            except DataForgeError as error:
                return await _fail(owner, journal, facts, self._clock.now(), error)
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
                message = f"workspace {workspace_id} is not deleted"
                raise ValueError(message)
            await owner.execute("SELECT set_config('lock_timeout', %s, false)", [self.lock_timeout])
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
            await owner.execute("SELECT set_config('lock_timeout', %s, false)", [self.lock_timeout])
            return await drop_copies_of(owner, self._readers)

    async def empty_trash(self, workspace_id: UUID) -> list[str] | None:
        """Delete what has been kept in a workspace's trash long enough, or shall go; returns the names.

        None while somebody is at the schema: ask again later.
        """
        async with await AsyncConnection.connect(self._url, autocommit=True, prepare_threshold=None) as owner:
            if not await self._lock(owner, namespace_of(workspace_id)):
                return None
            await owner.execute("SELECT set_config('lock_timeout', %s, false)", [self.lock_timeout])
            try:
                async with owner.transaction():
                    return await delete_due(owner, workspace_id, self._clock.now())
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
                now = self._clock.now()
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
            await self.wait(turn)
        return False

    async def publish(self, key: str, body: bytes) -> None:
        """Store a revision's file."""
        await self._put(key, body)

    @property
    def readers(self) -> Sequence[str]:
        """Logins that may look at what is deployed."""
        return self._readers

    @property
    def clock(self) -> Clock:
        """What time it is."""
        return self._clock

    async def wait(self, turn: int) -> None:
        """Longer after each try."""
        await asyncio.sleep(self._pause * 2**turn)


class _Work:
    """One run: the statements of people go to the worker's connection, everything else to the owner's."""

    def __init__(
        self,
        deployer: Deployer,
        owner: "AsyncConnection[Any]",
        worker: "AsyncConnection[Any]",
        journal: Journal,
        facts: dict[str, Any],
    ) -> None:
        self._deployer = deployer
        self._owner = owner
        self._worker = worker
        self._journal = journal
        self._facts = facts
        self._namespace: str = facts["namespace"]
        self._steps = [Step(**step) for step in facts["steps"] or ()]
        self._here = SchemaJournal(worker, facts["id"], self._namespace)
        self._began = time.monotonic()

    async def run(self) -> str:
        done = await self._here.open()
        await self._journal.done(done, self._deployer.clock.now())
        await self._check_start(fresh=not done)
        waiting = [step for step in self._steps if step.position not in done]
        for phase, group in groupby(waiting, key=lambda step: step.phase):
            steps = list(group)
            for part in [[step] for step in steps] if phase in _ALONE else [steps]:
                if await self._journal.extend(self._deployer.clock.now() + LEASE):
                    await self._journal.end(DeploymentStatus.CANCELLED, self._deployer.clock.now())
                    return DeploymentStatus.CANCELLED
                if part[0] is not waiting[0] and self._seconds_left < self._deployer.budget / 2:
                    await self._journal.extend(self._deployer.clock.now())  # the next run takes it at once
                    return DeploymentStatus.RUNNING
                await self._patiently(part, in_transaction=phase != Phase.BUILD)
        return await self._finish()

    async def _check_start(self, *, fresh: bool) -> None:
        """Raise PlanStale unless the schema is as it was planned from; one that was begun goes on where it stands."""
        async with self._owner.transaction():
            await self._grant("USAGE ON SCHEMA {}")
            await self._grant("SELECT ON {}.deployment_journal")  # for those who ask how far it is
            found = (await read_schema(self._owner, self._namespace)).fingerprint
        if fresh and found != self._facts["base_fingerprint"]:
            message = "The schema has changed since the plan was made; nothing was done. Preview the target again."
            raise PlanStale(message, facts={"planned_from": self._facts["base_fingerprint"], "found": found})

    async def _grant(self, what: str) -> None:
        target = what.format(quoted(self._namespace))
        for reader in self._deployer.readers:
            await self._owner.execute(f"GRANT {target} TO {quoted(reader)}".encode())

    async def _patiently(self, steps: list[Step], *, in_transaction: bool) -> None:
        for turn in range(TRIES):
            try:
                if in_transaction:
                    await self._transaction(steps)
                else:
                    await self._alone(steps[0])
            except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
                # An index that is built concurrently waits for whoever reads an older state, of any table.
                holders = await self._holders(snapshots=not in_transaction)
                if turn == TRIES - 1:
                    message = (
                        "Somebody else holds a lock on a table of this schema; what was not done can be tried again."
                    )
                    raise LockHeld(message, facts={"held_by": holders, "step": steps[0].position}) from error
                await self._deployer.wait(turn)
            except errors.QueryCanceled as error:
                message = "A statement takes longer than one run of the deployer may; nothing of its step was done."
                raise StatementFailed(message, facts={"sqlstate": error.sqlstate, "step": steps[0].position}) from error
            except psycopg.OperationalError:
                raise  # the server is away: the lease runs out and another worker goes on
            except psycopg.Error as error:
                where = error.diag.constraint_name or error.diag.column_name
                message = f"PostgreSQL refuses a statement on the live schema: {error.diag.message_primary}."
                raise StatementFailed(message, facts={"sqlstate": error.sqlstate, "about": where}) from error
            else:
                await self._journal.done([step.position for step in steps], self._deployer.clock.now())
                return

    async def _transaction(self, steps: list[Step]) -> None:
        async with self._worker.transaction():
            await self._set("lock_timeout", self._deployer.lock_timeout, local=True)
            await self._set("search_path", quoted(self._namespace), local=True)
            for step in steps:
                async with self._worker.pipeline():  # what belongs to a step is sent at once
                    await self._set("statement_timeout", self._timeout, local=True)
                    # Binary results make the driver use the extended protocol, which takes one statement and no more.
                    await self._worker.execute(step.sql.encode(), binary=True)
                    await self._here.keep(step.position)

    async def _alone(self, step: Step) -> None:
        """Run what no transaction may hold: an index may be there already when a worker died before its mark."""
        await self._set("lock_timeout", self._deployer.lock_timeout)
        await self._set("statement_timeout", self._timeout)
        await self._set("search_path", quoted(self._namespace))
        built = step.object.removeprefix("index ") if " INDEX CONCURRENTLY " in step.sql else None
        if built is None or not await self._is_built(built):
            try:
                await self._worker.execute(step.sql.encode(), binary=True)
            except psycopg.Error:
                if built is not None and not self._worker.broken:
                    await self._is_built(built)  # what is left of it would be in the way of everything that follows
                raise
        await self._here.keep(step.position)

    @property
    def _seconds_left(self) -> float:
        return self._deployer.budget - (time.monotonic() - self._began)

    @property
    def _timeout(self) -> str:
        """What a statement may take: it fails by itself before the function is ended."""
        return f"{1000 * max(self._seconds_left, _LEAST_SECONDS):.0f}ms"

    async def _set(self, name: str, value: str, *, local: bool = False) -> None:
        await self._worker.execute("SELECT set_config(%s, %s, %s)", [name, value, local])

    async def _is_built(self, index: str) -> bool:
        row = await (await self._worker.execute(_BUILT, [self._namespace, index])).fetchone()
        if row is not None and not row[0]:
            await self._worker.execute(f"DROP INDEX CONCURRENTLY {quoted(index)}".encode())
            return False
        return row is not None

    async def _holders(self, *, snapshots: bool) -> list[dict[str, Any]]:
        own = [self._owner.info.backend_pid, self._worker.info.backend_pid]
        async with self._owner.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(_HOLDERS, {"namespace": self._namespace, "own": own, "snapshots": snapshots})
            return await cursor.fetchall()

    async def _finish(self) -> str:
        now, number = self._deployer.clock.now(), self._facts["revisions"] + 1
        revision = Revision(
            workspace_id=self._facts["workspace_id"],
            number=number,
            revision=revision_name(self._facts["plan_hash"], number),
            down_revision=self._facts["latest"],
            plan_hash=self._facts["plan_hash"],
            applied_at=now,
        )
        # What happened without a deployment and was adopted is not run; whoever runs the files runs it.
        steps = self._steps or steps_of(self._facts["happened"] or ())
        body = revision_file(revision, steps, self._facts["down_changes"]).encode()
        await self._deployer.publish(revision.key, body)
        async with self._owner.transaction():
            found = (await read_schema(self._owner, self._namespace)).fingerprint
            if found != self._facts["target_fingerprint"]:
                message = "All statements ran, and yet the schema is not as planned: somebody else has changed it."
                raise TargetMissed(message, facts={"planned": self._facts["target_fingerprint"], "found": found})
            await self._grant("SELECT ON ALL TABLES IN SCHEMA {}")
            digest = hashlib.sha256(body).hexdigest()
            await self._journal.add_revision(uuid7(), revision, digest, self._namespace)
            kept = await read_kept(self._owner, trash_of(self._namespace))
            await record_trash(self._owner, self._facts["workspace_id"], kept, now)
            await self._journal.end(DeploymentStatus.SUCCEEDED, now)
            await write_event(self._owner, _ended(self._facts, revision=revision.revision), now)
        return DeploymentStatus.SUCCEEDED


def _ended(
    facts: dict[str, Any], *, revision: str | None = None, error: DataForgeError | None = None
) -> SchemaDeploymentEnded:
    said = None if error is None else error.detail
    return SchemaDeploymentEnded(
        facts["id"], facts["workspace_id"], facts["namespace"], revision, said, facts["created_by"]
    )


async def _fail(
    owner: "AsyncConnection[Any]", journal: Journal, facts: dict[str, Any], now: datetime, error: DataForgeError
) -> str:
    document = {"code": error.code, "title": error.title, "detail": error.detail, "facts": error.facts}
    async with owner.transaction():
        await journal.end(DeploymentStatus.FAILED, now, document)
        await write_event(owner, _ended(facts, error=error), now)
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
