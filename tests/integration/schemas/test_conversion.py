"""Conversion by HTTP: SQL, DBML and targets in, every form out, nothing kept."""

from typing import Any

import httpx
import pytest

from tests.builders.schemas import SchemasUnderTest, column, table

SQL = """CREATE TABLE public.people (
  id bigint PRIMARY KEY,
  name text NOT NULL
);
INSERT INTO people VALUES (1, 'x');"""
DBML = "Table people {\n  id bigint [pk]\n  name text [not null]\n}\n"


async def ask(schemas: SchemasUnderTest, accept: str = "application/json", **source: Any) -> httpx.Response:
    body = {"workspace_id": str(schemas.workspace_id), **source}
    return await schemas.client.post("/api/schema/convert", json=body, headers={"Accept": accept})


async def test_three_forms_of_one_schema_have_one_fingerprint_and_can_be_deployed(schemas: SchemasUnderTest) -> None:
    from_sql = (await ask(schemas, sql=SQL)).json()
    from_dbml = (await ask(schemas, dbml=DBML)).json()
    again = (await ask(schemas, target=from_sql["target"])).json()

    assert from_sql["fingerprint"] == from_dbml["fingerprint"] == again["fingerprint"]
    assert [item["code"] for item in from_sql["warnings"]] == ["rows"]
    assert from_sql["warnings"][0]["object"] == "line 5, column 1"
    plan = await schemas.preview(*from_sql["target"]["tables"])
    assert plan["target_fingerprint"] == from_sql["fingerprint"]
    assert (await schemas.deploy(plan))["status"] == "succeeded"
    assert (await ask(schemas, sql="CREATE TABLE people (id int)")).status_code == 200


async def test_what_is_deployed_under_a_name_gives_its_id(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(table("people", column("name", "TEXT"))))

    [people] = (await ask(schemas, sql="CREATE TABLE people (id bigint, name text)")).json()["target"]["tables"]

    assert people["id"] == "t-people"


@pytest.mark.parametrize(
    ("accept", "begin"),
    [
        ("application/sql", 'CREATE TABLE "people"'),
        ("text/vnd.mermaid", "erDiagram"),
        ("text/x-dbml", "Table people {"),
    ],
)
async def test_the_answer_has_the_form_that_is_asked_for(schemas: SchemasUnderTest, accept: str, begin: str) -> None:
    answer = await ask(schemas, accept, sql=SQL)

    assert answer.headers["content-type"].startswith(accept)
    assert answer.text.startswith(begin)


async def test_a_mistake_has_its_place_in_numbers(schemas: SchemasUnderTest) -> None:
    answer = await ask(schemas, sql="\n\nCREATE TABLE a (b int,,);")

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (400, "invalid_source")
    assert problem["places"] == [{"line": 3, "column": 23, "rule": "syntax"}]
    assert problem["errors"][0]["pointer"] == "/sql"


@pytest.mark.parametrize("source", [{}, {"sql": SQL, "dbml": DBML}, {"sql": ""}, {"sql": "CREATE TABLE a (b\0 int)"}])
async def test_not_exactly_one_text_is_refused(schemas: SchemasUnderTest, source: dict[str, Any]) -> None:
    assert (await ask(schemas, **source)).status_code == 400


async def test_an_empty_text_is_an_empty_schema(schemas: SchemasUnderTest) -> None:
    assert (await ask(schemas, sql="-- nothing\n;")).json()["target"] == {
        "version": 1,
        "namespace": f"ws_{schemas.workspace_id.hex[16:]}",
    }
