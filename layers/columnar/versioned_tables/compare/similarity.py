"""Which rows of one place are versions of each other, where no key says so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from versioned_tables.compare.alignment import Alignment
from versioned_tables.compare.diff import Difference, common_schema
from versioned_tables.format.manifest import I64, Manifest
from versioned_tables.format.patches import DELETE, INSERT, UPDATE, Operations
from versioned_tables.hashing.row_hash import U64, cell_codes
from versioned_tables.read.rows import addresses_at, rows_at
from versioned_tables.schema.columns import TableSchema
from versioned_tables.storage.table_store import TableStore
from versioned_tables.write.patch_builder import in_order

MOST_COMPARED = 10_000
MOST_GUESSED = 20_000


def cell_matrix(table: pa.Table, schema: TableSchema) -> U64:
    """One row per column, one word per cell; equal values, equal words."""
    empty = np.empty((0, table.num_rows), dtype=np.uint64)
    return np.vstack([empty, *(cell_codes(table.column(column.id), column.id) for column in schema.columns)])


def alike(old: U64, new: U64, least: int = 1) -> list[tuple[int, int]]:
    """Pair rows (columns of the matrices) that have `least` cells in common, those with the most first, then by
    place.
    """
    rows, others = old.shape[1], new.shape[1]
    common = (old[:, :, None] == new[:, None, :]).sum(axis=0)
    apart = np.abs(np.arange(rows)[:, None] - np.arange(others)[None, :])
    found: list[tuple[int, int]] = []
    left, right = set(range(rows)), set(range(others))
    for at in np.lexsort((apart.ravel(), -common.ravel())).tolist():
        one, two = divmod(at, others)
        if one in left and two in right and common[one, two] >= least:
            found.append((one, two))
            left.remove(one)
            right.remove(two)
    return found


def guess_updates(store: TableStore, found: Difference) -> Difference:
    """The difference with rows that were deleted and inserted at one place, and have half of their cells in common,
    as updates. A guess, for people: `guessed` says which. With a key, and of very many rows, it stays as it is.
    """
    schema = common_schema(found.base.schema, found.head.schema)
    ops = found.operations
    gone, come = np.flatnonzero(ops.kind == DELETE), np.flatnonzero(ops.kind == INSERT)
    if schema.key or not len(gone) or not len(come) or max(len(gone), len(come)) > MOST_GUESSED:
        return found
    gone, come = gone[np.argsort(ops.before[gone])], come[np.argsort(ops.after[come])]
    rows = Alignment(ops.before[gone], ops.after[come])
    gone_gaps, come_gaps = rows.gap_of_gone(), rows.gaps()
    gaps = np.intersect1d(gone_gaps, come_gaps)
    old, new = (_cells(store, schema, m, at) for m, at in ((found.base, rows.gone), (found.head, rows.come)))
    pairs: list[tuple[int, int]] = []
    bounds = [np.searchsorted(where, np.stack([gaps, gaps + 1])).tolist() for where in (gone_gaps, come_gaps)]
    for first, stop, start, end in zip(*bounds[0], *bounds[1], strict=True):
        if (stop - first) * (end - start) <= MOST_COMPARED:
            likely = alike(old[:, first:stop], new[:, start:end], max(1, -(-len(schema.columns) // 2)))
            pairs += [(first + left, start + right) for left, right in likely]
    if not pairs:
        return found
    left, right = np.array(pairs, dtype=np.int64).T
    kept = np.setdiff1d(np.arange(len(ops)), np.concatenate([gone[left], come[right]]))
    before, after = rows.gone[left], rows.come[right]
    kind = np.full(len(pairs), UPDATE)
    updates = Operations(kind, after, before, after, before)
    joined = Operations(
        *(
            np.concatenate([getattr(ops, name)[kept], getattr(updates, name)])
            for name in ("kind", "after", "before", "new_position", "old_position")
        )
    )
    return replace(found, operations=in_order(joined), guessed=after)


def _cells(store: TableStore, schema: TableSchema, manifest: Manifest, positions: I64) -> U64:
    table = rows_at(store, schema, manifest.sources, addresses_at(manifest, positions))
    return cell_matrix(table, schema)
