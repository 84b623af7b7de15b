"""The same plan, by the same hash, in another workspace; or what is different."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.builders.api import ApiUnderTest
from tests.builders.schemas import SchemasUnderTest, column, table
from tests.builders.workspaces import Space, join, new_workspace, person


@pytest.fixture
async def production(schemas: SchemasUnderTest) -> SchemasUnderTest:
    """Another workspace of the same owner."""
    workspace_id = UUID(await new_workspace(schemas.owner, "Production"))
    return SchemasUnderTest(schemas.api, schemas.owner, schemas.database, workspace_id)


async def ask(source: SchemasUnderTest, number: int, to: SchemasUnderTest, **more: Any) -> httpx.Response:
    body = {"from_workspace_id": str(source.workspace_id), "revision": number, "workspace_id": str(to.workspace_id)}
    return await more.get("client", source.client).post("/api/schema/promotions", json=body)


async def promoted(source: SchemasUnderTest, number: int, to: SchemasUnderTest) -> dict[str, Any]:
    answer = await ask(source, number, to)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_every_revision_is_the_same_plan_on_the_same_base(
    schemas: SchemasUnderTest, production: SchemasUnderTest
) -> None:
    hashes = []
    for tables in ([table("people", column("age"))], [table("people", column("age", "BIGINT"))], [table("people")]):
        plan = await schemas.preview(*tables)
        await schemas.deploy(plan, "column people.age")
        hashes.append(plan["plan_hash"])

    answers = []
    for number in (1, 2, 3):
        answers.append(await promoted(schemas, number, production))
        done = await production.deploy(answers[-1]["plan"], "column people.age")
        assert done["status"] == "succeeded", done["error"]

    assert [answer["plan"]["plan_hash"] for answer in answers] == hashes
    assert all(answer["same"] and answer["same_base"] for answer in answers)
    assert [(answer["base"], answer["statements"]) for answer in answers] == [([], [])] * 3
    assert {answer["plan"]["workspace_id"] for answer in answers} == {str(production.workspace_id)}


async def test_another_base_is_said_and_the_plan_is_what_leads_there(
    schemas: SchemasUnderTest, production: SchemasUnderTest
) -> None:
    await production.deploy(await production.preview(table("people", column("size"))))
    await schemas.deploy(await schemas.preview(table("people")))
    await schemas.deploy(await schemas.preview(table("people", column("age"), column("size"))))

    answer = await promoted(schemas, 2, production)
    done = await production.deploy(answer["plan"])

    assert (answer["same"], answer["same_base"]) == (False, False)
    assert ("column", ["people", "size"], "added") in [
        (item["kind"], item["path"], item["state"]) for item in answer["base"]
    ]
    assert [(item["object"], bool(item["there"]), bool(item["here"])) for item in answer["statements"]] == [
        ("column people.size", True, False)
    ]
    assert done["status"] == "succeeded"


async def test_rows_that_only_one_of_them_has_may_make_another_plan(
    schemas: SchemasUnderTest, production: SchemasUnderTest
) -> None:
    for space in (schemas, production):
        await space.deploy(await space.preview(table("people", column("age"))))
    await production.sql("INSERT INTO people (age) VALUES (36)")
    await schemas.deploy(await schemas.preview(table("people", column("age"), indexes=[{"columns": ["age"]}])))

    answer = await promoted(schemas, 2, production)

    assert (answer["same"], answer["same_base"], answer["base"]) == (False, True, [])
    [different] = answer["statements"]
    assert " CONCURRENTLY " not in different["there"][0]
    assert " CONCURRENTLY " in different["here"][0]


async def test_nothing_crosses_without_both_memberships(
    schemas: SchemasUnderTest, production: SchemasUnderTest, api: ApiUnderTest
) -> None:
    await schemas.deploy(await schemas.preview(table("people")))
    both = [Space(api, str(space.workspace_id), {"owner": space.owner}) for space in (schemas, production)]
    people = {name: await person(api, name) for name in ("nobody", "reader", "writer", "viewer")}
    for name, here, there in (("reader", "viewer", None), ("writer", None, "editor"), ("viewer", "viewer", "viewer")):
        for space, role in zip(both, (here, there), strict=True):
            if role is not None:
                space.people[name] = people[name]
                await join(space, people[name], role)

    codes = {
        name: (await ask(schemas, 1, production, client=who.client)).json()["code"] for name, who in people.items()
    }

    assert codes == {
        "nobody": "workspace_not_found",
        "reader": "workspace_not_found",
        "writer": "workspace_not_found",
        "viewer": "workspace_role_missing",
    }
    assert (await ask(schemas, 7, production)).json()["code"] == "revision_not_found"
    assert (await ask(schemas, 1, schemas)).status_code == 400
