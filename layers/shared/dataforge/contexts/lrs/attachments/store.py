"""The data of attachments as objects, by owner and hash."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from dataforge.contexts.lrs.attachments.domain import Attachment, object_key, owner_of, uploaded_key
from dataforge.kernel.errors import ObjectMissing
from dataforge.platform.aws.s3 import AsyncObjects

Upload = tuple[str, dict[str, str]]


class AttachmentStore:
    """Keeps data once for each owner, whatever number of statements names it."""

    def __init__(self, objects: AsyncObjects) -> None:
        self._objects = objects

    async def keep(self, authority: Mapping[str, object], attachments: Iterable[Attachment]) -> None:
        """Store the data that came with statements."""
        owner = owner_of(authority)
        await asyncio.gather(
            *(
                self._objects.put(object_key(owner, item.sha2), item.content, content_type=item.media_type)
                for item in attachments
            )
        )

    async def upload(self, owner: str, sha2: str, *, length: int, media_type: str) -> Upload:
        """Where data goes ahead of its statements, and the headers of the PUT; S3 refuses what has another hash."""
        return await self._objects.upload_url(
            uploaded_key(owner, sha2), sha256=bytes.fromhex(sha2), length=length, content_type=media_type
        )

    async def uploaded(self, owner: str, hashes: Iterable[str]) -> set[str]:
        """Those of the hashes whose data was uploaded ahead."""
        wanted = list(hashes)
        sizes = await asyncio.gather(*(self._objects.size(uploaded_key(owner, sha2)) for sha2 in wanted))
        return {sha2 for sha2, size in zip(wanted, sizes, strict=True) if size is not None}

    async def download_url(self, owner: str, sha2: str) -> str | None:
        """Where the data can be read for an hour; None when there is none."""
        for key in (uploaded_key(owner, sha2), object_key(owner, sha2)):
            if await self._objects.size(key) is not None:
                return await self._objects.download_url(key)
        return None

    async def read(
        self, named: Sequence[tuple[Mapping[str, object], str, str]], *, most_bytes: int
    ) -> list[Attachment]:
        """The data of what statements name (`named_in`), each hash once.

        Left out is what came as a fileUrl only, and what was uploaded ahead where all of it is more than `most_bytes`:
        its statement has the fileUrl of it.
        """
        wanted = {
            sha2: (owner_of(_authority(statement)), media_type) for statement, sha2, media_type in reversed(named)
        }
        came = await asyncio.gather(*(self._came(sha2, *where) for sha2, where in wanted.items()))
        found = [item for item in came if item is not None]
        left = most_bytes - sum(len(item.content) for item in found)
        for sha2, (owner, media_type) in wanted.items():
            if sha2 not in {item.sha2 for item in found}:
                size = await self._objects.size(uploaded_key(owner, sha2))
                if size is not None and size <= left:
                    left -= size
                    content = await self._objects.get(uploaded_key(owner, sha2))
                    found.append(Attachment(sha2, media_type, content))
        return found

    async def _came(self, sha2: str, owner: str, media_type: str) -> Attachment | None:
        try:
            return Attachment(sha2, media_type, await self._objects.get(object_key(owner, sha2)))
        except ObjectMissing:
            return None


def _authority(statement: Mapping[str, object]) -> Mapping[str, object]:
    found = statement.get("authority")
    return found if isinstance(found, dict) else {}
