"""Deployments of workspaces beside migrations of the platform: neither holds up the other for ever."""

import asyncio
from uuid import UUID

import psycopg
import pytest

from dataforge.platform.db import migrations
from dataforge.platform.db.turns import turn
from tests.builders.schemas import SchemasUnderTest, column, table


async def test_an_index_is_built_concurrently_while_a_migration_waits_for_its_turn(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(table("people", column("name", "TEXT"))))
    await schemas.sql("INSERT INTO people (name) SELECT 'Ada' FROM generate_series(1, 3000)")
    indexes = [{"name": "by_name", "columns": ["name"]}]
    plan = await schemas.preview(table("people", column("name", "TEXT"), indexes=indexes))
    asked = (await schemas.ask_deploy(plan)).json()
    async with asyncio.TaskGroup() as group:
        with turn(schemas.url):
            migration = group.create_task(asyncio.to_thread(migrations.upgrade, schemas.url))

            ended = await schemas.deployer.run(UUID(asked["id"]))
            waited = not migration.done()

    assert "CONCURRENTLY" in plan["sql"]
    assert (ended, waited) == ("succeeded", True), (await schemas.deployment(asked["id"]))["error"]
    assert migration.result()["before"] == migration.result()["after"] == migrations.head_revision()


async def test_a_deployment_and_a_migration_run_at_once(schemas: SchemasUnderTest) -> None:
    asked = (await schemas.ask_deploy(await schemas.preview(table("people")))).json()

    ended, migrated = await asyncio.gather(
        schemas.deployer.run(UUID(asked["id"])), asyncio.to_thread(migrations.upgrade, schemas.url)
    )

    assert (ended, migrated["after"]) == ("succeeded", migrations.head_revision())


def test_a_turn_that_never_comes_is_an_error(plain_database: str) -> None:
    with turn(plain_database), pytest.raises(TimeoutError, match="another migration"), turn(plain_database, seconds=0):
        pass


async def test_a_reader_of_another_table_that_keeps_an_index_waiting_is_named(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(table("people", column("name", "TEXT"))))
    await schemas.sql("INSERT INTO people (name) VALUES ('Ada')")
    indexes = [{"name": "by_name", "columns": ["name"]}]
    plan = await schemas.preview(table("people", column("name", "TEXT"), indexes=indexes))
    asked = (await schemas.ask_deploy(plan)).json()
    async with await psycopg.AsyncConnection.connect(schemas.url, application_name="a long export") as other:
        await other.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
        await other.execute("SELECT 1")
        await schemas.deployer.run(UUID(asked["id"]))
    failed = await schemas.deployment(asked["id"])
    await schemas.client.post(f"/api/schema/deployments/{asked['id']}/resume")

    assert await schemas.deployer.run(UUID(asked["id"])) == "succeeded"
    assert (failed["status"], failed["schema_state"], failed["error"]["code"]) == ("failed", "old", "lock_held")
    assert "a long export" in {holder["application"] for holder in failed["error"]["facts"]["held_by"]}
