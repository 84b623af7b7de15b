"""SQL over a version: answers, caps, and what must stay out of reach."""

import resource
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pytest

from tests.builders.tables import LINES, people, store, version
from versioned_tables.errors import ObjectMissing, SqlRefused
from versioned_tables.format.manifest import Manifest, Pieces, Source
from versioned_tables.schema.columns import make_schema
from versioned_tables.sql.caps import SqlCaps
from versioned_tables.sql.running import run_sql
from versioned_tables.storage.local_directory import LocalDirectoryStore
from versioned_tables.storage.table_store import TableStore


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


def test_a_table_is_scanned_as_often_as_a_statement_names_it(tables: TableStore) -> None:
    manifest = version(tables, people(range(40_000)))

    found = run_sql(
        tables,
        {"people": manifest},
        "WITH p AS (FROM people) SELECT count(*), sum(b.id) FROM people a JOIN people b USING (id) JOIN p USING (id)",
    )

    assert found.rows == [[40_000, str(sum(range(40_000)))]]


class Watched(TableStore):
    """Notes which columns are asked for; keeps nothing, and is a dataset of its own to the engine."""

    def __init__(self, folder: Path) -> None:
        super().__init__(LocalDirectoryStore(folder), f"{uuid4()}/", cache_bytes=0)
        self.asked: set[str] = set()
        self.reads = 0

    def rows(
        self, sources: Sequence[Source], columns: Sequence[str] | None = None, *, keep: bool = True
    ) -> list[pa.Table]:
        self.asked.update(columns or ())
        self.reads += 1
        return super().rows(sources, columns, keep=keep)


@pytest.mark.parametrize(
    ("statement", "columns", "rows"),
    [
        ("SELECT count(*) FROM people", ["id"], [[9]]),
        ("SELECT max(score) FROM people WHERE id < 4", ["id", "score"], [[0.75]]),
        ("SELECT * FROM people WHERE id = 2", ["id", "name", "score"], [[2, "name 838", 0.5]]),
        ("SELECT n FROM people p(i, n) WHERE i = 2", ["id", "name"], [["name 838"]]),
        ("SELECT s FROM people p(i, n, s) WHERE i = 2", ["id", "name", "score"], [[0.5]]),
        ("SELECT b FROM (FROM one UNION ALL FROM two) ORDER BY b", ["a", "b", "c"], [["right"], ["right"]]),
    ],
)
def test_only_the_columns_that_a_statement_needs_are_decoded(
    tmp_path: Path, statement: str, columns: list[str], rows: list[list[object]]
) -> None:
    tables = Watched(tmp_path)
    one, two = (make_schema([(name, "string") for name in names]) for names in ("abc", "bca"))
    sheets = {
        "people": version(tables, people(range(9))),
        "one": version(tables, [{"a": "x", "b": "right", "c": "x"}], one),
        # By place its second column is meant, which has another name.
        "two": version(tables, [{"b": "wrong", "c": "right", "a": "x"}], two),
    }

    found = run_sql(tables, sheets, statement)

    ids = {column.id: column.name for manifest in sheets.values() for column in manifest.schema.columns}
    assert sorted({ids[identity] for identity in tables.asked}) == sorted(columns)
    assert found.rows == rows


@pytest.mark.slow
def test_a_limit_ends_the_reading(tmp_path: Path) -> None:
    tables = Watched(tmp_path)
    manifest = version(tables, people(range(500_000)))

    run_sql(tables, {"people": manifest}, "SELECT * FROM people LIMIT 5")

    assert tables.reads < len(manifest.sources) // 2


@pytest.mark.slow
def test_a_table_larger_than_all_caps_is_streamed(tmp_path: Path) -> None:
    tables = Watched(tmp_path)
    block = [{"name": f"{n:06}" + "x" * 500, "score": float(n)} for n in range(4_000)]
    once = version(tables, block, LINES)
    [chunk] = once.sources
    times = np.ones(1_000, dtype=np.int64)
    huge = Manifest(LINES, (chunk,), pieces=Pieces(times * 0, times * 0, times * chunk.rows))
    caps = SqlCaps(
        seconds=300, memory_mb=32, beside_mb=128
    )  # the first statement of a process takes 110 beside, threads and all

    found = run_sql(
        tables, {"huge": huge}, "SELECT count(*), count(DISTINCT name), sum(length(name)), max(score) FROM huge", caps
    )

    held = 4_000_000 * 506
    assert held > 10 * (caps.memory_mb + caps.beside_mb) << 20
    assert found.rows == [[4_000_000, 4_000, str(held), 3_999.0]]


def test_rows_that_cannot_be_read_are_no_fault_of_the_statement(tables: TableStore, tmp_path: Path) -> None:
    manifest = version(tables, people(range(10)))
    for path in (tmp_path / "t" / "packs").rglob("*/*"):
        path.unlink()

    with pytest.raises(ObjectMissing):
        run_sql(tables, {"people": manifest}, "SELECT * FROM people")


