"""Rows of a version: pages, scans, rows at given positions, hashes of rows, rows by key."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from versioned_tables.format.keys import encode_keys, key_table
from versioned_tables.format.manifest import EMPTY, I64, Manifest, Source, slice_pieces
from versioned_tables.hashing.row_hash import U64, RowHashes, key_hashes
from versioned_tables.schema.arrow_types import arrow_schema, conform
from versioned_tables.schema.columns import TableSchema
from versioned_tables.storage.table_store import TableStore

SCAN_ROWS = 65_536
SCAN_CHUNKS = 16
# About 3 MB each when decoded.
GATHERED_CHUNKS = 32
# 24 bytes a row, so that a batch is a dozen megabytes: several requests at a time, and no second copy of a large table.
_HASHED_CHUNKS = 64
_LOW32 = np.uint64(0xFFFFFFFF)


def read_range(
    store: TableStore,
    manifest: Manifest,
    start: int,
    stop: int,
    columns: Sequence[str] | None = None,
    *,
    keep: bool = True,
) -> pa.Table:
    """Rows `start .. stop` (cut to the version) as the schema sees them, columns by id; `keep` as in
    `TableStore.rows`.
    """
    start, stop = max(0, start), min(manifest.rows, stop)
    wanted = list(columns) if columns is not None else [column.id for column in manifest.schema.columns]
    if stop <= start:
        return conform(arrow_schema(manifest.schema).empty_table(), manifest.schema, wanted)
    pieces = slice_pieces(manifest, start, stop)
    used = np.unique(pieces.source).tolist()
    loaded = dict(zip(used, store.rows([manifest.sources[at] for at in used], wanted, keep=keep), strict=True))
    seen: dict[int, pa.Table] = {}
    parts = []
    for source, begin, count in zip(pieces.source.tolist(), pieces.start.tolist(), pieces.count.tolist(), strict=True):
        if len(pieces) > 4:
            if source not in seen:
                seen[source] = conform(loaded[source], manifest.schema, wanted)
            parts.append(seen[source].slice(begin, count))
        else:
            parts.append(conform(loaded[source].slice(begin, count), manifest.schema, wanted))
    return pa.concat_tables(parts) if len(parts) > 1 else parts[0]


def scan(
    store: TableStore,
    manifest: Manifest,
    columns: Sequence[str] | None = None,
    *,
    rows: int = SCAN_ROWS,
    start: int = 0,
    stop: int | None = None,
    keep: bool = True,
) -> Iterator[pa.Table]:
    """The rows in order, a window at a time; memory is bounded by that and the cache.

    `keep` as in `TableStore.rows`.
    """
    last = manifest.rows if stop is None else min(stop, manifest.rows)
    for first, end in windows(manifest, start, last, rows):
        yield read_range(store, manifest, first, end, columns, keep=keep)


def windows(manifest: Manifest, start: int, stop: int, rows: int = SCAN_ROWS) -> Iterator[tuple[int, int]]:
    """Ranges one after the other of at most `rows` rows and about `SCAN_CHUNKS` chunks.

    Rows of 50 KB lie 64 to a chunk: 65,536 of them at once would be 3 GB.
    """
    sizes = np.array([max(1, source.rows) for source in manifest.sources], dtype=np.float64)
    ends = np.concatenate([[0], manifest.piece_ends])
    chunks = np.concatenate([[0.0], np.cumsum(manifest.pieces.count / sizes[manifest.pieces.source])])
    while start < stop:
        limit = np.interp(np.interp(start, ends, chunks) + SCAN_CHUNKS, chunks, ends)
        end = min(stop, start + rows, max(start + 1, int(limit)))
        yield start, end
        start = end


def rows_at(
    store: TableStore,
    schema: TableSchema,
    sources: Sequence[Source],
    addresses: U64,
    columns: Sequence[str] | None = None,
    *,
    keep: bool = True,
) -> pa.Table:
    """Rows at physical addresses, in the order of the addresses; `keep` as in `TableStore.rows`."""
    wanted = list(columns) if columns is not None else [column.id for column in schema.columns]
    if not len(addresses):
        return conform(arrow_schema(schema).empty_table(), schema, wanted)
    source, row = (addresses >> np.uint64(32)).astype(np.int64), (addresses & _LOW32).astype(np.int64)
    order = np.argsort(source, kind="stable")
    used, firsts = np.unique(source[order], return_index=True)
    ends = np.append(firsts[1:], len(order))

    picks = (row[order[start:end]] for start, end in zip(firsts, ends, strict=True))
    loaded = (
        table
        for group in _groups([sources[at] for at in used.tolist()])
        for table in store.each(group, wanted, keep=keep, coded=True)
    )
    gathered = pa.concat_tables(
        [conform(_taken(table, pick), schema, wanted) for table, pick in zip(loaded, picks, strict=True)]
    )
    if len(used) == 1 or np.array_equal(order, np.arange(len(order))):
        return gathered
    back = np.empty(len(order), dtype=np.int64)
    back[order] = np.arange(len(order))
    return gathered.take(pa.array(back))


def _taken(table: pa.Table, rows: I64) -> pa.Table:
    # Taking from a table without columns forgets how many rows were taken: all that is asked for came after the chunk.
    if not table.num_columns:
        return pa.table({"": pa.nulls(len(rows))})
    taken = table.take(pa.array(rows))
    for at, field in enumerate(taken.schema):
        if pa.types.is_dictionary(field.type):
            taken = taken.set_column(at, field.name, taken.column(at).cast(field.type.value_type))
    return taken


def _groups(sources: Sequence[Source]) -> Iterator[Sequence[Source]]:
    """Sources in order, as many at a time as may be held decoded."""
    return (sources[at : at + GATHERED_CHUNKS] for at in range(0, len(sources), GATHERED_CHUNKS))


def hashes_at(store: TableStore, schema: TableSchema, sources: Sequence[Source], addresses: U64) -> RowHashes:
    """Row hashes at physical addresses, as `schema` sees the rows."""
    low, high, key = (np.empty(len(addresses), dtype=np.uint64) for _ in range(3))
    runs = _runs_by_source(addresses)

    for start in range(0, len(runs), _HASHED_CHUNKS):
        part = runs[start : start + _HASHED_CHUNKS]
        for (_, here, rows), found in zip(part, store.hashes([sources[at] for at, _, _ in part], schema), strict=True):
            low[here], high[here], key[here] = found.low[rows], found.high[rows], found.key[rows]
    return RowHashes(low, high, key)


def _runs_by_source(addresses: U64) -> list[tuple[int, slice | I64, I64]]:
    """Per source its index, the places in `addresses` that lie in it, and the rows there."""
    source, row = (addresses >> np.uint64(32)).astype(np.int64), (addresses & _LOW32).astype(np.int64)
    if not len(source):
        return []
    order = None if (source[1:] >= source[:-1]).all() else np.argsort(source, kind="stable")
    ordered = source if order is None else source[order]
    firsts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])).tolist()
    runs: list[tuple[int, slice | I64, I64]] = []
    for start, stop in zip(firsts, [*firsts[1:], len(source)], strict=True):
        here: slice | I64 = slice(start, stop) if order is None else order[start:stop]
        runs.append((int(ordered[start]), here, row[here]))
    return runs


def rows_at_positions(
    store: TableStore, manifest: Manifest, positions: I64, columns: Sequence[str] | None = None
) -> pa.Table:
    """Rows at row numbers of the version, in that order."""
    return rows_at(store, manifest.schema, manifest.sources, addresses_at(manifest, positions), columns)


def addresses_at(manifest: Manifest, positions: I64) -> U64:
    """Physical addresses of row numbers."""
    if not len(positions):
        return np.empty(0, dtype=np.uint64)
    ends = manifest.piece_ends
    piece = np.searchsorted(ends, positions, side="right")
    offset = positions - (ends[piece] - manifest.pieces.count[piece])
    found: U64 = ((manifest.pieces.source[piece] << 32) + manifest.pieces.start[piece] + offset).view(np.uint64)
    return found


def leaf_of_key(manifest: Manifest, encoded: bytes) -> int:
    """The leaf that holds or would hold the key."""
    return max(0, bisect_right(manifest.leaves.first_keys, encoded) - 1)


def find_keys(store: TableStore, manifest: Manifest, keys: pa.Table) -> I64:
    """Row numbers of keys (a table of the key columns by id), -1 where the version has no such row."""
    if not manifest.rows or not keys.num_rows:
        return np.full(keys.num_rows, -1, dtype=np.int64)
    wanted = key_hashes(keys, manifest.schema)
    leaves = np.fromiter(
        (leaf_of_key(manifest, key) for key in encode_keys(keys, manifest.schema)), dtype=np.int64, count=keys.num_rows
    )
    positions = leaf_rows(manifest, np.unique(leaves))
    present = hashes_at(store, manifest.schema, manifest.sources, addresses_at(manifest, positions)).key
    order = np.argsort(present, kind="stable")
    at = np.minimum(np.searchsorted(present, wanted, sorter=order), len(present) - 1)
    hit = present[order[at]] == wanted
    return np.where(hit, positions[order[at]], -1)


def leaf_rows(manifest: Manifest, leaves: I64) -> I64:
    """Row numbers of all rows of some leaves, in order of the leaves."""
    if not len(leaves):
        return EMPTY
    counts = manifest.leaves.counts[leaves]
    starts = manifest.leaf_ends[leaves] - counts
    before = np.cumsum(counts) - counts
    found: I64 = np.repeat(starts - before, counts) + np.arange(int(counts.sum()))
    return found


def row_by_key(store: TableStore, manifest: Manifest, key: Sequence[object]) -> int | None:
    """The row number of one key given as JSON values; None when there is no such row. Raises OperationRefused on a
    value that fits no key.
    """
    at = int(find_keys(store, manifest, key_table([key], manifest.schema))[0])
    return None if at < 0 else at
