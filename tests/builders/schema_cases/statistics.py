"""Extended statistics, through everything that happens to what they are about."""

from typing import Any

from tests.builders.schema_cases.case import Case, tables

Document = dict[str, Any]
START = "CREATE TABLE t (id int, a text, b int); INSERT INTO t VALUES (1, 'x', 2);"
COLUMNS: list[Document] = [
    {"name": "id", "dataType": "INTEGER"},
    {"name": "a", "dataType": "TEXT"},
    {"name": "b", "dataType": "INTEGER"},
]
T: Document = {"name": "t", "columns": COLUMNS}
ROW = ("SELECT id, a, b FROM t", [(1, "x", 2)])
TARGET = "SELECT stxstattarget FROM pg_statistic_ext WHERE stxnamespace = current_schema()::regnamespace"


def about(*columns: str, name: str = "s", **more: Any) -> Document:
    return {"name": name, "table": "t", "columns": list(columns), **more}


CASES: dict[str, Case] = {
    "statistics of columns together": Case(
        START,
        tables(T, statistics=[about("b", "a", kinds=["mcv"], target=500, comment="it's")]),
        {"create statistics"},
        keeps=(TARGET, [(500,)]),
        back=ROW,
    ),
    "statistics of expressions": Case(
        START,
        tables(
            T,
            statistics=[about("a", expressions=["b % 10", "lower(a)"]), {**about(name="o"), "expressions": ["b + id"]}],
        ),
        {"create statistics"},
        keeps=ROW,
    ),
    "other kinds of statistics": Case(
        START + "CREATE STATISTICS s ON a, b FROM t",
        tables(T, statistics=[about("a", "b", kinds=["ndistinct", "mcv"])]),
        {"drop statistics", "create statistics"},
        keeps=ROW,
    ),
    "the target and comment of statistics": Case(
        START
        + "CREATE STATISTICS s ON a, b FROM t; ALTER STATISTICS s SET STATISTICS 50; COMMENT ON STATISTICS s IS 'x'",
        tables(T, statistics=[about("a", "b")]),
        {"change statistics", "comment"},
        keeps=(TARGET, [(-1,)]),
        back=(TARGET, [(50,)]),
    ),
    "statistics less": Case(
        START + "CREATE STATISTICS s ON a, b FROM t", tables(T), {"drop statistics"}, keeps=ROW, back=(TARGET, [(-1,)])
    ),
    "another name of statistics": Case(
        START + "CREATE STATISTICS s ON a, b FROM t",
        tables(T, statistics=[about("a", "b", name="o")]),
        {"rename statistics"},
        keeps=ROW,
    ),
    "a type below statistics": Case(
        START + "CREATE STATISTICS s ON a, b, (b + id) FROM t; ALTER STATISTICS s SET STATISTICS 50",
        tables(
            T | {"columns": [*COLUMNS[:2], COLUMNS[2] | {"dataType": "BIGINT"}]},
            statistics=[about("a", "b", expressions=["b + id"], target=50)],
        ),
        {"change type"},
        keeps=(TARGET, [(50,)]),
        back=(TARGET, [(50,)]),
    ),
    "a column less below statistics": Case(
        START + "CREATE STATISTICS s ON a, b FROM t",
        tables(T | {"columns": COLUMNS[:2]}, statistics=[about("a", "id")]),
        {"drop column", "drop statistics", "create statistics"},
        keeps=("SELECT id, a FROM t", [(1, "x")]),
        destroys={"column t.b"},
    ),
    "other names below statistics": Case(
        START + "CREATE STATISTICS s ON a, b FROM t",
        tables(
            {
                "name": "u",
                "previousName": "t",
                "columns": [*COLUMNS[:2], {"name": "z", "previousName": "b", "dataType": "INTEGER"}],
            },
            statistics=[{"name": "s", "table": "u", "columns": ["a", "z"]}],
        ),
        {"rename table", "rename column"},
        keeps=("SELECT z FROM u", [(2,)]),
        back=ROW,
    ),
    "statistics of a view that is kept as rows": Case(
        START + "CREATE MATERIALIZED VIEW m AS SELECT a, b FROM t; CREATE STATISTICS s ON a, b FROM m",
        tables(
            T,
            views=[{"name": "m", "query": "SELECT b, a FROM t", "materialized": True}],
            statistics=[{"name": "s", "table": "m", "columns": ["a", "b"]}],
        ),
        {"rebuild materialized view", "create statistics"},
        keeps=("SELECT a FROM m", [("x",)]),
        back=("SELECT a FROM m", [("x",)]),
    ),
    "a label less below statistics": Case(
        "CREATE TYPE k AS ENUM ('x', 'y'); CREATE TABLE t (id int, a k, b int); INSERT INTO t VALUES (1, 'x', 2);"
        "CREATE STATISTICS s ON a, b, (a = 'x') FROM t",
        tables(
            T | {"columns": [COLUMNS[0], COLUMNS[1] | {"dataType": "k"}, COLUMNS[2]]},
            enums=[{"name": "k", "values": ["x"]}],
            statistics=[about("a", "b", expressions=["a = 'x'"])],
        ),
        {"rebuild enum"},
        keeps=ROW,
        destroys={"enum k"},
    ),
    "a column beside statistics": Case(
        START + "CREATE STATISTICS s ON a, b FROM t",
        tables(T | {"columns": [*COLUMNS, {"name": "c", "dataType": "DATE"}]}, statistics=[about("a", "b")]),
        {"add column"},
        keeps=ROW,
    ),
}
