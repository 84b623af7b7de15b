"""Finding the rows of a new version in an earlier one while the new rows stream by.

Example, keyed, one leaf: the base is 1a 2b 3c 4d 5e, the new rows are 1a 2b 3C 4d 6f. The leaves have other hashes, so
the base's five rows go into the pool. By key and row hash 1a, 2b and 4d get the base's addresses and are not stored
again; 3C has the key of 3c and other values, so `replaced` says base row 2; 6f is new; 5e is left over: deleted.
Without a key rows are found by their hash alone: 3C and 6f are new, 3c and 5e are left over.
"""

from __future__ import annotations

from bisect import bisect_right
from concurrent.futures import Future
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from versioned_tables.format.manifest import EMPTY, I64, Leaves, Manifest
from versioned_tables.hashing.pairing import pair_up
from versioned_tables.hashing.row_hash import U64, RowHashes
from versioned_tables.read.rows import addresses_at, hashes_at, leaf_rows
from versioned_tables.schema.columns import TableSchema
from versioned_tables.storage.table_store import TableStore

_POOL_ROWS = 200_000
_AHEAD = 16


@dataclass(frozen=True, slots=True)
class Batch:
    """Closed leaves in row order: their rows' hashes, the leaves, and in keyed tables the encoded key of the last
    row.
    """

    hashes: RowHashes
    leaves: Leaves
    last_key: bytes | None


@dataclass(frozen=True, slots=True)
class Found:
    """Per row of a batch the physical address in the base or `NONE`; rows of the base that a new row replaces (same
    key, other values), as base row number or -1; and base row numbers that are surely gone."""

    NONE: ClassVar[np.uint64] = np.uint64(0xFFFFFFFFFFFFFFFF)
    addresses: U64
    replaced: I64
    gone: I64


class _HashesAhead:
    """Has the hashes of the next chunks read while rows come, once two batches have wanted neighbours: edits all over a
    table want those of every chunk, a single edit those of one.
    """

    def __init__(self, store: TableStore, base: Manifest, schema: TableSchema) -> None:
        self._store = store
        self._schema = schema
        used, firsts = np.unique(base.pieces.source, return_index=True)
        order = [at for at in used[np.argsort(firsts)].tolist() if base.sources[at].place is not None]
        self._chunks = [base.sources[at] for at in order]
        self._rank = np.full(len(base.sources), -1, dtype=np.int64)
        self._rank[order] = np.arange(len(order))
        self._wanted = -2
        self._read = 0
        self._coming: Future[list[RowHashes]] | None = None

    def want(self, addresses: U64) -> None:
        """These are about to be read; waits for what is under way of them."""
        ranks = self._rank[np.unique(addresses >> np.uint64(32)).astype(np.int64)]
        first, last = int(ranks.min(initial=len(self._chunks), where=ranks >= 0)), int(ranks.max())
        if last < 0:
            return
        neighbours = 0 <= self._wanted <= first <= self._wanted + 1
        self._wanted = last
        if not neighbours:
            self._read = max(self._read, last + 1)
            return
        while self._read <= min(last + _AHEAD, len(self._chunks) - 1):
            if self._coming is not None:
                self._coming.result()
            near = self._chunks[self._read : self._read + _AHEAD]
            self._coming = self._store.read_ahead(near, self._schema)
            self._read += _AHEAD


