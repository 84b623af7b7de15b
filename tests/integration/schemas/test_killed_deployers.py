"""Processes that end in the middle of a deployment: the worker's own (kill -9), or the server's."""

import asyncio
import os
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from dataforge.contexts.schemas.deployments.execution import Deployer
from dataforge.kernel.clock import FixedClock
from dataforge.platform.db import roles
from dataforge.platform.db.grants import GRANTS
from dataforge.platform.db.migrations import upgrade
from infra.local.layout import SOURCE_PATH
from infra.local.postgres import start
from tests.builders.api import ApiUnderTest
from tests.builders.roles import opened
from tests.builders.schemas import SchemasUnderTest, column, table
from tests.builders.workspaces import new_workspace, person

# Keeps the n-th statement of a workspace's login waiting for as long as the test holds a lock.
PAUSE = """
CREATE SEQUENCE public.statements;
CREATE TABLE public.pauses (number bigint);
INSERT INTO public.pauses VALUES (0);
CREATE FUNCTION public.pause() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF session_user LIKE 'ws\\_%' AND nextval('public.statements') = (SELECT number FROM public.pauses) THEN
    PERFORM pg_advisory_lock(7);
  END IF;
END $$;
CREATE EVENT TRIGGER pause ON ddl_command_end EXECUTE FUNCTION public.pause();
"""
WORKER = """
import asyncio, sys, uuid
from pathlib import Path
from dataforge.contexts.schemas.deployments.execution import Deployer
from dataforge.kernel.clock import SystemClock

async def put(key, body):
    Path(sys.argv[3], key.rpartition("/")[2]).write_bytes(body)

asyncio.run(Deployer(sys.argv[1], ["schema-proof"], put, SystemClock(), pause=0.01).run(uuid.UUID(sys.argv[2])))
"""
SMALL = {"id": "e", "name": "mood", "values": ["sad", "ok"]}
LARGE = SMALL | {"values": ["sad", "ok", "great"]}
# Whether each of the phases of `after` has left something: whoever looks knows nothing of the engine.
SEEN = """
SELECT EXISTS (SELECT FROM pg_enum WHERE enumlabel = 'great'),
       EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'people'::regclass AND attname = 'age'),
       EXISTS (SELECT FROM pg_class WHERE relname = 'by_name'),
       coalesce((SELECT indisvalid FROM pg_index i JOIN pg_class c ON c.oid = indexrelid WHERE relname = 'by_name'),
                false),
       EXISTS (SELECT FROM pg_constraint WHERE conname = 'known'),
       EXISTS (SELECT FROM pg_constraint WHERE conname = 'known' AND convalidated)
"""


def before() -> dict[str, Any]:
    return table("people", column("name", "TEXT"), column("mood", "mood"))


def after() -> dict[str, Any]:
    """Something for each phase: a value of an enum, a change, an index built beside, a check validated later."""
    checks, indexes = [{"name": "known", "expr": "name <> ''"}], [{"name": "by_name", "columns": ["name"]}]
    return before() | {"checks": checks, "indexes": indexes, "columns": [*before()["columns"], column("age")]}


async def begun(schemas: SchemasUnderTest) -> None:
    """Deploy the start, with a row."""
    await schemas.deploy(await schemas.preview(before(), enums=[SMALL]))
    await schemas.sql("INSERT INTO people (name, mood) VALUES ('Ada', 'ok')")


async def asked_for(schemas: SchemasUnderTest) -> str:
    plan = await schemas.preview(after(), enums=[LARGE])
    asked = await schemas.ask_deploy(plan)
    assert asked.status_code == 202, asked.text
    return str(asked.json()["id"])


async def set_back(schemas: SchemasUnderTest) -> None:
    back = await schemas.preview(before(), enums=[SMALL])
    assert (await schemas.deploy(back, "column people.age", "enum mood"))["status"] == "succeeded"


async def state_of(schemas: SchemasUnderTest) -> str:
    """What the schema is, by what can be seen of it."""
    [seen] = await schemas.sql(SEEN)
    return "new" if all(seen) else "between" if any(seen) else "old"


@asynccontextmanager
async def paused_at(schemas: SchemasUnderTest, number: int) -> AsyncIterator["psycopg.AsyncConnection[Any]"]:
    """Keep the statement waiting; gives the connection that keeps it."""
    async with await psycopg.AsyncConnection.connect(schemas.url, autocommit=True) as keeper:
        await keeper.execute("SELECT pg_advisory_lock(7)")
        await keeper.execute("UPDATE public.pauses SET number = %s", [number])
        await keeper.execute("SELECT setval('public.statements', 1, false)")
        yield keeper


async def is_waiting(keeper: "psycopg.AsyncConnection[Any]", lock: str = "advisory") -> bool:
    """Whether a session of a workspace's login waits for such a lock."""
    query = "SELECT wait_event FROM pg_stat_activity WHERE usename ^@ 'ws_' AND wait_event = %s"
    return await (await keeper.execute(query, [lock])).fetchone() is not None


def started_worker(*arguments: str) -> "subprocess.Popen[bytes]":
    """A process of its own that carries a deployment out."""
    command = [sys.executable, "-c", WORKER, *arguments]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": SOURCE_PATH})


async def killed_while(
    schemas: SchemasUnderTest,
    keeper: "psycopg.AsyncConnection[Any]",
    deployment_id: str,
    files: Path,
    lock: str = "advisory",
) -> bool:
    """Start a worker's process and kill it when its session waits; False when it ends by itself."""
    worker = started_worker(schemas.url, deployment_id, str(files))
    try:
        deadline = time.monotonic() + 60
        while not await is_waiting(keeper, lock):
            if worker.poll() is not None:
                assert worker.returncode == 0
                return False
            assert time.monotonic() < deadline, "the worker never came to the statement"
            await asyncio.sleep(0.02)
    finally:
        worker.kill()
        worker.wait()
    return True


