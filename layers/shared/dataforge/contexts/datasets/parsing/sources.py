"""Files to import as something that can be read at any place, more than once."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from dataforge.contexts.datasets.ports import ObjectStore


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


class ObjectSource:
    """An uploaded object, read by ranges."""

    def __init__(self, store: ObjectStore, key: str, name: str) -> None:
        self._store = store
        self._key = key
        self.name = name
        self.size = store.size(key)

    def read(self, start: int, length: int) -> bytes:
        """Bytes of the object."""
        length = min(length, self.size - start)
        return self._store.get_range(self._key, start, length) if length > 0 else b""


class BytesSource:
    """A file that is already in memory, such as a member of an archive or a request body."""

    def __init__(self, data: bytes, name: str) -> None:
        self._data = data
        self.name = name
        self.size = len(data)

    def read(self, start: int, length: int) -> bytes:
        """A slice."""
        return self._data[start : start + length]
