"""Other names: alone, swapped, in a chain, used again."""

from tests.builders.schema_cases.case import ADA, A, B, Case, named, people, tables
from tests.builders.schemas import column

CASES: dict[str, Case] = {
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
}
