"""From typed tables in file order to a manifest: the three modes of an import, with and without a key."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from versioned_tables.format.keys import encode_keys, strictly_increasing
from versioned_tables.format.manifest import EMPTY, Change, Manifest
from versioned_tables.hashing.row_hash import RowHashes, key_hashes
from versioned_tables.read.rows import read_range, scan
from versioned_tables.schema.arrow_types import conform
from versioned_tables.schema.columns import TableSchema
from versioned_tables.storage.table_store import TableStore
from versioned_tables.write.edits import Edits, apply_edits, place_keys
from versioned_tables.write.sorting import KeySorter, duplicate_keys
from versioned_tables.write.writer import TableWriter

Hashed = tuple[pa.Table, RowHashes | None]
_SMALL_UPSERT = 65_536


def replace_sorted(
    store: TableStore, schema: TableSchema, rows: Iterable[Hashed], base: Manifest | None, pool: Executor | None
) -> Manifest | None:
    """A version that is exactly these rows; None as soon as rows of a keyed table do not come in key order."""
    writer = TableWriter(store, schema, base=base, pool=pool)
    last = b""
    for table, hashes in rows:
        if schema.key and table.num_rows:
            keys = table.select(list(schema.key))
            ends = encode_keys(pa.concat_tables([keys.slice(0, 1), keys.slice(table.num_rows - 1)]), schema)
            if ends[0] <= last or not strictly_increasing(keys, schema):
                return None
            last = ends[1]
        writer.add(table, hashes)
    return writer.finish()


def replace_sorting(
    store: TableStore,
    schema: TableSchema,
    rows: Iterable[Hashed],
    base: Manifest | None,
    pool: Executor | None,
    folder: Path | None = None,
) -> Manifest:
    """The same for rows in any order; raises DuplicateKeys."""
    with KeySorter(schema, folder) as sorter:
        for table, _ in rows:
            sorter.add(table)
        writer = TableWriter(store, schema, base=base, pool=pool)
        for table in sorter.sorted_tables():
            writer.add(table)
        return writer.finish()


def append(
    store: TableStore,
    schema: TableSchema,
    rows: Iterable[Hashed],
    base: Manifest,
    pool: Executor | None,
    folder: Path | None = None,
) -> Manifest:
    """The base and then these rows. With a key the rows must be new; raises DuplicateKeys."""
    if schema.key:
        return upsert(store, schema, rows, base, pool, folder, only_new=True)
    if not base.rows or not base.schema.hashes_within(schema):
        old = ((conform(part, schema), None) for part in scan(store, replace(base, schema=schema)))
        writer = TableWriter(store, schema, base=base, pool=pool)
        for table, hashes in chain(old, rows):
            writer.add(table, hashes)
        return writer.finish()
    last = len(base.leaves) - 1
    seen = replace(base, schema=schema)
    writer = TableWriter(store, schema, base=seen, base_leaf=last, pool=pool)
    writer.add(read_range(store, seen, base.leaf_start(last), base.rows))
    for table, hashes in rows:
        writer.add(table, hashes)
    return writer.finish()


def upsert(
    store: TableStore,
    schema: TableSchema,
    rows: Iterable[Hashed],
    base: Manifest,
    pool: Executor | None,
    folder: Path | None = None,
    *,
    only_new: bool = False,
) -> Manifest:
    """The base with these rows put in by key. Raises DuplicateKeys when a key comes twice, or is there and
    `only_new`.
    """
    with KeySorter(schema, folder) as sorter:
        for table, _ in rows:
            sorter.add(table)
        incoming = sorter.sorted_tables()
        small = sorter.rows <= _SMALL_UPSERT and base.rows
        if (
            small
            and base.schema.hashes_within(schema)
            and all(base.schema.by_id(c.id).type == c.type for c in schema.key_columns)
        ):
            parts = list(incoming)
            table = pa.concat_tables(parts) if parts else None
            seen = replace(base, schema=schema)
            if table is None:
                return replace(seen, change=Change(base.digest, complete=True))
            return _edit(store, seen, table, only_new=only_new)
        merged = _merged(store, replace(base, schema=schema), incoming, schema, only_new=only_new)
        writer = TableWriter(store, schema, base=base, pool=pool)
        for table in merged:
            writer.add(table)
        return writer.finish()


def _edit(store: TableStore, base: Manifest, table: pa.Table, *, only_new: bool) -> Manifest:
    found, at = place_keys(store, base, table.select(list(base.schema.key)))
    _refuse_known(table, base.schema, np.flatnonzero(found >= 0), only_new=only_new)
    return apply_edits(store, base, Edits(table, at, found, EMPTY))


def _refuse_known(table: pa.Table, schema: TableSchema, rows: np.ndarray, *, only_new: bool) -> None:
    if only_new and len(rows):
        keys = table.select(list(schema.key)).take(pa.array(rows[:100]))
        raise duplicate_keys([list(row.values()) for row in keys.to_pylist()], schema)


def _merged(
    store: TableStore, base: Manifest, incoming: Iterator[pa.Table], schema: TableSchema, *, only_new: bool
) -> Iterator[pa.Table]:
    """Base and incoming rows in key order, the incoming ones winning."""
    order = [(identity, "ascending") for identity in schema.key]
    pending: list[pa.Table] = []
    held = 0
    done = False
    for old in scan(store, base):
        last = encode_keys(old.select(list(schema.key)).slice(old.num_rows - 1), schema)[0]
        while not done and (not pending or _last_key(pending[-1], schema) <= last):
            part = next(incoming, None)
            done = part is None
            if part is not None:
                pending.append(part)
                held += part.num_rows
        ready, pending = _split(pending, last, schema)
        if ready is None:
            yield old
            continue
        clash = np.isin(key_hashes(old, schema), key_hashes(ready, schema))
        _refuse_known(old, schema, np.flatnonzero(clash), only_new=only_new)
        both = pa.concat_tables([old.filter(pa.array(~clash)), ready])
        yield both.take(pc.sort_indices(both, sort_keys=order))
    yield from pending
    yield from incoming


def _last_key(table: pa.Table, schema: TableSchema) -> bytes:
    return encode_keys(table.select(list(schema.key)).slice(table.num_rows - 1), schema)[0]


def _split(pending: list[pa.Table], last: bytes, schema: TableSchema) -> tuple[pa.Table | None, list[pa.Table]]:
    """Incoming rows up to a key, and the rest."""
    if not pending:
        return None, []
    table = pa.concat_tables(pending)
    keys = encode_keys(table.select(list(schema.key)), schema)
    at = bisect_right(keys, last)
    rest = [table.slice(at)] if at < table.num_rows else []
    return (table.slice(0, at) if at else None), rest
