"""Collecting what a commit changes into patch objects, rows before and after."""

from __future__ import annotations

from concurrent.futures import Executor, Future

import numpy as np
import pyarrow as pa

from versioned_tables.format.manifest import EMPTY, I64, Manifest, Source
from versioned_tables.format.patches import DELETE, INSERT, UPDATE, Operations, Patch
from versioned_tables.hashing.pairing import pair_up
from versioned_tables.hashing.row_hash import U64, RowHashes
from versioned_tables.read.rows import GATHERED_CHUNKS, addresses_at, hashes_at, rows_at
from versioned_tables.schema.arrow_types import arrow_schema
from versioned_tables.schema.columns import TableSchema
from versioned_tables.storage.table_store import TableStore

PATCH_ROWS = 131_072
# What a further batch may touch.
_BATCH_CHUNKS = 8
# Rows, and in a table without a key their hashes.
_Before = tuple[pa.Table, RowHashes | None]


class PatchBuilder:
    """Rows go in batch by batch; a patch object is written whenever `PATCH_ROWS` rows are held, and at the end."""

    MARK = 1 << 30

    def __init__(self, store: TableStore, base: Manifest, schema: TableSchema, pool: Executor | None = None) -> None:
        self._store = store
        self._base = base
        self._schema = schema
        self._pool = pool
        self._written: list[Source] = []
        self.inserted_count = 0
        self.updated_count = 0
        self.deleted_count = 0
        self._start()

    def _start(self) -> None:
        self._after: list[pa.Table] = []
        self._hashes: list[RowHashes] = []
        self._wanted: list[U64] = []
        self._wanted_sources: set[int] = set()
        self._before: list[_Before | Future[_Before]] = []
        self._ops: list[I64] = []
        self._after_rows = 0
        self._before_rows = 0

    def changed(
        self, table: pa.Table, hashes: RowHashes, rows: I64, replaced: I64, positions: I64, addresses: U64
    ) -> None:
        """The new rows of a batch: `positions` are their row numbers; writes their future addresses into
        `addresses`.
        """
        if not len(rows):
            return
        if self._after_rows + self._before_rows > PATCH_ROWS:
            self._write()
        self._after.append(_rows_of(table, rows))
        self._hashes.append(hashes.take(rows))
        numbers = self._after_rows + np.arange(len(rows))
        addresses[rows] = (((self.MARK + len(self._written)) << 32) + numbers).view(np.uint64)
        old = replaced[rows]
        updates = old >= 0
        before = np.full(len(rows), -1, dtype=np.int64)
        before[updates] = self._take_before(old[updates])
        kind = np.where(updates, UPDATE, INSERT)
        self._ops.append(np.stack([kind, numbers, before, positions, old]))
        self._after_rows += len(rows)
        self.updated_count += int(updates.sum())
        self.inserted_count += int(len(rows) - updates.sum())

    def deleted(self, positions: I64, offset: int) -> None:
        """Base rows that are gone; `offset` is about where the new version has got to."""
        if not len(positions):
            return
        if self._after_rows + self._before_rows > PATCH_ROWS:
            self._write()
        for start in range(0, len(positions), PATCH_ROWS):
            part = positions[start : start + PATCH_ROWS]
            before = self._take_before(part)
            gone = np.full(len(part), -1, dtype=np.int64)
            self._ops.append(np.stack([np.full(len(part), DELETE), gone, before, np.full(len(part), offset), part]))
            self.deleted_count += len(part)
            if self._before_rows > PATCH_ROWS:
                self._write()

    def count_unlisted(self, fresh: int, replaced: I64, where: np.ndarray) -> None:
        """Rows that went to chunks of their own count, but no patch lists them."""
        updates = int((replaced[where] >= 0).sum())
        self.updated_count += updates
        self.inserted_count += fresh - updates

    def finish(self) -> list[Source]:
        """Write what is held; the patches in order."""
        if self._ops:
            self._write()
        return self._written

    def _take_before(self, positions: I64) -> I64:
        if not len(positions):
            return EMPTY
        addresses = addresses_at(self._base, positions)
        self._wanted.append(addresses)
        self._wanted_sources.update(np.unique(addresses >> np.uint64(32)).tolist())
        if len(self._wanted_sources) >= GATHERED_CHUNKS - _BATCH_CHUNKS:
            self._read_wanted()
        found = self._before_rows + np.arange(len(positions))
        self._before_rows += len(positions)
        return found

    def _read_wanted(self) -> None:
        """Read old rows of many chunks at once: batches end inside of chunks, and each would be decoded twice."""
        if self._wanted:
            addresses = np.concatenate(self._wanted)
            self._wanted, self._wanted_sources = [], set()
            self._before.append(
                self._read_before(addresses) if self._pool is None else self._pool.submit(self._read_before, addresses)
            )

    def _read_before(self, addresses: U64) -> _Before:
        # Whoever found these rows has just read their hashes, so that they are in the cache.
        sources = self._base.sources
        hashes = None if self._schema.key else hashes_at(self._store, self._schema, sources, addresses)
        return rows_at(self._store, self._base.schema, sources, addresses, keep=False), hashes

    def _write(self) -> None:
        self._read_wanted()
        before = [part.result() if isinstance(part, Future) else part for part in self._before]
        before_hashes = RowHashes.concat([hashes for _, hashes in before if hashes is not None])
        hashes = RowHashes.concat(self._hashes)
        operations = self._without_moves(
            in_order(Operations(*np.concatenate(self._ops, axis=1))), hashes, before_hashes
        )
        patch = Patch(
            pa.concat_tables(self._after) if self._after else arrow_schema(self._schema).empty_table(),
            pa.concat_tables([rows for rows, _ in before]) if before else arrow_schema(self._base.schema).empty_table(),
            hashes,
            operations,
            self._schema.signature,
        )
        self._written.append(self._store.put_patch(patch))
        self._start()

    def _without_moves(self, ops: Operations, after: RowHashes, before: RowHashes) -> Operations:
        """Without a key a row that only moved is not a change: equal inserted and deleted rows cancel."""
        if self._schema.key:
            return ops
        new, old = np.flatnonzero(ops.kind == INSERT), np.flatnonzero(ops.kind == DELETE)
        first, second = pair_up(after.low[ops.after[new]], before.low[ops.before[old]])
        if not len(first):
            return ops
        keep = np.ones(len(ops), dtype=bool)
        keep[new[first]] = keep[old[second]] = False
        self.inserted_count -= len(first)
        self.deleted_count -= len(first)
        return Operations(
            *(getattr(ops, name)[keep] for name in ("kind", "after", "before", "new_position", "old_position"))
        )