class BaseMatcher:
    """Walks the base beside the new rows: equal leaves first, then equal rows among the leaves that differ."""

    def __init__(self, store: TableStore, base: Manifest, schema: TableSchema, *, first_leaf: int = 0) -> None:
        self._store = store
        self._base = base
        self._schema = schema
        self._keyed = bool(schema.key)
        self._next = first_leaf
        self._pool: I64 = EMPTY
        self._pool_hashes = RowHashes(*(np.empty(0, dtype=np.uint64) for _ in range(3)))
        self._comparable = base.schema.signature == schema.signature
        self._ahead = _HashesAhead(store, base, schema)
        self._by_hash: dict[tuple[int, int], list[int]] = {}
        if self._comparable:
            for at, pair in enumerate(base.leaves.hashes.tolist()):
                self._by_hash.setdefault((pair[0], pair[1]), []).append(at)

    def match(self, batch: Batch) -> Found:
        """Addresses of the batch's rows; every batch continues where the one before ended."""
        counts = batch.leaves.counts
        addresses = np.full(len(batch.hashes), Found.NONE, dtype=np.uint64)
        partners = self._equal_leaves(batch.leaves)
        known = partners >= 0
        addresses[np.repeat(known, counts)] = addresses_at(self._base, leaf_rows(self._base, partners[known]))
        self._load(batch, partners[known], int(counts[~known].sum()))
        todo = np.flatnonzero(addresses == Found.NONE)
        replaced = np.full(len(batch.hashes), -1, dtype=np.int64)
        self._equal_rows(batch.hashes, todo, addresses, replaced)
        return Found(addresses, replaced, self._surely_gone())

    def leftovers(self) -> I64:
        """Base rows that nothing matched, once all new rows have been seen."""
        rest = leaf_rows(self._base, np.arange(self._next, len(self._base.leaves)))
        self._next = len(self._base.leaves)
        found = np.concatenate([self._pool, rest])
        self._pool = EMPTY
        return found

    def _equal_leaves(self, leaves: Leaves) -> I64:
        """Per new leaf the base leaf with the same hash, in increasing order, or -1."""
        at = self._next
        partners: list[int] = []
        for low, high in leaves.hashes.tolist():
            places = self._by_hash.get((low, high), [])
            place = bisect_right(places, at - 1)
            if place < len(places) and (self._keyed or places[place] - at < 4096):
                at = places[place] + 1
                partners.append(places[place])
            else:
                partners.append(-1)
        return np.array(partners, dtype=np.int64)

    def _load(self, batch: Batch, known: I64, fresh: int) -> None:
        """Put the rows of passed base leaves without a partner into the pool."""
        if batch.last_key is not None:
            end = bisect_right(self._base.leaves.first_keys, batch.last_key)
        else:
            end = int(known[-1]) + 1 if len(known) else self._next
            room = fresh + 1024
            while room > 0 and end < len(self._base.leaves) and fresh:
                room -= int(self._base.leaves.counts[end])
                end += 1
        end = max(end, self._next)
        passed = np.setdiff1d(np.arange(self._next, end), known, assume_unique=True)
        self._next = end
        if not len(passed):
            return
        rows = leaf_rows(self._base, passed)
        addresses = addresses_at(self._base, rows)
        if self._comparable:
            self._ahead.want(addresses)
        hashes = hashes_at(self._store, self._schema, self._base.sources, addresses)
        self._pool = np.concatenate([self._pool, rows])
        self._pool_hashes = RowHashes.concat([self._pool_hashes, hashes])

    def _equal_rows(self, hashes: RowHashes, todo: I64, addresses: U64, replaced: I64) -> None:
        pool = self._pool_hashes
        mine, theirs = pair_up((hashes.key if self._keyed else hashes.low)[todo], pool.key if self._keyed else pool.low)
        if not len(mine):
            return
        rows = todo[mine]
        same = (hashes.low[rows] == pool.low[theirs]) & (hashes.high[rows] == pool.high[theirs])
        addresses[rows[same]] = addresses_at(self._base, self._pool[theirs[same]])
        used = np.zeros(len(pool), dtype=bool)
        used[theirs[same]] = True
        if self._keyed:
            replaced[rows[~same]] = self._pool[theirs[~same]]
            used[theirs] = True
        keep = np.flatnonzero(~used)
        self._pool, self._pool_hashes = self._pool[keep], pool.take(keep)

    def _surely_gone(self) -> I64:
        """Base rows that no later row can match: in keyed tables all but the last loaded leaf's, else what
        overflows the pool.
        """
        if self._keyed:
            bound = self._base.leaf_start(self._next - 1) if self._next else 0
            gone = self._pool < bound
        else:
            gone = np.arange(len(self._pool)) < len(self._pool) - _POOL_ROWS
        found = self._pool[gone]
        self._pool, self._pool_hashes = self._pool[~gone], self._pool_hashes.take(np.flatnonzero(~gone))
        return found
