"""Reports in a statement: where a table stands, what they are given, and that the engine's parser sees the same."""

import json
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.datasets.statements.relations import ReportReference, report_references


def tables(statement: str) -> list[str]:
    return [found.name for found in report_references(statement) if found.is_table]


def parsed(statement: str) -> list[str]:
    """Tables and table functions of the schema in the engine's own tree of the statement."""
    [[text]] = duckdb.connect().execute("SELECT json_serialize_sql(?)", [statement]).fetchall()
    tree = json.loads(text)
    assert not tree["error"], tree
    return list(tables_of(tree))


def tables_of(node: Any) -> Any:
    if isinstance(node, list):
        for item in node:
            yield from tables_of(item)
    elif isinstance(node, dict):
        if node.get("type") == "BASE_TABLE" and node["schema_name"].lower() == "reports" and not node["catalog_name"]:
            yield node["table_name"]
        if node.get("type") == "TABLE_FUNCTION" and node["function"]["schema"].lower() == "reports":
            yield node["function"]["function_name"]
        for item in node.values():
            yield from tables_of(item)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT reports.a FROM reports.b",
        'select * from REPORTS.a, "reports"."b" as x, a.reports, "Reports".c',
        "SELECT * FROM reports . /* here */ a",
        "SELECT extract(year FROM reports.a), trim(both FROM reports.b), substring(x FROM reports.c) FROM reports.d",
        "SELECT 1 FROM x WHERE reports.a IS DISTINCT FROM reports.b AND c IS NOT DISTINCT FROM reports.d",
        "FROM reports.a SELECT reports.b, c",
        "SELECT 1 FROM a, LATERAL (SELECT reports.b) x, reports.c",
        "SELECT 1 FROM a JOIN reports.b ON a.x = reports.c, reports.d WHERE (reports.e, reports.f) IN (FROM reports.g)",
        "SELECT 1 FROM ((reports.a CROSS JOIN reports.b) NATURAL JOIN reports.c)",
        "WITH reports AS (FROM reports.a), b AS MATERIALIZED (SELECT 1, reports.x FROM reports) FROM b, reports",
        "WITH RECURSIVE t AS (FROM reports.a UNION ALL FROM reports.b) SELECT 1 FROM t GROUP BY 1, reports.c",
        "SELECT [x FOR x IN reports.a], {'a': reports.b, 'c': reports.d} FROM e, reports.f",
        "SELECT 1 FROM a WINDOW w AS (PARTITION BY reports.b, reports.c), v AS (ORDER BY reports.d, reports.e)",
        "(TABLE reports.a)",
        "SELECT * FROM (SUMMARIZE reports.a), (DESCRIBE reports.b)",
        "UNPIVOT reports.a ON b",
        "SELECT * FROM reports.a PIVOT (sum(x) FOR y IN (1, 2)), reports.b",
        "SELECT 1 FROM range(1, reports.a), generate_series(1, 2), reports.b TABLESAMPLE 10%, reports.c",
        "SELECT 1 FROM (VALUES (1, reports.x), (2, 3)) v, reports.a",
        "SELECT $$ FROM reports.a $$, $x$ FROM reports.b $x$ FROM reports.c",
        "SELECT E'\\' FROM reports.c', 'it''s FROM reports.d' FROM reports.e",
        "SELECT 1 /* FROM reports.a /* FROM reports.b */ FROM reports.c */ -- FROM reports.d\rFROM reports.e",
        "SELECT 1 FROM other.reports.a",
        "SELECT * FROM reports.cohort(cohort_id => 'x', y := DATE '2026-01-01') AS t(a, b), reports.a",
        "SELECT 1 FROM x ASOF JOIN reports.a ON x.t >= a.t ANTI JOIN reports.b USING (c) POSITIONAL JOIN reports.c",
    ],
)
def test_tables_are_those_that_the_engine_parses(statement: str) -> None:
    assert sorted(tables(statement)) == sorted(parsed(statement))


names = st.sampled_from(["reports.a", '"reports".b', "REPORTS.c", "d", "reports", "x.y", "other"])
blanks = st.sampled_from([" ", "\n", " /* FROM reports.z, */ ", " -- JOIN reports.z\n"])


