"""Columns: types, defaults, NULLs, identities and what is computed."""

from tests.builders.schema_cases.case import ADA, KEPT, A, B, Case, people, tables
from tests.builders.schemas import column

CASES: dict[str, Case] = {
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
    "a hint that gives values of another type": Case(
        tables(people(A)),
        tables(people(column("a", "JSONB", using="length(a)"))),
        set(),
        ADA,
        refused="schema_refused",
    ),
}
