"""Tables of a version as a statement sees them, on the function's side: names, schemas, rows batch by batch.

Nothing of a table is held. Rows are decoded as the statement asks for them, so memory does not depend on the size of
the table, and a LIMIT ends the reading.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from versioned_tables.format.manifest import Manifest
from versioned_tables.read.rows import scan
from versioned_tables.schema.arrow_types import to_arrow
from versioned_tables.schema.columns import Column
from versioned_tables.schema.names import sql_name
from versioned_tables.schema.texts import text_of
from versioned_tables.sql.kept import Key
from versioned_tables.storage.table_store import TableStore

# What the function and the child hold of a table at a time; a batch costs a message and its answer.
BATCH_BYTES = 1 << 20


def seen_schema(columns: Sequence[Column]) -> pa.Schema:
    """Columns under their names, in the types that a statement sees."""
    return pa.schema([pa.field(column.name, _seen_as(column)) for column in columns])


def batches(
    store: TableStore,
    manifest: Manifest,
    columns: Sequence[Column],
    ranges: Sequence[tuple[int, int]] | None = None,
) -> Iterator[pa.RecordBatch]:
    """The rows of some columns, in batches of the schema that `seen_schema` tells: all rows, or those of ranges."""
    schema = seen_schema(columns)
    ids = [column.id for column in columns]
    whole = [(0, manifest.rows)]
    # What is read again is kept by column (see `kept`), not by chunk.
    parts = (scan(store, manifest, ids, start=start, stop=stop, keep=False) for start, stop in ranges or whole)
    for part in itertools.chain.from_iterable(parts):
        arrays = [_as(part.column(column.id), field.type) for column, field in zip(columns, schema, strict=True)]
        # Chunks have a few thousand rows, and a batch lies in one: joined, they are a tenth of the messages.
        rows = pa.Table.from_arrays(arrays, schema=schema).combine_chunks()
        yield from rows.to_batches(max_chunksize=max(1, rows.num_rows * BATCH_BYTES // max(1, rows.nbytes)))


def _as(values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    return values if values.type == kind else text_of(values)


def _seen_as(column: Column) -> pa.DataType:
    """The column's own type; decimals that DuckDB has no type for are text."""
    kind = to_arrow(column.type)
    return pa.string() if pa.types.is_decimal256(kind) else kind


class SqlTable(Protocol):
    """What a statement can read: a schema, and the rows of some of its columns, batch by batch."""

    @property
    def schema(self) -> pa.Schema:
        """Columns by name."""
        ...

    def batches(self, columns: Sequence[int]) -> Iterator[pa.RecordBatch]:
        """The rows of columns, which are named by their indexes, from the first; of about a megabyte each."""
        ...


@dataclass(frozen=True, slots=True)
class VersionTable:
    """A table of a version."""

    store: TableStore
    manifest: Manifest

    @property
    def schema(self) -> pa.Schema:
        """As `seen_schema` tells."""
        return seen_schema(self.manifest.schema.columns)

    def batches(self, columns: Sequence[int]) -> Iterator[pa.RecordBatch]:
        """Rows decoded as they are asked for."""
        return batches(self.store, self.manifest, self._columns(columns))

    def batches_within(self, columns: Sequence[int], ranges: Sequence[tuple[int, int]]) -> Iterator[pa.RecordBatch]:
        """The rows of some ranges, which follow each other."""
        return batches(self.store, self.manifest, self._columns(columns), ranges)

    def keys(self, columns: Sequence[int]) -> list[Key]:
        """What columns are kept by: equal for equal values that were read from the same objects of one dataset."""
        return [(self.store.prefix, self.manifest.layout, column.id, column.type) for column in self._columns(columns)]

    def _columns(self, columns: Sequence[int]) -> list[Column]:
        return [self.manifest.schema.columns[at] for at in columns]


def table_names(sheets: Mapping[str, Manifest]) -> dict[str, str]:
    """Sheet by the name it has in SQL: its own, unless an earlier one differs by case only, which SQL cannot tell
    apart.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for sheet in sheets:
        name, number = sheet, 2
        while sql_name(name) in taken:
            name, number = f"{sheet}_{number}", number + 1
        taken.add(sql_name(name))
        names[name] = sheet
    return names
