"""What the engine needs of object storage."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Protocol

# To be closed by whoever does not read it to its end.
ByteStream = Generator[bytes, None, None]


class ObjectStore(Protocol):
    """Immutable objects under keys. Every method may be called from several threads at once.

    `get`, `get_range` and `stream` raise ObjectMissing when the key is not there.
    """

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Store the object unless the key is taken; True if this call stored it. Whole or not at all."""
        ...

    def get(self, key: str) -> bytes:
        """The whole object."""
        ...

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """`length` bytes from `start`; fewer at the end of the object."""
        ...

    def stream(self, key: str, start: int, stop: int, step: int) -> ByteStream:
        """The bytes `start .. stop` in one request, as blocks that end at multiples of `step`."""
        ...

    def size(self, key: str) -> int:
        """Bytes of the object."""
        ...

    def delete(self, key: str) -> None:
        """Remove the object; a missing one is fine."""
        ...

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """Every object whose key starts with the prefix, in no order."""
        ...


class StoredObject(Protocol):
    """A listed object."""

    @property
    def key(self) -> str:
        """The key it is stored under."""
        ...

    @property
    def size(self) -> int:
        """The whole content."""
        ...

    @property
    def modified(self) -> float:
        """Seconds since the epoch of its last write."""
        ...
