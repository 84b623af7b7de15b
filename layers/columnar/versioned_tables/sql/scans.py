"""Tables as DuckDB sees them in the child: streams of Arrow batches that the function sends, opened anew by every scan
of a plan.
"""

from __future__ import annotations

import itertools
import json
import mmap
import os
import threading
from collections.abc import Collection, Iterator, Sequence

import pyarrow as pa

from versioned_tables.sql import wire

# A batch has about 1 MB, unless a single row has more.
_MOST_BATCH = 1 << 30


class Scans:
    """The scans of one statement over the one channel; threads of the engine take turns.

    When the function is gone nobody wants the answer: asking raises wire.Closed, which ends the statement.
    """

    def __init__(self, channel: wire.Channel | None) -> None:
        self._channel = channel
        self._turn = threading.Lock()
        self._numbers = itertools.count()

    def kept(self, table: str, columns: Sequence[int], schema: pa.Schema) -> pa.Table | None:
        """All rows of a table's columns where the function keeps them, without a copy; None where it does not."""
        channel = self._channel
        if channel is None:
            return None
        with self._turn:
            channel.send(wire.MAP, json.dumps({"table": table, "columns": list(columns)}).encode())
            kind, content = channel.receive(_MOST_BATCH)
            if kind == wire.END:
                return None
            sizes = json.loads(content)
            descriptors = channel.receive_descriptors(len(sizes))
        arrays = [_mapped(descriptor, size) for descriptor, size in zip(descriptors, sizes, strict=True)]
        return pa.Table.from_arrays(arrays, names=schema.names)

    def zones(self, table: str) -> pa.Table:
        """The zones of a table that has some."""
        channel = self._channel
        assert channel is not None  # noqa: S101 - only a statement's tables have zones
        with self._turn:
            channel.send(wire.ZONES, json.dumps(table).encode())
            _, content = channel.receive(_MOST_BATCH)
        return pa.ipc.open_stream(pa.py_buffer(content)).read_all()

    def rows(
        self, table: str, columns: Sequence[int], schema: pa.Schema, ranges: Sequence[tuple[int, int]] | None
    ) -> Iterator[pa.RecordBatch]:
        """The rows of a table's columns, named by their indexes: all, or those of some ranges."""
        channel = self._channel
        if channel is None:
            return
        with self._turn:
            number = next(self._numbers)
            opening = {"scan": number, "table": table, "columns": list(columns), "ranges": ranges}
            channel.send(wire.OPEN, json.dumps(opening).encode())
        name = str(number).encode()
        ended = False
        try:
            while True:
                with self._turn:
                    channel.send(wire.NEXT, name)
                    kind, content = channel.receive(_MOST_BATCH)
                if kind == wire.END:
                    ended = True
                    return
                yield pa.ipc.read_record_batch(pa.py_buffer(content), schema)
        finally:
            if not ended:
                with self._turn:
                    channel.send(wire.CLOSE, name)


class StreamedTable:
    """Some columns of a table under their names, as an object of the Arrow PyCapsule interface."""

    def __init__(
        self,
        scans: Scans,
        table: str,
        schema: pa.Schema,
        columns: Sequence[int] | None = None,
        ranges: Sequence[tuple[int, int]] | None = None,
    ) -> None:
        self._scans = scans
        self._table = table
        self._whole = schema
        self._columns = range(len(schema)) if columns is None else columns
        self._schema = pa.schema([schema.field(at) for at in self._columns])
        self._ranges = ranges

    def field(self, at: int) -> pa.Field:
        """A column of the whole table by its index."""
        return self._whole.field(at)

    def only(self, names: Collection[str]) -> StreamedTable:
        """The same rows with these columns; with the first one when none of them is here, so that rows can be
        counted.
        """
        wanted = [at for at in self._columns if self._whole.field(at).name in names] or list(self._columns[:1])
        return StreamedTable(self._scans, self._table, self._whole, wanted)

    def within(self, ranges: Sequence[tuple[int, int]] | None) -> StreamedTable | Rows:
        """The same columns with the rows of these ranges alone, unless None; as they are kept where they are."""
        kept = self._scans.kept(self._table, self._columns, self._schema)
        if kept is None:
            return StreamedTable(self._scans, self._table, self._whole, self._columns, ranges)
        if ranges is not None:
            parts = [kept.slice(start, stop - start) for start, stop in ranges]
            kept = pa.concat_tables(parts) if parts else kept.slice(0, 0)
        return Rows(kept)

    def __arrow_c_schema__(self) -> object:
        return self._schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        rows = self._scans.rows(self._table, self._columns, self._schema, self._ranges)
        return pa.RecordBatchReader.from_batches(self._schema, rows).__arrow_c_stream__(requested_schema)


class Rows:
    """An Arrow table that the engine reads by itself: as a table proper it would be read by way of Arrow's own
    scanner, which takes long to load.
    """

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_schema__(self) -> object:
        return self._table.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


def _mapped(descriptor: int, size: int) -> pa.ChunkedArray:
    """The one column of an Arrow stream in memory with a descriptor, which is closed."""
    try:
        memory = mmap.mmap(descriptor, size, access=mmap.ACCESS_READ)
    finally:
        os.close(descriptor)
    return pa.ipc.open_stream(pa.py_buffer(memory)).read_all().column(0)
