"""JSON documents that one function publishes to the bucket and another believes for a while, without the database."""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cachetools import LRUCache, TTLCache

from dataforge.kernel.errors import Unavailable
from dataforge.kernel.texts import Text
from dataforge.platform.aws.clients import client
from dataforge.platform.observability import logger

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import GetObjectRequestTypeDef

STALE_SECONDS = 3600  # how long a known document goes on counting while S3 does not answer
UNKNOWN_SECONDS = 2  # how long it is remembered that there is none: a new one counts this soon
MAX_ENTRIES = 10_000


@dataclass(slots=True)
class _Entry:
    document: dict[str, Any]
    etag: str
    checked_at: float
    answered_at: float


class PublishedDocuments:
    """Documents `<prefix><name>.json`, each believed for `fresh_seconds` and then asked for again."""

    def __init__(self, bucket: str, prefix: str, *, fresh_seconds: float) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._fresh = fresh_seconds
        # Apart, so that made-up names cannot push out what must go on counting while S3 does not answer.
        self._known: LRUCache[str, _Entry] = LRUCache(MAX_ENTRIES)
        self._unknown: TTLCache[str, None] = TTLCache(MAX_ENTRIES, UNKNOWN_SECONDS)

    def __contains__(self, name: str) -> bool:
        return name in self._known

    async def find(self, name: str) -> dict[str, Any] | None:
        """The document, None if there is none; raises Unavailable if S3 does not answer and never did."""
        if name in self._unknown:
            return None
        now = time.monotonic()
        entry = self._known.get(name)
        if entry is not None and now - entry.checked_at < self._fresh:
            return entry.document
        try:
            fetched = await asyncio.to_thread(self._fetch, name, entry, now)
        except Exception as error:
            if entry is None or now - entry.answered_at > STALE_SECONDS:
                message = Text("Credentials cannot be checked at the moment; repeat the request.")
                raise Unavailable(message, headers={"Retry-After": "5"}) from error
            logger.warning("published documents do not answer, using the last known state", document=name)
            entry.checked_at = now
            return entry.document
        if fetched is None:
            self._known.pop(name, None)
            self._unknown[name] = None
            return None
        self._known[name] = fetched
        return fetched.document

    def _fetch(self, name: str, known: _Entry | None, now: float) -> _Entry | None:
        from botocore.exceptions import ClientError

        wanted: GetObjectRequestTypeDef = {"Bucket": self._bucket, "Key": f"{self._prefix}{name}.json"}
        if known is not None:
            wanted["IfNoneMatch"] = known.etag
        try:
            answer = client("s3").get_object(**wanted)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in ("304", "NotModified") and known is not None:
                return _Entry(known.document, known.etag, now, now)
            if code in ("NoSuchKey", "404"):
                return None
            raise
        return _Entry(json.loads(answer["Body"].read()), answer["ETag"], now, now)
