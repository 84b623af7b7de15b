"""Object stores: immutable puts, ranges, listing; and versions that read the same from S3."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from dataforge.contexts.datasets.engine.stores import LocalDirectoryStore
from dataforge.contexts.datasets.engine.table_store import TableStore
from dataforge.contexts.datasets.errors import ObjectMissing
from dataforge.contexts.datasets.exporting import ExportOptions, export_table
from dataforge.contexts.datasets.ports import ObjectStore
from dataforge.platform.aws.objects import MultipartSink, S3ObjectStore
from tests.builders.tables import people, rows_of, version


@pytest.fixture(params=["directory", "s3"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    if request.param == "directory":
        yield LocalDirectoryStore(tmp_path)
        return
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="chunks")
        yield S3ObjectStore(client, "chunks")


def test_a_taken_key_keeps_its_object(objects: ObjectStore) -> None:
    assert objects.put_if_absent("a/b", b"one")
    assert not objects.put_if_absent("a/b", b"two")
    assert objects.get("a/b") == b"one"
    assert objects.size("a/b") == 3


def test_ranges_are_cut_at_the_end(objects: ObjectStore) -> None:
    objects.put_if_absent("k", b"0123456789")

    assert objects.get_range("k", 3, 4) == b"3456"
    assert objects.get_range("k", 8, 100) == b"89"


def test_a_missing_object_is_named(objects: ObjectStore) -> None:
    for read in (lambda: objects.get("no"), lambda: objects.get_range("no", 0, 1), lambda: objects.size("no")):
        with pytest.raises(ObjectMissing, match="Object no is not in the"):
            read()


def test_objects_are_listed_by_prefix_and_deleted(objects: ObjectStore) -> None:
    for key in ("t/chunks/aa/1", "t/chunks/bb/2", "t/patches/aa/1", "u/chunks/aa/1"):
        objects.put_if_absent(key, b"x")
    objects.delete("t/chunks/bb/2")
    objects.delete("t/chunks/never")

    assert [found.key for found in objects.list("t/chunks/")] == ["t/chunks/aa/1"]
    assert {found.size for found in objects.list("t/")} == {1}


def test_versions_are_written_and_read(objects: ObjectStore) -> None:
    tables = TableStore(objects, "t/")
    base = version(tables, people(range(10_000)))
    head = version(tables, people(range(1, 10_000)), base=base)

    assert rows_of(TableStore(objects, "t/"), head) == people(range(1, 10_000))


def test_keys_never_leave_the_directory(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not an object key"):
        LocalDirectoryStore(tmp_path).get("../secret")


@pytest.mark.parametrize("rows", [10, 400_000])
def test_an_export_is_uploaded_in_parts(tmp_path: Path, rows: int) -> None:
    tables = TableStore(LocalDirectoryStore(tmp_path))
    manifest = version(tables, people(range(rows)))
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="exports")

        with MultipartSink(client, "exports", "out.csv", "text/csv") as sink:
            report = export_table(tables, manifest, ExportOptions(), sink)

        assert client.head_object(Bucket="exports", Key="out.csv")["ContentLength"] == report.bytes


def test_a_failed_export_leaves_no_parts_behind() -> None:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="exports")

        sink = MultipartSink(client, "exports", "out.csv")
        sink.write(b"x" * (9 << 20))

        sink.__exit__(RuntimeError, RuntimeError("stop"), None)

        assert "Uploads" not in client.list_multipart_uploads(Bucket="exports")
        assert client.list_objects_v2(Bucket="exports")["KeyCount"] == 0