async def test_a_process_that_is_killed_at_any_statement_is_followed_by_one_that_ends_what_it_left(
    schemas: SchemasUnderTest, tmp_path: Path
) -> None:
    async with await psycopg.AsyncConnection.connect(schemas.url, autocommit=True) as owner:
        await owner.execute(PAUSE.encode())
    await begun(schemas)
    said, number = [], 0
    while True:
        number += 1
        deployment_id = await asked_for(schemas)
        async with paused_at(schemas, number) as keeper:
            killed = await killed_while(schemas, keeper, deployment_id, tmp_path)
            meanwhile = await schemas.deployment(deployment_id)
            assert meanwhile["schema_state"] == await state_of(schemas), number
            if not killed:
                break
            said.append(meanwhile["schema_state"])
            assert meanwhile["status"] == "running"
            # The server process of the dead one is still at its statement, with its locks.
            assert await is_waiting(keeper)
            await keeper.execute("UPDATE public.pauses SET number = 0")
            await schemas.deployer.run(UUID(deployment_id))
        done = await schemas.deployment(deployment_id)
        assert (done["status"], done["error"], done["attempt"]) == ("succeeded", None, 2)
        assert await state_of(schemas) == done["schema_state"] == "new"
        assert await schemas.sql("SELECT name, mood::text FROM people") == [("Ada", "ok")]
        await set_back(schemas)

    assert meanwhile["status"] == "succeeded"
    assert number > 5
    assert {"old", "between"} <= set(said)


async def test_a_process_that_is_killed_while_it_builds_an_index_leaves_one_that_is_built_again(
    schemas: SchemasUnderTest, tmp_path: Path
) -> None:
    await begun(schemas)
    deployment_id = await asked_for(schemas)
    async with await psycopg.AsyncConnection.connect(schemas.url) as reader:
        await reader.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
        await reader.execute("SELECT 1")  # an index is not valid before everybody who reads an older state has ended
        async with await psycopg.AsyncConnection.connect(schemas.url, autocommit=True) as keeper:
            assert await killed_while(schemas, keeper, deployment_id, tmp_path, "virtualxid")
            half = await schemas.deployment(deployment_id)
            state = await state_of(schemas)
    await schemas.deployer.run(UUID(deployment_id))

    assert (half["status"], half["schema_state"], state) == ("running", "between", "between")
    done = await schemas.deployment(deployment_id)
    assert (done["status"], done["error"]) == ("succeeded", None)
    assert await state_of(schemas) == "new"


async def test_a_worker_that_dies_after_the_last_statement_leaves_a_schema_that_is_as_planned(
    schemas: SchemasUnderTest,
) -> None:
    async def fail(_key: str, _body: bytes) -> None:
        message = "the bucket is away"
        raise ConnectionError(message)

    asked = (await schemas.ask_deploy(await schemas.preview(table("people")))).json()
    queued = await schemas.deployment(asked["id"])
    doomed = Deployer(schemas.url, ["schema-proof"], fail, schemas.api.platform.clock)
    with pytest.raises(ConnectionError):
        await doomed.run(UUID(asked["id"]))

    meanwhile = await schemas.deployment(asked["id"])

    assert (queued["status"], queued["schema_state"]) == ("queued", "old")
    assert (meanwhile["status"], meanwhile["schema_state"]) == ("running", "new")


async def test_a_server_that_crashes_in_the_middle_is_gone_on_with_when_it_is_back(
    tmp_path: Path, clock: FixedClock
) -> None:
    server = start(tmp_path / "pg")
    try:
        url = server.create_database("failing")
        upgrade(url)
        roles.apply(url, {function: roles.Login(function, secrets.token_hex(16)) for function in GRANTS})
        async with opened(url, pool_size=5) as database, ApiUnderTest(database, clock) as api:
            owner = await person(api, "owner")
            schemas = SchemasUnderTest(api, owner, database, UUID(await new_workspace(owner)))
            async with await psycopg.AsyncConnection.connect(schemas.url, autocommit=True) as connection:
                await connection.execute(PAUSE.encode())
            await begun(schemas)
            for number, immediate in ((1, True), (2, False), (4, True)):
                deployment_id = await asked_for(schemas)
                async with paused_at(schemas, number) as keeper:
                    run = asyncio.create_task(schemas.deployer.run(UUID(deployment_id)))
                    while not await is_waiting(keeper):
                        assert not run.done(), "the deployment ended by itself"
                        await asyncio.sleep(0.02)
                    await asyncio.to_thread(server.stop, immediate=immediate)
                    with pytest.raises(psycopg.OperationalError):
                        await run
                server = await asyncio.to_thread(start, tmp_path / "pg")
                meanwhile = await schemas.deployment(deployment_id)
                assert (meanwhile["status"], meanwhile["schema_state"]) == ("running", await state_of(schemas))
                await schemas.sql("UPDATE public.pauses SET number = 0")
                await schemas.deployer.run(UUID(deployment_id))

                done = await schemas.deployment(deployment_id)
                assert (done["status"], done["error"]) == ("succeeded", None)
                assert await state_of(schemas) == "new"
                assert await schemas.sql("SELECT name, mood::text FROM people") == [("Ada", "ok")]
                await set_back(schemas)
    finally:
        server.stop()
