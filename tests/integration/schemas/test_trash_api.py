"""The trash over HTTP: what is in it, how long it stays, and who may empty it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from dataforge.contexts.schemas.trash.queries import workspaces_to_empty
from dataforge.kernel.ids import uuid7
from tests.builders.api import ApiUnderTest
from tests.builders.schemas import SchemasUnderTest, column, table
from tests.builders.workspaces import Space, join, person


async def listed(schemas: SchemasUnderTest, **params: Any) -> dict[str, Any]:
    params |= {"workspace_id": str(schemas.workspace_id)}
    found: dict[str, Any] = (await schemas.client.get("/api/schema/trash", params=params)).json()
    return found


async def there(schemas: SchemasUnderTest) -> list[str]:
    """The tables in the trash."""
    trash = f"ws_{schemas.workspace_id.hex[16:]}_trash"
    rows = await schemas.sql(f"SELECT relname FROM pg_class WHERE relnamespace = '{trash}'::regnamespace")
    return sorted(name for (name,) in rows)


async def dropped(schemas: SchemasUnderTest) -> None:
    """A column and a table in the trash."""
    await schemas.deploy(await schemas.preview(table("people", column("age")), table("orders")))
    await schemas.sql("INSERT INTO people (age) VALUES (36)")
    done = await schemas.deploy(await schemas.preview(table("people")), "column people.age", "table orders")
    assert done["status"] == "succeeded", done["error"]


async def delete(client: httpx.AsyncClient, schemas: SchemasUnderTest, item_id: object) -> httpx.Response:
    params = {"workspace_id": str(schemas.workspace_id)}
    return await client.delete(f"/api/schema/trash/{item_id}", params=params)


async def test_what_was_dropped_is_listed_with_its_end(schemas: SchemasUnderTest) -> None:
    await dropped(schemas)

    items = (await listed(schemas))["items"]
    first = await listed(schemas, limit=1)
    second = await listed(schemas, limit=1, cursor=first["next_cursor"])

    assert {(item["object"], item["kind"], item["stable_id"]) for item in items} == {
        ("column people.age", "column", "c-age"),
        ("table orders", "table", "t-orders"),
    }
    sizes = {item["kind"]: item["size_bytes"] for item in items}
    assert sizes["column"] > 0 == sizes["table"]
    assert {item["end_asked_at"] for item in items} == {None}
    assert [*first["items"], *second["items"]] == items
    assert second["next_cursor"] is None


async def test_a_plan_says_what_is_kept(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(table("people", column("age"))))

    plan = await schemas.preview(table("people"))
    gone = await schemas.preview(table("people"), onDrop="drop")

    [kept] = [item for item in plan["warnings"] if item["code"] == "kept_in_trash"]
    assert kept["object"] == "column people.age"
    assert "30 days" in kept["message"]
    assert "kept_in_trash" not in {item["code"] for item in gone["warnings"]}


async def test_the_target_and_the_fingerprint_know_nothing_of_the_trash(schemas: SchemasUnderTest) -> None:
    await dropped(schemas)

    params = {"workspace_id": str(schemas.workspace_id)}
    current = (await schemas.client.get("/api/schema/current", params=params)).json()
    drift = (await schemas.client.get("/api/schema/drift", params=params)).json()

    assert [item["name"] for item in current["target"]["tables"]] == ["people"]
    assert drift["drifted"] is False
    assert (await schemas.preview(table("people")))["empty"] is True


async def test_one_thing_is_deleted_at_once_and_the_rest_stays(schemas: SchemasUnderTest) -> None:
    await dropped(schemas)
    [item] = [item for item in (await listed(schemas))["items"] if item["kind"] == "column"]

    asked = await delete(schemas.client, schemas, item["id"])
    await schemas.deployer.empty_trash(schemas.workspace_id)

    assert asked.status_code == 202
    assert asked.json()["end_asked_at"] is not None
    assert await there(schemas) == ["orders"]
    assert [kept["object"] for kept in (await listed(schemas))["items"]] == ["table orders"]
    assert (await delete(schemas.client, schemas, item["id"])).json()["code"] == "trash_item_not_found"


async def test_what_comes_back_leaves_the_list(schemas: SchemasUnderTest) -> None:
    await dropped(schemas)

    await schemas.deploy(await schemas.preview(table("people", column("age"))))

    assert [item["object"] for item in (await listed(schemas))["items"]] == ["table orders"]
    assert await schemas.sql("SELECT age FROM people") == [(36,)]


async def emptied(schemas: SchemasUnderTest) -> None:
    """Nothing is left in the trash, as after thirty days."""
    await schemas.sql("UPDATE schemas.trash SET keep_until = '2000-01-01'")
    assert await schemas.deployer.empty_trash(schemas.workspace_id)


async def test_a_plan_that_brings_back_what_was_deleted_meanwhile_is_stale(schemas: SchemasUnderTest) -> None:
    await dropped(schemas)
    column_back = await schemas.preview(table("people", column("age")))
    table_back = await schemas.preview(table("people"), table("orders"))
    other = await schemas.preview(table("people", column("height")))
    await emptied(schemas)

    answers = [await schemas.ask_deploy(plan) for plan in (column_back, table_back)]
    again = await schemas.deploy(await schemas.preview(table("people", column("age")), table("orders")))

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, "plan_stale")] * 2
    assert [answer.json()["missing"] for answer in answers] == [["people.age"], ["orders"]]
    assert again["status"] == "succeeded"
    assert "planned_from" in (await schemas.ask_deploy(other)).json()


async def test_a_deployment_whose_trash_is_emptied_before_it_begins_ends_as_stale(schemas: SchemasUnderTest) -> None:
    await dropped(schemas)
    asked = (await schemas.ask_deploy(await schemas.preview(table("people", column("age"))))).json()
    await emptied(schemas)

    await schemas.deployer.run(UUID(asked["id"]))

    done = await schemas.deployment(asked["id"])
    assert (done["status"], done["error"]["code"]) == ("failed", "plan_stale")
    assert (done["error"]["facts"]["missing"], done["schema_state"]) == (["people.age"], "old")


async def test_a_plan_whose_place_in_the_trash_was_taken_meanwhile_is_stale(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(table("people", column("age"))))
    early = await schemas.preview(table("people"))
    await schemas.deploy(await schemas.preview(table("people")), "column people.age")
    another = {**column("age"), "id": "c-another"}
    await schemas.deploy(await schemas.preview(table("people", another)))

    answer = await schemas.ask_deploy(early, "column people.age")

    assert [answer.json()[name] for name in ("code", "missing", "taken")] == ["plan_stale", [], ["people.age"]]


async def test_a_column_is_kept_under_a_lock_that_its_plan_names(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(table("people", column("age"))))
    await schemas.sql("INSERT INTO people (age) SELECT n FROM generate_series(1, 20000) n")
    await schemas.sql("ANALYZE people")

    [kept] = (await schemas.preview(table("people")))["changes"]
    [gone] = (await schemas.preview(table("people"), onDrop="drop"))["changes"]

    assert kept["lock"] == gone["lock"] == "ACCESS EXCLUSIVE"
    assert kept["estimated_ms"] >= 57 > gone["estimated_ms"]


async def test_after_thirty_days_maintenance_has_it_deleted(schemas: SchemasUnderTest) -> None:
    await dropped(schemas)
    now = schemas.api.platform.clock.now()
    async with schemas.database.read_only() as connection:
        early = await workspaces_to_empty(connection, now + timedelta(days=29))
        late = await workspaces_to_empty(connection, now + timedelta(days=31))

    kept = await schemas.deployer.empty_trash(schemas.workspace_id)
    await schemas.sql("UPDATE schemas.trash SET keep_until = '2000-01-01'")
    gone = await schemas.deployer.empty_trash(schemas.workspace_id)

    assert (early, late) == ([], [schemas.workspace_id])
    assert kept == []
    assert sorted(gone or ()) == ["orders", "people.age"]
    assert await there(schemas) == []
    assert (await listed(schemas))["items"] == []


async def test_a_trash_is_emptied_by_administrators_of_its_workspace_only(
    schemas: SchemasUnderTest, api: ApiUnderTest
) -> None:
    space = Space(api, str(schemas.workspace_id), {"owner": schemas.owner})
    for role in ("editor", "admin"):
        space.people[role] = await person(api, f"the_{role}")
        await join(space, space.people[role], role)
    stranger = await person(api, "stranger")
    await dropped(schemas)
    [first, second] = (await listed(schemas))["items"]

    assert (await delete(space["editor"], schemas, first["id"])).json()["code"] == "workspace_role_missing"
    assert (await delete(stranger.client, schemas, first["id"])).json()["code"] == "workspace_not_found"
    assert (await delete(space["admin"], schemas, first["id"])).status_code == 202
    assert (await delete(space["owner"], schemas, second["id"])).status_code == 202
    assert (await delete(space["owner"], schemas, uuid7())).json()["code"] == "trash_item_not_found"


async def test_the_trash_goes_with_its_workspace(schemas: SchemasUnderTest) -> None:
    await dropped(schemas)
    await schemas.sql(f"UPDATE workspaces.workspaces SET deleted_at = now() WHERE id = '{schemas.workspace_id}'")

    assert await schemas.deployer.drop(schemas.workspace_id)

    assert await schemas.sql("SELECT nspname FROM pg_namespace WHERE nspname ~ '^ws_'") == []
    assert await schemas.sql("SELECT count(*) FROM schemas.trash") == [(0,)]
