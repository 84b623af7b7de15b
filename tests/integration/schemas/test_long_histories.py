"""Several revisions one after the other, then back to the first one: what had rows has them again, and forward."""

from typing import Any

import pytest

from tests.builders.schemas import SchemasUnderTest, column, table

Document = dict[str, Any]
A, B = column("a", "TEXT"), column("b", "TEXT")
ADA = "INSERT INTO people (a, b) VALUES ('Ada', 'x')"
ROWS = "SELECT a, b FROM people"


def people(*columns: Document, name: str = "people", **more: Any) -> Document:
    return {"tables": [table("people", *columns, **more) | {"name": name}]}


def plain(name: str, *columns: Document, **more: Any) -> Document:
    """A table without ids."""
    return {"tables": [{"name": name, "columns": [{"name": "id", "dataType": "INTEGER"}, *columns], **more}]}


def parted(name: str, key: str, other: str) -> Document:
    columns = [A | {"name": key}, B | {"name": other}]
    partition = {"id": "p", "name": f"{name}_rest", "bound": "DEFAULT"}
    by = {"strategy": "list", "columns": [key]}
    return {
        "tables": [{"id": "t", "name": name, "columns": columns, "partitionBy": by, "partitions": [partition]}],
    }


def _numbered(*bounds: str) -> Document:
    parts = [{"name": f"numbers_{number}", "bound": bound} for number, bound in enumerate(bounds)]
    by = {"strategy": "range", "columns": ["id"]}
    columns = [column("id", "BIGINT", primaryKey=True)]
    numbers = {"id": "n", "name": "numbers", "columns": columns, "partitionBy": by, "partitions": parts}
    link = {"fk": {"table": "uses", "column": "number_id"}, "references": {"table": "numbers", "column": "id"}}
    return {"tables": [numbers, table("uses", column("number_id", "BIGINT"))], "relationships": [link]}


HISTORIES: dict[str, tuple[list[Document], str, str]] = {
    "a table that got another name before it went": (
        [people(A, B), people(A, B, name="persons"), {"tables": []}],
        ADA,
        ROWS,
    ),
    "a column that got another name before it went": (
        [people(A, B), people(A, B | {"name": "c"}), people(A)],
        ADA,
        ROWS,
    ),
    "a table whose columns got each other's names before it went": (
        [people(A, B), people(A | {"name": "b"}, B | {"name": "a"}, name="persons"), {"tables": []}],
        ADA,
        ROWS,
    ),
    "a table that got another name by what it was called, and went": (
        [
            plain("people", {"name": "a", "dataType": "TEXT"}, {"name": "b", "dataType": "TEXT"}),
            plain(
                "persons",
                {"name": "a", "dataType": "TEXT"},
                {"name": "c", "previousName": "b", "dataType": "TEXT"},
                previousName="people",
            ),
            {"tables": []},
        ],
        "INSERT INTO people VALUES (1, 'Ada', 'x')",
        ROWS,
    ),
    "a partitioned table that got other names before it went": (
        [parted("people", "a", "b"), parted("persons", "aa", "bb"), {"tables": []}],
        ADA,
        ROWS,
    ),
    "a column whose name another one has taken": (
        [people(A, B), people(B | {"name": "a"})],
        ADA,
        ROWS,
    ),
    "a table whose name another one has taken": (
        [
            {"tables": [table("people", A, B), table("orders", A)]},
            {"tables": [table("orders", A) | {"name": "people"}]},
        ],
        ADA,
        ROWS,
    ),
    "a partition whose rows are referred to and move": (
        [
            _numbered("FOR VALUES FROM (0) TO (10)"),
            _numbered("FOR VALUES FROM (0) TO (5)", "FOR VALUES FROM (5) TO (10)"),
        ],
        "INSERT INTO numbers VALUES (1), (6); INSERT INTO uses (number_id) VALUES (1), (6), (6)",
        "SELECT n.id, count(*) FROM numbers n JOIN uses ON number_id = n.id GROUP BY n.id ORDER BY n.id",
    ),
    "a materialized view in whose place a table came": (
        [
            {
                **people(A, B),
                "views": [{"id": "v", "name": "seen", "query": "SELECT a FROM people", "materialized": True}],
            },
            {"tables": [*people(A, B)["tables"], {"id": "t-seen", "name": "seen", "columns": [A]}]},
        ],
        ADA,
        ROWS,
    ),
}


@pytest.mark.parametrize("name", HISTORIES)
async def test_the_first_revision_comes_back_with_its_rows_and_so_does_the_last(
    schemas: SchemasUnderTest, name: str
) -> None:
    versions, rows, query = HISTORIES[name]
    for number, version in enumerate(versions):
        await _deployed(schemas, (await _previewed(schemas, version)))
        if number == 0:
            await schemas.sql(rows)
            before = await schemas.sql(query)

    await _deployed(schemas, await _back_to(schemas, 1))
    assert await schemas.sql(query) == before
    assert (await _previewed(schemas, versions[0]))["empty"] is True

    await _deployed(schemas, await _back_to(schemas, len(versions)))
    assert (await _previewed(schemas, versions[-1]))["empty"] is True


async def _previewed(schemas: SchemasUnderTest, version: Document) -> Document:
    return await schemas.preview(
        *version["tables"], **{key: value for key, value in version.items() if key != "tables"}
    )


async def _back_to(schemas: SchemasUnderTest, number: int) -> Document:
    params = {"workspace_id": str(schemas.workspace_id)}
    answer = await schemas.client.post(f"/api/schema/revisions/{number}/rollback", params=params)
    assert answer.status_code == 200, answer.text
    found: Document = answer.json()
    return found


async def _deployed(schemas: SchemasUnderTest, plan: Document) -> None:
    confirmed = [item["object"] for item in plan["changes"] if item["needs_confirmation"]]
    done = await schemas.deploy(plan, *confirmed)
    assert (done["status"], done["schema_state"], done["error"]) == ("succeeded", "new", None)
