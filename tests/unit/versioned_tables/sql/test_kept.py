"""Columns that the function keeps decoded for the engine: when they are, what room they take, and what they answer."""

import gc
import mmap
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.examples import examples
from tests.builders.table_history import beginning, line
from tests.builders.tables import people, version
from versioned_tables.format.manifest import Manifest, Source
from versioned_tables.read.rows import read_range
from versioned_tables.sql.kept import KeptColumns
from versioned_tables.sql.process import EngineProcess
from versioned_tables.sql.running import run_over, run_sql, tables_of
from versioned_tables.sql.zones import LEAST_ROWS
from versioned_tables.storage.local_directory import LocalDirectoryStore
from versioned_tables.storage.table_store import TableStore
from versioned_tables.write.operations import RowOperation, apply_operations

pytestmark = pytest.mark.slow  # they start processes


class Counting(TableStore):
    """A dataset of its own that counts the chunks which are asked for, and keeps none."""

    def __init__(self, folder: Path) -> None:
        super().__init__(LocalDirectoryStore(folder), f"{uuid4()}/", cache_bytes=0)
        self.chunks = 0

    def rows(
        self, sources: Sequence[Source], columns: Sequence[str] | None = None, *, keep: bool = True
    ) -> list[pa.Table]:
        self.chunks += len(sources)
        return super().rows(sources, columns, keep=keep)


@pytest.fixture(scope="module")
def engine() -> Iterator[EngineProcess]:
    engine = EngineProcess()
    yield engine
    engine.stop()


@pytest.fixture
def tables(tmp_path: Path) -> Counting:
    return Counting(tmp_path)


def plain(tables: TableStore, manifest: Manifest) -> duckdb.DuckDBPyConnection:
    """A DuckDB of its own with the rows as `people`."""
    connection = duckdb.connect()
    rows = read_range(tables, manifest, 0, manifest.rows)
    connection.register("people", rows.rename_columns(manifest.schema.names))
    return connection


def test_what_a_statement_has_scanned_the_next_one_need_not_read(engine: EngineProcess, tables: Counting) -> None:
    manifest = version(tables, people(range(30_000)))
    statement = "SELECT name, count(*), sum(score) FROM people GROUP BY name ORDER BY name"

    first = run_sql(tables, {"people": manifest}, statement, engine=engine)
    read = tables.chunks
    again = run_sql(tables, {"people": manifest}, statement, engine=engine)

    assert read >= len(manifest.sources)
    assert tables.chunks == read
    assert again.rows == first.rows


def test_what_was_not_scanned_to_its_end_is_not_kept(engine: EngineProcess, tables: Counting) -> None:
    manifest = version(tables, people(range(300_000)))

    run_sql(tables, {"people": manifest}, "SELECT name FROM people LIMIT 3", engine=engine)
    read = tables.chunks
    run_sql(tables, {"people": manifest}, "SELECT max(name) FROM people", engine=engine)

    assert tables.chunks >= read + len(manifest.sources)


def test_columns_beyond_the_room_for_them_are_read_each_time(tables: Counting) -> None:
    manifest = version(tables, people(range(30_000)))
    engine = EngineProcess(keep_bytes=100_000)
    try:
        answers = [run_sql(tables, {"people": manifest}, "SELECT sum(score) FROM people", engine=engine) for _ in "ab"]
    finally:
        engine.stop()

    assert tables.chunks >= 2 * len(manifest.sources)
    assert answers[0].rows == answers[1].rows == [[sum(n / 4 for n in range(30_000))]]


def test_a_selective_filter_on_the_key_reads_what_it_needs_however_long_the_table(tables: Counting) -> None:
    engine = EngineProcess(keep_bytes=0)
    long, longer = (version(tables, people(range(rows))) for rows in (LEAST_ROWS, 300_000))
    read = []
    try:
        for manifest in (long, longer):
            before = tables.chunks
            found = run_sql(
                tables,
                {"people": manifest},
                "SELECT count(*), max(name) FROM people WHERE id BETWEEN 15000 AND 15100",
                engine=engine,
            )
            read.append(tables.chunks - before)
            assert found.rows == [[101, max(row["name"] for row in people(range(15_000, 15_101)))]]  # type: ignore[type-var]  # texts
    finally:
        engine.stop()

    assert len(longer.sources) > 30
    assert read[0] <= 2
    assert read[1] <= 2


