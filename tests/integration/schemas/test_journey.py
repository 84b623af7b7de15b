"""Journey 6 in process: preview, deploy by hash, history, drift, and what must not happen."""

from uuid import UUID

import pytest

from tests.builders.schemas import SchemasUnderTest, column, table


async def test_a_target_is_previewed_deployed_and_then_there_is_nothing_to_do(schemas: SchemasUnderTest) -> None:
    people = table("people", column("name", "VARCHAR(255)", nullable=False), column("age"))

    plan = await schemas.preview(people)
    done = await schemas.deploy(plan)

    assert plan["proof"]["proved"] is True
    assert (done["status"], done["schema_state"], done["error"]) == ("succeeded", "new", None)
    again = await schemas.preview(people)
    assert (again["empty"], again["sql"], again["base_fingerprint"]) == (True, "", plan["target_fingerprint"])
    assert (await schemas.ask_deploy(again)).json()["code"] == "nothing_to_deploy"


async def test_a_preview_leaves_nothing_behind(schemas: SchemasUnderTest) -> None:
    await schemas.preview(table("people"))

    assert await schemas.sql("SELECT nspname FROM pg_namespace WHERE nspname ~ '^(ws|shadow|trial)_'") == []


async def test_a_revision_is_an_alembic_file_and_the_history_says_so(schemas: SchemasUnderTest) -> None:
    plan = await schemas.preview(table("people", column("age")))
    done = await schemas.deploy(plan)

    ws = str(schemas.workspace_id)
    history = (await schemas.client.get("/api/schema/revisions", params={"workspace_id": ws})).json()["items"]
    [(key, body)] = schemas.files.items()
    assert [(item["number"], item["revision"]) for item in history] == [(1, done["revision"])]
    assert done["revision"].startswith(plan["plan_hash"][:12])
    assert key == f"revisions/{ws}/000001_{done['revision']}.py"
    compile(body, key, "exec")
    assert await schemas.sql("SELECT version_num FROM alembic_version") == [(done["revision"],)]


async def test_a_rename_by_id_keeps_the_rows(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(table("people", column("name", "TEXT"), column("nick", "TEXT"))))
    await schemas.sql("INSERT INTO people (name, nick) VALUES ('Ada', 'countess')")
    swapped = table("people", column("name", "TEXT") | {"id": "c-nick"}, column("nick", "TEXT") | {"id": "c-name"})

    plan = await schemas.preview(swapped | {"name": "persons"})
    done = await schemas.deploy(plan)

    assert done["status"] == "succeeded"
    assert {change["op"] for change in plan["changes"]} >= {"rename table", "rename column"}
    assert not any(change["needs_confirmation"] for change in plan["changes"])
    assert await schemas.sql("SELECT name, nick FROM persons") == [("countess", "Ada")]


async def test_what_would_be_lost_must_be_confirmed_by_name(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(table("people", column("age"), column("name", "TEXT"))))
    await schemas.sql("INSERT INTO people (age) VALUES (36), (NULL)")

    plan = await schemas.preview(table("people", column("name", "TEXT")))
    refused = await schemas.ask_deploy(plan)
    done = await schemas.deploy(plan, "column people.age")

    [loss] = [change for change in plan["changes"] if change["risk"] == "destructive"]
    assert (loss["op"], loss["object"], loss["affected_rows"]) == ("drop column", "column people.age", 1)
    assert (refused.status_code, refused.json()["code"]) == (409, "confirmation_missing")
    assert refused.json()["missing"] == ["column people.age"]
    assert done["status"] == "succeeded"


async def test_a_database_that_moved_in_between_refuses_the_plan_and_does_nothing(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(table("people")))
    plan = await schemas.preview(table("people", column("age")))
    await schemas.sql("ALTER TABLE people ADD COLUMN strange int")

    refused = await schemas.ask_deploy(plan)

    assert (refused.status_code, refused.json()["code"]) == (409, "plan_stale")
    assert await schemas.sql("SELECT count(*) FROM information_schema.columns WHERE column_name = 'age'") == [(0,)]


async def test_one_that_moves_after_the_request_fails_the_deployment_with_nothing_done(
    schemas: SchemasUnderTest,
) -> None:
    await schemas.deploy(await schemas.preview(table("people")))
    asked = await schemas.ask_deploy(await schemas.preview(table("people", column("age"))))
    await schemas.sql("ALTER TABLE people ADD COLUMN strange int")

    await schemas.deployer.run(UUID(asked.json()["id"]))

    done = await schemas.deployment(asked.json()["id"])
    assert (done["status"], done["schema_state"], done["error"]["code"]) == ("failed", "old", "plan_stale")


async def test_drift_is_told_both_ways(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(table("people", column("age"))))
    params = {"workspace_id": str(schemas.workspace_id)}
    calm = (await schemas.client.get("/api/schema/drift", params=params)).json()
    await schemas.sql("ALTER TABLE people ADD COLUMN strange int")

    found = (await schemas.client.get("/api/schema/drift", params=params)).json()

    assert calm["drifted"] is False
    assert found["drifted"] is True
    assert [(item["op"], item["object"]) for item in found["adopt"]] == [("add column", "column people.strange")]
    assert [(item["op"], item["object"]) for item in found["restore"]] == [("drop column", "column people.strange")]


