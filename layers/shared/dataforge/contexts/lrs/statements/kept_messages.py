"""Accepted messages as objects, one a request (infra/adr/0012-accepted-statements-on-the-laptop.md)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from dataforge.platform.aws.s3 import AsyncObjects

PREFIX = "accepted/"


class KeptMessages:
    """Keys are `accepted/<request id>.json`; request ids are UUIDv7: the order of the keys is that of arrival."""

    def __init__(self, objects: AsyncObjects) -> None:
        self._objects = objects

    async def keep(self, request_id: UUID, message: bytes) -> None:
        """Store the message."""
        await self._objects.put(_key(request_id), message)

    async def forget(self, request_ids: Sequence[UUID]) -> None:
        """Delete the messages; one that is not there is fine."""
        await self._objects.delete([_key(request_id) for request_id in request_ids])

    async def waiting(self, *, before: datetime, limit: int) -> Sequence[UUID]:
        """The oldest requests kept since before a moment."""
        found = await self._objects.oldest(PREFIX, limit=limit)
        return [
            UUID(item.key.removeprefix(PREFIX).removesuffix(".json"))
            for item in found
            if item.modified < before.timestamp()
        ]

    async def read(self, request_id: UUID) -> bytes:
        """The message of a request."""
        return await self._objects.get(_key(request_id))


def _key(request_id: UUID) -> str:
    return f"{PREFIX}{request_id}.json"