def test_sheets_that_differ_by_case_and_odd_names_can_be_named(tables: TableStore) -> None:
    sheets = {name: version(tables, people([n])) for n, name in enumerate(["Data", "data", 'a "b"'])}

    found = run_sql(tables, sheets, 'SELECT Data.id, data_2.id, c.id FROM Data, data_2, "a ""b""" c')

    assert found.rows == [[0, 1, 2]]


def test_decimals_wider_than_duckdb_has_are_text(tables: TableStore) -> None:
    wide = version(tables, [{"d": Decimal("1.5")}], make_schema([("d", "decimal(60,2)")]))

    assert run_sql(tables, {"t": wide}, "SELECT d, typeof(d) FROM t").rows == [["1.50", "VARCHAR"]]


@pytest.mark.slow
def test_every_type_of_duckdb_has_an_answer_or_a_clear_refusal(tables: TableStore) -> None:
    names = [name for [name, *_] in run_sql(tables, {}, "DESCRIBE SELECT * FROM test_all_types()").rows]
    refused = {}
    for name in names:
        try:
            rows = run_sql(tables, {}, f'SELECT "{name}" FROM test_all_types()').rows
        except SqlRefused as error:
            refused[name] = error.detail
        else:
            assert all(value is None or isinstance(value, bool | int | float | str) for [value] in rows)

    assert len(names) > 50
    assert all("CAST(" in detail for detail in refused.values())
    assert len(refused) < 10


def test_values_that_json_lacks_become_text(tables: TableStore) -> None:
    found = run_sql(tables, {}, "SELECT 'NaN'::double, 1.5::decimal(5,2), DATE '2024-01-01', [1, 2], INTERVAL 1 day")

    assert found.rows == [["NaN", "1.50", "2024-01-01", "[1,2]", "P1D"]]
    assert isinstance(found.rows[0][4], str)


def test_rows_beyond_the_cap_are_cut_and_said_so(tables: TableStore) -> None:
    found = run_sql(tables, {"people": version(tables, people(range(500)))}, "SELECT id FROM people", SqlCaps(rows=10))

    assert (len(found.rows), found.truncated) == (10, True)


@pytest.mark.parametrize("words", ["EXPLAIN", "explain analyze"])
def test_a_plan_can_be_explained(tables: TableStore, words: str) -> None:
    found = run_sql(tables, {"people": version(tables, people(range(7)))}, f"{words} SELECT max(score) FROM people")

    assert "ARROW_SCAN" in str(found.rows).upper()


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
        "SELECT * FROM sniff_csv('/etc/passwd')",
        "SELECT * FROM read_blob('/etc/passwd')",
        "SELECT * FROM parquet_metadata('/etc/passwd')",
        "SELECT * FROM query('DROP VIEW people')",
        "SELECT getenv('HOME')",
        "RESET memory_limit",
        "USE memory",
        "BEGIN",
        "CHECKPOINT",
        "PREPARE p AS SELECT 1",
        "EXPLAIN EXPLAIN SELECT 1",
        "DETACH memory",
        "CREATE SECRET s (TYPE s3)",
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


def test_an_answer_that_is_too_large_is_stopped_whoever_holds_it(tables: TableStore) -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)

    with pytest.raises(SqlRefused, match="The answer has more than 1 MB"):
        run_sql(tables, {}, "SELECT repeat('x', 1000) FROM range(5000)", SqlCaps(answer_bytes=1 << 20))
    with pytest.raises(SqlRefused, match=r"(?i)memory"):
        run_sql(tables, {}, "SELECT repeat('x', 50000000) FROM range(4000)", SqlCaps(memory_mb=64, beside_mb=256))

    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_a_scan_that_runs_too_long_is_stopped(tmp_path: Path) -> None:
    tables = Watched(tmp_path)
    [chunk] = version(tables, [{"name": f"n{n}", "score": 1.0} for n in range(4_000)], LINES).sources
    times = np.ones(100_000, dtype=np.int64)
    endless = Manifest(LINES, (chunk,), pieces=Pieces(times * 0, times * 0, times * chunk.rows))

    with pytest.raises(SqlRefused, match=r"took more than 0\.3 seconds"):
        run_sql(tables, {"endless": endless}, "SELECT count(DISTINCT name) FROM endless", SqlCaps(seconds=0.3))


@pytest.mark.parametrize("ending", ["LIMIT 0", "WHERE 1 = 0"])
def test_an_answer_without_rows_has_all_its_columns(tables: TableStore, ending: str) -> None:
    manifest = version(tables, people(range(10)))

    whole = run_sql(tables, {"people": manifest}, "SELECT * FROM people")
    empty = run_sql(tables, {"people": manifest}, f"SELECT * FROM people {ending}")

    assert empty.columns == whole.columns
    assert empty.rows == []
