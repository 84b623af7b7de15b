"""What counts as a SELECT, by the engine's parse tree, and what a failing statement answers."""

from pathlib import Path

import pytest

from tests.builders.tables import people, store, version
from versioned_tables.errors import SqlRefused
from versioned_tables.sql.running import run_sql
from versioned_tables.storage.table_store import TableStore


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path)


@pytest.mark.parametrize(
    ("statement", "first"),
    [
        ("SELECT max(id) FROM people", 4),
        ("FROM people", 0),
        ("FROM people SELECT id ORDER BY id DESC", 4),
        ("VALUES (7)", 7),
        ("TABLE people", 0),
        ("(SELECT 1)", 1),
        ("WITH x AS (SELECT 1 AS n) SELECT n FROM x", 1),
        ("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT max(n) FROM r", 3),
        ("WITH x AS MATERIALIZED (FROM people) SELECT count(*) FROM x", 5),
        ("SELECT 1 UNION ALL SELECT 2 ORDER BY 1 DESC", 2),
        ("/* DELETE */ -- DROP\nSELECT 1;", 1),
        ("SELECT 1 ;;\n-- and no more", 1),
        ("SELECT 'DELETE FROM people; COPY'", "DELETE FROM people; COPY"),
        ('SELECT \'"type":"DELETE_QUERY_NODE"\'', '"type":"DELETE_QUERY_NODE"'),
        ("SELECT $$EXPLAIN$$", "EXPLAIN"),
        ("DESCRIBE people", "id"),
        ("SHOW TABLES", "people"),
        ("SUMMARIZE people", "id"),
        ("SELECT sum(v) FROM (UNPIVOT (SELECT id, score FROM people) ON id, score INTO NAME n VALUE v)", 12.5),
        ("PIVOT (SELECT 'a' AS k, 5 AS v) ON k IN ('a', 'b') USING sum(v)", "5"),
        ("EXPLAIN SELECT 1", "physical_plan"),
        ("explain/* COPY */analyze\nFROM people", "analyzed_plan"),
        ("EXPLAIN (FORMAT json) SELECT 'é'", "physical_plan"),
        ("/* é */ EXPLAIN (ANALYZE, FORMAT json) (SELECT 1)", "analyzed_plan"),
        ("EXPLAIN WITH x AS (SELECT 1) FROM x", "physical_plan"),
    ],
)
def test_a_select_in_any_spelling_is_run(tables: TableStore, statement: str, first: object) -> None:
    found = run_sql(tables, {"people": version(tables, people(range(5)))}, statement)

    assert found.rows[0][0] == first


@pytest.mark.parametrize(
    "statement",
    [
        "WITH x AS (DELETE FROM people RETURNING *) SELECT * FROM x",
        "WITH x AS (COPY people TO 'x.csv') FROM x",
        "SELECT (WITH x AS (INSERT INTO people VALUES (1) RETURNING *) SELECT count(*) FROM x)",
        "EXPLAIN WITH x AS (UPDATE people SET id = 1 RETURNING *) SELECT * FROM x",
        "EXPLAIN/**/ANALYZE/**/COPY (SELECT 1) TO 'x.csv'",
        "EXPLAIN (ANALYZE, FORMAT json) CREATE TABLE t AS SELECT 1",
        "EXPLAIN ANALYZE (SELECT 1); DROP VIEW people",
        "EXPLAIN SET threads = 1",
        "EXPLAIN PRAGMA database_list",
        "MERGE INTO people USING people b ON people.id = b.id WHEN MATCHED THEN DELETE",
        "EXECUTE x",
        "CREATE MACRO m() AS 1",
        "IMPORT DATABASE 'x'",
        "VACUUM",
        "ANALYZE people",
        "COMMENT ON VIEW people IS 'x'",
        "/* SELECT */ DROP VIEW people",
        "SELECT 1; -- and\nDELETE FROM people",
        "-- SELECT 1",
        "CALL enable_logging(storage = 'file', storage_path = '/tmp/x')",
    ],
)
def test_a_statement_that_is_more_than_a_select_is_refused(tables: TableStore, statement: str) -> None:
    with pytest.raises(SqlRefused, match=r"^(Only |Exactly one |Parser Error)"):
        run_sql(tables, {"people": version(tables, people(range(3)))}, statement)


