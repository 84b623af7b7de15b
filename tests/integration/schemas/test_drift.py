"""Drift: looked for every hour, announced once, and two ways out of it."""

from datetime import timedelta
from typing import Any

from dataforge.contexts.schemas.contract import SchemaDrifted
from dataforge.contexts.schemas.drift.checks import workspaces_to_check
from tests.builders.events import published
from tests.builders.schemas import SchemasUnderTest, column, table
from tests.builders.workspaces import Space, join, person


async def ask(schemas: SchemasUnderTest, way: str) -> dict[str, Any]:
    answer = await schemas.client.post(f"/api/schema/drift/{way}", json={"workspace_id": str(schemas.workspace_id)})
    found: dict[str, Any] = answer.json()
    return found


async def drift(schemas: SchemasUnderTest) -> dict[str, Any]:
    params = {"workspace_id": str(schemas.workspace_id)}
    found: dict[str, Any] = (await schemas.client.get("/api/schema/drift", params=params)).json()
    return found


async def drifted(schemas: SchemasUnderTest) -> None:
    """A revision with a row, and a column that no deployment has made."""
    await schemas.deploy(await schemas.preview(table("people", column("age"))))
    await schemas.sql("INSERT INTO people (age) VALUES (36)")
    await schemas.sql("ALTER TABLE people ADD COLUMN strange int DEFAULT 7")


async def test_a_drift_is_announced_once_to_those_who_may_do_something(schemas: SchemasUnderTest) -> None:
    space = Space(schemas.api, str(schemas.workspace_id), {"owner": schemas.owner})
    for role in ("admin", "editor"):
        space.people[role] = await person(schemas.api, f"the_{role}")
        await join(space, space.people[role], role)
    await schemas.deploy(await schemas.preview(table("people")))
    calm = await schemas.deployer.check_drift(schemas.workspace_id)
    await schemas.sql("ALTER TABLE people ADD COLUMN strange int")

    seen = [await schemas.deployer.check_drift(schemas.workspace_id) for _ in range(2)]
    once = await published(schemas.database, SchemaDrifted)
    await schemas.sql("ALTER TABLE people ADD COLUMN stranger int")
    await schemas.deployer.check_drift(schemas.workspace_id)
    twice = await published(schemas.database, SchemaDrifted)

    assert (calm, seen) == (False, [True, True])
    assert len(once) == 1
    assert set(once[0].keepers) == {schemas.owner.id, space.people["admin"].id}
    assert (once[0].workspace_id, len(twice)) == (schemas.workspace_id, 2)
    assert (await drift(schemas))["checked_at"] is not None


async def test_a_drift_that_has_gone_and_comes_again_is_announced_again(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(table("people")))
    for _ in range(2):
        await schemas.sql("ALTER TABLE people ADD COLUMN strange int")
        await schemas.deployer.check_drift(schemas.workspace_id)
        await schemas.sql("ALTER TABLE people DROP COLUMN strange")
        assert await schemas.deployer.check_drift(schemas.workspace_id) is False

    assert len(await published(schemas.database, SchemaDrifted)) == 2


async def test_schemas_are_looked_at_every_hour(schemas: SchemasUnderTest) -> None:
    now = schemas.api.platform.clock.now()
    async with schemas.database.read_only() as connection:
        nothing = await workspaces_to_check(connection, now, limit=5)
    await schemas.deploy(await schemas.preview(table("people")))
    async with schemas.database.read_only() as connection:
        first = await workspaces_to_check(connection, now, limit=5)
    await schemas.deployer.check_drift(schemas.workspace_id)

    async with schemas.database.read_only() as connection:
        early = await workspaces_to_check(connection, now - timedelta(minutes=59), limit=5)
        late = await workspaces_to_check(connection, now + timedelta(minutes=61), limit=5)

    assert nothing == []
    assert first == late == [schemas.workspace_id]
    assert early == []


async def test_a_deployment_that_has_not_ended_well_is_no_drift(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(table("people", column("age", "TEXT"))))
    await schemas.sql("INSERT INTO people (age) VALUES ('1')")
    plan = await schemas.preview(table("people", column("age", "INTEGER")))
    await schemas.sql("INSERT INTO people (age) VALUES ('old')")
    failed = await schemas.deploy(plan)

    assert failed["status"] == "failed"
    assert await schemas.deployer.check_drift(schemas.workspace_id) is None


async def test_the_schema_as_it_is_becomes_a_revision(schemas: SchemasUnderTest) -> None:
    await drifted(schemas)

    plan = await ask(schemas, "adopt")
    done = await schemas.deploy(plan)

    assert plan["empty"] is True
    assert "strange" in plan["sql"]
    assert (done["status"], done["steps_total"]) == ("succeeded", 0)
    assert (await drift(schemas))["drifted"] is False
    assert await schemas.sql("SELECT age, strange FROM people") == [(36, 7)]
    [body] = [body.decode() for key, body in schemas.files.items() if "000002_" in key]
    assert 'ADD COLUMN "strange"' in body
    assert 'DROP COLUMN IF EXISTS "strange"' in body
    kept = await schemas.preview(
        table("people", column("age"), {"name": "strange", "dataType": "INTEGER", "default": 7})
    )
    assert kept["empty"] is True


async def test_what_happened_is_undone_by_a_plan(schemas: SchemasUnderTest) -> None:
    await drifted(schemas)

    plan = await ask(schemas, "restore")
    refused = await schemas.ask_deploy(plan)
    done = await schemas.deploy(plan, "column people.strange")

    assert [item["object"] for item in plan["changes"]] == ["column people.strange"]
    assert refused.json()["code"] == "confirmation_missing"
    assert done["status"] == "succeeded"
    assert (await drift(schemas))["drifted"] is False


async def test_where_nothing_happened_there_is_nothing_to_do(schemas: SchemasUnderTest) -> None:
    before = [(await ask(schemas, way))["code"] for way in ("adopt", "restore")]
    await schemas.deploy(await schemas.preview(table("people")))

    after = [(await ask(schemas, way))["code"] for way in ("adopt", "restore")]

    assert before == after == ["no_drift"] * 2


async def test_an_adoption_of_what_has_moved_meanwhile_is_stale(schemas: SchemasUnderTest) -> None:
    await drifted(schemas)
    plan = await ask(schemas, "adopt")
    await schemas.sql("ALTER TABLE people ADD COLUMN stranger int")

    assert (await schemas.ask_deploy(plan)).json()["code"] == "plan_stale"


async def test_things_that_somebody_else_made_are_undone_as_well(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(table("people", column("age")), table("orders")))
    await schemas.sql("DROP TABLE orders; CREATE TABLE orders (id bigint, strange int)")
    await schemas.sql(
        "CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE visits (m mood, person_id bigint REFERENCES people)"
    )
    await schemas.sql("CREATE VIEW seen AS SELECT age FROM people; CREATE SEQUENCE numbers")

    plan = await ask(schemas, "restore")
    done = await schemas.deploy(plan, *(item["object"] for item in plan["changes"] if item["needs_confirmation"]))

    assert (done["status"], done["error"]) == ("succeeded", None)
    assert (await drift(schemas))["drifted"] is False
