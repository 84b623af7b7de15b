"""Snapshots that others wrote: what is read, and what is refused."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import ListType, LongType, NestedField, StringType

from versioned_tables.errors import SnapshotRefused
from versioned_tables.iceberg.reading import write_parquet

ROWS = pa.table({"id": [1, 2, 3], "name": ["a", "b", None], "score": [0.5, None, 2.0]})


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[SqlCatalog]:
    made = SqlCatalog("t", uri="sqlite://", warehouse=f"file://{tmp_path}/lake")
    made.create_namespace("n")
    yield made
    made.close()


def rows(table: Table) -> list[dict[str, Any]]:
    snapshot, sink = table.metadata.current_snapshot(), io.BytesIO()
    assert snapshot is not None
    count = write_parquet(table, snapshot, sink)
    found = pq.read_table(io.BytesIO(sink.getvalue())).to_pylist()
    assert len(found) == count
    return found


def test_rows_that_pyiceberg_appends_overwrites_and_deletes(catalog: SqlCatalog) -> None:
    table = catalog.create_table("n.t", ROWS.schema)
    table.append(ROWS)
    table.append(pa.table({"id": [4], "name": ["d"], "score": [1.0]}))
    table.delete("id = 2")

    assert sorted(row["id"] for row in rows(table)) == [1, 3, 4]

    table.overwrite(ROWS.slice(0, 1))
    assert rows(table) == ROWS.slice(0, 1).to_pylist()


def test_columns_follow_the_schema_of_the_snapshot(catalog: SqlCatalog) -> None:
    table = catalog.create_table("n.t", ROWS.schema)
    table.append(ROWS)
    with table.update_schema() as change:
        change.rename_column("name", "called")
        change.delete_column("score")
        change.add_column("since", StringType())
    table.append(pa.table({"id": [9], "called": ["z"], "since": ["now"]}))

    assert sorted(rows(table), key=lambda row: int(row["id"])) == [
        {"id": 1, "called": "a", "since": None},
        {"id": 2, "called": "b", "since": None},
        {"id": 3, "called": None, "since": None},
        {"id": 9, "called": "z", "since": "now"},
    ]


def test_partitioned_tables_are_read(catalog: SqlCatalog) -> None:
    schema = Schema(NestedField(1, "id", LongType()), NestedField(2, "name", StringType()))
    spec = PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "name"))
    table = catalog.create_table("n.t", schema, partition_spec=spec)
    table.append(ROWS.select(["id", "name"]))

    assert sorted(row["id"] for row in rows(table)) == [1, 2, 3]


def test_files_without_field_ids_are_read_by_the_names_of_the_table(catalog: SqlCatalog, tmp_path: Path) -> None:
    path = tmp_path / "plain.parquet"
    pq.write_table(ROWS, path)
    table = catalog.create_table("n.t", ROWS.schema)
    table.add_files([f"file://{path}"])

    assert rows(table) == ROWS.to_pylist()


def test_what_no_column_holds_is_refused(catalog: SqlCatalog) -> None:
    schema = Schema(NestedField(1, "tags", ListType(2, StringType(), element_required=False)))
    table = catalog.create_table("n.t", schema)
    table.append(pa.table({"tags": [["a"]]}))

    with pytest.raises(SnapshotRefused, match="Column 'tags' is a list<string>"):
        rows(table)


def test_a_file_that_is_no_parquet_is_refused(catalog: SqlCatalog) -> None:
    table = catalog.create_table("n.t", ROWS.schema)
    table.append(ROWS)
    for task in table.scan().plan_files():
        Path(task.file.file_path.removeprefix("file://")).write_bytes(b"no Parquet at all")

    with pytest.raises(SnapshotRefused, match="cannot be read as Parquet"):
        rows(table)
