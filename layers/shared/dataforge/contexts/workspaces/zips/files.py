"""Zips as files: downloaded to be read, written to where nothing can be changed afterwards."""

import asyncio
import hashlib
import tempfile
import zipfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Self, cast

from dataforge.contexts.workspaces.notes.domain.paths import moved
from dataforge.contexts.workspaces.zips.domain import MAX_ZIP, MAX_ZIP_BYTES, MEDIA_TYPE, ZipRefused
from dataforge.contexts.workspaces.zips.queries import ExportedNote
from dataforge.kernel.errors import ObjectMissing
from dataforge.kernel.texts import Text
from dataforge.platform.aws.clients import client
from dataforge.platform.aws.s3 import S3ObjectStore
from dataforge.platform.uploads.files import S3Files

_SPOOL_BYTES = 4 * 1024 * 1024
_BLOCK = 1 << 20
_EARLIEST, _LATEST = datetime(1980, 1, 1, tzinfo=UTC), datetime(2107, 12, 31, tzinfo=UTC)  # that a zip can say


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file of an upload."""

    file: IO[bytes]
    size: int
    sha256: str


@contextmanager
def downloaded(bucket: str, key: str) -> Iterator[Downloaded]:
    """The file of an upload for the time of the block; raises ZipRefused for one that is not there, or too large."""
    store = S3ObjectStore(client("s3"), bucket)
    try:
        size = store.size(key)
    except ObjectMissing as error:
        message = Text("The file was announced and has not arrived, or was deleted since.")
        raise ZipRefused(message) from error
    if size > MAX_ZIP_BYTES:
        message = Text("A zip has at most {max_zip}.", max_zip=MAX_ZIP)
        raise ZipRefused(message)
    digest = hashlib.sha256()
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as file:
        for block in store.stream(key, 0, size, _BLOCK):
            digest.update(block)
            file.write(block)
        file.seek(0)
        yield Downloaded(cast("IO[bytes]", file), size, digest.hexdigest())


class ZipObject:
    """A zip that becomes an object when it is whole, in constant memory; used inside `async with`."""

    def __init__(self, bucket: str, key: str) -> None:
        self._files = S3Files(bucket)
        self.key = key

    async def __aenter__(self) -> Self:
        self._sink = await asyncio.to_thread(self._files.writer, self.key, MEDIA_TYPE)
        self._zip = zipfile.ZipFile(cast("IO[bytes]", self._sink), "w", zipfile.ZIP_DEFLATED)
        return self

    async def __aexit__(self, exc_type: type[BaseException] | None, *exc: object) -> None:
        if exc_type is not None:
            await self.discard()

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._sink.size

    async def add_notes(
        self, pages: AsyncIterator[Sequence[ExportedNote]], *, below: str = "", into: str = ""
    ) -> AsyncIterator[int]:
        """Write notes below a folder into a folder of the zip; gives how many were written after each page."""
        count = 0
        async for page in pages:
            await asyncio.to_thread(self._write, page, below, into)
            count += len(page)
            yield count

    async def add_file(self, name: str, content: bytes, at: datetime) -> None:
        """Write a file."""
        await asyncio.to_thread(self._zip.writestr, _entry(name, at), content)

    async def close(self) -> None:
        """Make the object visible."""
        await asyncio.to_thread(self._zip.close)
        await asyncio.to_thread(self._sink.close)

    async def discard(self) -> None:
        """Leave nothing behind."""
        await asyncio.to_thread(self._sink.abort)
        await asyncio.to_thread(self._files.delete, self.key)

    def _write(self, page: Sequence[ExportedNote], below: str, into: str) -> None:
        for note in page:
            path = moved(note.path, below, into) if below else f"{into}/{note.path}" if into else note.path
            self._zip.writestr(_entry(path, note.updated_at), note.body.encode())


def _entry(name: str, at: datetime) -> zipfile.ZipInfo:
    moment = min(max(at.astimezone(UTC), _EARLIEST), _LATEST)
    entry = zipfile.ZipInfo(name, moment.timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o100644 << 16
    return entry
