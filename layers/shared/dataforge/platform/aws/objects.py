"""Immutable objects in S3 (or anything that speaks its API): what datasets keep their chunks in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from botocore.exceptions import ClientError

from dataforge.platform.objects import ObjectMissing

_TAKEN = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"})
_MISSING = frozenset({"NoSuchKey", "404", "NotFound"})
_STEP = 8 << 20


@dataclass(frozen=True, slots=True)
class S3Object:
    """A listed object; `modified` in seconds since the epoch."""

    key: str
    size: int
    modified: float


class S3ObjectStore:
    """One bucket behind a boto3 S3 client. Clients are safe for threads; the store keeps no state."""

    def __init__(self, client: Any, bucket: str) -> None:  # noqa: ANN401 - boto3 clients are made at run time
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
        return self._read(key, {})

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """`length` bytes from `start`; raises ObjectMissing."""
        if length <= 0:
            return b""
        return self._read(key, {"Range": f"bytes={start}-{start + length - 1}"})

    def _read(self, key: str, extra: dict[str, str]) -> bytes:
        try:
            body = self._client.get_object(Bucket=self._bucket, Key=key, **extra)["Body"]
            data: bytes = body.read()
        except ClientError as error:
            raise _explained(error, key) from error
        return data

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


class MultipartSink:
    """A sink for exports: parts of 8 MB as they fill up, one plain put when the whole is smaller. Use as a context
    manager.
    """

    def __init__(self, client: Any, bucket: str, key: str, content_type: str = "application/octet-stream") -> None:  # noqa: ANN401
        self._client = client
        self._target = {"Bucket": bucket, "Key": key}
        self._type = content_type
        self._held = bytearray()
        self._upload = ""
        self._parts: list[dict[str, object]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        if failed is None:
            self._finish()
        elif self._upload:
            self._client.abort_multipart_upload(**self._target, UploadId=self._upload)

    def write(self, data: bytes) -> int:
        """Take bytes; a full part leaves at once."""
        self._held += data
        while len(self._held) >= _STEP:
            self._part(bytes(self._held[:_STEP]))
            del self._held[:_STEP]
        return len(data)

    def _part(self, data: bytes) -> None:
        if not self._upload:
            self._upload = self._client.create_multipart_upload(**self._target, ContentType=self._type)["UploadId"]
        number = len(self._parts) + 1
        answer = self._client.upload_part(**self._target, UploadId=self._upload, PartNumber=number, Body=data)
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})

    def _finish(self) -> None:
        if not self._upload:
            self._client.put_object(**self._target, Body=bytes(self._held), ContentType=self._type)
            return
        if self._held:
            self._part(bytes(self._held))
        self._client.complete_multipart_upload(
            **self._target, UploadId=self._upload, MultipartUpload={"Parts": self._parts}
        )
