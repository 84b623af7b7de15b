"""Files to import as something that can be read at any place, more than once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from versioned_tables.objects import ByteStream, ObjectStore

# A handful of blocks and what is made of each are held at a time.
BLOCK = 3 << 20
_WINDOW = 32 * BLOCK
_EARLY = 6 * BLOCK
# The first block, and the iterator of the others.
_Begun = tuple[bytes, ByteStream]


class FileSource(Protocol):
    """A file of known size; its name is a label and never a path."""

    @property
    def name(self) -> str:
        """What the user called it."""
        ...

    @property
    def size(self) -> int:
        """Bytes."""
        ...

    def read(self, start: int, length: int) -> bytes:
        """`length` bytes from `start`, fewer at the end."""
        ...

    def stream(self, start: int, stop: int, step: int) -> Iterator[bytes]:
        """The bytes `start .. stop` (cut to the file) as blocks that end at multiples of `step`."""
        ...


class PathSource:
    """A file of this machine."""

    def __init__(self, path: Path, name: str | None = None) -> None:
        self._path = path
        self.name = name or path.name
        self.size = path.stat().st_size

    def read(self, start: int, length: int) -> bytes:
        """Bytes of the file."""
        with self._path.open("rb") as file:
            file.seek(start)
            return file.read(length)

    def stream(self, start: int, stop: int, step: int) -> Iterator[bytes]:
        """Blocks of the file."""
        return (self.read(at, length) for at, length in steps(start, min(stop, self.size), step))


class ObjectSource:
    """An uploaded object. Its first block is fetched once: whoever opens a file looks at its beginning several times.

    What reads on does it in few requests, as bytes that come while it works: each request costs a round trip. The
    first one goes on with the request that brought the first block.
    """

    def __init__(self, store: ObjectStore, key: str, name: str) -> None:
        self._store = store
        self._key = key
        self._first = b""
        self._others: ByteStream | None = None
        self.name = name
        self.size = store.size(key)

    def read(self, start: int, length: int) -> bytes:
        """Bytes of the object."""
        stop = min(start + length, self.size)
        if stop <= start:
            return b""
        if stop <= BLOCK:
            return self._head()[start:stop]
        self._let_go()
        return self._store.get_range(self._key, start, stop - start)

    def stream(self, start: int, stop: int, step: int) -> Iterator[bytes]:
        """Blocks of the object."""
        stop = min(stop, self.size)
        divides = BLOCK % step == 0
        if stop <= BLOCK or (start < BLOCK and divides):
            for at, length in steps(start, min(stop, BLOCK), step):
                yield self.read(at, length)
            start = BLOCK
        with ThreadPoolExecutor(1, thread_name_prefix="window") as pool:
            coming: Future[_Begun] | None = None
            if start == step == BLOCK and stop >= min(self.size, _WINDOW) and self._others is not None:
                coming, self._others = pool.submit(_begun, self._others), None
            self._let_go()
            for first, length in steps(start, stop, _WINDOW if divides else self.size):
                at, end = first, first + length
                block, blocks = self._opened(at, end, step) if coming is None else coming.result()
                coming = None
                while block:
                    yield block
                    at += len(block)
                    if coming is None and end < stop and end - at <= _EARLY:
                        coming = pool.submit(self._opened, end, min(stop, end + _WINDOW), step)
                    block = next(blocks, b"")

    def _let_go(self) -> None:
        """Close the request that brought the first block: this file is not read from the start to the end."""
        others, self._others = self._others, None
        if others is not None:
            others.close()

    def _opened(self, start: int, stop: int, step: int) -> _Begun:
        return _begun(self._store.stream(self._key, start, stop, step))

    def _head(self) -> bytes:
        if not self._first:
            self._first, self._others = self._opened(0, min(self.size, _WINDOW), BLOCK)
        return self._first


def _begun(blocks: ByteStream) -> _Begun:
    return next(blocks, b""), blocks


class BytesSource:
    """A file that is already in memory, such as a member of an archive or a request body."""

    def __init__(self, data: bytes, name: str) -> None:
        self._data = data
        self.name = name
        self.size = len(data)

    def read(self, start: int, length: int) -> bytes:
        """A slice."""
        return self._data[start : start + length]

    def stream(self, start: int, stop: int, step: int) -> Iterator[bytes]:
        """Slices."""
        return (self.read(at, length) for at, length in steps(start, min(stop, self.size), step))


def steps(start: int, stop: int, step: int) -> Iterator[tuple[int, int]]:
    """Reads that end at multiples of `step`, as (start, length)."""
    while start < stop:
        end = min(stop, (start // step + 1) * step)
        yield start, end - start
        start = end
