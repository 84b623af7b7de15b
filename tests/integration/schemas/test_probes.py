"""What live rows say about a plan: how many, which of them, and whether it can be carried out at all."""

from typing import Any

import pytest

from dataforge.contexts.schemas.plans.domain.changes import Risk
from dataforge.contexts.schemas.plans.domain.plan import Finding, Plan
from tests.builders.planned import Planned
from tests.builders.schema_risks.judge import plan_with_risks
from tests.builders.schema_risks.label import Label, col, doc, filled, tab
from tests.builders.schemas import SchemasUnderTest, column, table


async def looked_at(planned: Planned, before: str, after: dict[str, Any]) -> tuple[Plan, list[Finding]]:
    await planned.begin()
    await planned.sql(before)
    return await plan_with_risks(planned, Label(before, after))


def said(findings: list[Finding]) -> list[tuple[str, str, bool]]:
    return [(item.code, item.message, item.blocking) for item in findings]


async def test_it_is_said_how_many_rows_a_shorter_text_would_cut_and_which(planned: Planned) -> None:
    rows = [f"repeat('x', {size})" for size in (5, 11, 12, 13, 14, 15, 16, 17)]
    plan, findings = await looked_at(planned, filled("v text", *rows), doc(tab("t", col("v", "VARCHAR(10)"))))

    assert said(findings) == [("values_cut", "character varying(10) would cut 7 rows", False)]
    seen = plan.seen(0)
    assert (seen.lost, seen.affected) == (7, 7)
    assert [key["id"] for key in seen.samples] == ["2", "3", "4", "5", "6"]
    assert plan.risk_of(0) is Risk.DESTRUCTIVE
    assert plan.destructive == ("column t.v",)


async def test_rows_that_fit_and_rows_that_do_not_are_told_apart(planned: Planned) -> None:
    before = filled("v text", "'3.14'", "'many'", "'2.5'", "NULL")
    _, findings = await looked_at(planned, before, doc(tab("t", col("v", "NUMERIC(10,1)"))))

    assert said(findings) == [
        ("values_do_not_fit", "1 row holds a value that does not fit", True),
        ("values_lossy", "1 row would keep less than they have as numeric(10,1)", False),
    ]
    assert [item.samples for item in findings] == [({"id": "2"},), ({"id": "1"},)]


async def test_labels_with_other_names_fit_when_their_enum_is_made_again(schemas: SchemasUnderTest) -> None:
    people = table("people", column("m", "mood", default="sad"))
    await schemas.deploy(await schemas.preview(people, enums=[{"id": "e", "name": "mood", "values": ["sad", "ok"]}]))
    await schemas.sql("INSERT INTO people DEFAULT VALUES")
    people = table("people", column("m", "mood", default="blue"))
    values = ["ok", {"name": "blue", "previousName": "sad"}]

    plan = await schemas.preview(people, enums=[{"id": "e", "name": "mood", "values": values}])
    done = await schemas.deploy(plan)

    assert (plan["warnings"], done["status"]) == ([], "succeeded")
    assert await schemas.sql("SELECT m::text FROM people") == [("blue",)]


async def test_rows_without_a_key_are_named_by_where_they_lie(planned: Planned) -> None:
    before = "CREATE TABLE t (v text); INSERT INTO t VALUES ('abcdef')"
    after = doc({"name": "t", "columns": [col("v", "VARCHAR(3)")]})
    _, findings = await looked_at(planned, before, after)

    assert findings[0].samples == ({"ctid": "(0,1)"},)


async def test_rows_are_looked_at_as_they_would_be(planned: Planned) -> None:
    before = filled("old integer; w text", "1, 'a'", "10, 'b'", "NULL, 'c'")
    columns = [
        col("new", "BIGINT", previousName="old", nullable=False, backfill="50"),
        col("w", "TEXT"),
        col("double", "BIGINT", generated={"expr": '"new" * 2'}),
    ]
    after = doc(tab("t", *columns, checks=[{"expr": '"double" < 20'}]))
    _, findings = await looked_at(planned, before, after)

    assert said(findings) == [("check_violated", "2 rows break the check", True)]
    assert findings[0].samples == ({"id": "2"}, {"id": "3"})


async def test_keys_that_are_there_twice_come_with_their_values(planned: Planned) -> None:
    before = filled("v text; n integer", "'a', 1", "'a', 2", "'b', NULL", "'b', NULL")
    plain = doc(tab("t", col("v", "TEXT"), col("n", "INTEGER"), uniques=[{"columns": ["v", "n"]}]))
    strict = doc(
        tab("t", col("v", "TEXT"), col("n", "INTEGER"), uniques=[{"columns": ["v", "n"], "nullsDistinct": False}])
    )
    partly = doc(
        tab("t", col("v", "TEXT"), col("n", "INTEGER"), indexes=[{"columns": ["v"], "unique": True, "where": "n = 1"}])
    )

    assert said((await looked_at(planned, before, plain))[1]) == []
    _, findings = await looked_at(planned, before, strict)
    assert said(findings) == [("duplicates", "2 rows have the same key as another", True)]
    assert findings[0].samples == ({"id": "3", "v": "b", "n": None}, {"id": "4", "v": "b", "n": None})
    assert said((await looked_at(planned, before, partly))[1]) == []


async def test_rows_that_exclude_one_another_are_found(planned: Planned) -> None:
    before = filled("during int4range", "'[1,5)'", "'[4,9)'", "'[20,30)'")
    after = doc(
        tab("t", col("during", "INT4RANGE"), exclusions=[{"definition": "EXCLUDE USING gist (during WITH &&)"}])
    )
    _, findings = await looked_at(planned, before, after)

    assert said(findings) == [("exclusion_violated", "2 rows overlap with another", True)]
    assert findings[0].samples == ({"id": "1"}, {"id": "2"})


