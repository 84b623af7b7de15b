"""Other names of what other things are about, from documents and from SQL, with previous names."""

from typing import Any

from tests.builders.schema_cases.case import ADA, KEPT, A, B, Case, Document, link, named, people, tables
from tests.builders.schemas import column, table

X = named(A, "x")
_T = "CREATE TABLE t (id bigint, a text"
_ROWS = "; INSERT INTO t VALUES (1, 'Ada')"


def before(thing: Document, previous: str) -> Document:
    """A thing without an id that says what it was called."""
    return {key: value for key, value in thing.items() if key != "id"} | {"previousName": previous}


def plain(*names: str, **more: Any) -> Document:
    """A table `t` of a number and texts."""
    columns = [{"name": "id", "dataType": "BIGINT"}, *({"name": name, "dataType": "TEXT"} for name in names)]
    return {"name": "t", "columns": columns, **more}


def renamed(
    start: Document | str, after: Document, query: str, rows: str = ADA, there: Any = "Ada", more: str = ""
) -> Case:
    """One in which a column has another name afterwards and keeps its values."""
    operations = {"rename column", *filter(None, [more])}
    back = KEPT if isinstance(start, dict) else ("SELECT a FROM t", [("Ada",)])
    return Case(start, after, operations, rows, (query, [(there,)]), back=back)