def expressions(queries: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """What stands where a value does."""
    plain = names | st.sampled_from(["1", "'FROM reports.z'", "$$, reports.z$$", "count(*)", "reports.a.b"])
    return st.one_of(
        plain,
        st.builds("f({}, {})".format, plain, plain),
        st.builds("extract(year FROM {})".format, plain),
        st.builds("{} IS NOT DISTINCT FROM {}".format, plain, plain),
        st.builds("[{}, {}]".format, plain, plain),
        st.builds("CASE WHEN {} THEN {} END".format, plain, plain),
        st.builds("({})".format, queries),
        st.builds("EXISTS ({})".format, queries),
        st.builds("{} IN ({})".format, plain, queries),
        st.builds("sum({}) OVER (PARTITION BY {}, {})".format, plain, plain, plain),
    )


def selects(queries: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Queries that have these in them."""
    values = expressions(queries)
    single = st.one_of(
        names,
        st.builds("{} AS t(k, l)".format, names),
        st.builds("({}) AS q".format, queries),
        st.builds("LATERAL ({}) q".format, queries),
        st.builds("range(1, 2) r".format),
    )
    joined = st.builds(
        "{}{}{}{}ON {}".format, single, blanks, st.just("LEFT JOIN "), st.builds("{} ".format, single), values
    )
    sources = st.lists(single | joined | st.builds("({})".format, joined), min_size=1, max_size=3).map(", ".join)
    select = st.builds("SELECT{}{}, {}".format, blanks, values, values)
    tail = st.one_of(
        st.just(""),
        st.builds(" WHERE {}".format, values),
        st.builds(" GROUP BY {}, {}".format, values, values),
        st.builds(" ORDER BY {}, {} LIMIT 3".format, values, values),
    )
    core = st.one_of(
        st.builds("{} FROM{}{}{}".format, select, blanks, sources, tail),
        st.builds("FROM {} {}{}".format, sources, select, tail),
        select,
    )
    return st.one_of(
        core,
        st.builds("WITH w AS ({}), reports AS ({}) {}".format, queries, queries, core),
        st.builds("({}) UNION ALL ({})".format, core, queries),
    )


queries = st.recursive(st.builds("SELECT 1 FROM {}".format, names) | st.just("FROM reports.a"), selects, max_leaves=6)


@given(queries)
def test_any_query_has_the_tables_that_the_engine_parses(statement: str) -> None:
    assert sorted(tables(statement)) == sorted(parsed(statement))


@pytest.mark.parametrize(
    ("given", "arguments"),
    [
        ("()", ()),
        ("('a')", ((None, "a"),)),
        ("(x => 'it''s', Y := 3, z = NULL)", (("x", "it's"), ("Y", "3"), ("z", None))),
        ("(\"from\" => DATE '2026-01-01', true)", (("from", "2026-01-01"), (None, "true"))),
        (" /* what */ ( 'a' /* ) */ , -- )\n 'b)' )", ((None, "a"), (None, "b)"))),
    ],
)
def test_arguments_are_texts_numbers_flags_and_null(
    given: str, arguments: tuple[tuple[str | None, str | None], ...]
) -> None:
    statement = f"SELECT 1 FROM reports.x{given} AS t"

    [found] = report_references(statement)

    assert found == ReportReference(14, len(statement) - len(" AS t"), "x", arguments)


@pytest.mark.parametrize(
    "given",
    ["(1 + 1)", "(a)", "(x => y)", "('a' 'b')", "('a'::uuid)", "(", "('a'", "('a',)", "((SELECT 1))", "(-1)", "@main"],
)
def test_anything_else_is_a_problem_of_the_report(given: str) -> None:
    [found] = [found for found in report_references(f"SELECT 1 FROM reports.x{given}") if found.name == "x"]

    assert found.problem is not None
    assert found.is_table


def test_qualifiers_of_columns_are_no_tables() -> None:
    found = list(report_references("SELECT reports.a.x FROM reports.a WHERE reports.b.y = reports.z"))

    assert [(item.name, item.is_table) for item in found] == [("a", False), ("a", True), ("b", False)]
