"""The zip of an export: written file by file and line by line, to where nothing can be changed afterwards."""

import asyncio
import json
import zipfile
from collections.abc import AsyncIterator, Mapping
from typing import IO, Any, cast

_CHUNK = 1 << 18  # characters that are handed to the thread that packs and sends them


class Archive:
    """A zip of JSON files; memory does not depend on how much goes into it."""

    def __init__(self, sink: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, allowZip64=True)
        self.files: list[dict[str, Any]] = []

    async def add_rows(self, name: str, rows: AsyncIterator[str]) -> AsyncIterator[int]:
        """Write rows that are JSON, as lines (`.jsonl`) or one array; gives the number of rows now and then.

        No rows make no file.
        """
        lines = name.endswith(".jsonl")
        head, between, tail = ("", "\n", "\n") if lines else ("[\n", ",\n", "\n]\n")
        file: IO[bytes] | None = None
        count, waiting = 0, head
        async for row in rows:
            if file is None:
                file = self._zip.open(name, "w", force_zip64=True)
            waiting += (between if count else "") + row
            count += 1
            if len(waiting) >= _CHUNK:
                await asyncio.to_thread(file.write, waiting.encode())
                waiting = ""
                yield count
        if file is not None:
            await asyncio.to_thread(file.write, (waiting + tail).encode())
            await asyncio.to_thread(file.close)
            self.files.append({"name": name, "rows": count})
        yield count

    async def close(self, about: Mapping[str, Any]) -> None:
        """Add `index.json`, which says what the other files are, and end the zip."""
        text = json.dumps({**about, "files": self.files}, ensure_ascii=False, indent=2)
        await asyncio.to_thread(self._zip.writestr, "index.json", text)
        await asyncio.to_thread(self._zip.close)


def sink_of(writer: Any) -> IO[bytes]:  # noqa: ANN401 - what writes to S3 has what a zip needs of a file
    """A writer to S3 as the file that it is for a zip."""
    return cast("IO[bytes]", writer)
