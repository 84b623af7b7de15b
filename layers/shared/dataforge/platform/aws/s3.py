"""S3: whole objects of one bucket, small enough to be held in memory."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from dataforge.platform.aws.clients import client

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import DeleteTypeDef


class ObjectStore:
    """Puts and gets; boto3 blocks, so every call runs in a thread and raises botocore's errors."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    async def put(self, key: str, body: bytes, *, content_type: str = "application/json") -> None:
        """Store an object, replacing one of the same key."""
        await asyncio.to_thread(
            client("s3").put_object, Bucket=self._bucket, Key=key, Body=body, ContentType=content_type
        )

    async def get(self, key: str) -> bytes:
        """The object's content."""
        return await asyncio.to_thread(self._get, key)

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete objects, at most a thousand; one that is not there is fine."""
        if keys:
            wanted: DeleteTypeDef = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
            await asyncio.to_thread(client("s3").delete_objects, Bucket=self._bucket, Delete=wanted)

    async def oldest(self, prefix: str, *, limit: int) -> Sequence[tuple[str, datetime]]:
        """The first keys beneath a prefix, in their order, each with when it was written."""
        answer = await asyncio.to_thread(
            client("s3").list_objects_v2, Bucket=self._bucket, Prefix=prefix, MaxKeys=limit
        )
        return [(item["Key"], item["LastModified"]) for item in answer.get("Contents", [])]

    def _get(self, key: str) -> bytes:
        body: bytes = client("s3").get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return body
