"""Versions as snapshots: rows, types and columns of every commit, by pyiceberg, DuckDB and our own reader."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.expressions import EqualTo, GreaterThanOrEqual
from pyiceberg.manifest import DataFileContent
from pyiceberg.table import Table

from tests.builders.examples import examples
from tests.builders.table_history import beginning, line
from tests.builders.tables import LINES, PEOPLE, people, rows_of, store, version
from versioned_tables.format.manifest import Manifest
from versioned_tables.iceberg.publishing import COMMIT, Published, Publishing, first_schema, publish, snapshot_of
from versioned_tables.iceberg.reading import write_parquet
from versioned_tables.maintain.maintenance import compact
from versioned_tables.schema.columns import make_schema
from versioned_tables.schema.texts import plain_rows
from versioned_tables.storage.table_store import TableStore
from versioned_tables.write.operations import RowOperation, apply_operations, change_schema

quick = settings(
    max_examples=examples(15),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path / "store")


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[SqlCatalog]:
    yield from catalog_in(tmp_path)


def catalog_in(folder: Path) -> Iterator[SqlCatalog]:
    made = SqlCatalog("t", uri="sqlite://", warehouse=f"file://{folder}/lake")
    made.create_namespace("n")
    yield made
    made.close()


def table_for(catalog: SqlCatalog, manifest: Manifest) -> Table:
    properties = {"format-version": "2", "commit.retry.num-retries": "0"}
    return catalog.create_table("n.t", first_schema(manifest.schema), properties=properties)


def published(tables: TableStore, table: Table, manifest: Manifest, commit: str) -> Published:
    return publish(tables, manifest, table, Publishing(commit, {"dataforge.ref": "main"}))


def read(table: Table, commit: str) -> list[dict[str, Any]]:
    """Rows of a snapshot by pyiceberg's own reader, as JSON values."""
    snapshot = snapshot_of(table, commit)
    assert snapshot is not None
    return plain_rows(table.scan(snapshot_id=snapshot.snapshot_id).to_arrow())


def read_here(table: Table, commit: str) -> list[dict[str, Any]]:
    """Rows of a snapshot by our reader."""
    snapshot, sink = snapshot_of(table, commit), io.BytesIO()
    assert snapshot is not None
    write_parquet(table, snapshot, sink)
    return plain_rows(pq.read_table(io.BytesIO(sink.getvalue())))


def in_order(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: [(value is not None, str(value)) for value in row.values()])


