"""A new version from a few changed rows: only the leaves around the changes are cut again."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from versioned_tables.format.keys import encode_keys
from versioned_tables.format.manifest import (
    I64,
    Change,
    KeyList,
    Leaves,
    Manifest,
    Pieces,
    Source,
    drop_unused,
    join_leaves,
    join_pieces,
    pieces_of,
    slice_leaves,
    slice_pieces,
)
from versioned_tables.hashing.leaves import cut, leaf_hashes
from versioned_tables.hashing.row_hash import U64, RowHashes, hash_rows
from versioned_tables.read.rows import (
    addresses_at,
    find_keys,
    hashes_at,
    leaf_of_key,
    leaf_rows,
    rows_at,
)
from versioned_tables.storage.table_store import TableStore
from versioned_tables.write.patch_builder import PatchBuilder

_MARK = np.uint64(PatchBuilder.MARK << 32)


@dataclass(frozen=True, slots=True)
class Edits:
    """Changes to a version, positions being its row numbers.

    Row i of `rows` (columns by id) stands before row `at[i]`, in place of row `replaces[i]` unless that is -1. Rows
    are in the order they shall have; `at` is sorted and equals `replaces` where there is one. `deletes` is sorted.
    """

    rows: pa.Table
    at: I64
    replaces: I64
    deletes: I64

    def __len__(self) -> int:
        return int(self.rows.num_rows) + len(self.deletes)


@dataclass(frozen=True, slots=True)
class _Region:
    """Freshly cut leaves: rows by address (new ones marked), counts and digests of the leaves, addresses of their
    first rows.
    """

    addresses: U64
    counts: I64
    digests: U64
    firsts: U64


def apply_edits(store: TableStore, base: Manifest, edits: Edits) -> Manifest:
    """The version after the edits; its patch holds the changed rows before and after.

    A row that replaces an equal one is neither counted nor stored.
    """
    edits, fresh = _changes_only(store, base, edits)
    removed = np.sort(np.concatenate([edits.replaces[edits.replaces >= 0], edits.deletes]))
    parts: list[tuple[int, int] | _Region] = []
    cursor = 0
    for leaf in _touched(base, edits).tolist():
        if leaf < cursor:
            continue
        if leaf > cursor:
            parts.append((cursor, leaf))
        region, cursor = _recut(store, base, edits, fresh, removed, leaf)
        parts.append(region)
    if cursor < len(base.leaves):
        parts.append((cursor, len(base.leaves)))
    patches, change = _patch(store, base, edits, fresh, removed)
    leaves, pieces = _joined(store, base, edits, parts)
    return drop_unused(Manifest(base.schema, (*base.sources, *patches), leaves, pieces, change))


def _changes_only(store: TableStore, base: Manifest, edits: Edits) -> tuple[Edits, RowHashes]:
    """The edits without rows that replace an equal one, and the hashes of the rows that are left."""
    fresh = hash_rows(edits.rows, base.schema)
    known = np.flatnonzero(edits.replaces >= 0)
    if not len(known):
        return edits, fresh
    new = fresh.take(known)
    old = hashes_at(store, base.schema, base.sources, addresses_at(base, edits.replaces[known]))
    keep = np.ones(edits.rows.num_rows, dtype=bool)
    keep[known[(new.low == old.low) & (new.high == old.high)]] = False
    if keep.all():
        return edits, fresh
    left = Edits(edits.rows.filter(pa.array(keep)), edits.at[keep], edits.replaces[keep], edits.deletes)
    return left, fresh.take(np.flatnonzero(keep))


def _touched(base: Manifest, edits: Edits) -> I64:
    if not len(base.leaves):
        return np.zeros(1, dtype=np.int64)
    places = np.concatenate([edits.at, edits.deletes])
    return np.unique(np.minimum(np.searchsorted(base.leaf_ends, places, side="right"), len(base.leaves) - 1))


def _recut(
    store: TableStore, base: Manifest, edits: Edits, fresh: RowHashes, removed: I64, first: int
) -> tuple[_Region, int]:
    """Apply the edits of one leaf and the leaves after it, until a cut falls where an old one was."""
    stop = first
    while True:
        stop = min(stop + 1, len(base.leaves))
        start_row, stop_row = base.leaf_start(first), base.leaf_start(stop)
        last = stop == len(base.leaves)
        addresses, hashes = _edited(store, base, edits, fresh, removed, start_row, stop_row + (1 if last else 0))
        ends = cut(hashes.key)
        if last or not len(hashes) or (ends and ends[-1] == len(hashes)):
            break
    if len(hashes) and (not ends or ends[-1] < len(hashes)):
        ends.append(len(hashes))
    bounds = np.array([0, *ends], dtype=np.int64)
    digests = leaf_hashes(hashes, ends) if ends else np.empty((0, 2), dtype=np.uint64)
    return _Region(addresses, np.diff(bounds), digests, addresses[bounds[:-1]] if ends else addresses[:0]), stop


def _edited(
    store: TableStore, base: Manifest, edits: Edits, fresh: RowHashes, removed: I64, start: int, stop: int
) -> tuple[U64, RowHashes]:
    """Rows `start .. stop` after the edits that fall into them."""
    end = min(stop, base.rows)
    kept = np.ones(end - start, dtype=bool)
    gone = removed[np.searchsorted(removed, start) : np.searchsorted(removed, end)]
    kept[gone - start] = False
    old = base.addresses(start, end)
    first, last = int(np.searchsorted(edits.at, start)), int(np.searchsorted(edits.at, stop))
    numbers = np.arange(first, last, dtype=np.uint64)
    places = np.concatenate([np.arange(start, end)[kept] * 2 + 1, edits.at[first:last] * 2])
    order = np.argsort(places, kind="stable")
    before = hashes_at(store, base.schema, base.sources, old[kept])
    addresses = np.concatenate([old[kept], numbers | _MARK])[order]
    return addresses, RowHashes.concat([before, fresh.slice(first, last)]).take(order)


def _patch(
    store: TableStore, base: Manifest, edits: Edits, fresh: RowHashes, removed: I64
) -> tuple[list[Source], Change]:
    builder = PatchBuilder(store, base, base.schema)
    positions = edits.at - np.searchsorted(removed, edits.at) + np.arange(edits.rows.num_rows)
    rows = np.arange(edits.rows.num_rows)
    builder.changed(edits.rows, fresh, rows, edits.replaces, positions, np.empty(len(rows), dtype=np.uint64))
    builder.deleted(edits.deletes, 0)
    patches = builder.finish()
    change = Change(
        base.digest,
        tuple(p.id for p in patches),
        complete=True,
        inserted=builder.inserted_count,
        updated=builder.updated_count,
        deleted=builder.deleted_count,
    )
    return patches, change


def _joined(
    store: TableStore, base: Manifest, edits: Edits, parts: list[tuple[int, int] | _Region]
) -> tuple[Leaves, Pieces]:
    regions = [part for part in parts if isinstance(part, _Region)]
    keys = iter(
        _first_keys(store, base, edits, np.concatenate([r.firsts for r in regions]))
        if base.schema.key and regions
        else []
    )
    leaves: list[Leaves] = []
    pieces: list[Pieces] = []
    for part in parts:
        if isinstance(part, _Region):
            first_keys = KeyList.of([next(keys) for _ in part.counts]) if base.schema.key else KeyList.of([])
            leaves.append(Leaves(part.counts, part.digests, first_keys))
            pieces.append(_renumbered(pieces_of(part.addresses), len(base.sources)))
        else:
            leaves.append(slice_leaves(base.leaves, *part))
            pieces.append(slice_pieces(base, base.leaf_start(part[0]), base.leaf_start(part[1])))
    return join_leaves(leaves), join_pieces(pieces)


def _renumbered(pieces: Pieces, base_sources: int) -> Pieces:
    """Marked rows are the first patch's, which holds all rows of the edits."""
    source = np.where(pieces.source >= PatchBuilder.MARK, base_sources, pieces.source)
    return Pieces(source, pieces.start, pieces.count)


