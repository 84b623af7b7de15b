"""Manifest: one version of one table, logical (leaves) and physical (pieces of immutable objects), as struct of arrays.

Logical: per leaf the row count, the 128-bit hash and, in keyed tables, the first key. Physical: a piece table. A piece
is a run of consecutive rows of one source (a base chunk or a patch object); the rows of the version are its pieces one
after the other. So a patched version is read by slicing, "offset k" is a binary search, and compaction replaces pieces
without touching the leaves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from versioned_tables.hashing.commits import TableContent, leaves_digest
from versioned_tables.hashing.row_hash import U64
from versioned_tables.schema.columns import TableSchema

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a chunk lies: the SHA-256 of its pack, its first byte there, and the first byte of its rows' hashes, which
    were made under the schema with this signature.
    """

    pack: str
    signature: str
    start: int
    hashes: int


@dataclass(frozen=True, slots=True)
class Source:
    """Immutable rows: kind `chunk` or `patch` (then its after-rows), SHA-256, rows, bytes, a chunk's place."""

    kind: str
    id: str
    rows: int
    size: int
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What a version did to the one before it. `complete` means that the patches hold every changed row, before and
    after.
    """

    base_digest: str
    patches: tuple[str, ...] = ()
    complete: bool = False
    inserted: int = 0
    updated: int = 0
    deleted: int = 0


class KeyList(Sequence[bytes]):
    """Encoded keys in one buffer; a sequence that `bisect` can search without decoding it all."""

    def __init__(self, blob: bytes, offsets: I64) -> None:
        self.blob = blob
        self.offsets = offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, at):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204 - slices are never asked for
        if at < 0 or at >= len(self):
            raise IndexError(at)
        return self.blob[self.offsets[at] : self.offsets[at + 1]]

    @staticmethod
    def of(keys: Sequence[bytes]) -> KeyList:
        """The list of these keys."""
        offsets = np.zeros(len(keys) + 1, dtype=np.int64)
        if keys:
            np.cumsum(np.fromiter((len(key) for key in keys), dtype=np.int64, count=len(keys)), out=offsets[1:])
        return KeyList(b"".join(keys), offsets)


@dataclass(frozen=True, slots=True)
class Leaves:
    """Leaves in row order: `counts` int64, `hashes` (n, 2) uint64, `first_keys` (empty when there is no key)."""

    counts: I64
    hashes: U64
    first_keys: KeyList

    def __len__(self) -> int:
        return len(self.counts)


@dataclass(frozen=True, slots=True)
class Pieces:
    """Pieces in row order: index into the sources, first row in the source, number of rows; int64 each."""

    source: I64
    start: I64
    count: I64

    def __len__(self) -> int:
        return len(self.count)


EMPTY = np.empty(0, dtype=np.int64)
NO_LEAVES = Leaves(EMPTY, np.empty((0, 2), dtype=np.uint64), KeyList(b"", np.zeros(1, dtype=np.int64)))
NO_PIECES = Pieces(EMPTY, EMPTY, EMPTY)


@dataclass(frozen=True)
class Manifest:
    """One version of one table. Treat as immutable."""

    schema: TableSchema
    sources: tuple[Source, ...] = ()
    leaves: Leaves = field(default=NO_LEAVES)
    pieces: Pieces = field(default=NO_PIECES)
    change: Change | None = None

    @cached_property
    def leaf_ends(self) -> I64:
        """Cumulative row counts of the leaves."""
        return np.cumsum(self.leaves.counts)

    @cached_property
    def piece_ends(self) -> I64:
        """Cumulative row counts of the pieces."""
        return np.cumsum(self.pieces.count)

    @property
    def rows(self) -> int:
        """Rows of the version."""
        return int(self.piece_ends[-1]) if len(self.pieces) else 0

    @property
    def size_bytes(self) -> int:
        """Bytes of the chunks and patches that the version names, shared ones included."""
        return sum(source.size for source in self.sources)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over leaf counts and hashes: equal rows in equal order, equal digest."""
        pairs = np.empty(len(self.leaves), dtype=[("count", "<u4"), ("hash", "<u8", 2)])
        pairs["count"], pairs["hash"] = self.leaves.counts, self.leaves.hashes
        return leaves_digest(pairs.tobytes())

    @cached_property
    def layout(self) -> str:
        """SHA-256 over the sources and pieces: the same stored rows in the same order, the same layout."""
        pieces = self.pieces
        content = hashlib.sha256("".join(source.id for source in self.sources).encode())
        for part in (pieces.source, pieces.start, pieces.count):
            content.update(part.astype("<i8").tobytes())
        return content.hexdigest()

    @property
    def content(self) -> TableContent:
        """What the commit id is made of."""
        return TableContent(self.schema, self.rows, self.digest)

    def leaf_start(self, leaf: int) -> int:
        """Row number of the first row of a leaf; of the end for one past the last."""
        return int(self.leaf_ends[leaf - 1]) if leaf else 0

    def addresses(self, start: int, stop: int) -> U64:
        """Physical addresses (source index << 32 | row) of rows `start .. stop`."""
        first, last = (int(np.searchsorted(self.piece_ends, at, side="right")) for at in (start, max(start, stop - 1)))
        if stop <= start:
            return np.empty(0, dtype=np.uint64)
        picked = slice(first, last + 1)
        counts = self.pieces.count[picked].copy()
        starts = (self.pieces.source[picked] << 32) + self.pieces.start[picked]
        skip = start - (int(self.piece_ends[first - 1]) if first else 0)
        counts[0] -= skip
        starts[0] += skip
        counts[-1] -= int(self.piece_ends[last]) - stop
        before = np.cumsum(counts) - counts
        return (np.repeat(starts - before, counts) + np.arange(stop - start)).view(np.uint64)

    def without_change(self) -> Manifest:
        """The same version without the note of what it changed."""
        return replace(self, change=None)


