"""A table of a version as DuckDB sees it: a stream of Arrow batches, opened anew by every scan of a plan.

Nothing of the table is held. Rows are decoded as DuckDB asks for them, so memory does not depend on the size of the
table, and a LIMIT ends the reading.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence

import pyarrow as pa

from dataforge.contexts.datasets.engine.arrow_types import text_of, to_arrow
from dataforge.contexts.datasets.engine.manifest import Manifest
from dataforge.contexts.datasets.engine.reading import scan
from dataforge.contexts.datasets.engine.table_store import TableStore
from dataforge.contexts.datasets.model.columns import Column
from dataforge.kernel.errors import DataForgeError

BATCH_ROWS = 16_384


class Reading:
    """The tables of one statement; `failure` is what went wrong with reading them, which DuckDB turns into text."""

    def __init__(self, tables: TableStore) -> None:
        self.tables = tables
        self.failure: DataForgeError | None = None
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Break every stream off at its next batch."""
        self._stopped.set()

    def table(self, manifest: Manifest) -> StreamedTable:
        """A table with all its columns."""
        return StreamedTable(self, manifest, manifest.schema.columns)

    def batches(self, manifest: Manifest, columns: Sequence[Column], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """The rows of some columns."""
        try:
            for part in scan(self.tables, manifest, [column.id for column in columns]):
                arrays = [
                    _as(part.column(column.id), field.type) for column, field in zip(columns, schema, strict=True)
                ]
                for batch in pa.Table.from_arrays(arrays, schema=schema).to_batches(max_chunksize=BATCH_ROWS):
                    if self._stopped.is_set():
                        raise TimeoutError
                    yield batch
        except DataForgeError as error:
            self.failure = error
            raise


class StreamedTable:
    """Some columns of a table under their names, as an object of the Arrow PyCapsule interface."""

    def __init__(self, reading: Reading, manifest: Manifest, columns: Sequence[Column]) -> None:
        self._reading = reading
        self._manifest = manifest
        self._columns = columns
        self._schema = pa.schema([pa.field(column.name, _seen_as(column)) for column in columns])

    def only(self, names: Collection[str]) -> StreamedTable:
        """The same rows with these columns; with the first one when none of them is here, so that rows can be
        counted.
        """
        wanted = [column for column in self._columns if column.name in names] or self._columns[:1]
        return StreamedTable(self._reading, self._manifest, wanted)

    def __arrow_c_schema__(self) -> object:
        return self._schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        rows = self._reading.batches(self._manifest, self._columns, self._schema)
        return pa.RecordBatchReader.from_batches(self._schema, rows).__arrow_c_stream__(requested_schema)


def _as(values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    return values if values.type == kind else text_of(values)


def _seen_as(column: Column) -> pa.DataType:
    """The column's own type; decimals that DuckDB has no type for are text."""
    kind = to_arrow(column.type)
    return pa.string() if pa.types.is_decimal256(kind) else kind


def table_names(sheets: Mapping[str, Manifest]) -> dict[str, str]:
    """Sheet by the name it has in SQL: its own, unless an earlier one differs by case only, which SQL cannot tell
    apart.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for sheet in sheets:
        name, number = sheet, 2
        while name.casefold() in taken:
            name, number = f"{sheet}_{number}", number + 1
        taken.add(name.casefold())
        names[name] = sheet
    return names
