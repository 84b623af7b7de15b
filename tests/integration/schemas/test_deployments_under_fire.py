"""Deployments whose worker dies, that meet one another, or that meet somebody else's lock."""

import asyncio
from typing import Any
from uuid import UUID

import psycopg
import pytest

from dataforge.contexts.schemas.contract import SchemaDeploymentEnded
from dataforge.contexts.schemas.deployments.execution import Deployer
from tests.builders.events import published
from tests.builders.schemas import SchemasUnderTest, column, table

# Ends the session that runs the n-th statement of a workspace's login, as a crash in the middle of it does.
KILLER = """
CREATE SEQUENCE public.statements;
CREATE TABLE public.fatal (number bigint);
INSERT INTO public.fatal VALUES (0);
CREATE FUNCTION public.kill() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF session_user LIKE 'ws\\_%' AND nextval('public.statements') = (SELECT number FROM public.fatal) THEN
    PERFORM pg_terminate_backend(pg_backend_pid());
  END IF;
END $$;
CREATE EVENT TRIGGER killer ON ddl_command_end EXECUTE FUNCTION public.kill();
"""
MOODS = {"id": "e", "name": "mood", "values": ["sad", "ok"]}


def before() -> dict[str, Any]:
    return table("people", column("name", "TEXT"), column("mood", "mood"))


def after() -> dict[str, Any]:
    """Something for each phase: a value of an enum, a change, an index built beside, a check validated later."""
    checks, indexes = [{"name": "known", "expr": "name <> ''"}], [{"name": "by_name", "columns": ["name"]}]
    return table(
        "people", column("name", "TEXT"), column("mood", "mood"), column("age"), checks=checks, indexes=indexes
    )


async def killing(schemas: SchemasUnderTest) -> None:
    async with await psycopg.AsyncConnection.connect(schemas.url, autocommit=True) as connection:
        await connection.execute(KILLER.encode())


async def test_a_worker_that_is_killed_at_any_statement_leaves_what_another_one_finishes(
    schemas: SchemasUnderTest,
) -> None:
    await schemas.deploy(await schemas.preview(before(), enums=[MOODS]))
    await schemas.sql("INSERT INTO people (name, mood) VALUES ('Ada', 'ok')")
    more = MOODS | {"values": ["sad", "ok", "great"]}
    await killing(schemas)
    states, number = [], 0
    while True:
        number += 1
        asked = (await schemas.ask_deploy(await schemas.preview(after(), enums=[more]))).json()
        await schemas.sql(f"UPDATE public.fatal SET number = {number}; SELECT setval('public.statements', 1, false)")
        try:
            await schemas.deployer.run(UUID(asked["id"]))
        except psycopg.OperationalError:
            states.append((await schemas.deployment(asked["id"]))["schema_state"])
            await schemas.sql("UPDATE public.fatal SET number = 0")
            await schemas.deployer.run(UUID(asked["id"]))
        else:
            break
        finally:
            done = await schemas.deployment(asked["id"])
        assert (done["status"], done["error"], done["attempt"]) == ("succeeded", None, 2)
        assert (await schemas.preview(after(), enums=[more]))["empty"] is True
        assert await schemas.sql("SELECT name, mood::text FROM people") == [("Ada", "ok")]
        back = await schemas.preview(before(), enums=[MOODS])
        assert (await schemas.deploy(back, "column people.age", "enum mood"))["status"] == "succeeded"

    assert done["status"] == "succeeded"
    assert number > 5
    assert {"old", "between"} <= set(states)


async def test_a_worker_that_dies_before_it_says_it_is_done_is_followed_by_one_that_says_it(
    schemas: SchemasUnderTest,
) -> None:
    async def fail(_key: str, _body: bytes) -> None:
        message = "the bucket is away"
        raise ConnectionError(message)

    asked = (await schemas.ask_deploy(await schemas.preview(table("people")))).json()
    doomed = Deployer(schemas.url, ["schema-proof"], fail, schemas.api.platform.clock, pause=0.01)
    with pytest.raises(ConnectionError):
        await doomed.run(UUID(asked["id"]))
    meanwhile = await schemas.deployment(asked["id"])

    await schemas.deployer.run(UUID(asked["id"]))

    assert (meanwhile["status"], meanwhile["steps_done"]) == ("running", meanwhile["steps_total"])
    assert (await schemas.deployment(asked["id"]))["status"] == "succeeded"


async def test_two_workers_of_one_deployment_do_it_once(schemas: SchemasUnderTest) -> None:
    asked = (await schemas.ask_deploy(await schemas.preview(table("people", column("age"))))).json()

    ended = await asyncio.gather(*(schemas.deployer.run(UUID(asked["id"])) for _ in range(3)))

    assert set(ended) <= {"succeeded", "queued"}
    assert "succeeded" in ended
    assert await schemas.sql("SELECT count(*) FROM schemas.revisions") == [(1,)]


async def test_two_plans_asked_for_at_once_give_one_deployment(schemas: SchemasUnderTest) -> None:
    plans = [await schemas.preview(table(name)) for name in ("people", "orders")]

    answers = await asyncio.gather(*(schemas.ask_deploy(plan) for plan in plans))

    assert sorted(answer.status_code for answer in answers) == [202, 409]
    assert {answer.json().get("code") for answer in answers} == {None, "deployment_under_way"}