async def test_a_revision_is_rolled_back_by_a_plan(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(table("people", column("age"))))
    await schemas.deploy(await schemas.preview(table("people", column("age", "BIGINT"), column("name", "TEXT"))))

    address = "/api/schema/revisions/1/rollback"
    plan = (await schemas.client.post(address, params={"workspace_id": str(schemas.workspace_id)})).json()
    done = await schemas.deploy(plan, "column people.name")

    assert done["status"] == "succeeded"
    assert (await schemas.preview(table("people", column("age"))))["empty"] is True


async def test_the_current_schema_is_a_target_that_changes_nothing(schemas: SchemasUnderTest) -> None:
    people = table("people", column("age", default=7), indexes=[{"keys": [{"column": "age", "order": "desc"}]}])
    await schemas.deploy(await schemas.preview(people, enums=[{"name": "mood", "values": ["it's"]}]))

    found = await schemas.client.get("/api/schema/current", params={"workspace_id": str(schemas.workspace_id)})
    body = {"workspace_id": str(schemas.workspace_id), "target": found.json()["target"]}
    again = await schemas.client.post("/api/schema/preview", json=body)

    assert again.json()["empty"] is True, again.text


@pytest.mark.parametrize(
    ("accept", "begins"),
    [
        ("application/sql", "CREATE TABLE"),
        ("text/vnd.mermaid", "erDiagram"),
        ("text/x-dbml", "Table people {"),
        ("image/svg+xml", "<svg"),
    ],
)
async def test_the_current_schema_comes_in_other_formats(schemas: SchemasUnderTest, accept: str, begins: str) -> None:
    await schemas.deploy(await schemas.preview(table("people", column("age"))))

    answer = await schemas.client.get(
        "/api/schema/current", params={"workspace_id": str(schemas.workspace_id)}, headers={"Accept": accept}
    )

    assert answer.headers["content-type"].startswith(accept)
    assert answer.text.startswith(begins)


async def test_a_format_that_there_is_not_is_refused(schemas: SchemasUnderTest) -> None:
    answer = await schemas.client.get(
        "/api/schema/current", params={"workspace_id": str(schemas.workspace_id)}, headers={"Accept": "text/csv"}
    )

    assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")


async def test_an_enum_value_that_goes_is_mapped(schemas: SchemasUnderTest) -> None:
    moods = {"id": "e", "name": "mood", "values": ["sad", "ok"]}
    people = table("people", column("mood", "mood", default="sad"))
    await schemas.deploy(await schemas.preview(people, enums=[moods]))
    await schemas.sql("INSERT INTO people DEFAULT VALUES")
    fewer = moods | {"values": ["ok", "great"], "valueMap": {"sad": "ok"}}

    plan = await schemas.preview(table("people", column("mood", "mood", default="great")), enums=[fewer])
    done = await schemas.deploy(plan, "enum mood")

    assert done["status"] == "succeeded", done["error"]
    assert await schemas.sql("SELECT mood::text FROM people") == [("ok",)]


async def test_two_deployments_of_a_workspace_do_not_run_at_once(schemas: SchemasUnderTest) -> None:
    plan = await schemas.preview(table("people"))
    first = await schemas.ask_deploy(plan)
    second = await schemas.ask_deploy(plan)

    assert first.status_code == 202
    assert (second.status_code, second.json()["code"]) == (409, "deployment_under_way")


async def test_a_target_that_forbids_losses_gets_no_plan_with_one(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(table("people", column("age"))))

    refused = await schemas.ask_preview(table("people"), allowDestructive=False)
    taken = await schemas.ask_preview(table("people", column("age"), column("born", "DATE")), allowDestructive=False)

    assert (refused.status_code, refused.json()["code"]) == (409, "loss_forbidden")
    assert refused.json()["objects"] == ["column people.age"]
    assert taken.status_code == 200


async def test_what_may_be_another_name_is_asked_and_nothing_is_planned(schemas: SchemasUnderTest) -> None:
    mail, email = {"name": "mail", "dataType": "TEXT"}, {"name": "email", "dataType": "TEXT"}
    await schemas.deploy(await schemas.preview(table("people", mail)))
    await schemas.sql("INSERT INTO people (mail) VALUES ('ada@example.org')")

    asked = await schemas.ask_preview(table("people", email))
    answered = await schemas.preview(table("people", email | {"previousName": "mail"}))
    lost = await schemas.preview(table("people", email), drops=[{"object": "column people.mail"}])

    assert (asked.status_code, asked.json()["code"]) == (409, "possible_rename")
    [question] = asked.json()["questions"]
    assert (question["object"], question["previousName"]) == ("column people.mail", "mail")
    assert question["candidates"] == [{"object": "column people.email", "pointer": "/tables/0/columns/1"}]
    assert await schemas.sql("SELECT count(*) FROM schemas.plans") == [(3,)]
    assert [item["op"] for item in answered["changes"]] == ["rename column"]
    assert {item["op"] for item in lost["changes"]} == {"add column", "drop column"}


