"""The data of attachments as objects, by authority and hash."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from dataforge.contexts.lrs.attachments.domain import Attachment, object_key
from dataforge.kernel.errors import ObjectMissing
from dataforge.platform.aws.s3 import AsyncObjects


class AttachmentStore:
    """Keeps data once for each authority, whatever number of statements names it."""

    def __init__(self, objects: AsyncObjects) -> None:
        self._objects = objects

    async def keep(self, authority: Mapping[str, object], attachments: Iterable[Attachment]) -> None:
        """Store the data."""
        await asyncio.gather(
            *(
                self._objects.put(object_key(authority, item.sha2), item.content, content_type=item.media_type)
                for item in attachments
            )
        )

    async def read(self, named: Sequence[tuple[Mapping[str, object], str, str]]) -> list[Attachment]:
        """The data of what statements name (`named_in`), each hash once; what came as a fileUrl only is not here."""
        wanted = {sha2: (_authority(statement), media_type) for statement, sha2, media_type in reversed(named)}
        found = await asyncio.gather(*(self._read(sha2, *where) for sha2, where in wanted.items()))
        return [item for item in found if item is not None]

    async def _read(self, sha2: str, authority: Mapping[str, object], media_type: str) -> Attachment | None:
        try:
            return Attachment(sha2, media_type, await self._objects.get(object_key(authority, sha2)))
        except ObjectMissing:
            return None


def _authority(statement: Mapping[str, object]) -> Mapping[str, object]:
    found = statement.get("authority")
    return found if isinstance(found, dict) else {}
