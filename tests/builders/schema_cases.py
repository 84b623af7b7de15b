"""Changes of schemas, each with rows in it: what is planned, at what risk, and what is left of the rows."""

from dataclasses import dataclass, field
from typing import Any

from tests.builders.schemas import column, table

Document = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """From a document with rows to another; `keeps` is a query and what it finds afterwards."""

    before: Document
    after: Document
    operations: set[str]
    rows: str = ""
    keeps: tuple[str, list[tuple[Any, ...]]] | None = None
    destroys: set[str] = field(default_factory=set)


def tables(*found: Document, **more: Any) -> Document:
    return {"tables": list(found), **more}


def people(*columns: Document, **more: Any) -> Document:
    return table("people", *columns, **more)


def named(thing: Document, name: str) -> Document:
    return thing | {"name": name}


def link(source: str, target: str, name: str = "other_id", **more: Any) -> Document:
    return {"fk": {"table": source, "column": name}, "references": {"table": target, "column": "id"}, **more}


A, B = column("a", "TEXT"), column("b", "TEXT")
MOOD = {"id": "e", "name": "mood", "values": ["sad", "ok"]}
ADA = "INSERT INTO people (a) VALUES ('Ada')"
KEPT = ("SELECT a FROM people", [("Ada",)])
OTHER = column("other_id", "BIGINT")
SEEN = {"id": "v", "name": "seen", "query": "SELECT id, a FROM people"}
PARTED = {
    "name": "log",
    "columns": [{"name": "day", "dataType": "DATE"}, {"name": "said", "dataType": "TEXT"}],
    "partitionBy": {"strategy": "range", "columns": ["day"]},
}
YEARS = [
    {"name": f"log_{year}", "bound": f"FOR VALUES FROM ('{year}-01-01') TO ('{year + 1}-01-01')"}
    for year in (2025, 2026)
]

