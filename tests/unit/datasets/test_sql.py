"""SQL over a version: answers, caps, and what must stay out of reach."""

from pathlib import Path

import pytest

from dataforge.contexts.datasets.engine.manifest import Manifest
from dataforge.contexts.datasets.engine.table_store import TableStore
from dataforge.contexts.datasets.errors import SqlRefused
from dataforge.contexts.datasets.sql import SqlCaps, run_sql
from tests.builders.tables import PEOPLE, people, store, version


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path)


def test_a_select_answers_over_the_version(tables: TableStore) -> None:
    manifest = version(tables, people(range(1_000)))

    found = run_sql(
        tables,
        {"people": manifest, "other": version(tables, people([5]))},
        "SELECT count(*) AS n, max(p.score) FROM people p JOIN other o USING (id)",
    )

    assert found.rows == [[1, 1.25]]
    assert found.columns[0][0] == "n"


def test_values_that_json_lacks_become_null_or_text(tables: TableStore) -> None:
    found = run_sql(tables, {}, "SELECT 'NaN'::double, 1.5::decimal(5,2), DATE '2024-01-01', [1, 2], INTERVAL 1 day")

    assert found.rows == [[None, "1.50", "2024-01-01", "[1, 2]", found.rows[0][4]]]
    assert isinstance(found.rows[0][4], str)


def test_rows_beyond_the_cap_are_cut_and_said_so(tables: TableStore) -> None:
    found = run_sql(tables, {"people": version(tables, people(range(500)))}, "SELECT id FROM people", SqlCaps(rows=10))

    assert (len(found.rows), found.truncated) == (10, True)


def test_a_plan_can_be_explained(tables: TableStore) -> None:
    assert run_sql(tables, {"people": Manifest(PEOPLE)}, "EXPLAIN SELECT * FROM people").rows


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_parquet('https://example.org/x.parquet')",
        "COPY (SELECT 1) TO 'out.csv'",
        "ATTACH 'x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "CREATE TABLE t AS SELECT 1",
        "SET memory_limit = '10GB'",
        "PRAGMA database_list",
        "CALL pragma_version()",
        "SELECT 1; SELECT 2",
        "",
        "DROP TABLE people",
        "EXPLAIN COPY (SELECT 1) TO 'out.csv'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO 'out.csv'",
        "EXPLAIN CREATE TABLE t AS SELECT 1",
        "SELECT nope FROM people",
        "DELETE FROM people",
        "UPDATE people SET id = 1",
        "SELECT * FROM duckdb_secrets() WHERE getenv('HOME') IS NULL",
        "EXPORT DATABASE 'x'",
        "WITH x AS (DELETE FROM people RETURNING *) SELECT * FROM x",
        "SELECT tables FROM tables",
        "x" * 100_001,
    ],
)
def test_everything_but_reading_the_tables_is_refused(tables: TableStore, statement: str) -> None:
    with pytest.raises(SqlRefused):
        run_sql(tables, {"people": version(tables, people(range(3)))}, statement)


def test_a_statement_that_runs_too_long_is_stopped(tables: TableStore) -> None:
    with pytest.raises(SqlRefused, match=r"took more than 0\.2 seconds"):
        run_sql(
            tables,
            {},
            "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range * b.range % 7 = 3",
            SqlCaps(seconds=0.2),
        )


def test_a_statement_that_needs_too_much_memory_is_stopped(tables: TableStore) -> None:
    with pytest.raises(SqlRefused, match=r"(?i)memory"):
        run_sql(tables, {}, "SELECT list(range) FROM range(100000000)", SqlCaps(memory_mb=32))
