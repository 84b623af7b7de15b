"""Runs a proved plan as it would be deployed, on a committed copy of the tables concerned, and watches.

The proof's one transaction holds every lock on what it made, and cannot run what belongs into no transaction (indexes
built concurrently, new values of enums in use). Here each change is committed: its locks, rewrites and scans are read
before that, and what PostgreSQL refuses of the deployed form is known before the plan is shown.

The copy holds no rows and is dropped at once; one whose process died is dropped by the next trial, or by maintenance.
"""

import logging
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import AsyncConnection, errors

from dataforge.contexts.schemas.designs.domain.model import Schema
from dataforge.contexts.schemas.designs.domain.names import quoted, trash_of
from dataforge.contexts.schemas.designs.domain.rendering import create_schema, identity_names
from dataforge.contexts.schemas.designs.queries import read_schema
from dataforge.contexts.schemas.plans.domain.changes import Change, Phase
from dataforge.contexts.schemas.plans.domain.copies import PREFIX, copy_name, is_stale
from dataforge.contexts.schemas.plans.domain.evidence import Evidence, lock_of, read_messages, strongest
from dataforge.contexts.schemas.plans.domain.plan import Plan
from dataforge.contexts.schemas.plans.domain.trash import in_copy
from dataforge.contexts.schemas.plans.proof import PlanRefused, PlanUnproved
from dataforge.kernel.texts import Text

logger = logging.getLogger(__name__)
_MOST_TABLES = 200  # of the copy; what concerns more is judged by the proof's messages alone
_SECONDS = 10
_NOT_WITHIN = (Phase.BUILD,)
_SPECIAL = (Phase.ENUM_VALUES, Phase.BUILD, Phase.VALIDATE)
_SETTINGS = {
    "search_path": "",
    "lock_timeout": "2s",
    "statement_timeout": f"{_SECONDS}s",
    "client_min_messages": "debug1",
    "synchronous_commit": "off",
}
_THERE = """
SELECT c.oid, c.relname, c.relfilenode FROM pg_class c
 WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p', 'm')
"""
_SEEN = """
SELECT c.oid, c.relname, c.relfilenode, pg_stat_get_xact_numscans(c.oid) > 0,
       array(SELECT l.mode FROM pg_locks l
              WHERE l.locktype = 'relation' AND l.relation = c.oid AND l.pid = pg_backend_pid() AND l.granted)
  FROM pg_class c WHERE c.oid = ANY(%s)
UNION ALL
SELECT l.relation, NULL, NULL, false, array_agg(l.mode)
  FROM pg_locks l
 WHERE l.locktype = 'relation' AND l.relation = ANY(%s) AND l.pid = pg_backend_pid() AND l.granted
   AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = l.relation)
 GROUP BY l.relation
"""
_STALE = "SELECT nspname FROM pg_namespace WHERE nspname LIKE %s AND pg_has_role(nspowner, 'USAGE')"
_OWNERS = """
SELECT DISTINCT r.rolname FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner
 WHERE n.nspname LIKE %s AND r.rolname = ANY(%s) AND NOT pg_has_role(r.oid, 'USAGE')
"""


class _OutOfTime(Exception):
    """The trial has used up its time; what it has seen so far counts."""


async def try_plan(connection: AsyncConnection[Any], plan: Plan) -> Plan:
    """The plan with the locks, rewrites and scans that were measured; raises PlanRefused, PlanUnproved.

    Plans that concern nothing that is there, or too much for the time there is, come back as they are.
    """
    if plan.rehearsed is None or not plan.up:
        return plan
    start, end = plan.rehearsed
    if not 0 < len(start.tables) + len(start.partitions) <= _MOST_TABLES:
        return plan
    await connection.rollback()
    await drop_stale_copies(connection)
    seen: list[Evidence] = []
    try:
        async with _copy(connection, plan.namespace, start, plan.kept) as trial:
            try:
                await trial.watch(plan.up, seen)
                await trial.check(end, "the target")
                if any(item.phase in _SPECIAL for item in (*plan.up, *plan.down)):
                    await trial.watch(plan.down, [])
                    await trial.check(start, "the start")
            except (_OutOfTime, errors.QueryCanceled, errors.LockNotAvailable):
                logger.warning("a trial was given up", extra={"changes": len(plan.up), "seen": len(seen)})
    finally:
        await connection.rollback()
    rehearsed = plan.evidence[len(seen) :]
    return replace(plan, evidence=(*seen, *rehearsed))


async def drop_stale_copies(connection: AsyncConnection[Any]) -> int:
    """Drop the copies of trials that were never ended; returns how many."""
    rows = await (await connection.execute(_STALE, [PREFIX + "%"])).fetchall()
    stale = [name for (name,) in rows if is_stale(name)]
    for name in stale:
        await connection.execute(f"DROP SCHEMA IF EXISTS {quoted(name)} CASCADE".encode())
    await connection.commit()
    return len(stale)


async def drop_copies_of(connection: AsyncConnection[Any], logins: Sequence[str]) -> int:
    """Drop such copies as the owner of everything else, who must be one of the logins that make them for that."""
    rows = await (await connection.execute(_OWNERS, [PREFIX + "%", list(logins)])).fetchall()
    for (login,) in rows:
        await connection.execute(f"GRANT {quoted(login)} TO CURRENT_USER".encode())
    return await drop_stale_copies(connection)


