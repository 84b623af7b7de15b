"""Validation: everything that is wrong in a target at once, whoever finds it, each with the pointer of its place."""

from typing import Any

import pytest

from dataforge.contexts.schemas.plans.planning import judge_target
from dataforge.kernel.errors import DataForgeError
from tests.builders.planned import Planned
from tests.builders.schemas import SchemasUnderTest, column, table

Document = dict[str, Any]


async def mistakes(planned: Planned, document: Document) -> dict[str, str]:
    with pytest.raises(DataForgeError) as error:
        await judge_target(planned.connection, document)
    return {item.pointer: item.message for item in error.value.violations}


def people(*columns: Document, **more: Any) -> Document:
    return {"tables": [table("people", column("name", "TEXT"), *columns, **more)]}


PLACES: dict[str, tuple[Document, str, str]] = {
    "a type with a number that is too large": (
        people(column("x", "VARCHAR(99999999)")),
        "/tables/0/columns/2/dataType",
        "length for type varchar cannot exceed",
    ),
    "a default of another type": (people(column("x", "INTEGER", default="a")), "/tables/0/columns/2/default", '"a"'),
    "a default with a column": (
        people(column("x", "TEXT", default={"expr": "name"})),
        "/tables/0/columns/2/default",
        "cannot use column reference in DEFAULT",
    ),
    "a computed column that is not immutable": (
        people(column("x", "TEXT", generated={"expr": "name || now()"})),
        "/tables/0/columns/2/generated",
        "not immutable",
    ),
    "a computed column of what is not there": (
        people(column("x", "TEXT", generated={"expr": "upper(nam)"})),
        "/tables/0/columns/2/generated",
        'column "nam" does not exist',
    ),
    "an identity of a text": (people(column("x", "TEXT", identity=True)), "/tables/0/columns/2/identity", "smallint"),
    "a collation that is not there": (
        people(column("x", "TEXT", collation="xx")),
        "/tables/0/columns/2/collation",
        "xx",
    ),
    "a check of what is not there": (
        people(checks=[{"name": "good", "expr": "name <> ''"}, {"name": "bad", "expr": "nme <> ''"}]),
        "/tables/0/checks/1/expr",
        'column "nme" does not exist; Perhaps you meant to reference the column "people.name"',
    ),
    "an exclusion without an operator class": (
        people(exclusions=[{"elements": [{"column": "name", "operator": "="}]}]),
        "/tables/0/exclusions/0",
        "gist",
    ),
    "an option that is not there": (people(options={"fillfactr": 70}), "/tables/0/options", "fillfactr"),
    "a partition key of nothing": (
        {"tables": [table("people", partitionBy={"strategy": "range", "keys": [{"expr": "lower(nme)"}]})]},
        "/tables/0/partitionBy",
        "nme",
    ),
    "a key without the column of the partitions": (
        {
            "tables": [
                table("people", column("day", "DATE"), partitionBy={"strategy": "range", "columns": ["day"]}),
            ]
        },
        "/tables/0/primaryKey",
        "must include all partitioning columns",
    ),
    "an index of what cannot be compared": (
        people(column("x", "JSON"), indexes=[{"columns": ["x"]}]),
        "/tables/0/indexes/0",
        "has no default operator class",
    ),
    "a key to a column that is none": (
        people()
        | {
            "relationships": [
                {"fk": {"table": "people", "column": "id"}, "references": {"table": "people", "column": "name"}}
            ]
        },
        "/relationships/0",
        "",
    ),
    "a view of what is not there": (
        people() | {"views": [{"name": "seen", "query": "SELECT nam FROM people"}]},
        "/views/0/query",
        'column "nam" does not exist',
    ),
    "a view with an option that is not there": (
        people() | {"views": [{"name": "seen", "query": "SELECT name FROM people", "options": {"fast": True}}]},
        "/views/0/options",
        "fast",
    ),
    "a function in a view": (
        people() | {"views": [{"name": "seen", "query": "SELECT pg_read_file(name) AS x FROM people"}]},
        "/views/0",
        "pg_read_file is not allowed",
    ),
    "a function in a default": (
        people(column("x", "TEXT", default={"expr": "pg_sleep(9)::text"})),
        "/tables/0/columns/2",
        "pg_sleep is not allowed",
    ),
}


@pytest.mark.parametrize("name", PLACES)
async def test_what_postgresql_refuses_has_its_place(planned: Planned, name: str) -> None:
    document, pointer, words = PLACES[name]

    found = await mistakes(planned, document)

    assert list(found) == [pointer], found
    assert words in found[pointer]


async def test_a_sequence_of_another_workspace_is_none_of_this_one(planned: Planned) -> None:
    await planned.begin()
    await planned.sql("CREATE SEQUENCE numbers")
    default = {"expr": f"nextval('{planned.namespace}.numbers'::regclass)"}

    found = await mistakes(planned, people(column("x", "BIGINT", default=default)))

    assert found == {"/tables/0/columns/2": "column people.x: it names something outside of the schema"}


async def test_all_that_is_wrong_is_reported_at_once(planned: Planned) -> None:
    document: Document = {
        "tables": [
            table(
                "people",
                column("a", "varchr"),
                column("b", "INTEGER", default="x"),
                column("c", "TEXT", defalt="x"),
                column("d", "TEXT"),
                checks=[{"name": "k", "expr": "d > 1"}, {"name": "l", "expr": "b > 1"}],
                indexes=[{"name": "i", "columns": ["e"]}, {"name": "j", "columns": ["d"], "method": "btre"}],
            ),
        ],
        "views": [{"name": "v", "query": "SELECT a, count(*) FROM people"}, {"name": "w", "query": "SELECT 1"}],
        "relationshps": [],
    }

    found = await mistakes(planned, document)

    assert set(found) == {
        "/relationshps",
        "/tables/0/columns/1/dataType",
        "/tables/0/columns/2/default",
        "/tables/0/columns/3/defalt",
        "/tables/0/checks/0/expr",
        "/tables/0/indexes/0/columns",
        "/tables/0/indexes/1/method",
        "/views/0/query",
    }, found
    assert found["/tables/0/columns/1/dataType"] == 'unknown type "varchr", did you mean "varchar"?'
    assert found["/relationshps"] == 'unknown member "relationshps", did you mean "relationships"?'


async def test_what_only_follows_from_a_mistake_is_not_reported(planned: Planned) -> None:
    document = people(column("x", "INTEGER", default="a")) | {
        "views": [
            {"name": "seen", "query": "SELECT missing FROM people"},
            {"name": "again", "query": "SELECT * FROM seen"},
        ]
    }

    assert set(await mistakes(planned, document)) == {"/tables/0/columns/2/default", "/views/0/query"}


async def test_a_table_with_many_columns_and_one_mistake_is_answered(planned: Planned) -> None:
    columns = [column(f"c{number}", "TEXT", default="x") for number in range(1_000)]
    columns[700] = column("c700", "INTEGER", default="x")

    assert set(await mistakes(planned, people(*columns))) == {"/tables/0/columns/702/default"}


async def test_preview_and_validation_answer_alike(schemas: SchemasUnderTest) -> None:
    target = people(column("x", "INTEGER", default="a"), checks=[{"name": "k", "expr": "name > 1"}])
    body = {"workspace_id": str(schemas.workspace_id), "target": target}

    answers = [(await schemas.client.post(f"/api/schema/{verb}", json=body)).json() for verb in ("validate", "preview")]

    pointers = [[item["pointer"] for item in answer["errors"]] for answer in answers]
    assert pointers == [["/tables/0/columns/2/default", "/tables/0/checks/0/expr"]] * 2
