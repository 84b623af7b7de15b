"""What goes is kept beside the schema, and comes back with its data: by the way back, by its id, by a rollback."""

from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from tests.builders.planned import Planned
from tests.builders.schema_cases import CASES
from tests.builders.schema_cases.case import ADA, A, B, Case, named, people, tables
from tests.builders.schema_cases.keys import listed
from tests.builders.schemas import column, table

Document = dict[str, Any]
MOOD = {"id": "e", "name": "mood", "values": ["sad", "ok"]}


@pytest.fixture(scope="module")
async def kept(plain_database: str) -> AsyncIterator[Planned]:
    """Plans with a trash, each test in a schema of its own."""
    connection: psycopg.AsyncConnection[Any] = await psycopg.AsyncConnection.connect(plain_database)
    async with connection:
        yield Planned(connection, trash=True)


async def in_trash(planned: Planned) -> list[str]:
    """The names of the tables there."""
    rows = await planned.sql(
        f"SELECT relname FROM pg_class WHERE relnamespace = '{planned.namespace}_trash'::regnamespace"
    )
    return sorted(name for (name,) in rows)


PLAIN = {"name": "people", "columns": [{"name": "a", "dataType": "TEXT"}, {"name": "b", "dataType": "TEXT"}]}
LESS = {"name": "people", "columns": [{"name": "a", "dataType": "TEXT"}]}
PARTED = {
    "id": "t-log",
    "name": "log",
    "columns": [{"name": "day", "dataType": "DATE"}, {"name": "m", "dataType": "mood"}],
    "partitionBy": {"strategy": "range", "columns": ["day"]},
}
YEARS = [
    {"name": f"log_{year}", "bound": f"FOR VALUES FROM ('{year}-01-01') TO ('{year + 1}-01-01')"}
    for year in (2025, 2026)
]
ORDERS = table("orders", column("other_id", "BIGINT"), uniques=[{"columns": ["other_id"]}])
LINK = {
    "fk": {"table": "orders", "column": "other_id"},
    "references": {"table": "people", "column": "id"},
    "onDelete": "cascade",
}
KEPT: dict[str, tuple[Document, Document, str, str]] = {
    "a column": (
        tables(people(A, B)),
        tables(people(A)),
        "INSERT INTO people (a, b) VALUES ('Ada', 'x'), ('Eve', NULL), ('Eve', 'y')",
        "SELECT id, a, b FROM people ORDER BY id",
    ),
    "a column that everything hangs on": (
        tables(
            people(
                A,
                column("n", "INTEGER", nullable=False, default=7, comment="it's"),
                column("twice", "INTEGER", generated={"expr": "n * 2"}),
                checks=[{"expr": "n > 0"}],
                uniques=[{"columns": ["n"]}],
                indexes=[{"keys": [{"expr": "n + 1"}]}],
            ),
            views=[{"name": "seen", "query": "SELECT n FROM people"}],
        ),
        tables(people(A)),
        "INSERT INTO people (a, n) VALUES ('Ada', 1), ('Eve', 2)",
        "SELECT id, a, n, twice FROM people ORDER BY id",
    ),
    "a column of an enum that goes as well": (
        tables(people(A, column("m", "mood", default="sad"), column("all", "mood[]")), enums=[MOOD]),
        tables(people(A)),
        "INSERT INTO people (a, m, \"all\") VALUES ('Ada', 'ok', '{sad,ok}')",
        'SELECT m::text, "all"::text FROM people',
    ),
    "a column of a domain that takes no null": (
        tables(
            people(A, column("c", "code")), domains=[{"id": "d", "name": "code", "dataType": "TEXT", "nullable": False}]
        ),
        tables(people(A)),
        "INSERT INTO people (a, c) VALUES ('Ada', 'x')",
        "SELECT c FROM people",
    ),
    "a column beside none that tells rows apart": (
        tables(PLAIN),
        tables(LESS),
        "INSERT INTO people VALUES ('x', 'one'), ('x', 'two'), (NULL, 'three'), ('y', NULL)",
        "SELECT a, b FROM people ORDER BY a, b",
    ),
    "the key itself": (
        tables(people(A)),
        tables({**people(A), "columns": [A]}),
        "INSERT INTO people (a) VALUES ('Ada'), ('Eve'); DELETE FROM people WHERE a = 'Ada'",
        "SELECT id, a FROM people",
    ),
    "a column of a table with another name": (
        tables(people(A, B)),
        tables(named(people(named(A, "x")), "persons")),
        "INSERT INTO people (a, b) VALUES ('Ada', 'x')",
        "SELECT a, b FROM people",
    ),
    "a column beside a key of another type": (
        tables({**people(B), "columns": [column("id", "INTEGER", primaryKey=True), B]}),
        tables({**people(), "columns": [column("id", "TEXT", primaryKey=True)]}),
        "INSERT INTO people VALUES (12, 'x')",
        "SELECT id, b FROM people",
    ),
    "a table": (
        tables(people(A), ORDERS, relationships=[LINK]),
        tables(people(A)),
        ADA + "; INSERT INTO orders (other_id) VALUES (1)",
        "SELECT id, other_id FROM orders",
    ),
    "a table that others refer to": (
        tables(people(A), ORDERS, relationships=[LINK]),
        tables(ORDERS),
        ADA + "; INSERT INTO orders (other_id) VALUES (1)",
        "SELECT o.id, p.a FROM orders o JOIN people p ON p.id = o.other_id",
    ),
    "a table with everything": (
        tables(
            people(
                A,
                column("m", "mood", default="sad", nullable=False),
                column("n", "BIGINT", default={"expr": "nextval('numbers')"}),
                column("up", "TEXT", generated={"expr": "upper(a)"}),
                checks=[{"expr": "a <> ''"}],
                indexes=[{"columns": ["a"], "unique": True}],
                comment="all",
            ),
            enums=[MOOD],
            sequences=[{"name": "numbers", "ownedBy": {"table": "people", "column": "n"}}],
            views=[{"name": "seen", "query": "SELECT a FROM people"}],
        ),
        {"tables": []},
        ADA,
        "SELECT id, a, m::text, n, up FROM people",
    ),
    "a partitioned table": (
        tables(PARTED | {"partitions": YEARS}, enums=[MOOD]),
        {"tables": []},
        "INSERT INTO log VALUES ('2025-05-05', 'ok'), ('2026-05-05', 'sad')",
        "SELECT day, m::text FROM log ORDER BY day",
    ),
    "a partition": (
        tables(PARTED | {"partitions": YEARS}, enums=[MOOD]),
        tables(PARTED | {"partitions": YEARS[1:]}, enums=[MOOD]),
        "INSERT INTO log VALUES ('2025-05-05', 'ok'), ('2026-05-05', 'sad')",
        "SELECT day, m::text FROM log ORDER BY day",
    ),
    "a partition with the label that it is listed by": (
        listed("a", "b"),
        listed("a", parts=("a",)),
        "INSERT INTO t VALUES ('a', 1), ('b', 2), ('b', 3)",
        "SELECT x::text, n FROM t ORDER BY n",
    ),
    "a partition while the key gets another type": (
        tables(PARTED | {"partitions": YEARS}, enums=[MOOD]),
        tables(
            PARTED
            | {"columns": [{"name": "day", "dataType": "TIMESTAMP"}, *PARTED["columns"][1:]], "partitions": YEARS[1:]},
            enums=[MOOD],
        ),
        "INSERT INTO log VALUES ('2025-05-05', 'ok'), ('2026-05-05', 'sad')",
        "SELECT day, m::text FROM log ORDER BY day",
    ),
}