def test_who_is_handed_a_column_cannot_change_it() -> None:
    kept, key = KeptColumns(1 << 20), ("t/", "layout", "id", "int")
    kept.put(key, pa.chunked_array([pa.array(range(100))]))
    [column] = kept.get([key]) or []

    with pytest.raises(PermissionError):
        os.pwrite(column.descriptor, b"x", 0)
    with pytest.raises(PermissionError):
        os.ftruncate(column.descriptor, 0)
    with pytest.raises(PermissionError):
        mmap.mmap(column.descriptor, column.size)


def test_what_was_used_least_recently_goes_and_gives_its_memory_back() -> None:
    kept = KeptColumns(20_000)
    keys = [("t/", "layout", name, "int") for name in "abc"]
    values = pa.chunked_array([pa.array(range(1_000))])
    for key in keys[:2]:
        kept.put(key, values)
    [first] = kept.get(keys[:1]) or []
    kept.put(keys[2], values)
    assert [kept.lacks(key) for key in keys] == [False, True, False]
    kept.put(keys[1], values)
    descriptor = first.descriptor
    os.fstat(descriptor)
    del first
    gc.collect()

    assert kept.lacks(keys[0])
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


@settings(max_examples=examples(40), deadline=None)
@given(data=st.data())
def test_versions_whose_schema_and_rows_change_are_never_mixed_up(
    engine: EngineProcess, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    tables = TableStore(LocalDirectoryStore(tmp_path_factory.mktemp("t")), f"{uuid4()}/")
    manifests = [manifest for _, manifest in line(data, tables, beginning(tables))]

    for manifest in [*manifests, *reversed(manifests)]:
        statement = "SELECT * FROM people ORDER BY k"
        found = run_over(tables_of(tables, {"people": manifest}), statement, engine=engine, as_table=True)
        expected = plain(tables, manifest).sql(statement).to_arrow_table()
        assert found.table == expected


def test_a_long_table_answers_the_same_after_each_commit(engine: EngineProcess, tables: Counting) -> None:
    manifest = version(tables, people(range(0, 60_000, 2)))
    statements = [
        "SELECT count(*), sum(id), min(name), max(score) FROM people",
        "SELECT id, name FROM people WHERE id BETWEEN 20001 AND 20040 ORDER BY id",
        "SELECT id, score FROM people WHERE id < 7 OR id >= 59990 ORDER BY id",
        "SELECT count(*) FROM people WHERE id IN (0, 1, 20002, 20003, 59998, 60001)",
    ]
    changes: list[list[RowOperation]] = [
        [RowOperation("insert", {}, {"id": 20_003, "name": "new", "score": 1.0})],
        [RowOperation("delete", {"id": key}) for key in (0, 2, 20_002, 59_998)],
        [RowOperation("update", {"id": key}, {"name": "other"}) for key in (20_004, 20_006)],
        [RowOperation("insert", {}, {"id": 60_001, "name": "last", "score": None})],
        [RowOperation("delete", {"id": key}) for key in range(20_020, 30_000, 2)],
        [RowOperation("insert", {}, {"id": -5, "name": "first", "score": -1.0})],
    ]
    versions = [manifest]
    for change in changes:
        versions.append(apply_operations(tables, versions[-1], change))

    for manifest in [*versions, *reversed(versions)]:
        peer = plain(tables, manifest)
        for statement in statements:
            found = run_over(tables_of(tables, {"people": manifest}), statement, engine=engine, as_table=True)
            assert found.table == peer.sql(statement).to_arrow_table(), statement