def _first_keys(store: TableStore, base: Manifest, edits: Edits, firsts: U64) -> list[bytes]:
    marked = firsts >= _MARK
    key_columns = list(base.schema.key)
    old = rows_at(store, base.schema, base.sources, firsts[~marked], key_columns)
    new = edits.rows.select(key_columns).take(pa.array((firsts[marked] - _MARK).astype(np.int64)))
    old_keys, new_keys = iter(encode_keys(old, base.schema)), iter(encode_keys(new, base.schema))
    return [next(new_keys) if mark else next(old_keys) for mark in marked.tolist()]


def place_keys(store: TableStore, base: Manifest, keys: pa.Table) -> tuple[I64, I64]:
    """Per key (key columns by id) the row it has, or -1, and the row before which it stands or would stand."""
    found = find_keys(store, base, keys)
    at = found.copy()
    missing = np.flatnonzero(found < 0)
    if not len(missing):
        return found, at
    if not base.rows:
        return found, np.zeros(len(found), dtype=np.int64)
    encoded = encode_keys(keys.take(pa.array(missing)), base.schema)
    leaf_of = [leaf_of_key(base, key) for key in encoded]
    touched = np.unique(np.array(leaf_of, dtype=np.int64))
    rows = leaf_rows(base, touched)
    present = encode_keys(
        rows_at(store, base.schema, base.sources, addresses_at(base, rows), list(base.schema.key)), base.schema
    )
    counts = base.leaves.counts[touched]
    ends = np.cumsum(counts)
    place = {int(leaf): (int(end - count), int(end)) for leaf, count, end in zip(touched, counts, ends, strict=True)}
    for row, key, leaf in zip(missing.tolist(), encoded, leaf_of, strict=True):
        low, high = place[leaf]
        at[row] = base.leaf_start(leaf) + bisect_left(present, key, low, high) - low
    return found, at
