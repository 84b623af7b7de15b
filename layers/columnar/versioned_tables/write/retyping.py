"""A version under another schema: rows stay where they lie when their bytes read as the new types, else they are
written anew, each value checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from versioned_tables.format.manifest import Change, Manifest
from versioned_tables.read.rows import scan
from versioned_tables.schema.arrow_types import to_arrow
from versioned_tables.schema.columns import TableSchema, always_fits, hashed_alike, reads_freely, retyped
from versioned_tables.schema.conversion import converted, refusal
from versioned_tables.storage.table_store import TableStore
from versioned_tables.write.sorting import KeySorter
from versioned_tables.write.writer import TableWriter


def with_types(
    store: TableStore,
    base: Manifest,
    schema: TableSchema,
    pool: Executor | None = None,
    folder: Path | None = None,
) -> Manifest:
    """The rows of the base under a schema where some of its columns have other types; columns that are new are null.
    Raises SchemaMismatch with the rows that do not fit, DuplicateKeys.
    """
    pairs = retyped(base.schema, schema)
    moved = any(new.id in schema.key for _, new in pairs)
    whole = all(schema.has(column.id) for column in base.schema.columns)
    lies = all(hashed_alike(old.type, new.type) and reads_freely(old.type, new.type) for old, new in pairs)
    if whole and lies and not moved:
        _check(store, base, schema)
        return replace(base, schema=schema, change=Change(base.digest, complete=True))
    rows = _converted_rows(store, base, schema)
    writer = TableWriter(store, schema, base=base, pool=pool)
    if moved:
        with KeySorter(schema, folder) as sorter:
            for table in rows:
                sorter.add(table)
            for table in sorter.sorted_tables():
                writer.add(table)
    else:
        for table in rows:
            writer.add(table)
    return replace(writer.finish(), change=Change(base.digest))


def _check(store: TableStore, base: Manifest, schema: TableSchema) -> None:
    """Look at the values of which some may not fit."""
    pairs = [(old, new) for old, new in retyped(base.schema, schema) if not always_fits(old.type, new.type)]
    if not pairs:
        return
    row = 1
    for table in scan(store, base, [old.id for old, _ in pairs]):
        for old, new in pairs:
            values = table.column(old.id)
            if converted(values, old.type, new.type) is None:
                raise refusal(new.name, values, old.type, new.type, row)
        row += table.num_rows


def _converted_rows(store: TableStore, base: Manifest, schema: TableSchema) -> Iterator[pa.Table]:
    kept = [column for column in schema.columns if base.schema.has(column.id)]
    row = 1
    for table in scan(store, base, [column.id for column in kept]):
        arrays = []
        for column in schema.columns:
            if not base.schema.has(column.id):
                kind = to_arrow(column.type)
                arrays.append(pa.chunked_array([pa.nulls(table.num_rows, kind)], kind))
                continue
            old = base.schema.by_id(column.id)
            values = table.column(column.id)
            found = converted(values, old.type, column.type)
            if found is None:
                raise refusal(column.name, values, old.type, column.type, row)
            arrays.append(found)
        yield pa.table(arrays, names=[column.id for column in schema.columns])
        row += table.num_rows