async def test_a_rollback_follows_names_that_were_given_without_ids(schemas: SchemasUnderTest) -> None:
    mail, mood = {"name": "mail", "dataType": "TEXT"}, {"name": "mood", "values": ["sad", "ok"]}
    await schemas.deploy(await schemas.preview(table("people", mail), enums=[mood]))
    renamed = {"name": "mood", "values": ["sad", {"name": "fine", "previousName": "ok"}]}
    email = {"name": "email", "dataType": "TEXT", "previousName": "mail"}
    await schemas.deploy(await schemas.preview(table("people", email), enums=[renamed]))
    await schemas.sql("INSERT INTO people (email) VALUES ('ada@example.org')")

    address = "/api/schema/revisions/1/rollback"
    plan = (await schemas.client.post(address, params={"workspace_id": str(schemas.workspace_id)})).json()
    done = await schemas.deploy(plan)

    assert {item["op"] for item in plan["changes"]} == {"rename column", "rename value"}
    assert done["status"] == "succeeded", done["error"]
    assert await schemas.sql("SELECT mail FROM people") == [("ada@example.org",)]


async def test_what_was_dropped_comes_back_with_a_rollback(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(table("people", column("age")), table("orders")))
    await schemas.sql("INSERT INTO people (age) VALUES (36); INSERT INTO orders DEFAULT VALUES")
    plan = await schemas.preview(table("people"))
    gone = await schemas.deploy(plan, "column people.age", "table orders")
    trash = f"ws_{schemas.workspace_id.hex[16:]}_trash"
    kept = await schemas.sql(f"SELECT relname FROM pg_class WHERE relnamespace = '{trash}'::regnamespace")

    address = "/api/schema/revisions/1/rollback"
    back = (await schemas.client.post(address, params={"workspace_id": str(schemas.workspace_id)})).json()
    done = await schemas.deploy(back)

    assert gone["status"] == "succeeded", gone["error"]
    assert sorted(kept) == [("orders",), ("people.age",)]
    assert {item["op"] for item in back["changes"]} >= {"restore column", "restore table"}
    assert not any(item["needs_confirmation"] for item in back["changes"])
    assert done["status"] == "succeeded", done["error"]
    assert await schemas.sql("SELECT id, age FROM people") == [(1, 36)]
    assert await schemas.sql("SELECT id FROM orders") == [(1,)]
    assert (
        "CREATE SCHEMA IF NOT EXISTS" in next(body for key, body in schemas.files.items() if "000002" in key).decode()
    )


async def test_a_plan_that_rows_do_not_fit_is_refused_until_they_are_mended(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(table("people", column("age", "TEXT"), column("name", "TEXT"))))
    await schemas.sql("INSERT INTO people (age, name) VALUES ('36', 'Ada'), ('old', NULL)")
    plan = await schemas.preview(table("people", column("age", "INTEGER"), column("name", "TEXT", nullable=False)))

    refused = await schemas.ask_deploy(plan)
    unseen = await schemas.sql("SELECT count(*) FROM schemas.deployments")
    await schemas.sql("UPDATE people SET name = 'Grace' WHERE name IS NULL")
    still = await schemas.ask_deploy(plan)
    await schemas.sql("UPDATE people SET age = '8' WHERE age = 'old'")
    done = await schemas.deploy(plan)

    assert {item["code"] for item in plan["warnings"] if item["blocking"]} == {"values_do_not_fit", "nulls"}
    assert (refused.status_code, refused.json()["code"], unseen) == (409, "would_fail", [(1,)])
    assert {item["code"] for item in refused.json()["warnings"]} == {"values_do_not_fit", "nulls"}
    assert [item["code"] for item in still.json()["warnings"]] == ["values_do_not_fit"]
    assert "column people.age" in still.json()["detail"]
    assert done["status"] == "succeeded", done["error"]


async def test_a_plan_of_another_state_is_stale_before_rows_are_asked(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(table("people", column("age", "TEXT"))))
    await schemas.sql("INSERT INTO people (age) VALUES ('old')")
    plan = await schemas.preview(table("people", column("age", "INTEGER")))

    wrong = await schemas.ask_deploy({**plan, "plan_hash": "0" * 64})
    await schemas.sql("ALTER TABLE people ADD COLUMN strange int")
    stale = await schemas.ask_deploy(plan)

    assert [answer.json()["code"] for answer in (wrong, stale)] == ["plan_stale"] * 2


async def test_a_way_back_that_rows_do_not_fit_is_refused(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(table("people", column("age", "INTEGER"))))
    await schemas.deploy(await schemas.preview(table("people", column("age", "TEXT"))))
    await schemas.sql("INSERT INTO people (age) VALUES ('old')")
    query = f"/api/schema/revisions/1/rollback?workspace_id={schemas.workspace_id}"
    plan = (await schemas.client.post(query)).json()

    assert any(item["blocking"] for item in plan["warnings"])
    assert (await schemas.ask_deploy(plan)).json()["code"] == "would_fail"
