"""Targets that want to get out of their schema: refused before anything of them is run, or harmless because quoted."""

import psycopg
import pytest

from dataforge.contexts.schemas.plans import previewing, proof
from tests.builders.hostile_targets import EVIL, HINTS, ODD, REFUSED, index, slow
from tests.builders.schemas import SchemasUnderTest, column, table


@pytest.mark.parametrize("verb", ["validate", "preview", "convert"])
async def test_a_target_stays_in_its_schema(schemas: SchemasUnderTest, verb: str) -> None:
    wrong = {}
    for name, (target, code) in REFUSED.items():
        body = {"workspace_id": str(schemas.workspace_id), "target": target}
        answer = await schemas.client.post(f"/api/schema/{verb}", json=body)
        places = [item["pointer"] for item in answer.json().get("violations") or answer.json().get("errors") or []]
        known = code == "malformed_body" or (places and all(places))
        if answer.json().get("code") != code or not known:
            wrong[name] = (answer.status_code, places[:3], answer.text[:300])

    assert wrong == {}, "\n".join(f"{name}: {said}" for name, said in wrong.items())
    assert await schemas.sql("SELECT 1 FROM pg_namespace WHERE nspname ~ '^(shadow|trial)_'") == []


async def test_what_is_odd_and_harmless_is_taken(schemas: SchemasUnderTest) -> None:
    answers = []
    for target in ODD:
        body = {"workspace_id": str(schemas.workspace_id), "target": target}
        answers += [await schemas.client.post(f"/api/schema/{verb}", json=body) for verb in ("validate", "preview")]

    assert [answer.text[:300] for answer in answers if answer.status_code != 200] == []


async def test_a_body_of_ten_thousand_levels_is_malformed(schemas: SchemasUnderTest) -> None:
    body = f'{{"workspace_id": "{schemas.workspace_id}", "target": {"[" * 10_000}{"]" * 10_000}}}'

    answer = await schemas.client.post(
        "/api/schema/preview", content=body, headers={"content-type": "application/json"}
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")


async def test_what_takes_too_long_is_given_up(schemas: SchemasUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previewing, "MOST_SECONDS", 3)
    await schemas.deploy(await schemas.preview(table("people", column("name", "TEXT"))))
    await schemas.sql("INSERT INTO people (name) VALUES ('Ada')")

    answer = await schemas.client.post(
        "/api/schema/preview", json={"workspace_id": str(schemas.workspace_id), "target": slow()}
    )
    busy = await schemas.sql("SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query ~ 'repeat[(]'")

    assert (answer.status_code, answer.json()["code"]) == (400, "schema_too_slow")
    assert len(busy) <= 1  # this one
    assert (await schemas.preview(table("people", column("name", "TEXT"))))["empty"] is True


async def test_an_index_that_takes_too_long_is_refused_where_it_stands(
    schemas: SchemasUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "STATEMENT_SECONDS", 1)
    target = index(columns=["name"], where="id > length(repeat('x', 1000000000))")

    answer = await schemas.client.post(
        "/api/schema/preview", json={"workspace_id": str(schemas.workspace_id), "target": target}
    )

    assert answer.json()["code"] == "invalid_target", answer.text
    assert "/tables/0/indexes/0" in answer.text


@pytest.mark.parametrize("name", HINTS)
async def test_an_expression_that_is_run_once_is_judged_before(schemas: SchemasUnderTest, name: str) -> None:
    hint, expression, code = HINTS[name]
    await schemas.deploy(await schemas.preview(table("people", column("name", "TEXT"))))
    await schemas.sql("INSERT INTO people (name) VALUES ('Ada')")
    changed = column(
        "name", "INTEGER" if hint == "using" else "TEXT", **({"using": expression} if hint == "using" else {})
    )
    added = [column("note", "TEXT", nullable=False, backfill=expression)] if hint == "backfill" else []

    answer = await schemas.ask_preview(table("people", changed, *added))

    assert answer.json().get("code") == code, answer.text
    assert "/tables/0/columns/" in answer.text


async def test_names_and_texts_with_sql_in_them_are_names_and_texts(schemas: SchemasUnderTest) -> None:
    people = table(EVIL, column(EVIL, "TEXT", comment="'; DROP TABLE people; --", default="'); --"))
    moods = {"name": EVIL.upper(), "values": ["it's", "'); DROP TYPE mood; --"]}

    plan = await schemas.preview(people, table("people"), enums=[moods])
    done = await schemas.deploy(plan)

    assert done["status"] == "succeeded", done["error"]
    names = await schemas.sql("SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace")
    assert {(EVIL,), ("people",)} <= set(names)
    assert (await schemas.preview(people, table("people"), enums=[moods]))["empty"] is True


async def test_names_that_differ_in_case_only_are_two_and_warned_about(schemas: SchemasUnderTest) -> None:
    plan = await schemas.preview(table("people"), table("People") | {"id": "other"})

    assert "similar_name" in {item["code"] for item in plan["warnings"]}
    assert (await schemas.deploy(plan))["status"] == "succeeded"


@pytest.mark.parametrize(
    "sql", ["SELECT count(*) FROM identity.users", "RESET SESSION AUTHORIZATION", "CREATE TABLE public.x ()"]
)
async def test_a_statement_that_got_through_would_reach_nothing(schemas: SchemasUnderTest, sql: str) -> None:
    asked = (await schemas.ask_deploy(await schemas.preview(table("people")))).json()
    seen = sql.replace("RESET SESSION AUTHORIZATION", "SET ROLE dataforge")
    await schemas.sql("UPDATE schemas.deployment_steps SET sql = '" + seen + "'")

    await schemas.deployer.run(asked["id"])

    done = await schemas.deployment(asked["id"])
    assert (done["status"], done["error"]["facts"]["sqlstate"]) == ("failed", "42501")


async def test_the_login_of_a_workspace_is_closed_between_deployments_and_owns_its_schema_only(
    schemas: SchemasUnderTest,
) -> None:
    plan = await schemas.preview(table("people"))
    await schemas.deploy(plan)

    role = plan["namespace"]
    [(can_sign_in, password)] = await schemas.sql(
        f"SELECT rolcanlogin, rolpassword FROM pg_authid WHERE rolname = '{role}'"
    )
    owned = await schemas.sql(f"SELECT nspname FROM pg_namespace WHERE nspowner = '{role}'::regrole")

    assert (can_sign_in, password) == (False, None)
    assert sorted(owned) == [(role,), (f"{role}_trash",)]
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(psycopg.conninfo.make_conninfo(schemas.url, user=role, password=""))