@asynccontextmanager
async def _copy(
    connection: AsyncConnection[Any], namespace: str, start: Schema, kept: Schema | None
) -> AsyncIterator["_Trial"]:
    """A committed copy of a schema without its rows, and of its trash if the plan uses one."""
    name = copy_name()
    try:
        await connection.execute("SET LOCAL synchronous_commit = off")
        await connection.execute(f"CREATE SCHEMA {quoted(name)}".encode())
        trial = _Trial(connection, namespace, name)
        if kept is not None:
            await connection.execute(f"CREATE SCHEMA {quoted(trash_of(name))}".encode())
            await connection.execute(f"SET LOCAL search_path TO {quoted(trash_of(name))}".encode())
            for creation in create_schema(kept):
                await connection.execute(creation.sql.encode(), binary=True)
        await trial.begin()
        async with connection.pipeline():
            for creation in create_schema(start):
                await connection.execute(creation.sql.encode(), binary=True)
        if any(column.identity for table in start.tables.values() for column in table.columns.values()):
            for text in identity_names(await read_schema(connection, name), start):
                await connection.execute(text.encode(), binary=True)
        await connection.commit()
        await trial.remember()
        yield trial
    finally:
        await connection.rollback()
        await connection.set_autocommit(False)
        await connection.execute("SET LOCAL synchronous_commit = off")
        schemas = f"{quoted(name)}, {quoted(trash_of(name))}"
        await connection.execute(f"DROP SCHEMA IF EXISTS {schemas} CASCADE".encode())
        await connection.commit()


class _Trial:
    def __init__(self, connection: AsyncConnection[Any], namespace: str, name: str) -> None:
        self._connection = connection
        self._namespace = namespace
        self._name = name
        self._deadline = time.monotonic() + _SECONDS
        self._names: dict[int, str] = {}  # of what was there at first, as it was called then
        self._files: dict[int, int] = {}
        self._there: set[str] = set()  # how it is called now
        self._messages: list[str] = []

    async def begin(self, *, local: bool = True) -> None:
        """Settings for a transaction, or for statements outside of one."""
        settings = {**_SETTINGS, "search_path": quoted(self._name)}
        # Counters of scans are of the transaction once those of the one before have been handed in.
        parts = [*["set_config(%s, %s, %s)"] * len(settings), "pg_stat_force_next_flush()"]
        query = "SELECT " + ", ".join(parts)
        values = [part for name, value in settings.items() for part in (name, value, local)]
        await self._connection.execute(query, values)

    async def remember(self) -> None:
        """What is there before the first change."""
        rows = await (await self._connection.execute(_THERE, [quoted(self._name)])).fetchall()
        await self._connection.commit()
        for oid, name, file in rows:
            self._names[oid], self._files[oid] = name, file
            self._there.add(name)

    async def watch(self, changes: Iterable[Change], seen: list[Evidence]) -> None:
        """Run changes, each committed; what was seen of them is added to `seen`."""

        def listen(diagnostic: errors.Diagnostic) -> None:
            self._messages.append(diagnostic.message_primary or "")

        self._connection.add_notice_handler(listen)
        try:
            for item in changes:
                if time.monotonic() > self._deadline:
                    raise _OutOfTime
                self._messages.clear()
                try:
                    seen.append(await (self._alone if item.phase in _NOT_WITHIN else self._within)(item))
                except (errors.QueryCanceled, errors.LockNotAvailable):
                    raise
                except psycopg.Error as error:
                    message = Text(
                        "{op} {given}: PostgreSQL refuses it: {message_primary}.",
                        op=item.op,
                        given=item.object,
                        message_primary=error.diag.message_primary,
                    )
                    raise PlanRefused(message, facts={"sqlstate": error.sqlstate, "object": item.object}) from error
        finally:
            self._connection.remove_notice_handler(listen)

    async def check(self, goal: Schema, what: str) -> None:
        """Raise PlanUnproved unless the copy is as it should be."""
        reached = await read_schema(self._connection, self._name)
        await self._connection.commit()
        if reached.fingerprint != goal.fingerprint:
            message = Text(
                "The plan, run as it would be deployed, did not lead to {what}; nothing was planned.", what=what
            )
            raise PlanUnproved(message)

    async def _within(self, item: Change) -> Evidence:
        await self.begin()
        for statement in item.statements:
            # What a view would hold is looked up by nobody but its owner: a query may take any time.
            if not statement.sql.startswith("REFRESH "):
                sql = in_copy(statement.sql, self._namespace, self._name)
                await self._connection.execute(sql.encode(), binary=True)
        found = await self._seen(item)
        await self._connection.commit()
        return found

    async def _alone(self, item: Change) -> Evidence:
        """Run what no transaction may hold; its locks are let go before anybody can look, and are known."""
        await self._connection.set_autocommit(True)
        try:
            await self.begin(local=False)
            for statement in item.statements:
                await self._connection.execute(statement.sql.encode(), binary=True)
        finally:
            for name in _SETTINGS:
                await self._connection.execute(f"RESET {name}".encode())
            await self._connection.set_autocommit(False)
        await self.begin()
        found = await self._seen(item)
        await self._connection.commit()
        locks = {name: item.lock for name in self._there if name == item.table and item.lock is not None}
        return replace(found, locks=locks)

    async def _seen(self, item: Change) -> Evidence:
        # A new foreign key looks its rows up in the other table: as often as there are rows in its own.
        only = item.table if item.object.startswith("constraint ") else None
        oids = list(self._names)
        rows: Sequence[Any] = await (await self._connection.execute(_SEEN, [oids, oids])).fetchall()
        rewrites = scans = False
        locks: dict[str, str] = {}
        here: set[str] = set()
        for oid, name, file, scanned, modes in rows:
            if name is not None:
                here.add(name)
                rewrites |= self._files[oid] != file
                self._files[oid] = file
            scans |= scanned and only in (None, name)
            lock = strongest(map(lock_of, modes))
            if lock is not None:
                locks[self._names[oid]] = lock
        reported = read_messages(self._messages, here if only is None else {only} & here)
        self._there = here
        return Evidence(rewrites or reported.rewrites, scans or reported.scans, locks, measured=True)
