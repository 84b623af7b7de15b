"""What the datasets context needs from the outside for its bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class ObjectStore(Protocol):
    """Immutable objects under keys. Every method may be called from several threads at once.

    `get` and `get_range` raise ObjectMissing when the key is not there.
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
        """Its key."""
        ...

    @property
    def size(self) -> int:
        """Its bytes."""
        ...

    @property
    def modified(self) -> float:
        """Seconds since the epoch of its last write."""
        ...
