"""Object stores: immutable puts, ranges, listing; and versions that read the same from S3."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ReadTimeoutError, ResponseStreamingError
from moto import mock_aws

from dataforge.platform.aws.s3 import AsyncObjects, S3ObjectStore
from tests.builders.tables import people, rows_of, version
from versioned_tables.errors import ObjectMissing
from versioned_tables.objects import ObjectStore
from versioned_tables.storage.local_directory import LocalDirectoryStore
from versioned_tables.storage.table_store import TableStore


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
    assert objects.get_range("k", 10, 5) == objects.get_range("k", 99, 1) == b""


def test_a_stream_gives_blocks_that_end_at_multiples_of_the_step(objects: ObjectStore) -> None:
    objects.put_if_absent("k", b"0123456789")

    assert list(objects.stream("k", 3, 9, 4)) == [b"3", b"4567", b"8"]
    assert list(objects.stream("k", 4, 4, 4)) == []


class Breaking:
    """A client of S3 whose bodies break off after a few bytes."""

    def __init__(self, client: Any, after: int, error: Exception | None) -> None:
        self._client = client
        self._after = after
        self._error = error
        self.ranges: list[str] = []

    def get_object(self, **arguments: Any) -> dict[str, Any]:
        self.ranges.append(arguments.get("Range", "all"))
        body = self._client.get_object(**arguments)["Body"]
        return {"Body": BreakingBody(body, self._after, self._error)}


class BreakingBody:
    def __init__(self, body: Any, left: int, error: Exception | None) -> None:
        self._body = body
        self._left = left
        self._error = error

    def read(self, size: int = 1_000) -> bytes:
        if size > self._left and self._error is not None:
            raise self._error
        data: bytes = self._body.read(min(size, self._left))
        self._left -= len(data)
        return data

    def close(self) -> None:
        self._body.close()


@pytest.mark.parametrize("error", [None, ResponseStreamingError(error="reset"), ReadTimeoutError(endpoint_url="s3")])
def test_a_stream_that_breaks_goes_on_where_it_broke(error: Exception | None) -> None:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="chunks")
        S3ObjectStore(client, "chunks").put_if_absent("k", bytes(range(100)))
        some, none = Breaking(client, 40, error), Breaking(client, 5, error)

        assert b"".join(S3ObjectStore(some, "chunks").stream("k", 0, 100, 10)) == bytes(range(100))
        assert some.ranges == ["bytes=0-99", "bytes=40-99", "bytes=80-99"]
        with pytest.raises(BotoCoreError):
            list(S3ObjectStore(none, "chunks").stream("k", 0, 100, 10))
        assert len(none.ranges) == 4


def test_a_stream_that_breaks_again_and_again_arrives_as_long_as_it_gets_on() -> None:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="chunks")
        S3ObjectStore(client, "chunks").put_if_absent("k", bytes(range(100)))
        breaking = Breaking(client, 10, None)

        assert b"".join(S3ObjectStore(breaking, "chunks").stream("k", 0, 100, 10)) == bytes(range(100))
        assert len(breaking.ranges) == 10


def test_a_body_that_breaks_off_is_asked_for_again() -> None:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="chunks")
        S3ObjectStore(client, "chunks").put_if_absent("k", b"0123")
        broken = Breaking(client, 5, ResponseStreamingError(error="reset"))

        with pytest.raises(ResponseStreamingError):
            S3ObjectStore(broken, "chunks").get("k")
        assert broken.ranges == ["all"] * 4


def test_a_missing_object_is_named(objects: ObjectStore) -> None:
    for read in (
        lambda: objects.get("no"),
        lambda: objects.get_range("no", 0, 1),
        lambda: objects.size("no"),
        lambda: next(objects.stream("no", 0, 1, 1)),
    ):
        with pytest.raises(ObjectMissing, match="Object no is not in the"):
            read()


def test_objects_are_listed_by_prefix_and_deleted(objects: ObjectStore) -> None:
    for key in ("t/chunks/aa/1", "t/chunks/bb/2", "t/patches/aa/1", "u/chunks/aa/1"):
        objects.put_if_absent(key, b"x")
    objects.delete("t/chunks/bb/2")
    objects.delete("t/chunks/never")

    assert [found.key for found in objects.list("t/chunks/")] == ["t/chunks/aa/1"]
    assert {found.size for found in objects.list("t/")} == {1}


def test_the_oldest_of_small_objects_are_listed_and_all_are_deleted_in_one_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="small")
        monkeypatch.setattr("dataforge.platform.aws.s3.client", lambda _service: s3)
        objects = AsyncObjects("small")

        async def scenario() -> tuple[list[str], list[str]]:
            for number in range(4):
                await objects.put(f"accepted/{number}.json", b"{}")
            await objects.put("accepted/0.json", b"[]")
            oldest = [item.key for item in await objects.oldest("accepted/", limit=2)]
            await objects.delete([])
            await objects.delete(["accepted/1.json", "accepted/never.json"])
            assert await objects.get("accepted/0.json") == b"[]"
            with pytest.raises(ObjectMissing):
                await objects.get("accepted/1.json")
            return oldest, [item.key for item in await objects.oldest("", limit=9)]

        assert asyncio.run(scenario()) == (
            ["accepted/0.json", "accepted/1.json"],
            ["accepted/0.json", "accepted/2.json", "accepted/3.json"],
        )


def test_versions_are_written_and_read(objects: ObjectStore) -> None:
    tables = TableStore(objects, "t/")
    base = version(tables, people(range(10_000)))
    head = version(tables, people(range(1, 10_000)), base=base)

    assert rows_of(TableStore(objects, "t/"), head) == people(range(1, 10_000))


def test_keys_never_leave_the_directory(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not an object key"):
        LocalDirectoryStore(tmp_path).get("../secret")