async def test_a_lock_of_somebody_else_fails_the_deployment_and_says_whose_it_is(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(table("people")))
    plan = await schemas.preview(table("people", column("age")))
    asked = (await schemas.ask_deploy(plan)).json()
    async with await psycopg.AsyncConnection.connect(schemas.url, application_name="a long report") as other:
        await other.execute(f"LOCK TABLE {plan['namespace']}.people IN ACCESS SHARE MODE".encode())
        await schemas.deployer.run(UUID(asked["id"]))
    failed = await schemas.deployment(asked["id"])
    resumed = await schemas.client.post(f"/api/schema/deployments/{asked['id']}/resume")
    await schemas.deployer.run(UUID(asked["id"]))

    assert (failed["status"], failed["schema_state"], failed["error"]["code"]) == ("failed", "old", "lock_held")
    assert {holder["application"] for holder in failed["error"]["facts"]["held_by"]} == {"a long report"}
    assert resumed.status_code == 202
    assert (await schemas.deployment(asked["id"]))["status"] == "succeeded"


async def test_one_that_was_overtaken_is_not_resumed(schemas: SchemasUnderTest) -> None:
    old = (await schemas.ask_deploy(await schemas.preview(table("people")))).json()
    await schemas.client.post(f"/api/schema/deployments/{old['id']}/cancel")
    await schemas.deploy(await schemas.preview(table("orders")))

    answer = await schemas.client.post(f"/api/schema/deployments/{old['id']}/resume")

    assert (answer.status_code, answer.json()["code"]) == (409, "deployment_ended")


async def test_a_cancelled_one_stops_before_the_next_step_and_goes_on_when_asked(schemas: SchemasUnderTest) -> None:
    asked = (await schemas.ask_deploy(await schemas.preview(table("people")))).json()
    await schemas.client.post(f"/api/schema/deployments/{asked['id']}/cancel")
    await schemas.deployer.run(UUID(asked["id"]))
    cancelled = await schemas.deployment(asked["id"])

    await schemas.client.post(f"/api/schema/deployments/{asked['id']}/resume")
    await schemas.deployer.run(UUID(asked["id"]))

    assert (cancelled["status"], cancelled["schema_state"]) == ("cancelled", "old")
    assert (await schemas.deployment(asked["id"]))["status"] == "succeeded"


async def test_rows_that_do_not_fit_fail_the_statement_and_nothing_is_done(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(table("people", column("age", "TEXT"))))
    plan = await schemas.preview(table("people", column("age", "INTEGER")))
    await schemas.sql("INSERT INTO people (age) VALUES ('old')")

    done = await schemas.deploy(plan)

    assert (done["status"], done["schema_state"], done["error"]["code"]) == ("failed", "old", "statement_failed")
    first, second = await published(schemas.database, SchemaDeploymentEnded)
    assert (first.error, second.revision) == (None, None)
    assert first.revision is not None
    assert (str(second.deployment_id), second.error) == (done["id"], done["error"]["detail"])
    assert first.created_by == second.created_by is not None
    assert done["error"]["facts"]["sqlstate"] == "22P02"


async def test_an_index_that_meets_duplicates_leaves_nothing_behind(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(table("people", column("name", "TEXT"))))
    await schemas.sql("INSERT INTO people (name) VALUES ('Ada')")
    indexes = [{"name": "one_of_a_name", "columns": ["name"], "unique": True}]
    asked = await schemas.ask_deploy(await schemas.preview(table("people", column("name", "TEXT"), indexes=indexes)))
    await schemas.sql("INSERT INTO people (name) VALUES ('Ada')")

    await schemas.deployer.run(UUID(asked.json()["id"]))

    done = await schemas.deployment(asked.json()["id"])
    assert (done["status"], done["schema_state"], done["error"]["facts"]["sqlstate"]) == ("failed", "old", "23505")
    assert await schemas.sql("SELECT 1 FROM pg_class WHERE relname = 'one_of_a_name'") == []
    await schemas.sql("DELETE FROM people WHERE id = 2")
    await schemas.client.post(f"/api/schema/deployments/{done['id']}/resume")
    assert await schemas.deployer.run(UUID(done["id"])) == "succeeded"


async def test_one_that_takes_longer_than_a_run_is_handed_on_and_done_once(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(before(), enums=[MOODS]))
    await schemas.sql("INSERT INTO people (name, mood) VALUES ('Ada', 'ok')")
    plan = await schemas.preview(after(), enums=[MOODS | {"values": ["sad", "ok", "great"]}])
    asked = (await schemas.ask_deploy(plan)).json()

    ended = ["running"]
    while ended[-1] == "running":
        ended.append(await schemas.deployer_with(budget=0.0).run(UUID(asked["id"])))

    done = await schemas.deployment(asked["id"])
    assert ended[-1] == "succeeded"
    assert done["attempt"] == len(ended) - 1 == len({change["phase"] for change in plan["changes"]})
    assert (await schemas.preview(after(), enums=[MOODS | {"values": ["sad", "ok", "great"]}]))["empty"] is True


async def test_a_statement_that_takes_longer_than_a_run_fails_with_its_step(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(table("people", column("name", "TEXT"))))
    await schemas.sql("INSERT INTO people (name) SELECT repeat('x', 40) FROM generate_series(1, 20000)")
    slow = "repeat(md5(repeat(name, 3000)), 1) <> ''"
    plan = await schemas.preview(table("people", column("name", "TEXT"), checks=[{"name": "slow", "expr": slow}]))
    asked = (await schemas.ask_deploy(plan)).json()

    await schemas.deployer_with(budget=0.5).run(UUID(asked["id"]))
    while (done := await schemas.deployment(asked["id"]))["status"] == "running":
        await schemas.deployer_with(budget=0.5).run(UUID(asked["id"]))

    assert (done["status"], done["schema_state"]) == ("failed", "between")
    assert (done["error"]["code"], done["error"]["facts"]["sqlstate"]) == ("statement_failed", "57014")
