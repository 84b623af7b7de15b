"""Statements over published tables, and the names of tables."""

import re
from uuid import UUID

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.datasets.publications.domain import PublicationRefused, query_over, table_name_of

ID = UUID("01900000-0000-7000-8000-0000003f9a1c")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(*) FROM data",
        "  -- how many\n  select count(*) from data",
        "/* how\nmany */(SELECT count(*) FROM data)",
        "WITH few AS (SELECT * FROM data) SELECT count(*) FROM few",
        "with/**/few AS (SELECT * FROM data) SELECT count(*) FROM few",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2) SELECT count(*) + 1 FROM n",
        "with -- again\n recursive n(i) AS (SELECT 3) SELECT i FROM n",
        "VALUES (3)",
    ],
)
def test_a_statement_reads_the_table_under_the_name_of_its_sheet(statement: str) -> None:
    with duckdb.connect() as connection:
        connection.execute('CREATE TABLE "main_data_3f9a1c" AS SELECT * FROM range(3) t(id)')
        assert connection.execute(query_over(statement, "data", "main_data_3f9a1c", None)).fetchall() == [(3,)]


def test_a_name_with_quotes_stays_one_name() -> None:
    with duckdb.connect() as connection:
        connection.execute('CREATE TABLE "t" AS SELECT 1 AS id')
        statement = query_over('SELECT * FROM "the ""best"" sheet"', 'the "best" sheet', "t", None)
        assert connection.execute(statement).fetchall() == [(1,)]


def test_a_snapshot_is_named_by_its_number() -> None:
    statement = query_over("SELECT * FROM data", "data", "t", "0123")

    assert statement == 'WITH "data" AS (SELECT * FROM "t" FOR VERSION AS OF 123)\nSELECT * FROM data'


@pytest.mark.parametrize(
    "statement",
    [
        "",
        "-- SELECT 1",
        "/* SELECT",
        "DROP TABLE data",
        "withdraw",
        "selected",
        "INSERT INTO t SELECT 1",
        "EXPLAIN SELECT 1",
    ],
)
def test_what_is_no_query_is_refused(statement: str) -> None:
    with pytest.raises(PublicationRefused):
        query_over(statement, "data", "t", None)


@given(st.text(max_size=60))
def test_any_text_is_a_query_or_refused(statement: str) -> None:
    try:
        shown = query_over(statement, "data", "t", None)
    except PublicationRefused:
        return
    assert shown.startswith("WITH ")


def test_many_comments_are_passed_over_in_one_go() -> None:
    with pytest.raises(PublicationRefused):
        query_over("/* */ -- \n" * 9_000 + "drop", "data", "t", None)


@given(st.text(min_size=1, max_size=100), st.text(min_size=1, max_size=255))
def test_a_table_has_a_name_that_every_catalog_takes(ref: str, sheet: str) -> None:
    name = table_name_of(ref, "0" * 64, sheet, ID)

    assert re.fullmatch(r"[a-z0-9_]{1,128}", name)
    assert name.endswith("_3f9a1c")
