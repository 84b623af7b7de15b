"""Direct commits: rows inserted, updated and deleted by key; and changes of the schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pyarrow as pa

from dataforge.kernel.texts import Text
from versioned_tables.errors import OperationRefused, SchemaMismatch
from versioned_tables.format.keys import column_from_json, encode_keys, key_table
from versioned_tables.format.manifest import Change, Manifest
from versioned_tables.read.rows import rows_at_positions, scan
from versioned_tables.schema.columns import Column, TableSchema, normal_type, retyped
from versioned_tables.schema.names import require_distinct
from versioned_tables.storage.table_store import TableStore
from versioned_tables.write.edits import Edits, apply_edits, place_keys
from versioned_tables.write.loading import append
from versioned_tables.write.retyping import with_types
from versioned_tables.write.writer import TableWriter

MOST_OPERATIONS = 10_000


@dataclass(frozen=True, slots=True)
class RowOperation:
    """One change. `values` are cells by column name; an insert carries its key in them, update and delete name it
    in `key`.
    """

    op: Literal["insert", "update", "delete"]
    key: Mapping[str, object] = field(default_factory=dict)
    values: Mapping[str, object] = field(default_factory=dict)


def apply_operations(store: TableStore, base: Manifest, operations: Sequence[RowOperation]) -> Manifest:
    """The version after the operations, all or nothing. Raises OperationRefused naming the operation (from 1) that
    cannot be done.
    """
    schema = base.schema
    if not 1 <= len(operations) <= MOST_OPERATIONS:
        raise OperationRefused(
            Text(
                "A direct commit has 1 to {most_operations} operations; import a file for more.",
                most_operations=MOST_OPERATIONS,
            )
        )
    for number, operation in enumerate(operations, 1):
        _check_columns(operation, schema, number)
    if not schema.key:
        return _insert_only(store, base, operations)
    keys = key_table([_key_of(operation, schema, number) for number, operation in enumerate(operations, 1)], schema)
    for column in schema.key_columns:
        if keys.column(column.id).null_count:
            raise OperationRefused(Text("Key column {name!r} is null in one of the operations.", name=column.name))
    encoded = encode_keys(keys, schema)
    if len(set(encoded)) != len(encoded):
        raise OperationRefused(Text("Two operations name the same key; put them into one."))
    found, at = place_keys(store, base, keys)
    _check_presence(operations, found)
    return apply_edits(store, base, _edits(store, base, operations, np.array(found), np.array(at), encoded))


def _check_columns(operation: RowOperation, schema: TableSchema, number: int) -> None:
    for name in (*operation.key, *operation.values):
        if schema.by_name(name) is None:
            raise OperationRefused(
                Text(
                    "Operation {number} names a column {name!r} that the table does not have.", number=number, name=name
                )
            )
    if operation.op == "update" and any(
        operation.values.get(c.name, operation.key.get(c.name)) != operation.key.get(c.name) for c in schema.key_columns
    ):
        raise OperationRefused(
            Text("Operation {number} changes the key; delete the row and insert it anew.", number=number)
        )


def _key_of(operation: RowOperation, schema: TableSchema, number: int) -> list[object]:
    named = {**operation.values, **operation.key} if operation.op == "insert" else operation.key
    missing = [column.name for column in schema.key_columns if column.name not in named]
    if missing:
        raise OperationRefused(
            Text("Operation {number} lacks the key column {missing!r}.", number=number, missing=missing[0])
        )
    return [named[column.name] for column in schema.key_columns]


def _check_presence(operations: Sequence[RowOperation], found: np.ndarray) -> None:
    for number, (operation, row) in enumerate(zip(operations, found.tolist(), strict=True), 1):
        if operation.op == "insert" and row >= 0:
            raise OperationRefused(Text("Operation {number} inserts a key that is there already.", number=number))
        if operation.op != "insert" and row < 0:
            raise OperationRefused(
                Text("Operation {number}: there is no row with key {key}.", number=number, key=dict(operation.key))
            )


def _edits(
    store: TableStore,
    base: Manifest,
    operations: Sequence[RowOperation],
    found: np.ndarray,
    at: np.ndarray,
    encoded: Sequence[bytes],
) -> Edits:
    schema = base.schema
    order = sorted((i for i, operation in enumerate(operations) if operation.op != "delete"), key=lambda i: encoded[i])
    old = rows_at_positions(store, base, np.array([found[i] for i in order if found[i] >= 0], dtype=np.int64))
    place = {i: row for row, i in enumerate(i for i in order if found[i] >= 0)}
    arrays = []
    for column in schema.columns:
        fresh = [i for i in order if i not in place or column.name in operations[i].values]
        values = column_from_json(
            [{**operations[i].values, **operations[i].key}.get(column.name) for i in fresh], column
        )
        if not column.nullable and values.null_count:
            raise OperationRefused(Text("Column {name!r} may not be null.", name=column.name))
        both = pa.chunked_array([*old.column(column.id).chunks, values])
        new_at = {i: len(place) + row for row, i in enumerate(fresh)}
        arrays.append(both.take(pa.array([new_at.get(i, place.get(i, 0)) for i in order], pa.int64())))
    rows = pa.table(arrays, names=[column.id for column in schema.columns])
    picks = np.array(order, dtype=np.int64)
    gone = np.sort(
        np.array([found[i] for i, operation in enumerate(operations) if operation.op == "delete"], dtype=np.int64)
    )
    return Edits(rows, at[picks], found[picks], gone)


def _insert_only(store: TableStore, base: Manifest, operations: Sequence[RowOperation]) -> Manifest:
    if any(operation.op != "insert" for operation in operations):
        raise OperationRefused(
            Text("Rows of a table without a key can be inserted, but not updated or deleted one by one.")
        )
    arrays = [
        column_from_json([operation.values.get(c.name) for operation in operations], c) for c in base.schema.columns
    ]
    table = pa.table(arrays, names=[c.id for c in base.schema.columns])
    return append(store, base.schema, [(table, None)], base, None)


def change_schema(
    store: TableStore,
    base: Manifest,
    *,
    renames: Mapping[str, str] | None = None,
    types: Mapping[str, str] | None = None,
    drop: Sequence[str] = (),
    add: Sequence[tuple[str, str]] = (),
    order: Sequence[str] = (),
) -> Manifest:
    """Rename, retype, drop, add and reorder columns (all by their present names). Stored rows stay where they are.

    Raises SchemaMismatch on unknown or repeated names, on dropping a key column, and when a value does not fit the new
    type.
    """
    schema = _changed(base.schema, dict(renames or {}), dict(types or {}), set(drop), add, order)
    if retyped(base.schema, schema):
        return with_types(store, base, schema)
    if base.schema.hashes_within(schema):
        return replace(base, schema=schema, change=Change(base.digest, complete=True))
    writer = TableWriter(store, schema, base=base)
    for table in scan(store, replace(base, schema=schema)):
        writer.add(table)
    return writer.finish()


def _changed(
    schema: TableSchema,
    renames: dict[str, str],
    types: dict[str, str],
    drop: set[str],
    add: Sequence[tuple[str, str]],
    order: Sequence[str],
) -> TableSchema:
    unknown = [name for name in (*renames, *types, *drop) if schema.by_name(name) is None]
    if unknown:
        raise SchemaMismatch(Text("There is no column {unknown!r}.", unknown=unknown[0]))
    keys = {column.name for column in schema.key_columns}
    if keys & (drop | set(types)):
        raise SchemaMismatch(
            Text(
                "A key column can be renamed, but neither dropped nor retyped; import the table anew with another key."
            )
        )
    columns = [
        Column(c.id, renames.get(c.name, c.name), normal_type(types.get(c.name, c.type)), c.nullable)
        for c in schema.columns
        if c.name not in drop
    ]
    changed = TableSchema(tuple(columns), schema.key).after(schema).with_new(add)
    names = changed.names
    require_distinct(names, "columns")
    if not order:
        return changed
    if sorted(order) != sorted(names):
        raise SchemaMismatch(Text("The order must name every column once."))
    place = {name: at for at, name in enumerate(order)}
    return replace(changed, columns=tuple(sorted(changed.columns, key=lambda column: place[column.name])))