CASES: dict[str, Case] = {
    "nothing": Case(tables(people(A)), tables(people(A)), set(), ADA, KEPT),
    "a table": Case(tables(people(A)), tables(people(A), table("orders")), {"create table"}, ADA, KEPT),
    "a table less": Case(
        tables(people(A), table("orders")), tables(people(A)), {"drop table"}, ADA, KEPT, {"table orders"}
    ),
    "a column": Case(tables(people(A)), tables(people(A, B)), {"add column"}, ADA, KEPT),
    "a column with a default": Case(
        tables(people(A)),
        tables(people(A, column("b", "TEXT", nullable=False, default="it's"))),
        {"add column"},
        ADA,
        ("SELECT a, b FROM people", [("Ada", "it's")]),
    ),
    "a column with a backfill": Case(
        tables(people(A)),
        tables(people(A, column("b", "INTEGER", nullable=False, backfill="length(a)"))),
        {"add column"},
        ADA,
        ("SELECT b FROM people", [(3,)]),
    ),
    "a column that is computed": Case(
        tables(people(A)),
        tables(people(A, column("b", "TEXT", generated={"expr": "upper(a)"}))),
        {"add column"},
        ADA,
        ("SELECT b FROM people", [("ADA",)]),
    ),
    "a column less": Case(tables(people(A, B)), tables(people(A)), {"drop column"}, ADA, KEPT, {"column people.b"}),
    "another name by id": Case(
        tables(people(A)), tables(people(named(A, "x"))), {"rename column"}, ADA, ("SELECT x FROM people", [("Ada",)])
    ),
    "another name of a table": Case(
        tables(people(A)), tables(named(people(A), "x")), {"rename table"}, ADA, ("SELECT a FROM x", [("Ada",)])
    ),
    "two names swapped": Case(
        tables(people(A, B)),
        tables(people(named(A, "b"), named(B, "a"))),
        {"rename column"},
        ADA,
        ("SELECT a, b FROM people", [(None, "Ada")]),
    ),
    "names in a chain": Case(
        tables(people(A, B)),
        tables(people(named(A, "b"), named(B, "c"))),
        {"rename column"},
        ADA,
        ("SELECT b, c FROM people", [("Ada", None)]),
    ),
    "a name used again": Case(
        tables(people(A)),
        tables(people(named(A, "b"), column("new", "INTEGER") | {"name": "a"})),
        {"rename column", "add column"},
        ADA,
        ("SELECT a, b FROM people", [(None, "Ada")]),
    ),
    "another name and type": Case(
        tables(people(column("a", "INTEGER"))),
        tables(people(named(column("a", "BIGINT"), "b"))),
        {"rename column", "change type"},
        "INSERT INTO people (a) VALUES (7)",
        ("SELECT b FROM people", [(7,)]),
    ),
    "a wider number": Case(
        tables(people(column("a", "INTEGER"))),
        tables(people(column("a", "BIGINT"))),
        {"change type"},
        "INSERT INTO people (a) VALUES (7)",
        ("SELECT a FROM people", [(7,)]),
    ),
    "a text to a number": Case(
        tables(people(A)),
        tables(people(column("a", "INTEGER"))),
        {"change type"},
        "INSERT INTO people (a) VALUES ('42')",
        ("SELECT a FROM people", [(42,)]),
    ),
    "a text to an array by a hint": Case(
        tables(people(A)),
        tables(people(column("a", "TEXT[]", using="string_to_array(a, ',')"))),
        {"change type"},
        "INSERT INTO people (a) VALUES ('x,y')",
        ("SELECT a FROM people", [(["x", "y"],)]),
    ),
    "a type below a default": Case(
        tables(people(column("a", "INTEGER", default=1))),
        tables(people(column("a", "TEXT", default="one"))),
        {"drop default", "change type", "set default"},
        "INSERT INTO people DEFAULT VALUES",
        ("SELECT a FROM people", [("1",)]),
    ),
    "a type below a computed column": Case(
        tables(people(column("a", "INTEGER"), column("b", "INTEGER", generated={"expr": "a * 2"}))),
        tables(people(column("a", "BIGINT"), column("b", "INTEGER", generated={"expr": "a * 2"}))),
        {"change type"},
        "INSERT INTO people (a) VALUES (2)",
        ("SELECT a, b FROM people", [(2, 4)]),
    ),
    "a type below a view": Case(
        tables(people(A), views=[SEEN]),
        tables(people(column("a", "VARCHAR(40)")), views=[SEEN]),
        {"change type", "rebuild view", "create view"},
        ADA,
        ("SELECT a FROM seen", [("Ada",)]),
    ),
    "a name below a view": Case(
        tables(people(A), views=[SEEN]),
        tables(people(named(A, "x")), views=[SEEN | {"query": "SELECT id, x AS a FROM people"}]),
        {"rename column"},
        ADA,
        ("SELECT a FROM seen", [("Ada",)]),
    ),
    "not null": Case(
        tables(people(A)), tables(people(column("a", "TEXT", nullable=False))), {"set not null"}, ADA, KEPT
    ),
    "not null with a backfill": Case(
        tables(people(A)),
        tables(people(column("a", "TEXT", nullable=False, backfill="'Ada'"))),
        {"set not null"},
        "INSERT INTO people (a) VALUES (NULL)",
        KEPT,
    ),
    "null again": Case(
        tables(people(column("a", "TEXT", nullable=False))), tables(people(A)), {"drop not null"}, ADA, KEPT
    ),
    "another default": Case(
        tables(people(column("a", "TEXT", default="x"))),
        tables(people(column("a", "TEXT", default={"expr": "upper('y')"}))),
        {"set default"},
        ADA,
        KEPT,
    ),
    "identity to serial numbers of one's own": Case(
        tables(people(A)),
        tables({**people(A), "columns": [column("id", "BIGINT", primaryKey=True), A]}),
        {"drop identity"},
        ADA,
        KEPT,
    ),
    "identity after rows": Case(
        tables({**people(A), "columns": [column("id", "BIGINT", primaryKey=True), A]}),
        tables(people(A)),
        {"add identity"},
        "INSERT INTO people (id, a) VALUES (41, 'Ada')",
        ("INSERT INTO people (a) VALUES ('Eve') RETURNING id", [(42,)]),
    ),
    "a unique": Case(
        tables(people(A)), tables(people(A, uniques=[{"columns": ["a"]}])), {"add unique constraint"}, ADA, KEPT
    ),
    "a unique that takes one null": Case(
        tables(people(A, uniques=[{"columns": ["a"]}])),
        tables(people(A, uniques=[{"columns": ["a"], "nullsDistinct": False}])),
        {"drop unique constraint", "add unique constraint"},
        ADA,
        KEPT,
    ),
    "a check": Case(
        tables(people(A)), tables(people(A, checks=[{"expr": "a <> ''"}])), {"add check", "validate"}, ADA, KEPT
    ),
    "an index": Case(tables(people(A)), tables(people(A, indexes=[{"columns": ["a"]}])), {"create index"}, ADA, KEPT),
    "an index of an expression over some rows": Case(
        tables(people(A)),
        tables(people(A, indexes=[{"keys": [{"expr": "lower(a)", "order": "desc"}], "where": "a IS NOT NULL"}])),
        {"create index"},
        ADA,
        KEPT,
    ),
    "another name of an index": Case(
        tables(people(A, indexes=[{"name": "i", "columns": ["a"]}])),
        tables(people(A, indexes=[{"name": "j", "columns": ["a"]}])),
        {"rename index"},
        ADA,
        KEPT,
    ),
    "a foreign key": Case(
        tables(people(A), table("orders", OTHER)),
        tables(people(A), table("orders", OTHER), relationships=[link("orders", "people", onDelete="cascade")]),
        {"add foreign key", "validate"},
        ADA + "; INSERT INTO orders (other_id) VALUES (1)",
        ("SELECT other_id FROM orders", [(1,)]),
    ),
    "a foreign key that forgets one column": Case(
        tables(people(A), table("orders", OTHER)),
        tables(
            people(A),
            table("orders", OTHER),
            relationships=[link("orders", "people", onDelete="set null", onDeleteColumns=["other_id"], match="full")],
        ),
        {"add foreign key"},
        ADA,
        KEPT,
    ),
    "foreign keys in a circle": Case(
        tables(people(A)),
        tables(
            people(A, OTHER),
            table("orders", OTHER),
            relationships=[link("orders", "people"), link("people", "orders", initiallyDeferred=True)],
        ),
        {"create table", "add column", "add foreign key"},
        ADA,
        KEPT,
    ),
    "a label": Case(
        tables(people(A, column("m", "mood")), enums=[MOOD]),
        tables(people(A, column("m", "mood")), enums=[MOOD | {"values": ["sad", "it's", "ok"]}]),
        {"add enum values"},
        "INSERT INTO people (m) VALUES ('ok')",
        ("SELECT m::text FROM people", [("ok",)]),
    ),
    "a label used at once": Case(
        tables(people(A, column("m", "mood", default="ok")), enums=[MOOD]),
        tables(people(A, column("m", "mood", default="new")), enums=[MOOD | {"values": ["sad", "ok", "new"]}]),
        {"add enum values", "set default"},
        "INSERT INTO people (m) VALUES ('ok')",
        ("SELECT m::text FROM people", [("ok",)]),
    ),
    "another name of a label": Case(
        tables(people(A, column("m", "mood")), enums=[MOOD]),
        tables(
            people(A, column("m", "mood")), enums=[MOOD | {"values": ["sad", {"name": "fine", "previousName": "ok"}]}]
        ),
        {"rename value"},
        "INSERT INTO people (m) VALUES ('ok')",
        ("SELECT m::text FROM people", [("fine",)]),
    ),
    "a label less, with where its rows go": Case(
        tables(people(A, column("m", "mood")), enums=[MOOD]),
        tables(people(A, column("m", "mood")), enums=[MOOD | {"values": ["sad"], "valueMap": {"ok": "sad"}}]),
        {"rebuild enum"},
        "INSERT INTO people (m) VALUES ('ok')",
        ("SELECT m::text FROM people", [("sad",)]),
        {"enum mood"},
    ),
    "a label less of an enum in a key": Case(
        tables({"name": "k", "columns": [column("m", "mood", primaryKey=True)]}, enums=[MOOD]),
        tables(
            {"name": "k", "columns": [column("m", "mood", primaryKey=True)]},
            enums=[MOOD | {"values": ["sad"], "valueMap": {"ok": "sad"}}],
        ),
        {"rebuild enum"},
        "INSERT INTO k VALUES ('ok')",
        ("SELECT m::text FROM k", [("sad",)]),
        {"enum mood"},
    ),
    "the type below a domain": Case(
        tables(people(column("a", "code")), domains=[{"id": "d", "name": "code", "dataType": "VARCHAR(9)"}]),
        tables(people(column("a", "code")), domains=[{"id": "d", "name": "code", "dataType": "TEXT"}]),
        {"rebuild domain"},
        ADA,
        KEPT,
    ),
    "a check of a domain": Case(
        tables(people(column("a", "code")), domains=[{"name": "code", "dataType": "TEXT"}]),
        tables(
            people(column("a", "code")),
            domains=[{"name": "code", "dataType": "TEXT", "checks": [{"expr": "VALUE <> ''"}]}],
        ),
        {"change domain"},
        ADA,
        KEPT,
    ),
    "a view": Case(
        tables(people(A)),
        tables(people(A), views=[SEEN | {"options": {"security_invoker": True}, "comment": "who"}]),
        {"create view"},
        ADA,
        ("SELECT a FROM seen", [("Ada",)]),
    ),
    "a view that is kept as rows": Case(
        tables(people(A)),
        tables(people(A), views=[SEEN | {"materialized": True, "indexes": [{"columns": ["id"], "unique": True}]}]),
        {"create materialized view"},
        ADA,
        ("SELECT a FROM seen", [("Ada",)]),
    ),
    "a view less": Case(tables(people(A), views=[SEEN]), tables(people(A)), {"drop view"}, ADA, KEPT, {"view seen"}),
    "a partition": Case(
        tables(PARTED | {"partitions": YEARS[:1]}),
        tables(PARTED | {"partitions": YEARS}),
        {"create partition"},
        "INSERT INTO log VALUES ('2025-05-05', 'x')",
        ("SELECT said FROM log", [("x",)]),
    ),
    "a partition less": Case(
        tables(PARTED | {"partitions": YEARS}),
        tables(PARTED | {"partitions": YEARS[1:]}),
        {"drop partition"},
        "INSERT INTO log VALUES ('2026-05-05', 'x')",
        ("SELECT said FROM log", [("x",)]),
        {"partition log_2025"},
    ),
    "comments": Case(
        tables(people(A)),
        tables(people(column("a", "TEXT", comment="a 'quoted' one"), comment="all of them")),
        {"comment"},
        ADA,
        KEPT,
    ),
    "settings of storage": Case(
        tables(people(A)), tables(people(A, options={"fillfactor": 70})), {"change options"}, ADA, KEPT
    ),
    "a sequence that starts elsewhere": Case(
        tables(people(A), sequences=[{"name": "s", "start": 5}]),
        tables(people(A), sequences=[{"name": "s", "start": 7, "increment": 2}]),
        {"change sequence"},
        ADA,
        KEPT,
    ),
}
