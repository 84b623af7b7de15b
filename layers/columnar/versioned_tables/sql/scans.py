"""Tables as DuckDB sees them in the child: streams of Arrow batches that the function sends, opened anew by every scan
of a plan.
"""

from __future__ import annotations

import itertools
import json
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

    def rows(self, table: str, columns: Sequence[int], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """The rows of a table's columns, named by their indexes."""
        channel = self._channel
        if channel is None:
            return
        with self._turn:
            number = next(self._numbers)
            opening = {"scan": number, "table": table, "columns": list(columns)}
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

    def __init__(self, scans: Scans, table: str, schema: pa.Schema, columns: Sequence[int] | None = None) -> None:
        self._scans = scans
        self._table = table
        self._whole = schema
        self._columns = range(len(schema)) if columns is None else columns
        self._schema = pa.schema([schema.field(at) for at in self._columns])

    def only(self, names: Collection[str]) -> StreamedTable:
        """The same rows with these columns; with the first one when none of them is here, so that rows can be
        counted.
        """
        wanted = [at for at in self._columns if self._whole.field(at).name in names] or list(self._columns[:1])
        return StreamedTable(self._scans, self._table, self._whole, wanted)

    def __arrow_c_schema__(self) -> object:
        return self._schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        rows = self._scans.rows(self._table, self._columns, self._schema)
        return pa.RecordBatchReader.from_batches(self._schema, rows).__arrow_c_stream__(requested_schema)
