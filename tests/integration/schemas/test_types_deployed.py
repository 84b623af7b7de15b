"""Types, views and sequences over HTTP: previewed with all that is asked of live rows, and deployed."""

from typing import Any

from tests.builders.schema_cases.case import Document
from tests.builders.schemas import SchemasUnderTest, column, table

TABLE = table(
    "t", column("k", "level", default="mid"), column("p", "pair"), column("d", "word"), column("n", "INTEGER")
)
START: Document = {
    "enums": [{"name": "level", "values": ["low", "mid", "high"]}],
    "composites": [
        {"name": "pair", "attributes": [{"name": "a", "dataType": "INTEGER"}, {"name": "l", "dataType": "level"}]}
    ],
    "ranges": [{"name": "span", "subtype": "float8"}],
    "domains": [{"name": "word", "dataType": "VARCHAR(9)"}],
    "sequences": [{"name": "s", "start": 5}],
    "views": [
        {"name": "v", "query": "SELECT id, k, p FROM t", "columns": [{"name": "k", "comment": "it's"}]},
        {"name": "m", "query": "SELECT k, count(*) AS n FROM v GROUP BY k", "materialized": True},
    ],
    "statistics": [{"name": "st", "table": "t", "columns": ["k", "n"], "comment": "together"}],
}
ROWS = "INSERT INTO t (k, p, d, n) VALUES ('mid', row(1, 'mid'), 'x', 7), ('high', NULL, NULL, NULL)"


async def deployed(schemas: SchemasUnderTest, plan: dict[str, Any]) -> None:
    ended = await schemas.deploy(plan, *(item["object"] for item in plan["changes"] if item["needs_confirmation"]))
    assert ended["status"] == "succeeded", ended


async def test_what_is_made_of_an_enum_is_deployed_with_fewer_labels(schemas: SchemasUnderTest) -> None:
    await deployed(schemas, await schemas.preview(TABLE, **START))
    await schemas.sql(ROWS)
    less: Document = {**START, "enums": [{"name": "level", "values": ["low", "high"], "valueMap": {"mid": "low"}}]}
    target = TABLE | {"columns": [*TABLE["columns"][:1], column("k", "level", default="low"), *TABLE["columns"][2:]]}
    less["composites"] = [{"name": "pair", "attributes": [{"name": "a", "dataType": "BIGINT"}]}]

    plan = await schemas.preview(target, **less)
    await deployed(schemas, plan)

    assert plan["proof"]["proved"]
    assert {"enum level", "composite pair"} <= {i["object"] for i in plan["changes"] if i["needs_confirmation"]}
    assert await schemas.sql("SELECT k::text, p::text FROM t ORDER BY id") == [("low", "(1)"), ("high", None)]
    assert (await schemas.preview(target, **less))["changes"] == []


async def test_everything_else_of_types_views_and_sequences_is_deployed(schemas: SchemasUnderTest) -> None:
    await deployed(schemas, await schemas.preview(TABLE, **START))
    await schemas.sql(ROWS)
    await schemas.sql("SELECT nextval('s')")
    more: Document = {
        **START,
        "enums": [{"name": "level", "values": ["none", "low", "mid", "high"]}],
        "ranges": [{"name": "span", "subtype": "float8", "subtypeDiff": "float8mi"}],
        "domains": [{"name": "word", "dataType": "TEXT", "checks": [{"expr": "VALUE <> ''"}]}],
        "sequences": [{"name": "s", "minimum": 50, "start": 60, "comment": "it's"}],
        "views": [
            {"name": "v", "query": "SELECT id, k, p, n FROM t", "options": {"security_barrier": True}},
            {**START["views"][1], "indexes": [{"columns": ["k"], "unique": True}]},
        ],
        "statistics": [{"name": "st", "table": "t", "columns": ["k", "n"], "target": 500}],
    }

    plan = await schemas.preview(TABLE, **more)
    await deployed(schemas, plan)

    assert await schemas.sql("SELECT d, nextval('s') FROM t WHERE d IS NOT NULL") == [("x", 50)]
    assert (await schemas.preview(TABLE, **more))["changes"] == []


async def test_a_label_that_rows_hold_is_not_lost_unsaid(schemas: SchemasUnderTest) -> None:
    await deployed(schemas, await schemas.preview(TABLE, **START))
    await schemas.sql(ROWS)
    target = TABLE | {"columns": [*TABLE["columns"][:1], column("k", "level", default="low"), *TABLE["columns"][2:]]}

    plan = await schemas.preview(target, **{**START, "enums": [{"name": "level", "values": ["low", "high"]}]})

    assert any(item["blocking"] for item in plan["warnings"])