@pytest.mark.parametrize("name", KEPT)
async def test_the_way_back_brings_the_data_back(kept: Planned, name: str) -> None:
    before, after, rows, query = KEPT[name]
    await kept.begin()
    await kept.deploy(before)
    await kept.sql(rows)
    data = await kept.sql(query)

    plan = await kept.deploy(after)

    assert (await kept.schema()).fingerprint == plan.target_fingerprint
    assert plan.destructive
    assert await in_trash(kept)
    await kept.run(plan.down)
    assert (await kept.schema()).fingerprint == plan.base_fingerprint
    assert await kept.sql(query) == data
    assert await in_trash(kept) == []


@pytest.mark.parametrize("name", KEPT)
async def test_a_rollback_brings_the_data_back_and_the_way_back_of_that_keeps_it_again(
    kept: Planned, name: str
) -> None:
    before, after, rows, query = KEPT[name]
    await kept.begin()
    await kept.deploy(before)
    await kept.sql(rows)
    data = await kept.sql(query)
    await kept.deploy(after)
    there = await in_trash(kept)

    back = await kept.deploy(before, going_back=True)

    assert await kept.sql(query) == data
    assert await in_trash(kept) == []
    assert (await kept.plan(before)).up == ()
    await kept.run(back.down)
    assert (await kept.schema()).fingerprint == back.base_fingerprint
    assert await in_trash(kept) == there


