"""Immutable objects in S3 (or anything that speaks its API): what datasets keep their chunks in."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError

from dataforge.kernel.errors import ObjectMissing

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from types_boto3_s3 import S3Client

_TAKEN = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"})
_MISSING = frozenset({"NoSuchKey", "404", "NotFound"})
_BEYOND = frozenset({"InvalidRange", "416"})
# boto3 tries requests again, but not bodies that break off while they are read.
_BROKEN = (HTTPClientError, IncompleteReadError)
_TRIES = 4


@dataclass(frozen=True, slots=True)
class S3Object:
    """A listed object; `modified` in seconds since the epoch."""

    key: str
    size: int
    modified: float


class S3ObjectStore:
    """One bucket behind a boto3 S3 client. Clients are safe for threads; the store keeps no state."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Store unless the key is taken (`If-None-Match: *`, 412 means taken); True if this call stored it."""
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=bytes(data), IfNoneMatch="*")
        except ClientError as error:
            if _code(error) in _TAKEN:
                return False
            raise
        return True

    def get(self, key: str) -> bytes:
        """The whole object; raises ObjectMissing."""
        return self._read(key)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """`length` bytes from `start`; raises ObjectMissing."""
        if length <= 0:
            return b""
        try:
            return self._read(key, f"bytes={start}-{start + length - 1}")
        except ClientError as error:
            if _code(error) in _BEYOND:
                return b""
            raise

    def stream(self, key: str, start: int, stop: int, step: int) -> Generator[bytes, None, None]:
        """The bytes `start .. stop` in one request, as blocks that end at multiples of `step`; raises ObjectMissing.

        A connection that breaks is opened anew where it broke; raises botocore's error when that brings nothing.
        """
        body = None
        tries = _TRIES
        try:
            while start < stop:
                length = min(stop - start, step - start % step)
                if body is None:
                    body = self._open(key, f"bytes={start}-{stop - 1}")
                try:
                    data = body.read(length)
                    if len(data) < length:
                        raise IncompleteReadError(actual_bytes=len(data), expected_bytes=length)
                except _BROKEN:
                    tries -= 1
                    if not tries:
                        raise
                    body.close()
                    body = None
                    continue
                tries = _TRIES
                yield data
                start += length
        finally:
            if body is not None:
                body.close()

    def _read(self, key: str, part: str = "") -> bytes:
        for left in reversed(range(_TRIES)):
            body = self._open(key, part)
            try:
                data: bytes = body.read()
            except _BROKEN:
                if not left:
                    raise
            else:
                return data
        raise AssertionError  # pragma: no cover - the last try returns or raises

    def _open(self, key: str, part: str = "") -> StreamingBody:
        try:
            if part:
                return self._client.get_object(Bucket=self._bucket, Key=key, Range=part)["Body"]
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
        except ClientError as error:
            raise _explained(error, key) from error

    def size(self, key: str) -> int:
        """Bytes of the object; raises ObjectMissing."""
        try:
            return int(self._client.head_object(Bucket=self._bucket, Key=key)["ContentLength"])
        except ClientError as error:
            raise _explained(error, key) from error

    def delete(self, key: str) -> None:
        """Remove the object; a missing one is fine."""
        self._client.delete_object(Bucket=self._bucket, Key=key)

    def list(self, prefix: str) -> Iterator[S3Object]:
        """Every object whose key starts with the prefix."""
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
            for entry in page.get("Contents", []):
                yield S3Object(entry["Key"], int(entry["Size"]), entry["LastModified"].timestamp())


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _explained(error: ClientError, key: str) -> Exception:
    return ObjectMissing(f"Object {key} is not in the bucket.") if _code(error) in _MISSING else error
