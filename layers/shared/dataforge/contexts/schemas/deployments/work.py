"""One run of a deployment: which statements are left, and how each is run, waited for and marked."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import psycopg
from psycopg import AsyncConnection, errors
from psycopg.rows import dict_row

from dataforge.contexts.schemas.contract import SchemaDeploymentEnded
from dataforge.contexts.schemas.deployments.domain import (
    LEASE,
    DeploymentStatus,
    Revision,
    Step,
    check_trash,
    revision_file,
    revision_name,
    steps_of,
)
from dataforge.contexts.schemas.deployments.repository import Journal, SchemaJournal
from dataforge.contexts.schemas.designs.domain.names import quoted, trash_of
from dataforge.contexts.schemas.designs.queries import read_kept_tables, read_schema
from dataforge.contexts.schemas.plans.domain.changes import Phase
from dataforge.contexts.schemas.plans.proof import read_kept
from dataforge.contexts.schemas.trash.repository import record_trash
from dataforge.kernel.clock import Clock
from dataforge.kernel.errors import Conflict, DataForgeError, PlanStale
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text
from dataforge.platform.db.outbox import write_event

TRIES = 5
_LEAST_SECONDS = 1.0
_ALONE = (Phase.BUILD, Phase.VALIDATE)
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

Put = Callable[[str, bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a run goes by: `readers` are logins that may look, `put` stores files, `budget` is seconds of a run."""

    readers: Sequence[str]
    put: Put
    clock: Clock
    pause: float
    lock_timeout: str
    budget: float

    async def wait(self, turn: int) -> None:
        """Longer after each try."""
        await asyncio.sleep(self.pause * 2**turn)


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


class Work:
    """One run: the statements of people go to the worker's connection, everything else to the owner's."""

    def __init__(
        self,
        terms: Terms,
        owner: "AsyncConnection[Any]",
        worker: "AsyncConnection[Any]",
        journal: Journal,
        facts: dict[str, Any],
    ) -> None:
        self._terms = terms
        self._owner = owner
        self._worker = worker
        self._journal = journal
        self._facts = facts
        self._namespace: str = facts["namespace"]
        self._steps = [Step(**step) for step in facts["steps"] or ()]
        self._here = SchemaJournal(worker, facts["id"], self._namespace)
        self._began = time.monotonic()

    async def run(self) -> str:
        """Go on where the schema stands; returns the status of the deployment then."""
        done = await self._here.open()
        await self._journal.done(done, self._terms.clock.now())
        waiting = [step for step in self._steps if step.position not in done]
        await self._check_start(waiting, fresh=not done)
        for phase, group in groupby(waiting, key=lambda step: step.phase):
            steps = list(group)
            for part in [[step] for step in steps] if phase in _ALONE else [steps]:
                if await self._journal.extend(self._terms.clock.now() + LEASE):
                    await self._journal.end(DeploymentStatus.CANCELLED, self._terms.clock.now())
                    return DeploymentStatus.CANCELLED
                if part[0] is not waiting[0] and self._seconds_left < self._terms.budget / 2:
                    await self._journal.extend(self._terms.clock.now())  # the next run takes it at once
                    return DeploymentStatus.RUNNING
                await self._patiently(part, in_transaction=phase != Phase.BUILD)
        return await self._finish()

    async def _check_start(self, waiting: Sequence[Step], *, fresh: bool) -> None:
        """Raise PlanStale unless the schema is as it was planned from, and the trash has what is taken from it.

        One that was begun goes on where it stands.
        """
        async with self._owner.transaction():
            await self._grant("USAGE ON SCHEMA {}")
            await self._grant("SELECT ON {}.deployment_journal")  # for those who ask how far it is
            found = (await read_schema(self._owner, self._namespace)).fingerprint
        if fresh and found != self._facts["base_fingerprint"]:
            message = Text(
                "The schema has changed since the plan was made; nothing was done. Preview the target again."
            )
            raise PlanStale(message, facts={"planned_from": self._facts["base_fingerprint"], "found": found})
        trash = await read_kept_tables(self._owner, trash_of(self._namespace))
        check_trash([step.sql for step in waiting], self._namespace, {name for name, _ in trash})

    async def _grant(self, what: str) -> None:
        target = what.format(quoted(self._namespace))
        for reader in self._terms.readers:
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
                    message = Text(
                        "Somebody else holds a lock on a table of this schema; what was not done can be tried again."
                    )
                    raise LockHeld(message, facts={"held_by": holders, "step": steps[0].position}) from error
                await self._terms.wait(turn)
            except errors.QueryCanceled as error:
                message = Text(
                    "A statement takes longer than one run of the deployer may; nothing of its step was done."
                )
                raise StatementFailed(message, facts={"sqlstate": error.sqlstate, "step": steps[0].position}) from error
            except psycopg.OperationalError:
                raise  # the server is away: the lease runs out and another worker goes on
            except psycopg.Error as error:
                where = error.diag.constraint_name or error.diag.column_name
                message = Text(
                    "PostgreSQL refuses a statement on the live schema: {message_primary}.",
                    message_primary=error.diag.message_primary,
                )
                raise StatementFailed(message, facts={"sqlstate": error.sqlstate, "about": where}) from error
            else:
                await self._journal.done([step.position for step in steps], self._terms.clock.now())
                return

    async def _transaction(self, steps: list[Step]) -> None:
        async with self._worker.transaction():
            await self._set("lock_timeout", self._terms.lock_timeout, local=True)
            await self._set("search_path", quoted(self._namespace), local=True)
            for step in steps:
                async with self._worker.pipeline():  # what belongs to a step is sent at once
                    await self._set("statement_timeout", self._timeout, local=True)
                    # Binary results make the driver use the extended protocol, which takes one statement and no more.
                    await self._worker.execute(step.sql.encode(), binary=True)
                    await self._here.keep(step.position)

    async def _alone(self, step: Step) -> None:
        """Run what no transaction may hold: an index may be there already when a worker died before its mark."""
        await self._set("lock_timeout", self._terms.lock_timeout)
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
        return self._terms.budget - (time.monotonic() - self._began)

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
        now, number = self._terms.clock.now(), self._facts["revisions"] + 1
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
        await self._terms.put(revision.key, body)
        async with self._owner.transaction():
            found = (await read_schema(self._owner, self._namespace)).fingerprint
            if found != self._facts["target_fingerprint"]:
                message = Text(
                    "All statements ran, and yet the schema is not as planned: somebody else has changed it."
                )
                raise TargetMissed(message, facts={"planned": self._facts["target_fingerprint"], "found": found})
            await self._grant("SELECT ON ALL TABLES IN SCHEMA {}")
            digest = hashlib.sha256(body).hexdigest()
            await self._journal.add_revision(uuid7(), revision, digest, self._namespace)
            kept = await read_kept(self._owner, trash_of(self._namespace))
            await record_trash(self._owner, self._facts["workspace_id"], kept, now)
            await self._journal.end(DeploymentStatus.SUCCEEDED, now)
            await write_event(self._owner, deployment_ended(self._facts, revision=revision.revision), now)
        return DeploymentStatus.SUCCEEDED


def deployment_ended(
    facts: dict[str, Any], *, revision: str | None = None, error: DataForgeError | None = None
) -> SchemaDeploymentEnded:
    """What others hear of the end of a deployment."""
    said = None if error is None else error.detail
    return SchemaDeploymentEnded(
        facts["id"], facts["workspace_id"], facts["namespace"], revision, said, facts["created_by"]
    )
