"""Revisions, differences and plans in each format: what is new, changed or dropped is seen in all of them."""

from typing import Any

import httpx
import pytest

from tests.builders.schemas import SchemasUnderTest, column, table
from tests.builders.svg import read_picture

SVG, MERMAID, DBML, SQL = "image/svg+xml", "text/vnd.mermaid", "text/x-dbml", "application/sql"
MAIL, BORN = column("mail", "TEXT"), column("born", "DATE")


async def get(schemas: SchemasUnderTest, path: str, accept: str = "application/json", **params: Any) -> httpx.Response:
    answer = await schemas.client.get(
        f"/api/schema/{path}", params={"workspace_id": str(schemas.workspace_id), **params}, headers={"Accept": accept}
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith(accept)
    return answer


async def two_revisions(schemas: SchemasUnderTest) -> None:
    """In the second, a column has another name, another type follows, and a table goes."""
    await schemas.deploy(await schemas.preview(table("people", MAIL, BORN), table("old")))
    target = table("people", {**MAIL, "name": "email"}, {**BORN, "dataType": "TIMESTAMP"})
    await schemas.deploy(await schemas.preview(target), "table old", "column people.born")


async def test_a_revision_comes_with_its_target_and_as_a_picture(schemas: SchemasUnderTest) -> None:
    await two_revisions(schemas)

    whole = (await get(schemas, "revisions/1")).json()
    picture = read_picture((await get(schemas, "revisions/1", SVG)).text)

    assert (whole["number"], [item["name"] for item in whole["target"]["tables"]]) == (1, ["people", "old"])
    assert (picture.title, {"people", "mail", "old"} <= set(picture.texts)) == ("Revision 1", True)
    assert (
        "Table people {\n  id bigint [pk, increment]\n  mail text\n" in (await get(schemas, "revisions/1", DBML)).text
    )
    assert (await get(schemas, "revisions/2", SQL)).text.count("CREATE TABLE") == 1


async def test_the_difference_of_two_revisions_says_what_happened(schemas: SchemasUnderTest) -> None:
    await two_revisions(schemas)

    found = (await get(schemas, "revisions/1/compare", to=2)).json()

    assert {(*item["path"], item["state"], item["words"]) for item in found["changes"]} == {
        ("people", "email", "changed", "was called mail"),
        ("people", "born", "changed", "was date"),
        ("people", "changed", ""),
        ("old", "dropped", ""),
    }
    assert (found["before"]["number"], found["after"]["number"], found["same"]) == (1, 2, False)
    assert 'RENAME COLUMN "mail" TO "email"' in found["sql"]
    assert 'DROP TABLE "old"' in found["sql"]


async def test_the_difference_goes_back_too(schemas: SchemasUnderTest) -> None:
    await two_revisions(schemas)

    found = (await get(schemas, "revisions/2/compare", to=1)).json()

    states = {(*item["path"], item["state"], item["words"]) for item in found["changes"]}
    assert {("people", "mail", "changed", "was called email"), ("old", "added", "")} <= states
    assert 'RENAME COLUMN "email" TO "mail"' in found["sql"]


@pytest.mark.parametrize(
    ("accept", "says"),
    [
        (SVG, "~ email"),
        (MERMAID, 'text email "changed: was called mail"'),
        (DBML, "// changed was called mail\n  email text"),
        (SQL, 'RENAME COLUMN "mail" TO "email"'),
    ],
)
async def test_a_difference_comes_in_each_format(schemas: SchemasUnderTest, accept: str, says: str) -> None:
    await two_revisions(schemas)

    assert says in (await get(schemas, "revisions/1/compare", accept, to=2)).text


async def test_a_revision_is_compared_with_the_schema_as_it_is(schemas: SchemasUnderTest) -> None:
    await two_revisions(schemas)
    same = (await get(schemas, "revisions/2/compare")).json()
    await schemas.sql("ALTER TABLE people ADD COLUMN secret text")

    changed = (await get(schemas, "revisions/2/compare")).json()

    assert (same["same"], same["sql"], same["after"]["number"]) == (True, "", None)
    assert [item["path"] for item in changed["changes"]] == [["people", "secret"], ["people"]]


async def test_a_revision_that_there_is_not_is_not_found(schemas: SchemasUnderTest) -> None:
    await two_revisions(schemas)

    params = {"workspace_id": str(schemas.workspace_id)}
    for path in ("revisions/9", "revisions/9/compare", "revisions/1/compare?to=9"):
        address, _, query = path.partition("?to=")
        answer = await schemas.client.get(
            f"/api/schema/{address}", params={**params, **({"to": query} if query else {})}
        )
        assert (answer.status_code, answer.json()["code"]) == (404, "revision_not_found")


async def test_a_plan_comes_as_a_picture_of_what_it_changes(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(table("people", MAIL)))
    plan = await schemas.preview(table("people", {**MAIL, "name": "email"}, BORN))

    path = f"plans/{plan['plan_id']}"
    picture = read_picture((await get(schemas, path, SVG)).text)
    after = await schemas.deploy(plan)
    later = read_picture((await get(schemas, path, SVG)).text)

    assert {"~ people", "~ email", "+ born"} <= set(picture.texts)
    assert (await get(schemas, path, SQL)).text == plan["sql"]
    assert (after["status"], later.texts) == ("succeeded", picture.texts)


async def test_the_first_plan_is_all_new(schemas: SchemasUnderTest) -> None:
    plan = await schemas.preview(table("people", MAIL))

    assert '"people":::added {' in (await get(schemas, f"plans/{plan['plan_id']}", MERMAID)).text


@pytest.mark.parametrize(
    ("accept", "says"),
    [(SVG, "<title>table people</title>"), (MERMAID, '"people" {'), (DBML, "Table people {"), (SQL, "CREATE TABLE")],
)
async def test_what_is_converted_comes_in_each_format(schemas: SchemasUnderTest, accept: str, says: str) -> None:
    body = {"workspace_id": str(schemas.workspace_id), "sql": "CREATE TABLE people (id bigint PRIMARY KEY);"}

    answer = await schemas.client.post("/api/schema/convert", json=body, headers={"Accept": accept})

    assert answer.headers["content-type"].startswith(accept)
    assert says in answer.text