def _rows_of(table: pa.Table, rows: I64) -> pa.Table:
    """Some rows, ascending. Taken from each chunk for itself: Arrow would join all chunks of the table first."""
    parts = []
    start = 0
    for batch in table.to_batches():
        stop = start + batch.num_rows
        inside = rows[np.searchsorted(rows, start) : np.searchsorted(rows, stop)]
        if len(inside):
            parts.append(batch.take(pa.array(inside - start)))
        start = stop
    return pa.Table.from_batches(parts, table.schema)


def in_order(ops: Operations) -> Operations:
    """Operations as a reader of the new version meets them: by the number of unchanged rows before them, deletions
    first.

    A deletion gets the row number of the new version at which its row would have stood.
    """
    gone = np.sort(ops.old_position[ops.kind == DELETE])
    come = np.sort(ops.new_position[ops.kind == INSERT])
    by_old = ops.old_position - np.searchsorted(gone, ops.old_position)
    by_new = ops.new_position - np.searchsorted(come, ops.new_position)
    rank = np.where(ops.kind == DELETE, by_old, by_new)
    come_ranks = come - np.arange(len(come))
    new_position = np.where(ops.kind == DELETE, rank + np.searchsorted(come_ranks, rank), ops.new_position)
    class_order = np.where(ops.kind == DELETE, 0, np.where(ops.kind == INSERT, 1, 2))
    order = np.lexsort((np.where(ops.kind == DELETE, ops.old_position, ops.new_position), class_order, rank))
    return Operations(
        ops.kind[order], ops.after[order], ops.before[order], new_position[order], ops.old_position[order]
    )
