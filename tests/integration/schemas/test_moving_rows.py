"""Rows that move into other tables and partitions, over HTTP: previewed with what they hold, and deployed."""

from typing import Any

from tests.builders.schema_cases.case import Document
from tests.builders.schema_cases.keys import listed
from tests.builders.schemas import SchemasUnderTest

_YEAR = "FOR VALUES FROM ('{}-01-01') TO ('{}-01-01')"
_PLACED = "SELECT tableoid::regclass::text, n FROM t ORDER BY n"


def logged(*parts: tuple[str, str]) -> Document:
    """A table of days, partitioned when it has parts."""
    columns = [{"name": "day", "dataType": "DATE", "nullable": False}, {"name": "n", "dataType": "INTEGER"}]
    table: Document = {"name": "t", "columns": columns}
    if parts:
        table["partitionBy"] = {"strategy": "range", "columns": ["day"]}
        table["partitions"] = [{"name": name, "bound": bound} for name, bound in parts]
    return {"tables": [table]}


async def deployed(schemas: SchemasUnderTest, target: Document) -> dict[str, Any]:
    """Preview a target, confirm what it asks for, and deploy it."""
    plan = await previewed(schemas, target)
    asked = [item["object"] for item in plan["changes"] if item["needs_confirmation"]]
    ended = await schemas.deploy(plan, *asked)
    assert ended["status"] == "succeeded", ended
    assert (await previewed(schemas, target))["changes"] == []
    return plan


async def previewed(schemas: SchemasUnderTest, target: Document) -> dict[str, Any]:
    rest = {key: value for key, value in target.items() if key != "tables"}
    return await schemas.preview(*target["tables"], **rest)


def operations(plan: dict[str, Any]) -> set[str]:
    return {item["op"] for item in plan["changes"]}


def codes(plan: dict[str, Any]) -> set[str]:
    return {item["code"] for item in plan["warnings"]}


async def test_a_table_becomes_partitioned_and_its_parts_are_split_with_their_rows(schemas: SchemasUnderTest) -> None:
    await deployed(schemas, logged())
    await schemas.sql("INSERT INTO t VALUES ('2025-03-01', 1), ('2026-03-01', 2)")

    homeless = await previewed(schemas, logged(("t_2025", _YEAR.format(2025, 2026))))
    exchanged = await deployed(schemas, logged(("t_all", _YEAR.format(2025, 2027))))
    parts = (("t_2025", _YEAR.format(2025, 2026)), ("t_2026", _YEAR.format(2026, 2027)))
    split = await deployed(schemas, logged(*parts))

    assert {(item["code"], item["blocking"]) for item in homeless["warnings"]} >= {("rows_without_partition", True)}
    assert "exchange table" in operations(exchanged)
    assert "rows_without_partition" not in codes(exchanged)
    assert "move rows" in operations(split)
    assert not any(item["needs_confirmation"] for plan in (exchanged, split) for item in plan["changes"])
    assert await schemas.sql(_PLACED) == [("t_2025", 1), ("t_2026", 2)]


async def test_the_enum_that_parts_are_listed_by_gets_and_loses_labels(schemas: SchemasUnderTest) -> None:
    await deployed(schemas, listed("a", "b"))
    await schemas.sql("INSERT INTO t VALUES ('a', 1), ('b', 2)")

    more = await deployed(schemas, listed("a", "b", "c", parts=("a", "b", "c")))
    less = await deployed(schemas, listed("a", "c", parts=("a", "c"), valueMap={"b": "c"}))

    assert "exchange table" not in operations(more)
    assert "exchange table" in operations(less)
    assert "values_mapped" in codes(less)
    assert not any(item["blocking"] for item in less["warnings"]), less["warnings"]
    assert await schemas.sql(_PLACED) == [("ta", 1), ("tc", 2)]


async def test_a_label_that_goes_with_its_part_leaves_the_rest(schemas: SchemasUnderTest) -> None:
    await deployed(schemas, listed("a", "b"))
    await schemas.sql("INSERT INTO t VALUES ('a', 1), ('b', 2)")

    plan = await deployed(schemas, listed("a", parts=("a",)))

    assert "kept_in_trash" in codes(plan)
    assert not any(item["blocking"] for item in plan["warnings"]), plan["warnings"]
    assert await schemas.sql(_PLACED) == [("ta", 1)]
