"""Objects in a local directory: what benches, tests and a laptop without an emulator keep their chunks in."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dataforge.kernel.texts import Text
from versioned_tables.errors import ObjectMissing
from versioned_tables.objects import ByteStream


@dataclass(frozen=True, slots=True)
class LocalObject:
    """A file under the root."""

    key: str
    size: int
    modified: float


class LocalDirectoryStore:
    """One file per object, written under another name and linked into place, so that a reader never sees half of
    one.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._made: set[Path] = set()

    def _path(self, key: str) -> Path:
        if key.startswith("/") or ".." in key.split("/"):
            message = Text("{key!r} is not an object key", key=key)
            raise ValueError(message)
        return self._root / key

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Store unless the key is taken; True if this call stored it."""
        path = self._path(key)
        if path.parent not in self._made:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(path.parent)
        if path.exists():
            return False
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".put-")
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(data)
            os.link(temporary, path)
        except FileExistsError:
            return False
        finally:
            Path(temporary).unlink()
        return True

    def get(self, key: str) -> bytes:
        """The whole object; raises ObjectMissing."""
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError as error:
            raise ObjectMissing(f"Object {key} is not in the store.") from error

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """`length` bytes from `start`; raises ObjectMissing."""
        try:
            with self._path(key).open("rb") as file:
                file.seek(start)
                return file.read(length)
        except FileNotFoundError as error:
            raise ObjectMissing(f"Object {key} is not in the store.") from error

    def stream(self, key: str, start: int, stop: int, step: int) -> ByteStream:
        """The bytes `start .. stop` as blocks that end at multiples of `step`; raises ObjectMissing."""
        try:
            with self._path(key).open("rb") as file:
                file.seek(start)
                while start < stop and (data := file.read(min(stop - start, step - start % step))):
                    yield data
                    start += len(data)
        except FileNotFoundError as error:
            raise ObjectMissing(f"Object {key} is not in the store.") from error

    def size(self, key: str) -> int:
        """Bytes of the object; raises ObjectMissing."""
        try:
            return self._path(key).stat().st_size
        except FileNotFoundError as error:
            raise ObjectMissing(f"Object {key} is not in the store.") from error

    def delete(self, key: str) -> None:
        """Remove the object; a missing one is fine."""
        self._path(key).unlink(missing_ok=True)

    def list(self, prefix: str) -> Iterator[LocalObject]:
        """Every object whose key starts with the prefix."""
        start = self._root / prefix
        folder = start if start.is_dir() else start.parent
        for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
            key = path.relative_to(self._root).as_posix()
            if key.startswith(prefix) and path.is_file() and not path.name.startswith(".put-"):
                found = path.stat()
                yield LocalObject(key, found.st_size, found.st_mtime)
