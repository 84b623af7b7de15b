"""A publisher that ends at any of its writes, and snapshots that are taken out: every other commit reads as before."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io import OutputFile
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.table import Table

from tests.builders.examples import examples
from tests.builders.table_history import beginning, line
from tests.builders.tables import people, rows_of, store, version
from versioned_tables.format.manifest import Manifest
from versioned_tables.iceberg.expiring import expire, needed_files, published_commit, published_commits
from versioned_tables.iceberg.publishing import COMMIT, Publishing, first_schema, publish, snapshot_of
from versioned_tables.schema.texts import plain_rows
from versioned_tables.write.operations import RowOperation, apply_operations, change_schema


class Ended(BaseException):
    """The process is no more."""


class MortalFiles(PyArrowFileIO):
    """Files whose writer ends before the write that `left` counts down to."""

    left: int | None = None

    def new_output(self, location: str) -> OutputFile:
        if MortalFiles.left is not None:
            if MortalFiles.left == 0:
                raise Ended
            MortalFiles.left -= 1
        return super().new_output(location)

    def delete(self, location: Any) -> None:
        if MortalFiles.left == 0:
            raise Ended
        super().delete(location)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[SqlCatalog]:
    yield from catalog_in(tmp_path)


def catalog_in(folder: Path) -> Iterator[SqlCatalog]:
    io = f"{__name__}.{MortalFiles.__name__}"
    made = SqlCatalog("t", uri="sqlite://", warehouse=f"file://{folder}/lake", **{"py-io-impl": io})
    made.create_namespace("n")
    yield made
    made.close()


def table_for(catalog: SqlCatalog, manifest: Manifest) -> Table:
    properties = {"format-version": "2", "commit.retry.num-retries": "0"}
    return catalog.create_table("n.t", first_schema(manifest.schema), properties=properties)


def read(table: Table, commit: str) -> list[dict[str, Any]]:
    snapshot = snapshot_of(table, commit)
    assert snapshot is not None
    return in_order(plain_rows(table.scan(snapshot_id=snapshot.snapshot_id).to_arrow()))


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: [(value is not None, str(value)) for value in row.values()])


def test_a_publisher_that_ends_at_any_write_is_followed_by_one_that_publishes_the_same(
    tmp_path: Path, catalog: SqlCatalog
) -> None:
    tables = store(tmp_path / "store")
    before = version(tables, people(range(3_000)), parts=3)
    changed = [RowOperation("update", {"id": n}, {"name": "new"}) for n in range(0, 3_000, 7)]
    after = change_schema(
        tables,
        apply_operations(tables, before, [*changed, RowOperation("delete", {"id": 5})]),
        renames={"name": "called"},
    )
    table = table_for(catalog, before)
    publish(tables, before, table, Publishing("one", {}))
    first = read(table, "one")

    for writes in count():
        MortalFiles.left = writes
        try:
            publish(tables, after, catalog.load_table("n.t"), Publishing("two", {}))
            break
        except Ended:
            MortalFiles.left = None
            present = catalog.load_table("n.t")
            # Nobody sees half of it.
            assert published_commit(present) == "one"
            assert len(present.metadata.snapshots) == 1
        finally:
            MortalFiles.left = None
    assert writes > 5

    table = catalog.load_table("n.t")
    assert len(table.metadata.snapshots) == 2
    assert read(table, "two") == in_order(rows_of(tables, after))
    assert read(table, "one") == first


@settings(
    max_examples=examples(10),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_whatever_snapshots_go_the_others_read_as_before_and_files_that_nobody_needs_are_known(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("t")
    tables = store(folder)
    states = line(data, tables, beginning(tables))
    for catalog in catalog_in(folder):
        table = table_for(catalog, states[0][1])
        for number, (_, manifest) in enumerate(states):
            publish(tables, manifest, table, Publishing(f"commit {number}", {}))
        names = [f"commit {number}" for number in range(len(states))]
        gone = data.draw(st.sets(st.sampled_from(names)), label="gone")

        expired = expire(table, gone)

        kept = [name for name in names if name not in gone or name == names[-1]]
        assert expired == len(names) - len(kept)
        assert published_commits(table) == set(kept)
        assert published_commit(table) == names[-1]
        needed = needed_files(table)
        for path in (folder / "lake").rglob("*"):
            if path.is_file() and f"file://{path}" not in needed:
                path.unlink()
        present = catalog.load_table("n.t")
        for name in kept:
            snapshot = next(one for one in present.metadata.snapshots if one.summary and one.summary[COMMIT] == name)
            rows = plain_rows(present.scan(snapshot_id=snapshot.snapshot_id).to_arrow())
            assert in_order(rows) == in_order(states[names.index(name)][0].plain())
        # And it is published on.
        following = apply_operations(tables, states[-1][1], [RowOperation("insert", {}, {"k": 99})])
        publish(tables, following, present, Publishing("later", {}))
        assert read(present, "later") == in_order(rows_of(tables, following))


def test_snapshots_that_others_name_stay(tmp_path: Path, catalog: SqlCatalog) -> None:
    tables = store(tmp_path / "store")
    manifest = version(tables, people(range(10)))
    table = table_for(catalog, manifest)
    for number in range(3):
        publish(tables, manifest, table, Publishing(f"{number}", {}))
        manifest = apply_operations(tables, manifest, [RowOperation("delete", {"id": number})])
    first = snapshot_of(table, "0")
    assert first is not None
    with table.manage_snapshots() as changes:
        changes.create_tag(first.snapshot_id, "for the report of May")

    assert expire(table, ["0", "1", "2", "never"]) == 1

    assert set(table.metadata.refs) == {"main", "for the report of May", "0", "2"}
    assert table.scan(snapshot_id=first.snapshot_id).to_arrow().num_rows == 10
