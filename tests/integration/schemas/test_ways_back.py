"""What a preview says about a way back that values could not go."""

from typing import Any

import pytest

from tests.builders.schemas import SchemasUnderTest, column, table

LEVEL = {"enums": [{"name": "level", "values": ["low", "high"]}]}
_LEVELS = "CASE WHEN n > 5 THEN 'high' ELSE 'low' END::level"


def numbers(kind: str = "INTEGER", **more: Any) -> dict[str, Any]:
    return table("t", column("n", kind, **more))


def said_of_ways_back(plan: dict[str, Any]) -> list[tuple[str, str, list[Any]]]:
    return [
        (item["code"], item["object"], [row["id"] for row in item["samples"]])
        for item in plan["warnings"]
        if item["code"].startswith("way_back")
    ]


async def begin(schemas: SchemasUnderTest, kind: str, values: str) -> None:
    plan = await schemas.preview(numbers(kind), **LEVEL)
    assert (await schemas.deploy(plan))["status"] == "succeeded"
    if values:
        await schemas.sql(f"INSERT INTO t (n) VALUES {values}")


@pytest.mark.parametrize(
    ("before", "values", "after", "expected"),
    [
        ("INTEGER", "(1), (9), (NULL)", {"kind": "level", "using": _LEVELS}, [("way_back_fails", ["1", "2", "3"])]),
        ("INTEGER", "", {"kind": "level", "using": _LEVELS}, []),
        ("TEXT", "('a'), ('b')", {"kind": "INTEGER", "using": "length(n)"}, [("way_back_loses", ["1", "2"])]),
        ("TEXT", "('a,b'), ('a;b')", {"kind": "TEXT[]", "using": "string_to_array(n, ',')"}, []),
        ("TEXT", "('a;b'), ('a')", {"kind": "TEXT[]", "using": "string_to_array(n, ';')"}, [("way_back_loses", ["1"])]),
        ("INTEGER", "(1), (9)", {"kind": "BIGINT"}, []),
        (
            "INTEGER",
            "(1), (9)",
            {"kind": "BIGINT", "using": "n::bigint * 1000000000"},
            [("way_back_fails", ["2"]), ("way_back_loses", ["1"])],
        ),
        ("TEXT", "('low')", {"kind": "level"}, []),
    ],
)
async def test_a_way_back_that_fails_or_loses_is_named(
    schemas: SchemasUnderTest, before: str, values: str, after: dict[str, str], expected: list[tuple[str, list[str]]]
) -> None:
    await begin(schemas, before, values)

    plan = await schemas.preview(numbers(**after), **LEVEL)

    assert said_of_ways_back(plan) == [(code, "column t.n", keys) for code, keys in expected]
    assert not any(item["blocking"] for item in plan["warnings"])


async def test_the_rows_of_a_change_are_counted_without_those_of_its_way_back(schemas: SchemasUnderTest) -> None:
    await begin(schemas, "INTEGER", "(1), (9), (3)")

    plan = await schemas.preview(numbers("BIGINT", using="n::bigint * 1000000000"), **LEVEL)
    ended = await schemas.deploy(plan, *(item["object"] for item in plan["changes"] if item["needs_confirmation"]))

    [changed] = [item for item in plan["changes"] if item["op"] == "change type"]
    assert changed["affected_rows"] == 3
    assert ended["status"] == "succeeded"
