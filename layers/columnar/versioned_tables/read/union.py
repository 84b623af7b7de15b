"""Two versions over the union of their columns, where a column that a version lacks reads as null.

Null adds nothing to a row hash. So a version's own row hashes are those over the union, and equal leaves have equal
rows, whatever columns came or went; only a column whose hash family changed has to be hashed anew, in the type that
both versions are compared in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from versioned_tables.format.manifest import I64, Manifest
from versioned_tables.hashing.row_hash import U64, RowHashes, hash_rows
from versioned_tables.read.rows import (
    SCAN_ROWS,
    addresses_at,
    hashes_at,
    rows_at,
    rows_at_positions,
)
from versioned_tables.schema.arrow_types import arrow_schema, from_arrow, to_arrow, widen
from versioned_tables.schema.columns import Column, TableSchema, common_type, kind_of
from versioned_tables.storage.table_store import TableStore


def restricted(manifest: Manifest, schema: TableSchema) -> Manifest:
    """The version with only those of its columns that `schema` has, in its own types."""
    columns = tuple(column for column in manifest.schema.columns if schema.has(column.id))
    if len(columns) == len(manifest.schema.columns):
        return manifest
    return replace(manifest, schema=replace(manifest.schema, columns=columns))


def compared_types(schema: TableSchema, *others: TableSchema) -> TableSchema:
    """The schema with each column in the narrowest type that holds its values in all of the versions."""
    columns: list[Column] = []
    for column in schema.columns:
        type_ = column.type
        for other in others:
            if other.has(column.id):
                type_ = common_type(type_, other.by_id(column.id).type)
        columns.append(replace(column, type=type_) if type_ != column.type else column)
    return replace(schema, columns=tuple(columns))


def hashes_in(store: TableStore, manifest: Manifest, schema: TableSchema, positions: I64) -> RowHashes:
    """Row hashes of a version with its columns in the types of `schema`: the stored ones where the families are the
    same.
    """
    own = manifest.schema
    if all(kind_of(column.type) == kind_of(schema.by_id(column.id).type) for column in own.columns):
        return hashes_at(store, own, manifest.sources, addresses_at(manifest, positions))
    parts = [
        hash_rows(rows_in(store, manifest, schema, positions[start : start + SCAN_ROWS]), schema)
        for start in range(0, len(positions), SCAN_ROWS)
    ]
    return RowHashes.concat(parts)


def rows_in(store: TableStore, manifest: Manifest, schema: TableSchema, positions: I64) -> pa.Table:
    """Rows of a version, read as it has them and then in the columns and types of `schema`; null where it has no such
    column. Raises ArrowInvalid on a value that the type does not hold.
    """
    known = [column.id for column in schema.columns if manifest.schema.has(column.id)]
    rows = rows_at_positions(store, manifest, positions, known)
    arrays = []
    for column in schema.columns:
        kind = to_arrow(column.type)
        if manifest.schema.has(column.id):
            arrays.append(widen(rows.column(column.id), kind))
        else:
            arrays.append(pa.chunked_array([pa.nulls(len(positions), kind)], kind))
    return pa.Table.from_arrays(arrays, schema=arrow_schema(schema)) if arrays else rows


def cells_differ(before: pa.Array, after: pa.Array) -> np.ndarray:
    """Per row whether two cells of one column differ by the rules of the row hash (null equals null, 1 equals 1.0)."""
    schema = TableSchema((Column("x", "x", "string"),))
    if before.type != after.type:
        kind = to_arrow(common_type(from_arrow(before.type), from_arrow(after.type)))
        before, after = (widen(pa.chunked_array([side]), kind) for side in (before, after))
    one, two = (hash_rows(pa.table({"x": side}), schema) for side in (before, after))
    differ: np.ndarray = (one.low != two.low) | (one.high != two.high)
    return differ


def cells_apart(old: pa.Table, new: pa.Table, rows: int) -> dict[str, np.ndarray]:
    """Per column of either table, by id, which rows differ in it; a table that lacks it has nulls."""
    # A table of 16,384 columns is asked for its names once.
    before, after = (dict(zip(side.schema.names, side.columns, strict=True)) for side in (old, new))
    apart: dict[str, np.ndarray] = {}
    for item in dict.fromkeys([*after, *before]):
        like = (after if item in after else before)[item].type
        one, two = (side[item].combine_chunks() if item in side else pa.nulls(rows, like) for side in (before, after))
        apart[item] = cells_differ(one, two)
    return apart


@dataclass(frozen=True, slots=True)
class Suspects:
    """Columns by id in which two versions may read one stored row differently: those that only one of them has, and
    those whose hash family changed.
    """

    base: TableSchema
    head: TableSchema
    ids: tuple[str, ...]

    @staticmethod
    def of(base: TableSchema, head: TableSchema) -> Suspects:
        """The suspect columns of two schemas."""
        ids = [
            column.id
            for column in head.columns
            if not base.has(column.id) or kind_of(base.by_id(column.id).type) != kind_of(column.type)
        ]
        ids += [column.id for column in base.columns if not head.has(column.id)]
        return Suspects(base, head, tuple(ids))

    def differ(self, store: TableStore, manifest: Manifest, positions: I64) -> np.ndarray:
        """Per row, stored at one address for both, whether they read it differently. `manifest` is either of them."""
        found = np.zeros(len(positions), dtype=bool)
        if not self.ids or not len(positions):
            return found
        addresses = addresses_at(manifest, positions)
        used, source = np.unique((addresses >> np.uint64(32)).astype(np.int64), return_inverse=True)
        holds = np.array([store.may_hold(manifest.sources[at], self.ids) for at in used.tolist()], dtype=bool)
        looked = np.flatnonzero(holds[source])
        for start in range(0, len(looked), SCAN_ROWS):
            rows = looked[start : start + SCAN_ROWS]
            found[rows] = self._read_apart(store, manifest, addresses[rows])
        return found

    def _read_apart(self, store: TableStore, manifest: Manifest, addresses: U64) -> np.ndarray:
        sides: list[dict[str, pa.Array]] = []
        for schema in (self.base, self.head):
            known = [item for item in self.ids if schema.has(item)]
            rows = rows_at(store, schema, manifest.sources, addresses, known)
            sides.append({item: rows.column(item).combine_chunks() for item in known})
        apart = np.zeros(len(addresses), dtype=bool)
        for item in self.ids:
            found = [side[item] for side in sides if item in side]
            apart |= cells_differ(*found) if len(found) == 2 else found[0].is_valid().to_numpy(zero_copy_only=False)
        return apart