async def test_the_same_id_brings_a_column_back_and_another_one_does_not(kept: Planned) -> None:
    await kept.begin()
    await kept.deploy(tables(people(A, B)))
    await kept.sql("INSERT INTO people (a, b) VALUES ('Ada', 'x')")
    await kept.deploy(tables(people(A)))
    await kept.sql("INSERT INTO people (a) VALUES ('Eve')")

    await kept.deploy(tables(people(A, B | {"id": "new"})))
    fresh = await kept.sql("SELECT a, b FROM people ORDER BY id")
    await kept.deploy(tables(people(A)))
    twice = await in_trash(kept)
    await kept.deploy(tables(people(A, B)))

    assert fresh == [("Ada", None), ("Eve", None)]
    assert twice == ["people.b", "people.b_2"]
    assert await kept.sql("SELECT a, b FROM people ORDER BY id") == [("Ada", "x"), ("Eve", None)]
    assert await in_trash(kept) == ["people.b_2"]


async def test_what_is_kept_follows_new_names(kept: Planned) -> None:
    await kept.begin()
    await kept.deploy(tables(people(A, B)))
    await kept.sql("INSERT INTO people (a, b) VALUES ('Ada', 'x')")
    await kept.deploy(tables(people(A)))
    other_key = {**people(A), "columns": [named(people(A)["columns"][0], "number"), A]}
    await kept.deploy(tables(named(other_key, "persons")))

    await kept.deploy(tables(named({**other_key, "columns": [*other_key["columns"], B]}, "persons")))

    assert await kept.sql("SELECT number, a, b FROM persons") == [(1, "Ada", "x")]


async def test_rows_that_came_later_have_the_default_of_what_comes_back(kept: Planned) -> None:
    full = tables(people(A, column("b", "TEXT", nullable=False, default="none")))
    await kept.begin()
    await kept.deploy(full)
    await kept.sql("INSERT INTO people (a, b) VALUES ('Ada', 'x')")
    await kept.deploy(tables(people(A)))
    await kept.sql("INSERT INTO people (a) VALUES ('Eve')")

    await kept.deploy(full)

    assert await kept.sql("SELECT a, b FROM people ORDER BY id") == [("Ada", "x"), ("Eve", "none")]


async def test_what_shall_be_dropped_is_not_kept(kept: Planned) -> None:
    await kept.begin()
    await kept.deploy(tables(people(A, B), table("orders")))

    plan = await kept.deploy(
        tables(
            people(A),
            onDrop="drop",
            drops=[{"object": "column people.b"}, {"object": "table orders", "onDrop": "trash"}],
        )
    )

    assert set(plan.destructive) == {"column people.b", "table orders"}
    assert await in_trash(kept) == ["orders"]


async def test_a_name_may_be_used_again_while_the_old_table_is_kept(kept: Planned) -> None:
    await kept.begin()
    for turn in range(3):
        await kept.deploy(tables({**people(A, indexes=[{"columns": ["a"]}]), "id": f"t{turn}"}))
        await kept.sql("INSERT INTO people (a) VALUES ('Ada')")
        await kept.deploy({"tables": []})

    assert await in_trash(kept) == ["people", "people_2", "people_3"]
    await kept.deploy(tables({**people(A), "id": "t1"}))
    assert await kept.sql("SELECT a FROM people") == [("Ada",)]
    assert await in_trash(kept) == ["people", "people_3"]


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.refused is None])
async def test_a_change_leads_there_and_back_with_a_trash_as_well(kept: Planned, name: str) -> None:
    case: Case = CASES[name]
    await kept.begin()
    if isinstance(case.before, str):
        await kept.sql(case.before)
    else:
        await kept.deploy(case.before)
    if case.rows:
        await kept.sql(case.rows)

    target = case.after if isinstance(case.after, dict) else (await kept.described(case.after))[0]

    plan = await kept.deploy(target)

    assert (await kept.schema()).fingerprint == plan.target_fingerprint
    if case.keeps is not None:
        query, rows = case.keeps
        assert await kept.sql(query) == rows
    await kept.run(plan.down)
    assert (await kept.schema()).fingerprint == plan.base_fingerprint