@pytest.mark.parametrize(("match", "orphans"), [("simple", ("2",)), ("full", ("2", "3"))])
async def test_rows_that_refer_to_nothing_are_found(planned: Planned, match: str, orphans: tuple[str, ...]) -> None:
    before = (
        "CREATE TABLE u (id integer PRIMARY KEY, a integer, b integer, UNIQUE (a, b)); INSERT INTO u VALUES (1, 1, 1); "
        + filled("a integer; b integer", "1, 1", "1, 2", "1, NULL", "NULL, NULL")
    )
    link = {"fk": {"table": "t", "columns": ["a", "b"]}, "references": {"table": "u", "columns": ["a", "b"]}}
    numbers = (col("a", "INTEGER"), col("b", "INTEGER"))
    after = doc(tab("t", *numbers), tab("u", *numbers, uniques=[{"columns": ["a", "b"]}]))
    _, findings = await looked_at(planned, before, after | {"relationships": [link | {"match": match}]})

    assert [item.code for item in findings] == ["orphans"]
    assert tuple(key["id"] for key in findings[0].samples) == orphans


def log_of(*bounds: str) -> dict[str, Any]:
    columns = [col("day", "DATE"), col("v", "TEXT")]
    parts = [{"name": f"log_{number}", "bound": bound} for number, bound in enumerate(bounds)]
    return doc(
        {
            "name": "log",
            "columns": columns,
            "partitionBy": {"strategy": "range", "columns": ["day"]},
            "partitions": parts,
        }
    )


async def test_rows_for_which_no_partition_is_left_are_found(planned: Planned) -> None:
    year = "FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"
    half = "FOR VALUES FROM ('2026-01-01') TO ('2026-07-01')"
    rest = "FOR VALUES FROM ('2026-07-01') TO ('2027-01-01')"
    before = (
        f"CREATE TABLE log (day date, v text) PARTITION BY RANGE (day); CREATE TABLE log_0 PARTITION OF log {year}; "
        "INSERT INTO log VALUES ('2026-03-03', 'a'), ('2026-08-08', 'b'), ('2026-09-09', 'c')"
    )

    assert said((await looked_at(planned, before, log_of(half)))[1]) == [
        ("rows_without_partition", "2 rows would have no partition to be in", True)
    ]
    assert not any(item.blocking for item in (await looked_at(planned, before, log_of(half, rest)))[1])
    assert not any(item.blocking for item in (await looked_at(planned, before, log_of(half, "DEFAULT")))[1])


async def test_rows_of_a_table_that_becomes_a_partition_must_belong_there(planned: Planned) -> None:
    before = "CREATE TABLE log_0 (day date, v text); INSERT INTO log_0 VALUES ('2026-03-03', 'a'), ('2025-08-08', 'b')"
    _, findings = await looked_at(planned, before, log_of("FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"))

    assert [(item.code, item.samples) for item in findings if item.blocking] == [
        ("rows_without_partition", ({"ctid": "(0,2)"},))
    ]


async def test_an_estimate_and_the_rows_come_from_what_is_live(planned: Planned) -> None:
    before = (
        "CREATE TABLE t (id integer PRIMARY KEY, v integer); INSERT INTO t SELECT n, n FROM generate_series(1, 2e5) n"
    )
    plan, _ = await looked_at(planned, before, doc(tab("t", col("v", "BIGINT"))))

    seen = plan.seen(0)
    assert (seen.rewrites, seen.affected, seen.idle) == (True, 200_000, False)
    assert seen.estimated_ms is not None
    assert seen.estimated_ms > 100  # 7 MB of rows and 4 MB of an index


async def test_an_empty_table_lets_nobody_wait(planned: Planned) -> None:
    empty = "CREATE TABLE t (id integer PRIMARY KEY, v integer)"
    plan, _ = await looked_at(planned, empty, doc(tab("t", col("v", "INTEGER"), indexes=[{"columns": ["v"]}])))

    assert (plan.up[0].op, plan.risk_of(0), plan.seen(0).affected) == ("create index", Risk.SAFE, 0)


async def test_a_cut_must_be_confirmed_by_the_name_of_its_column(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(table("people", column("name", "TEXT"))))
    await schemas.sql("INSERT INTO people (name) VALUES ('Ada'), ('Grace Hopper')")

    plan = await schemas.preview(table("people", column("name", "VARCHAR(5)")))
    refused = await schemas.ask_deploy(plan)
    done = await schemas.deploy(plan, "column people.name")

    [change] = plan["changes"]
    assert (change["lock"], change["rewrite"], change["scan"]) == ("ACCESS EXCLUSIVE", True, True)
    assert (change["risk"], change["lost_rows"], change["samples"]) == ("destructive", 1, [{"id": "2"}])
    assert plan["warnings"][-1] == {
        "code": "values_cut",
        "object": "column people.name",
        "message": "character varying(5) would cut 1 row",
        "blocking": False,
        "samples": [{"id": "2"}],
    }
    assert (refused.status_code, refused.json()["missing"]) == (409, ["column people.name"])
    assert done["status"] == "succeeded"
    assert await schemas.sql("SELECT name FROM people ORDER BY id") == [("Ada",), ("Grace",)]


async def test_a_target_that_forbids_losses_forbids_a_cut(schemas: SchemasUnderTest) -> None:
    await schemas.deploy(await schemas.preview(table("people", column("name", "TEXT"))))
    await schemas.sql("INSERT INTO people (name) VALUES ('Grace Hopper')")

    answer = await schemas.ask_preview(table("people", column("name", "VARCHAR(5)")), allowDestructive=False)

    assert (answer.status_code, answer.json()["code"]) == (409, "loss_forbidden")
