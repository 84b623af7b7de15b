"""Objects of one bucket in S3 (or what speaks its API): `S3ObjectStore` for threads, `AsyncObjects` over it."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, TYPE_CHECKING

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError

from dataforge.kernel.errors import ObjectMissing
from dataforge.kernel.uploads import URL_SECONDS
from dataforge.platform.aws.clients import client

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import DeleteTypeDef

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

    def put(self, key: str, data: bytes, *, content_type: str) -> None:
        """Store an object, replacing one of the same key."""
        self._client.put_object(Bucket=self._bucket, Key=key, Body=data, ContentType=content_type)

    def put_file(self, key: str, file: IO[bytes], *, content_type: str) -> None:
        """Store what an open file has from its position on, 5 GiB at most, without reading it into memory."""
        self._client.put_object(Bucket=self._bucket, Key=key, Body=file, ContentType=content_type)

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

    def upload_url(
        self, key: str, *, sha256: bytes, length: int, content_type: str | None = None, seconds: int = URL_SECONDS
    ) -> tuple[str, dict[str, str]]:
        """A URL that takes exactly this content for a while, and the headers that the PUT must carry.

        Checksum and length are signed, and the type if one is given: other content is refused by S3. 5 GiB at most.
        """
        checksum = base64.b64encode(sha256).decode()
        of_type = {} if content_type is None else {"ContentType": content_type}
        signed = {"ContentLength": length, "ChecksumSHA256": checksum, **of_type}
        url = self._client.generate_presigned_url(
            "put_object", Params={"Bucket": self._bucket, "Key": key, **signed}, ExpiresIn=seconds
        )
        headers = {"Content-Length": str(length), "x-amz-checksum-sha256": checksum}
        return str(url), headers if content_type is None else {"Content-Type": content_type, **headers}

    def download_url(self, key: str) -> str:
        """A URL that gives the object as a file for an hour."""
        wanted = {"Bucket": self._bucket, "Key": key, "ResponseContentDisposition": "attachment"}
        return str(self._client.generate_presigned_url("get_object", Params=wanted, ExpiresIn=URL_SECONDS))

    def delete(self, key: str) -> None:
        """Remove the object; a missing one is fine."""
        self._client.delete_object(Bucket=self._bucket, Key=key)

    def delete_all(self, keys: Sequence[str]) -> None:
        """Remove at most a thousand objects in one request; a missing one is fine."""
        wanted: DeleteTypeDef = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        self._client.delete_objects(Bucket=self._bucket, Delete=wanted)

    def list(self, prefix: str, *, page: int = 1000) -> Iterator[S3Object]:
        """Every object whose key starts with the prefix, in the order of their keys, `page` a request."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, PaginationConfig={"PageSize": page}
        )
        for answer in pages:
            for entry in answer.get("Contents", []):
                yield S3Object(entry["Key"], int(entry["Size"]), entry["LastModified"].timestamp())


class AsyncObjects:
    """Small objects of one bucket, whole in memory; each call runs in a thread, because boto3 blocks."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def _store(self) -> S3ObjectStore:
        return S3ObjectStore(client("s3"), self._bucket)

    async def put(self, key: str, body: bytes, *, content_type: str = "application/json") -> None:
        """Store an object, replacing one of the same key."""
        await asyncio.to_thread(lambda: self._store().put(key, body, content_type=content_type))

    async def put_file(self, key: str, file: IO[bytes], *, content_type: str) -> None:
        """See `S3ObjectStore.put_file`."""
        await asyncio.to_thread(lambda: self._store().put_file(key, file, content_type=content_type))

    async def put_if_absent(self, key: str, body: bytes) -> bool:
        """Store unless the key is taken; True if this call stored it."""
        return await asyncio.to_thread(lambda: self._store().put_if_absent(key, body))

    async def get(self, key: str) -> bytes:
        """The whole object; raises ObjectMissing."""
        return await asyncio.to_thread(lambda: self._store().get(key))

    async def size(self, key: str) -> int | None:
        """Bytes of the object; None when there is none."""
        try:
            return await asyncio.to_thread(lambda: self._store().size(key))
        except ObjectMissing:
            return None

    async def upload_url(
        self, key: str, *, sha256: bytes, length: int, content_type: str | None = None, seconds: int = URL_SECONDS
    ) -> tuple[str, dict[str, str]]:
        """See `S3ObjectStore.upload_url`."""
        return await asyncio.to_thread(
            lambda: self._store().upload_url(
                key, sha256=sha256, length=length, content_type=content_type, seconds=seconds
            )
        )

    async def download_url(self, key: str) -> str:
        """See `S3ObjectStore.download_url`."""
        return await asyncio.to_thread(lambda: self._store().download_url(key))

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove objects, at most a thousand; a missing one is fine."""
        if keys:
            await asyncio.to_thread(lambda: self._store().delete_all(keys))

    async def oldest(self, prefix: str, *, limit: int) -> Sequence[S3Object]:
        """The first objects whose keys start with the prefix, in the order of their keys."""
        return await asyncio.to_thread(lambda: list(islice(self._store().list(prefix, page=limit), limit)))


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _explained(error: ClientError, key: str) -> Exception:
    return ObjectMissing(f"Object {key} is not in the bucket.") if _code(error) in _MISSING else error
