"""S3: whole objects of one bucket, small enough to be held in memory."""

import asyncio

from dataforge.platform.aws.clients import client


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

    def _get(self, key: str) -> bytes:
        body: bytes = client("s3").get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return body
