"""S3: whole objects of one bucket."""

import asyncio
from typing import Any

from dataforge.kernel.errors import NotFound
from dataforge.platform.aws.clients import client


class ObjectMissing(NotFound):
    """There is no object under the key."""

    code = "object_missing"
    title = "The object does not exist"


class ObjectStore:
    """Objects small enough to be held in memory; boto3 blocks, so every call runs in a thread."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    async def put(self, key: str, body: bytes, *, content_type: str = "application/json") -> None:
        """Store an object, replacing one of the same key."""
        await asyncio.to_thread(
            client("s3").put_object, Bucket=self._bucket, Key=key, Body=body, ContentType=content_type
        )

    async def get(self, key: str) -> bytes:
        """The object's content; raises ObjectMissing."""
        return await asyncio.to_thread(self._get, key)

    async def delete(self, key: str) -> None:
        """Remove an object; removing nothing is fine."""
        await asyncio.to_thread(client("s3").delete_object, Bucket=self._bucket, Key=key)

    def _get(self, key: str) -> bytes:
        from botocore.exceptions import ClientError

        try:
            answer: dict[str, Any] = client("s3").get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in ("NoSuchKey", "404"):
                message = f"There is no object {key}."
                raise ObjectMissing(message) from error
            raise
        body: bytes = answer["Body"].read()
        return body