def pieces_of(addresses: U64) -> Pieces:
    """The shortest piece list for rows at these addresses."""
    if not len(addresses):
        return NO_PIECES
    signed = addresses.view(np.int64)
    breaks = np.flatnonzero(np.diff(signed) != 1) + 1
    firsts = np.concatenate([[0], breaks])
    counts = np.diff(np.concatenate([firsts, [len(signed)]]))
    at = signed[firsts]
    return Pieces(at >> 32, at & 0xFFFFFFFF, counts)


def join_pieces(parts: Sequence[Pieces]) -> Pieces:
    """Piece lists one after the other, touching pieces of one source merged."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return NO_PIECES
    source, start, count = (np.concatenate([getattr(p, name) for p in parts]) for name in ("source", "start", "count"))
    touching = (source[1:] == source[:-1]) & (start[1:] == start[:-1] + count[:-1])
    firsts = np.concatenate([[0], np.flatnonzero(~touching) + 1])
    return Pieces(source[firsts], start[firsts], np.add.reduceat(count, firsts))


def join_leaves(parts: Sequence[Leaves]) -> Leaves:
    """Leaf lists one after the other."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return NO_LEAVES
    keys: list[KeyList] = [part.first_keys for part in parts]
    base = np.cumsum([0, *(int(k.offsets[-1] - k.offsets[0]) for k in keys)])
    offsets = [k.offsets[:-1] - k.offsets[0] + at for k, at in zip(keys, base, strict=False)]
    blob = b"".join(k.blob[k.offsets[0] : k.offsets[-1]] for k in keys)
    return Leaves(
        np.concatenate([part.counts for part in parts]),
        np.concatenate([part.hashes for part in parts]),
        KeyList(blob, np.concatenate([*offsets, base[-1:]]).astype(np.int64)),
    )


def slice_leaves(leaves: Leaves, start: int, stop: int) -> Leaves:
    """Leaves `start .. stop`."""
    keys = leaves.first_keys
    offsets = keys.offsets[start : stop + 1] if len(keys) else keys.offsets
    return Leaves(leaves.counts[start:stop], leaves.hashes[start:stop], KeyList(keys.blob, offsets))


def slice_pieces(manifest: Manifest, start: int, stop: int) -> Pieces:
    """The pieces of rows `start .. stop`, cut at both ends."""
    if stop <= start:
        return NO_PIECES
    ends = manifest.piece_ends
    first, last = int(np.searchsorted(ends, start, side="right")), int(np.searchsorted(ends, stop - 1, side="right"))
    source, begin, count = (
        getattr(manifest.pieces, name)[first : last + 1].copy() for name in ("source", "start", "count")
    )
    skip = start - (int(ends[first - 1]) if first else 0)
    begin[0] += skip
    count[0] -= skip
    count[-1] -= int(ends[last]) - stop
    return Pieces(source, begin, count)


def pieces_within(manifest: Manifest, starts: I64, stops: I64) -> tuple[Pieces, I64]:
    """The pieces of rows in some ranges, cut at the ends of these, and the row number that each begins with. The ranges
    are ascending and none overlaps.
    """
    ends = manifest.piece_ends
    bounds = np.unique(np.concatenate([[0], ends, starts, stops]))
    first, last = bounds[:-1], bounds[1:]
    at = np.searchsorted(starts, first, side="right") - 1
    inside = (at >= 0) & (first < stops[at]) if len(starts) else np.zeros(len(first), dtype=bool)
    first, last = first[inside], last[inside]
    piece = np.searchsorted(ends, first, side="right")
    begin = manifest.pieces.start[piece] + first - (ends[piece] - manifest.pieces.count[piece])
    return Pieces(manifest.pieces.source[piece], begin, last - first), first


def drop_unused(manifest: Manifest) -> Manifest:
    """The same version without sources that no piece names."""
    used = np.unique(manifest.pieces.source)
    if len(used) == len(manifest.sources):
        return manifest
    renumber = np.zeros(len(manifest.sources), dtype=np.int64)
    renumber[used] = np.arange(len(used))
    pieces = replace(manifest.pieces, source=renumber[manifest.pieces.source])
    return replace(manifest, sources=tuple(manifest.sources[at] for at in used.tolist()), pieces=pieces)