CASES: dict[str, Case] = {
    "another name of a column in a key": renamed(
        tables(people(A, uniques=[{"name": "u", "columns": ["a", "id"]}])),
        tables(people(X, uniques=[{"name": "u", "columns": ["x", "id"]}])),
        "SELECT x FROM people",
    ),
    "another name of a column in indexes": renamed(
        tables(people(A, indexes=[{"name": "i", "columns": ["a"]}, {"name": "j", "keys": [{"expr": "lower(a)"}]}])),
        tables(people(X, indexes=[{"name": "i", "columns": ["x"]}, {"name": "j", "keys": [{"expr": "lower(x)"}]}])),
        "SELECT x FROM people",
    ),
    "another name of a column in a check": renamed(
        tables(people(A, checks=[{"name": "c", "expr": "a <> ''"}])),
        tables(people(X, checks=[{"name": "c", "expr": "x <> ''"}])),
        "SELECT x FROM people",
    ),
    "another name of a column that another is computed of": renamed(
        tables(people(A, column("g", "TEXT", generated={"expr": "upper(a)"}))),
        tables(people(X, column("g", "TEXT", generated={"expr": "upper(x)"}))),
        "SELECT g FROM people",
        there="ADA",
    ),
    "another name of both ends of a foreign key": Case(
        tables(
            people(A),
            table("orders", column("other_id", "BIGINT")),
            relationships=[link("orders", "people") | {"name": "f"}],
        ),
        tables(
            named(people(A), "persons")
            | {"columns": [named(column("id", "BIGINT", primaryKey=True, identity=True), "nr"), A]},
            named(table("orders", named(column("other_id", "BIGINT"), "person")), "sales"),
            relationships=[
                {
                    "name": "f",
                    "fk": {"table": "sales", "column": "person"},
                    "references": {"table": "persons", "column": "nr"},
                }
            ],
        ),
        {"rename table", "rename column"},
        ADA + "; INSERT INTO orders (other_id) VALUES (1)",
        ("SELECT a, person FROM persons JOIN sales ON nr = person", [("Ada", 1)]),
        back=("SELECT a, other_id FROM people JOIN orders o ON people.id = other_id", [("Ada", 1)]),
    ),
    "another name and type of a column in a key": Case(
        tables({"name": "k", "columns": [column("a", "INTEGER", primaryKey=True)]}),
        tables({"name": "k", "columns": [named(column("a", "BIGINT", primaryKey=True), "b")]}),
        {"rename column", "change type"},
        "INSERT INTO k VALUES (7)",
        ("SELECT b FROM k", [(7,)]),
        back=("SELECT a FROM k", [(7,)]),
    ),
    "a name by what it was": renamed(
        _T + ")" + _ROWS, tables(plain() | {"columns": [*plain()["columns"], before(X, "a")]}), "SELECT x FROM t", ""
    ),
    "names swapped by what they were": Case(
        _T + ", b text); INSERT INTO t VALUES (1, 'Ada', 'Eve')",
        tables(plain() | {"columns": [*plain()["columns"], before(B, "a"), before(A, "b")]}),
        {"rename column"},
        keeps=("SELECT a, b FROM t", [("Eve", "Ada")]),
        back=("SELECT a, b FROM t", [("Ada", "Eve")]),
    ),
    "three names in a ring": Case(
        tables(people(A, B, column("c", "TEXT"))),
        tables(people(named(A, "b"), named(B, "c"), named(column("c", "TEXT"), "a"))),
        {"rename column"},
        "INSERT INTO people (a, b, c) VALUES ('1', '2', '3')",
        ("SELECT a, b, c FROM people", [("3", "1", "2")]),
        back=("SELECT a, b, c FROM people", [("1", "2", "3")]),
    ),
    "two tables swap names": Case(
        tables(people(A), table("orders", B)),
        tables(named(people(A), "orders"), named(table("orders", B), "people")),
        {"rename table"},
        ADA + "; INSERT INTO orders (b) VALUES ('x')",
        ("SELECT a FROM orders UNION ALL SELECT b FROM people", [("Ada",), ("x",)]),
        back=("SELECT a FROM people UNION ALL SELECT b FROM orders", [("Ada",), ("x",)]),
    ),
    "two columns that swap names and types": Case(
        tables(people(column("a", "INTEGER"), column("b", "TEXT"))),
        tables(people(named(column("a", "BIGINT"), "b"), named(column("b", "VARCHAR(20)"), "a"))),
        {"rename column", "change type"},
        "INSERT INTO people (a, b) VALUES (7, 'x')",
        ("SELECT a, b FROM people", [("x", 7)]),
        back=("SELECT a, b FROM people", [(7, "x")]),
    ),
    "a name that another table leaves": Case(
        tables(people(A), table("orders", B)),
        tables(named(people(A), "orders")),
        {"rename table", "drop table"},
        ADA,
        ("SELECT a FROM orders", [("Ada",)]),
        {"table orders"},
    ),
    "another expression of a computed column": Case(
        _T
        + ", g text GENERATED ALWAYS AS (upper(a)) STORED); CREATE INDEX i ON t (g); INSERT INTO t VALUES (1, 'Ada')",
        _T + ", g text GENERATED ALWAYS AS (lower(a)) STORED); CREATE INDEX i ON t (g)",
        {"drop generated column", "add column"},
        keeps=("SELECT g FROM t", [("ada",)]),
        back=("SELECT g FROM t", [("ADA",)]),
    ),
    "a computed column keeps what it has": Case(
        _T + ", g text GENERATED ALWAYS AS (upper(a)) STORED); INSERT INTO t VALUES (1, 'Ada')",
        _T + ", g text)",
        {"drop expression"},
        keeps=("SELECT g FROM t", [("ADA",)]),
        back=("SELECT g FROM t", [("ADA",)]),
    ),
    "a computed column of another type": Case(
        "CREATE TABLE t (id int, g int GENERATED ALWAYS AS (id * 2) STORED); INSERT INTO t VALUES (2)",
        "CREATE TABLE t (id int, g numeric(9,1) GENERATED ALWAYS AS (id * 2) STORED)",
        {"drop generated column", "add column"},
        keeps=("SELECT g::int FROM t", [(4,)]),
        back=("SELECT g FROM t", [(4,)]),
    ),
    "the type that two computed columns and a check are about": Case(
        "CREATE TABLE t (id int, g int GENERATED ALWAYS AS (id * 2) STORED, h bool GENERATED ALWAYS AS (id > 1) STORED,"
        " CHECK (g > 0), UNIQUE (id, g)); INSERT INTO t VALUES (2)",
        "CREATE TABLE t (id bigint, g bigint GENERATED ALWAYS AS (id * 2) STORED, h bool GENERATED ALWAYS AS"
        " (id > 1) STORED,"
        " CHECK (g > 0), UNIQUE (id, g))",
        {"change type"},
        keeps=("SELECT id, g, h FROM t", [(2, 4, True)]),
        back=("SELECT id, g, h FROM t", [(2, 4, True)]),
    ),
}