@quick
@given(st.data())
def test_every_commit_reads_as_the_model(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("t")
    tables = store(folder)
    states = line(data, tables, beginning(tables))
    # Back, so that columns, types and rows come again; and stored otherwise.
    states += [states[0], (states[-1][0], compact(tables, states[-1][1]))]

    for catalog in catalog_in(folder):
        table = table_for(catalog, states[0][1])
        for number, (model, manifest) in enumerate(states):
            published(tables, table, manifest, f"commit {number}")
            assert [field.name for field in table.schema().fields] == model.names
        for number, (model, _) in enumerate(states):
            expected = in_order(model.plain())
            assert in_order(read(table, f"commit {number}")) == expected
            assert in_order(read_here(table, f"commit {number}")) == expected


def test_a_following_commit_writes_only_what_is_new(tables: TableStore, catalog: SqlCatalog) -> None:
    before = version(tables, people(range(20_000)))
    changes = [RowOperation("update", {"id": n}, {"name": "new"}) for n in range(0, 20_000, 97)]
    after = apply_operations(tables, before, [*changes, RowOperation("delete", {"id": 5})])
    table = table_for(catalog, before)

    first = published(tables, table, before, "one")
    second = published(tables, table, after, "two")

    assert (first.files, first.rows, first.delete_files) == (1, 20_000, 0)
    assert (second.files, second.rows, second.delete_files) == (1, len(changes), 1)
    assert in_order(read(table, "two")) == in_order(rows_of(tables, after))
    assert in_order(read(table, "one")) == in_order(rows_of(tables, before))
    snapshot = table.metadata.current_snapshot()
    assert snapshot is not None
    assert snapshot.summary is not None
    assert snapshot.summary[COMMIT] == "two"
    assert snapshot.summary["dataforge.ref"] == "main"


def test_publishing_again_changes_nothing(tables: TableStore, catalog: SqlCatalog) -> None:
    manifest = version(tables, people(range(100)))
    table = table_for(catalog, manifest)
    first = published(tables, table, manifest, "one")

    again = published(tables, table, manifest, "one")

    assert again.unchanged
    assert again.snapshot_id == first.snapshot_id
    assert len(table.metadata.snapshots) == 1


def test_an_empty_version_is_an_empty_snapshot(tables: TableStore, catalog: SqlCatalog) -> None:
    full = version(tables, people(range(100)))
    table = table_for(catalog, full)
    published(tables, table, Manifest(PEOPLE), "empty")
    published(tables, table, full, "full")
    published(tables, table, Manifest(PEOPLE), "empty again")

    assert [len(read(table, name)) for name in ("empty", "full", "empty again")] == [0, 100, 0]


def test_rows_that_occur_several_times_do_so_in_the_table(tables: TableStore, catalog: SqlCatalog) -> None:
    same = [{"name": "a", "score": 1.0}] * 40_000
    manifest = version(tables, same, LINES)
    table = table_for(catalog, manifest)

    published(tables, table, manifest, "one")
    published(tables, table, version(tables, same[1:], LINES), "two")

    assert [len(read(table, name)) for name in ("one", "two")] == [40_000, 39_999]


def test_types_arrive_as_the_table_of_types_says(tables: TableStore, catalog: SqlCatalog) -> None:
    schema = make_schema(
        [
            ("bool", "bool"), ("int", "int"), ("float", "float"), ("decimal", "decimal(38,10)"),
            ("wide", "decimal(40,2)"), ("string", "string"), ("binary", "binary"), ("date", "date"), ("time", "time"),
            ("timestamp", "timestamp"), ("timestamptz", "timestamptz"), ("json", "json"), ("a.b c'd\"é", "string"),
        ]
    )  # fmt: skip
    row = {
        "bool": True, "int": -(2**63), "float": float("nan"), "decimal": Decimal("1.0000000001"),
        "wide": Decimal("12345678901234567890123456789012345678.90"), "string": "Núñez", "binary": b"\x01\xff",
        "date": date(1, 1, 1), "time": time(23, 59, 59, 999999), "timestamp": datetime(1969, 12, 31, 23, 59),  # noqa: DTZ001 - it has none
        "timestamptz": datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), "json": '{"a":[1.10]}',
        "a.b c'd\"é": "x",
    }  # fmt: skip
    manifest = version(tables, [row, dict.fromkeys(row), {**row, "float": -0.5, "int": 2**63 - 1}], schema)
    table = table_for(catalog, manifest)

    published(tables, table, manifest, "one")

    assert [str(field.field_type) for field in table.schema().fields] == [
        "boolean", "long", "double", "decimal(38, 10)", "string", "string", "binary", "date", "time",
        "timestamp", "timestamptz", "string", "string",
    ]  # fmt: skip
    assert in_order(read(table, "one")) == in_order(rows_of(tables, manifest))
    assert in_order(read_here(table, "one")) == in_order(rows_of(tables, manifest))


def test_a_filter_reads_only_the_files_that_may_have_such_rows(tables: TableStore, catalog: SqlCatalog) -> None:
    words = [{"id": n, "name": f"{n:07} {'x' * 200}", "score": n / 4} for n in range(240_000)]
    manifest = version(tables, words)
    table = table_for(catalog, manifest)
    published(tables, table, manifest, "one")

    whole = list(table.scan().plan_files())
    for wanted in (
        GreaterThanOrEqual("id", 239_000),
        EqualTo("name", words[1]["name"]),
        GreaterThanOrEqual("score", 59_999),
    ):
        scan = table.scan(wanted)
        assert len(list(scan.plan_files())) == 1 < len(whole)
    assert table.scan(GreaterThanOrEqual("id", 239_000)).to_arrow().num_rows == 1_000


def test_files_with_nan_are_not_passed_over_by_what_orders_it_above_all_numbers(
    tables: TableStore, catalog: SqlCatalog
) -> None:
    manifest = version(tables, [{"id": 1, "name": "a", "score": 1.0}, {"id": 2, "name": "b", "score": float("nan")}])
    table = table_for(catalog, manifest)
    published(tables, table, manifest, "one")

    path = next(iter(table.scan().plan_files())).file.file_path.removeprefix("file://")
    assert len(list(table.scan(GreaterThanOrEqual("score", 5.0)).plan_files())) == 1
    assert duckdb.execute("SELECT count(*) FROM read_parquet(?) WHERE score > 5", [path]).fetchone() == (1,)


