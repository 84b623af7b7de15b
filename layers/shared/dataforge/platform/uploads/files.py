"""S3 for people's files: multipart uploads by presigned URLs, and exports with links."""

from __future__ import annotations

import base64
import binascii
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataforge.kernel.errors import ObjectMissing
from dataforge.kernel.uploads import URL_SECONDS
from dataforge.platform.aws.clients import client

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import CompletedPartTypeDef


_MISSING = ("404", "NoSuchKey", "NotFound")
_DOWNLOAD_PART = 8 << 20


def _code(error: Any) -> str:  # noqa: ANN401 - botocore's ClientError, imported late
    return str(error.response.get("Error", {}).get("Code", ""))


@dataclass(frozen=True, slots=True)
class S3Part:
    """A part that has arrived; `sha256` in base64 as S3 keeps it."""

    number: int
    size: int
    etag: str
    sha256: str | None


class S3Files:
    """Files of people: uploaded in parts with presigned URLs, downloaded with presigned URLs."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def create(self, key: str, content_type: str) -> str:
        """Begin a multipart upload whose parts carry SHA-256 checksums; its id at S3."""
        answer = client("s3").create_multipart_upload(
            Bucket=self._bucket, Key=key, ContentType=content_type, ChecksumAlgorithm="SHA256"
        )
        return str(answer["UploadId"])

    def part_url(self, key: str, upload_id: str, number: int, sha256: str, length: int) -> tuple[str, dict[str, str]]:
        """A URL that takes exactly this part for an hour, and the headers the PUT must carry; `sha256` in base64.

        Checksum and length are signed: another body is refused by S3.
        """
        url = client("s3").generate_presigned_url(
            "upload_part",
            Params={
                "Bucket": self._bucket,
                "Key": key,
                "UploadId": upload_id,
                "PartNumber": number,
                "ChecksumSHA256": sha256,
                "ContentLength": length,
            },
            ExpiresIn=URL_SECONDS,
        )
        return str(url), {"x-amz-checksum-sha256": sha256, "Content-Length": str(length)}

    def parts(self, key: str, upload_id: str) -> Sequence[S3Part] | None:
        """The parts that have arrived, in order; None when S3 no longer knows the upload."""
        from botocore.exceptions import ClientError

        try:
            pages = client("s3").get_paginator("list_parts").paginate(Bucket=self._bucket, Key=key, UploadId=upload_id)
            return [
                S3Part(int(part["PartNumber"]), int(part["Size"]), part["ETag"], part.get("ChecksumSHA256"))
                for page in pages
                for part in page.get("Parts", [])
            ]
        except ClientError as error:
            if _code(error) in (*_MISSING, "NoSuchUpload"):
                return None
            raise

    def complete(self, key: str, upload_id: str, parts: Sequence[Any]) -> None:
        """Make one object of the parts, in one step for readers."""
        completed: list[CompletedPartTypeDef] = [
            {"PartNumber": part.number, "ETag": part.etag, **({"ChecksumSHA256": part.sha256} if part.sha256 else {})}
            for part in parts
        ]
        client("s3").complete_multipart_upload(
            Bucket=self._bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": completed}
        )

    def abort(self, key: str, upload_id: str) -> None:
        """Forget the upload and its parts; forgetting an unknown one is fine."""
        from botocore.exceptions import ClientError

        try:
            client("s3").abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload_id)
        except ClientError as error:
            if _code(error) not in (*_MISSING, "NoSuchUpload"):
                raise

    def exists(self, key: str) -> bool:
        """Whether there is an object under the key."""
        return self.size(key) is not None

    def size(self, key: str) -> int | None:
        """Bytes of the object under the key; None when there is none."""
        from botocore.exceptions import ClientError

        try:
            return int(client("s3").head_object(Bucket=self._bucket, Key=key)["ContentLength"])
        except ClientError as error:
            if _code(error) in _MISSING:
                return None
            raise

    def fingerprint(self, key: str) -> str:
        """What S3 says of the content of an object: the checksum of its parts, else its ETag; raises ObjectMissing."""
        from botocore.exceptions import ClientError

        try:
            head = client("s3").head_object(Bucket=self._bucket, Key=key, ChecksumMode="ENABLED")
        except ClientError as error:
            if _code(error) in _MISSING:
                raise ObjectMissing(key) from error
            raise
        return str(head.get("ChecksumSHA256") or head["ETag"].strip('"'))

    def download_url(self, key: str, file_name: str) -> str:
        """A URL that downloads the object under this name for an hour."""
        disposition = f'attachment; filename="{file_name}"'
        return str(
            client("s3").generate_presigned_url(
                "get_object",
                Params={"Bucket": self._bucket, "Key": key, "ResponseContentDisposition": disposition},
                ExpiresIn=URL_SECONDS,
            )
        )

    def delete(self, key: str) -> None:
        """Remove an object; a missing one is fine."""
        client("s3").delete_object(Bucket=self._bucket, Key=key)

    def writer(self, key: str, content_type: str) -> S3Writer:
        """A binary file to write an object through, in parts: constant memory, visible when closed."""
        return S3Writer(self._bucket, key, content_type)


class S3Writer:
    """Collects bytes and uploads them in parts; `close` makes the object visible, `abort` leaves nothing."""

    def __init__(self, bucket: str, key: str, content_type: str) -> None:
        self._bucket = bucket
        self._key = key
        answer = client("s3").create_multipart_upload(Bucket=bucket, Key=key, ContentType=content_type)
        self._upload = answer["UploadId"]
        self._buffer = bytearray()
        self._parts: list[CompletedPartTypeDef] = []
        self._sending: deque[Future[None]] = deque()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="upload")
        self.size = 0
        self.closed = False

    def writable(self) -> bool:
        """Always."""
        return True

    def readable(self) -> bool:
        """Never."""
        return False

    def seekable(self) -> bool:
        """Never."""
        return False

    def tell(self) -> int:
        """Bytes written so far."""
        return self.size

    def flush(self) -> None:
        """Parts have a least size: nothing is sent before there are enough bytes."""

    def write(self, data: Any) -> int:  # noqa: ANN401 - anything with the buffer protocol
        """Take bytes; sends them as a part whenever there are 8 MiB or more."""
        view = memoryview(data).cast("B")
        self._buffer += view
        self.size += len(view)
        if len(self._buffer) >= _DOWNLOAD_PART:
            self._send(self._buffer)
            self._buffer = bytearray()
        return len(view)

    def close(self) -> None:
        """Send the rest and make the object visible; closing again does nothing."""
        if self.closed:
            return
        if self._buffer or not (self._parts or self._sending):
            self._send(self._buffer)
        self._wait(0)
        self._pool.shutdown()
        client("s3").complete_multipart_upload(
            Bucket=self._bucket, Key=self._key, UploadId=self._upload, MultipartUpload={"Parts": self._parts}
        )
        self.closed = True

    def abort(self) -> None:
        """Leave nothing behind; does nothing after `close`."""
        if not self.closed:
            self.closed = True
            # A part that is on its way would come after the end, and stay.
            self._pool.shutdown(cancel_futures=True)
            client("s3").abort_multipart_upload(Bucket=self._bucket, Key=self._key, UploadId=self._upload)

    def _send(self, data: bytearray) -> None:
        """Send a part while the next one is collected; raises what sending an earlier one raised."""
        self._wait(1)
        self._sending.append(self._pool.submit(self._put, data))

    def _wait(self, most: int) -> None:
        while len(self._sending) > most:
            self._sending.popleft().result()

    def _put(self, data: bytearray) -> None:
        number = len(self._parts) + 1
        answer = client("s3").upload_part(
            Bucket=self._bucket,
            Key=self._key,
            UploadId=self._upload,
            PartNumber=number,
            Body=data,  # type: ignore[arg-type]  # botocore takes a bytearray as it is; its stubs have bytes only
        )
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})


def base64_sha256(text: str) -> str | None:
    """The checksum as S3 wants it (base64), from 64 hex digits or base64; None if it is neither."""
    try:
        raw = bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None
    return base64.b64encode(raw).decode() if len(raw) == 32 else None
