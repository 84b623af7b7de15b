"""How long a change may take: the sizes of live tables by rates that a small server keeps up with.

The rates are low on purpose: an estimate shall tell seconds from minutes and hours, and rather too much than too
little.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from dataforge.contexts.schemas.plans.domain.changes import Change
from dataforge.contexts.schemas.plans.domain.evidence import Evidence

_REWRITE = 40_000_000 / 1000  # bytes of a table written anew, in a millisecond
_SCAN = 200_000_000 / 1000  # bytes of a table read
_BUILD = 20_000_000 / 1000  # bytes of indexes built
_SORTED = 400_000 / 1000  # rows sorted for a new index or looked up for a foreign key
_COPIED = 350_000 / 1000  # rows copied into the trash, each with a digest of its key
_WRITTEN = 50_000 / 1000  # rows given another value, each with its indexes
_LEAST = 1


@dataclass(frozen=True, slots=True)
class Size:
    """A live table with its partitions: rows as PostgreSQL last counted them, bytes with and of indexes."""

    rows: int = 0
    table_bytes: int = 0
    index_bytes: int = 0

    def __add__(self, other: "Size") -> "Size":
        """Both together."""
        return Size(self.rows + other.rows, self.table_bytes + other.table_bytes, self.index_bytes + other.index_bytes)


def estimate(item: Change, seen: Evidence, sizes: Iterable[Size]) -> int:
    """Milliseconds for a change of tables of these sizes, one at least."""
    size = sum(sizes, Size())
    milliseconds = 0.0
    if seen.rewrites:
        milliseconds += size.table_bytes / _REWRITE + size.index_bytes / _BUILD
    elif seen.scans:
        milliseconds += size.table_bytes / _SCAN
    if item.writes_rows:
        milliseconds += size.rows / _WRITTEN
    if item.copies_rows:
        milliseconds += size.rows / _COPIED
    if seen.scans and _looks_up(item):
        milliseconds += size.rows / _SORTED
    return max(_LEAST, round(milliseconds))


def _looks_up(item: Change) -> bool:
    kinds = ("index", "unique", "primary key", "foreign key", "exclusion", "validate")
    return any(kind in item.op for kind in kinds)
