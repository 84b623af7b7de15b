"""Things that take each other's names, and expressions that know a column by the name it had."""

from dataforge.contexts.schemas.plans.domain.changes import Risk
from tests.builders.schema_cases.case import A, B, Case, named, people, tables
from tests.builders.schemas import column, table

_LOGGED = "CREATE {kind} TABLE p (a int PRIMARY KEY); CREATE {kind} TABLE c (a int REFERENCES p, b int)"

CASES: dict[str, Case] = {
    "two tables of one form exchange their names": Case(
        tables(table("p", A), table("q", A)),
        tables(named(table("p", A), "q"), named(table("q", A), "p")),
        {"rename table", "rename constraint"},
        "INSERT INTO p (a) VALUES ('p'); INSERT INTO q (a) VALUES ('q')",
        ("SELECT p.a, q.a FROM p, q", [("q", "p")]),
        back=("SELECT p.a, q.a FROM p, q", [("p", "q")]),
    ),
    "two tables with indexes exchange their names": Case(
        tables(
            table("p", A, indexes=[{"name": "by_p", "columns": ["a"]}]),
            table("q", A, indexes=[{"name": "by_q", "columns": ["a"]}]),
        ),
        tables(
            named(table("p", A, indexes=[{"name": "by_q", "columns": ["a"]}]), "q"),
            named(table("q", A, indexes=[{"name": "by_p", "columns": ["a"]}]), "p"),
        ),
        {"rename table", "rename constraint", "rename index"},
        "INSERT INTO p (a) VALUES ('p')",
        ("SELECT a FROM q", [("p",)]),
    ),
    "two columns exchange their names by the former ones": Case(
        {"tables": [{"name": "t", "columns": [{"name": "a", "dataType": "TEXT"}, {"name": "b", "dataType": "TEXT"}]}]},
        {
            "tables": [
                {
                    "name": "t",
                    "columns": [
                        {"name": "b", "previousName": "a", "dataType": "TEXT"},
                        {"name": "a", "previousName": "b", "dataType": "TEXT"},
                    ],
                }
            ]
        },
        {"rename column"},
        "INSERT INTO t (a, b) VALUES ('x', 'y')",
        ("SELECT a, b FROM t", [("y", "x")]),
    ),
    "a conversion knows the column by its former name": Case(
        tables(people(A, B)),
        tables(people(named(A, "c") | {"dataType": "INTEGER", "using": "length(a) + length(B)"}, B)),
        {"rename column", "change type"},
        "INSERT INTO people (a, b) VALUES ('Ada', 'L')",
        ("SELECT c FROM people", [(4,)]),
        risks={"column people.c": Risk.REWRITING},
    ),
    "a new column is filled by the former name of another": Case(
        tables(people(A)),
        tables(people(named(A, "b"), column("c", "TEXT", nullable=False, backfill="upper(people.a) || a"))),
        {"rename column", "add column"},
        "INSERT INTO people (a) VALUES ('x')",
        refused="schema_refused",
    ),
    "tables that refer to one another are logged from now on": Case(
        _LOGGED.format(kind="UNLOGGED"),
        _LOGGED.format(kind=""),
        {"change persistence"},
        "INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 2)",
        ("SELECT a, b FROM c", [(1, 2)]),
        risks={"table p": Risk.REWRITING, "table c": Risk.REWRITING},
    ),
    "tables that refer to one another are no longer logged": Case(
        _LOGGED.format(kind=""),
        _LOGGED.format(kind="UNLOGGED"),
        {"change persistence"},
        "INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 2)",
        ("SELECT a, b FROM c", [(1, 2)]),
    ),
    "row level security": Case(
        "CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        tables(table("t")),
        set(),
        refused="schema_not_managed",
    ),
    "inheritance": Case(
        "CREATE TABLE p (a int); CREATE TABLE c (b int) INHERITS (p)",
        tables(table("p")),
        set(),
        refused="schema_not_managed",
    ),
    "a trigger and its function": Case(
        "CREATE TABLE t (a int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; "
        "CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        tables(table("t")),
        set(),
        refused="schema_not_managed",
    ),
    "a rule": Case(
        "CREATE TABLE t (a int); CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING",
        tables(table("t")),
        set(),
        refused="schema_not_managed",
    ),
    "a list of labels becomes a text": Case(
        "CREATE TYPE e AS ENUM ('x', 'y'); CREATE TABLE t (a e[]); INSERT INTO t VALUES ('{x}'), (NULL)",
        "CREATE TABLE t (a text)",
        {"change type"},
        keeps=("SELECT a FROM t ORDER BY 1", [("x",), (None,)]),
        back=("SELECT a::text FROM t ORDER BY 1", [("{x}",), (None,)]),
    ),
    "a label becomes a list of labels": Case(
        "CREATE TYPE e AS ENUM ('x', 'y'); CREATE TABLE t (a e); INSERT INTO t VALUES ('x'), (NULL)",
        "CREATE TYPE e AS ENUM ('x', 'y'); CREATE TABLE t (a e[])",
        {"change type"},
        keeps=("SELECT a::text FROM t ORDER BY 1", [("{x}",), (None,)]),
    ),
    "a label becomes a list of texts": Case(
        "CREATE TYPE e AS ENUM ('x', 'y'); CREATE TABLE t (a e); INSERT INTO t VALUES ('x')",
        "CREATE TABLE t (a text[])",
        {"change type"},
        keeps=("SELECT a FROM t", [(["x"],)]),
    ),
}
