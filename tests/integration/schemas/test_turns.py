"""Deployments of workspaces beside migrations of the platform: neither holds up the other for ever."""

import asyncio
from uuid import UUID

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
