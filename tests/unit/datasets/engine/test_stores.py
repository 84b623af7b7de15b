"""Object stores: immutable puts, ranges, listing; and versions that read the same from S3."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from dataforge.contexts.datasets.engine.stores import LocalDirectoryStore
from dataforge.contexts.datasets.engine.table_store import TableStore
from dataforge.contexts.datasets.errors import ObjectMissing
from dataforge.contexts.datasets.ports import ObjectStore
from dataforge.platform.aws.objects import S3ObjectStore
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
