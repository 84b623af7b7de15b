"""Writing a version from rows in their final order, against an earlier version or from nothing.

The writer cuts leaves, and for each batch of closed leaves decides where its rows live: leaves and rows that the base
has already are named where they lie; long runs of new rows become base chunks; scattered new rows go to the commit's
patch object together with the rows they replace. Memory is bounded by a few batches plus the patch (at most
`PATCH_ROWS` rows, then a further patch begins).
"""

from __future__ import annotations

from concurrent.futures import Executor

import numpy as np
import pyarrow as pa

from dataforge.kernel.texts import Text
from versioned_tables.errors import ImportRefused
from versioned_tables.format.keys import encode_keys
from versioned_tables.format.manifest import (
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
from versioned_tables.hashing.row_hash import RowHashes, hash_rows
from versioned_tables.schema.columns import TableSchema, reads_freely, retyped
from versioned_tables.storage.table_store import TableStore
from versioned_tables.write.matching import BaseMatcher, Batch
from versioned_tables.write.packs import PackWriter
from versioned_tables.write.patch_builder import PatchBuilder

CHUNK_ROWS = 8192
CHUNK_RAW_BYTES = 3 << 20
CHUNK_RUN = 2048
# A leaf is held whole, and may have a few hundred rows.
MOST_LEAF_BYTES = 256 << 20
_CHUNK_MARK = 1 << 29


class TableWriter:
    """Add tables (columns by id, types of the schema, rows in final order), then `finish`.

    In a keyed table the rows come in strictly increasing key order; the caller proves it (see `sorting`).
    `base_leaf` starts the comparison at that leaf of the base and keeps everything before it.
    """

    def __init__(
        self,
        store: TableStore,
        schema: TableSchema,
        *,
        base: Manifest | None = None,
        base_leaf: int = 0,
        pool: Executor | None = None,
    ) -> None:
        self._schema = schema
        usable = base is not None and base.rows and base.schema.keyed_like(schema) and _readable(base.schema, schema)
        self._base = base if usable else None
        self._open: list[tuple[pa.Table, RowHashes]] = []
        self._open_rows = 0
        self._open_bytes = 0
        self._chunk: list[tuple[pa.Table, RowHashes]] = []
        self._chunk_rows = 0
        self._chunk_limit = 0
        self._leaves: list[Leaves] = []
        self._pieces: list[Pieces] = []
        self._packs = PackWriter(store, schema, pool)
        self._rows = 0
        self._matcher: BaseMatcher | None = None
        self._patches: PatchBuilder | None = None
        self._base_digest = base.digest if base is not None else ""
        self._base_rows = base.rows if base is not None else 0
        self._complete = self._base is not None
        if self._base is not None:
            self._matcher = BaseMatcher(store, self._base, schema, first_leaf=base_leaf)
            self._patches = PatchBuilder(store, self._base, schema, pool)
            if base_leaf:
                kept = self._base.leaf_start(base_leaf)
                self._leaves.append(slice_leaves(self._base.leaves, 0, base_leaf))
                self._pieces.append(slice_pieces(self._base, 0, kept))
                self._rows = kept

    @property
    def rows(self) -> int:
        """Rows taken in so far, kept ones included."""
        return self._rows + self._open_rows

    def add(self, table: pa.Table, hashes: RowHashes | None = None) -> None:
        """Take rows that follow the ones before."""
        if not table.num_rows:
            return
        if hashes is None:
            hashes = hash_rows(table, self._schema)
        ends = cut(hashes.key, self._open_rows)
        if not ends:
            self._open.append((table, hashes))
            self._open_rows += table.num_rows
            self._open_bytes += table.nbytes
            if self._open_bytes > MOST_LEAF_BYTES:
                raise ImportRefused(
                    Text(
                        "{open_rows} rows one after the other have more than {most_leaf_bytes} MB; "
                        "cells as large as these are files rather than values.",
                        open_rows=self._open_rows,
                        most_leaf_bytes=MOST_LEAF_BYTES >> 20,
                    )
                )
            return
        stop = ends[-1]
        carried = self._open_rows
        self._open.append((table.slice(0, stop), hashes.slice(0, stop)))
        self._close([end + carried for end in ends])
        if stop < table.num_rows:
            self._open = [(table.slice(stop), hashes.slice(stop, table.num_rows))]
            self._open_rows = table.num_rows - stop

    def finish(self) -> Manifest:
        """The manifest; every object it names is stored when this returns."""
        if self._open_rows:
            self._close([self._open_rows])
        self._flush_chunk()
        if self._matcher is not None and self._patches is not None:
            self._patches.deleted(self._matcher.leftovers(), self._rows)
        made = self._packs.finish()
        base_sources = self._base.sources if self._base is not None else ()
        patches = self._patches.finish() if self._patches is not None else []
        sources = [*base_sources, *made, *patches]
        pieces = join_pieces([self._renumbered(part, len(base_sources), len(made)) for part in self._pieces])
        manifest = Manifest(self._schema, tuple(sources), join_leaves(self._leaves), pieces, self._change(patches))
        return drop_unused(manifest)

    def _change(self, patches: list[Source]) -> Change | None:
        if self._patches is None:
            return (
                Change(self._base_digest, inserted=self._rows, deleted=self._base_rows) if self._base_digest else None
            )
        counts = self._patches
        return Change(
            self._base_digest,
            tuple(p.id for p in patches),
            self._complete,
            counts.inserted_count,
            counts.updated_count,
            counts.deleted_count,
        )

    @staticmethod
    def _renumbered(pieces: Pieces, base: int, made: int) -> Pieces:
        """Placeholders become source indexes: base sources first, then chunks, then patches."""
        source = pieces.source
        source = np.where(source >= PatchBuilder.MARK, source - PatchBuilder.MARK + base + made, source)
        source = np.where((source >= _CHUNK_MARK) & (source < PatchBuilder.MARK), source - _CHUNK_MARK + base, source)
        return Pieces(source, pieces.start, pieces.count)

    def _close(self, ends: list[int]) -> None:
        """Take all open rows, which end with a leaf, out of the buffer."""
        table = pa.concat_tables([part for part, _ in self._open]) if len(self._open) > 1 else self._open[0][0]
        hashes = RowHashes.concat([part for _, part in self._open])
        self._open, self._open_rows, self._open_bytes = [], 0, 0
        digests = leaf_hashes(hashes, ends)
        starts = [0, *ends[:-1]]
        keys = KeyList(b"", np.zeros(1, dtype=np.int64))
        if self._schema.key:
            keys = KeyList.of(encode_keys(table.select(list(self._schema.key)).take(pa.array(starts)), self._schema))
        leaves = Leaves(np.diff(np.array([0, *ends])), digests, keys)
        self._leaves.append(leaves)
        if self._matcher is None:
            self._to_chunks(table, hashes, leaves)
        else:
            self._place(table, hashes, leaves)
        self._rows += table.num_rows

    def _place(self, table: pa.Table, hashes: RowHashes, leaves: Leaves) -> None:
        """Against the base: name what it has, gather the rest."""
        assert self._matcher is not None  # noqa: S101 - narrows the type
        assert self._patches is not None  # noqa: S101 - narrows the type
        last_key = (
            encode_keys(table.select(list(self._schema.key)).slice(table.num_rows - 1), self._schema)[0]
            if self._schema.key
            else None
        )
        found = self._matcher.match(Batch(hashes, leaves, last_key))
        fresh = found.addresses == found.NONE
        whole = self._chunk_runs(fresh, leaves)
        self._complete = self._complete and not whole
        in_runs = np.zeros(len(fresh), dtype=bool)
        for start, stop in whole:
            in_runs[start:stop] = True
        rows = np.flatnonzero(fresh & ~in_runs)
        self._patches.changed(table, hashes, rows, found.replaced, rows + self._rows, found.addresses)
        self._patches.deleted(found.gone, self._rows)
        at = 0
        for start, stop in [*whole, (len(fresh), len(fresh))]:
            if start > at:
                self._flush_chunk()
                self._pieces.append(pieces_of(found.addresses[at:start]))
            if stop > start:
                self._to_chunks(table.slice(start, stop - start), hashes.slice(start, stop), None)
            at = stop
        if whole:
            self._patches.count_unlisted(int((fresh & in_runs).sum()), found.replaced, in_runs)

    @staticmethod
    def _chunk_runs(fresh: np.ndarray, leaves: Leaves) -> list[tuple[int, int]]:
        """Runs of leaves, each mostly new, long enough for a chunk of their own."""
        ends = np.cumsum(leaves.counts)
        new = np.add.reduceat(fresh.astype(np.int64), ends - leaves.counts)
        mostly = np.concatenate([[False], new * 2 > leaves.counts, [False]])
        edges = np.flatnonzero(np.diff(mostly.astype(np.int8)))
        bounds = np.concatenate([[0], ends])
        runs = [(int(bounds[a]), int(bounds[b])) for a, b in zip(edges[::2], edges[1::2], strict=True)]
        return [(a, b) for a, b in runs if b - a >= CHUNK_RUN]

    def _to_chunks(self, table: pa.Table, hashes: RowHashes, leaves: Leaves | None) -> None:
        """Buffer rows; a chunk ends with a leaf whose hash says so, or at the limit."""
        if not self._chunk_limit:
            per_row = max(1, table.nbytes // table.num_rows)
            self._chunk_limit = max(64, min(CHUNK_ROWS, CHUNK_RAW_BYTES // per_row))
        stops = self._chunk_stops(table.num_rows, leaves)
        at = 0
        for stop in stops:
            self._chunk.append((table.slice(at, stop - at), hashes.slice(at, stop)))
            self._chunk_rows += stop - at
            self._flush_chunk()
            at = stop
        if at < table.num_rows:
            self._chunk.append((table.slice(at), hashes.slice(at, table.num_rows)))
            self._chunk_rows += table.num_rows - at

    def _chunk_stops(self, rows: int, leaves: Leaves | None) -> list[int]:
        limit = self._chunk_limit
        if leaves is None:
            first = limit - self._chunk_rows
            return list(range(first, rows + 1, limit)) if first > 0 else [rows]
        stops: list[int] = []
        held = self._chunk_rows
        at = 0
        for count, low in zip(leaves.counts.tolist(), leaves.hashes[:, 0].tolist(), strict=True):
            if held and held + count > limit:
                stops.append(at)
                held = 0
            at += count
            held += count
            if held * 4 >= limit * 3 and low % 8 == 0:
                stops.append(at)
                held = 0
        return [stop for stop in stops if stop > 0] if not (stops and stops[0] == 0) else self._flushed(stops)

    def _flushed(self, stops: list[int]) -> list[int]:
        """The buffer was already full before these rows."""
        self._flush_chunk()
        return stops[1:]

    def _flush_chunk(self) -> None:
        if not self._chunk_rows:
            return
        table = pa.concat_tables([part for part, _ in self._chunk])
        hashes = RowHashes.concat([part for _, part in self._chunk])
        number = _CHUNK_MARK + len(self._packs)
        self._pieces.append(Pieces(np.array([number]), np.array([0]), np.array([self._chunk_rows])))
        self._chunk, self._chunk_rows = [], 0
        self._packs.add(table, hashes)


def _readable(base: TableSchema, schema: TableSchema) -> bool:
    """Whether chunks of the base can stand for rows of the schema, whatever other rows lie in them."""
    return all(reads_freely(old.type, new.type) for old, new in retyped(base, schema))