@pytest.mark.parametrize(
    "source",
    [
        "read_csv('{path}')",
        "read_text('{path}')",
        "read_blob('{path}')",
        "read_json('{path}')",
        "read_parquet('{path}')",
        "read_duckdb('{path}')",
        "parquet_metadata('{path}')",
        "sniff_csv('{path}')",
        "glob('{path}*')",
        "'{path}'",
        "query('FROM read_text(''{path}'')')",
        "json_execute_serialized_sql(json_serialize_sql('FROM read_text(''{path}'')'))",
        "enable_logging(storage = 'file', storage_path = '{path}')",
    ],
)
def test_no_function_reaches_a_file(tables: TableStore, tmp_path: Path, source: str) -> None:
    path = tmp_path / "secret.csv"
    path.write_text("a\n1\n", encoding="utf-8")

    with pytest.raises(SqlRefused):
        run_sql(tables, {}, f"SELECT * FROM {source.format(path=path)}")

    assert path.read_text(encoding="utf-8") == "a\n1\n"


def test_a_version_without_tables_says_so(tables: TableStore) -> None:
    with pytest.raises(SqlRefused, match=r"does not exist! There are no tables\."):
        run_sql(tables, {}, "SELECT * FROM data")


def test_the_values_of_a_pivot_are_asked_for(tables: TableStore) -> None:
    with pytest.raises(SqlRefused, match=r"name the values of a PIVOT: \.\.\. ON column IN"):
        run_sql(tables, {"people": version(tables, people(range(3)))}, "PIVOT people ON name USING sum(score)")


@pytest.mark.parametrize(
    ("statement", "sentence", "place"),
    [
        ("SELEC 1", r'syntax error at or near "SELEC" \(line 1, column 1\)$', (1, 1)),
        ("SELECT id,\n  nam FROM people", r'"nam" not found .*"name"', (2, 3)),
        ("SELECT id FROM peple", r'Table with name peple does not exist! Did you mean "people"', (1, 16)),
        ("SELECT 1 FROM enum", r'name enum does not exist! The tables are "people"\. \(line 1, column 15\)$', (1, 15)),
        ("SELECT no_such(id) FROM people", "no_such", (1, 8)),
        ("-- about\nSELECT 'ab'::int", "Could not convert string 'ab' to INT32", (2, 12)),
        ("SELECT CAST(name AS date) FROM people", "invalid date field format", (1, 8)),
        ("SELECT 9223372036854775807 + id FROM people", "Overflow in addition of INT64", None),
        ("SELECT error('as asked')", "as asked", None),
        ("SELECT 'open", "unterminated", (1, 8)),
        ("SELECT " + "(" * 2_000 + "1" + ")" * 2_000, r"expression depth limit of 1000 exceeded\.$", None),
        ("SELECT id FROM people WHERE count(*) > 1", "(?i)aggregate", (1, 29)),
        ("SELECT " + "id, " * 100 + "nope FROM people", '"nope" not found', (1, 408)),
    ],
)
def test_a_failing_statement_answers_one_sentence_and_the_place(
    tables: TableStore, statement: str, sentence: str, place: tuple[int, int] | None
) -> None:
    with pytest.raises(SqlRefused, match=sentence) as refused:
        run_sql(tables, {"people": version(tables, people(range(3)))}, statement)

    assert (refused.value.facts.get("line"), refused.value.facts.get("column")) == (place or (None, None))
    assert "\n" not in refused.value.detail
    assert not any(word in refused.value.detail for word in ("Traceback", "LINE ", "/", "python"))