def test_duckdb_reads_the_files_and_leaves_out_what_deletes_say(tables: TableStore, catalog: SqlCatalog) -> None:
    before = version(tables, people(range(5_000)))
    after = apply_operations(tables, before, [RowOperation("delete", {"id": n}) for n in range(0, 5_000, 3)])
    table = table_for(catalog, before)
    published(tables, table, before, "one")
    published(tables, table, after, "two")

    tasks = list(table.scan().plan_files())
    data = [task.file.file_path.removeprefix("file://") for task in tasks]
    deletes = [file.file_path.removeprefix("file://") for task in tasks for file in task.delete_files]
    found = duckdb.execute(
        "SELECT count(*), sum(id) FROM read_parquet(?, filename = true, file_row_number = true) d "
        "ANTI JOIN read_parquet(?) x ON x.file_path = 'file://' || d.filename AND x.pos = d.file_row_number",
        [data, deletes],
    ).fetchone()

    kept = [n for n in range(5_000) if n % 3]
    assert found == (len(kept), sum(kept))


def test_what_others_write_to_the_table_is_no_part_of_the_next_version(tables: TableStore, catalog: SqlCatalog) -> None:
    before = version(tables, people(range(1_000)))
    after = apply_operations(tables, before, [RowOperation("delete", {"id": 7})])
    table = table_for(catalog, before)
    published(tables, table, before, "one")
    table.append(pa.table({"id": [9_999], "name": ["stranger"], "score": [1.0]}))
    theirs = table.metadata.current_snapshot()
    assert theirs is not None

    second = published(tables, table, after, "two")

    assert in_order(read(table, "two")) == in_order(rows_of(tables, after))
    assert table.scan(snapshot_id=theirs.snapshot_id).to_arrow().num_rows == 1_001
    assert second.files == 0


def test_of_two_that_publish_at_once_one_is_refused(tables: TableStore, catalog: SqlCatalog) -> None:
    before = version(tables, people(range(100)))
    table, late = table_for(catalog, before), catalog.load_table("n.t")
    published(tables, table, before, "one")

    with pytest.raises(CommitFailedException):
        published(tables, late, before, "one")

    late.refresh()
    assert published(tables, late, before, "one").unchanged


def test_an_attempt_that_stops_is_taken_up_by_the_next(tables: TableStore, catalog: SqlCatalog) -> None:
    manifest = version(tables, people(range(30_000)), parts=3)
    table = table_for(catalog, manifest)

    class Killed(Exception):
        pass

    def stop(*_: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        publish(tables, manifest, table, Publishing("one", {}), stop)
    assert catalog.load_table("n.t").metadata.snapshots == []

    published(tables, table, manifest, "one")

    assert len(read(table, "one")) == 30_000


def test_manifests_stay_few_over_many_commits(tables: TableStore, catalog: SqlCatalog) -> None:
    manifest = version(tables, people(range(200)))
    table = table_for(catalog, manifest)
    published(tables, table, manifest, "commit")
    for number in range(60):
        manifest = apply_operations(tables, manifest, [RowOperation("update", {"id": number}, {"name": "n"})])
        published(tables, table, manifest, f"commit {number}")

    snapshot = table.metadata.current_snapshot()
    assert snapshot is not None
    assert len(snapshot.manifests(table.io)) < 60
    assert in_order(read(table, "commit 59")) == in_order(rows_of(tables, manifest))


def test_a_dropped_column_that_comes_back_has_its_values(tables: TableStore, catalog: SqlCatalog) -> None:
    first = version(tables, people(range(10)))
    without = change_schema(tables, first, drop=["score"])
    grown = apply_operations(tables, without, [RowOperation("insert", {}, {"id": 99, "name": "late"})])
    again = change_schema(tables, grown, add=[("score", "float")])
    table = table_for(catalog, first)
    for number, manifest in enumerate([first, without, grown, first, again]):
        published(tables, table, manifest, f"{number}")

    assert in_order(read(table, "3")) == in_order(rows_of(tables, first))
    assert {row["score"] for row in read(table, "4")} == {None}
    assert in_order(read(table, "0")) == in_order(rows_of(tables, first))


def test_positions_of_deletes_are_named_file_by_file(tables: TableStore, catalog: SqlCatalog) -> None:
    before = version(tables, people(range(100)))
    table = table_for(catalog, before)
    published(tables, table, before, "one")
    published(tables, table, apply_operations(tables, before, [RowOperation("delete", {"id": 3})]), "two")

    snapshot = table.metadata.current_snapshot()
    assert snapshot is not None
    deletes = [
        entry.data_file
        for manifest in snapshot.manifests(table.io)
        for entry in manifest.fetch_manifest_entry(table.io)
        if entry.data_file.content is DataFileContent.POSITION_DELETES
    ]
    assert [file.record_count for file in deletes] == [1]
    assert deletes[0].lower_bounds[2147483546] == deletes[0].upper_bounds[2147483546]
    assert np.array_equal(
        pq.read_table(deletes[0].file_path.removeprefix("file://")).column("pos").to_numpy(), np.array([3])
    )
