"""Running one statement, as the function sees it: a child runs it, and is killed at the deadline.

The function sends the statement and the tables' schemas, hands out rows batch by batch as the child asks for them, and
takes the answer as JSON. Whatever the engine does meanwhile (plans for minutes, crashes, asks for more memory than it
may have, answers without end), the caller hears within the time of the caps.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NoReturn

import pyarrow as pa

from dataforge.kernel.texts import Text
from versioned_tables.errors import SqlOutgrown, SqlRefused
from versioned_tables.format.manifest import Manifest
from versioned_tables.sql import wire
from versioned_tables.sql.caps import OUT_OF_MEMORY, SqlCaps, SqlResult
from versioned_tables.sql.kept import KeptColumns, Recording, can_keep
from versioned_tables.sql.process import EngineProcess, shared_engine
from versioned_tables.sql.streams import SqlTable, VersionTable, table_names
from versioned_tables.sql.zones import zoned_column, zones
from versioned_tables.storage.table_store import TableStore

log = logging.getLogger(__name__)

MOST_STATEMENT = 100_000
# What a child says besides its answer is short: numbers, names, a sentence.
_MOST_BESIDE_ANSWER = 1 << 20
_GRACE_SECONDS = 1.5


def run_sql(
    store: TableStore,
    manifests: Mapping[str, Manifest],
    statement: str,
    caps: SqlCaps | None = None,
    engine: EngineProcess | None = None,
) -> SqlResult:
    """`run_over` the tables of one version, named as in the commit (see `streams.table_names`)."""
    return run_over(tables_of(store, manifests), statement, caps, engine)


def tables_of(store: TableStore, manifests: Mapping[str, Manifest]) -> dict[str, SqlTable]:
    """The tables of a version under their names in SQL."""
    return {name: VersionTable(store, manifests[sheet]) for name, sheet in table_names(manifests).items()}


def run_over(
    tables: Mapping[str, SqlTable],
    statement: str,
    caps: SqlCaps | None = None,
    engine: EngineProcess | None = None,
    *,
    as_table: bool = False,
) -> SqlResult:
    """Run a SELECT or EXPLAIN over tables by name; the rows come as JSON values, or `as_table` in Arrow.

    Raises SqlRefused with DuckDB's own sentence, or because of a cap (SqlOutgrown: of memory or time); CorruptStorage
    and ObjectMissing when the tables cannot be read; Unavailable when no child can be had.
    """
    limits = caps or SqlCaps()
    if len(statement) > MOST_STATEMENT:
        raise SqlRefused(
            Text("The statement is longer than {most_statement} characters.", most_statement=MOST_STATEMENT)
        )
    started = time.monotonic()
    try:
        engine = engine or shared_engine()
        with engine.child(started + limits.seconds) as channel:
            result = _Conversation(channel, tables, limits, engine.kept, as_table=as_table).answer_to(statement)
    except TimeoutError as error:
        raise _out_of_time(limits) from error
    except wire.Closed as error:
        log.warning("the SQL engine's child ended without an answer")
        message = Text(
            "The SQL engine stopped while it ran the statement, most likely for want of memory; ask for less."
        )
        raise SqlOutgrown(message) from error
    return replace(result, elapsed_ms=(time.monotonic() - started) * 1000)


async def answer_sql(
    store: TableStore, manifests: Mapping[str, Manifest], statement: str, caps: SqlCaps, *, as_table: bool = False
) -> SqlResult:
    """`answer_over` the tables of one version."""
    return await answer_over(tables_of(store, manifests), statement, caps, as_table=as_table)


async def answer_over(
    tables: Mapping[str, SqlTable], statement: str, caps: SqlCaps, *, as_table: bool = False
) -> SqlResult:
    """`run_over` in a thread, which is left alone when it hangs where no deadline reaches: in a store that does not
    answer while rows are read.
    """
    running = asyncio.to_thread(run_over, tables, statement, caps, as_table=as_table)
    try:
        return await asyncio.wait_for(running, caps.seconds + _GRACE_SECONDS)
    except TimeoutError as error:
        raise _out_of_time(caps) from error


def _out_of_time(caps: SqlCaps) -> SqlOutgrown:
    return SqlOutgrown(Text("The statement took more than {seconds:g} seconds and was stopped.", seconds=caps.seconds))


class _Conversation:
    """One statement with one child."""

    def __init__(
        self,
        channel: wire.Channel,
        tables: Mapping[str, SqlTable],
        caps: SqlCaps,
        kept: KeptColumns,
        *,
        as_table: bool,
    ) -> None:
        self._channel = channel
        self._tables = tables
        self._caps = caps
        self._as_table = as_table
        self._kept = kept
        self._scans: dict[int, Iterator[pa.RecordBatch]] = {}
        self._recordings: dict[int, Recording] = {}

    def answer_to(self, statement: str) -> SqlResult:
        """Columns, rows and whether they were cut. Raises SqlRefused, wire.Closed and TimeoutError."""
        self._channel.send(wire.REQUEST, self._request(statement))
        while True:
            kind, content = self._receive()
            if kind == wire.ANSWER:
                return _table_of(content) if self._as_table else _rows_of(content)
            said = json.loads(content)
            if kind == wire.NEXT:
                self._send_next(said)
            elif kind == wire.OPEN:
                self._open(**said)
            elif kind == wire.CLOSE:
                self._scans.pop(said, None)
                self._recordings.pop(said, None)
            elif kind == wire.MAP:
                self._map(**said)
            elif kind == wire.ZONES:
                self._send_zones(said)
            else:
                _refuse(**said)

    def _request(self, statement: str) -> bytes:
        caps = self._caps
        request = {
            "statement": statement,
            "seconds": caps.seconds,
            "memory_mb": caps.memory_mb,
            "beside_mb": caps.beside_mb,
            "rows": caps.rows,
            "answer_bytes": caps.answer_bytes,
            "as_table": self._as_table,
            "tables": {
                name: base64.b64encode(table.schema.serialize()).decode() for name, table in self._tables.items()
            },
            "zoned": {
                name: zoned
                for name, table in self._tables.items()
                if isinstance(table, VersionTable) and (zoned := zoned_column(table.manifest)) is not None
            },
        }
        return json.dumps(request).encode()

    def _receive(self) -> tuple[bytes, bytearray]:
        try:
            return self._channel.receive(self._caps.answer_bytes + _MOST_BESIDE_ANSWER)
        except wire.FrameTooLarge as error:
            message = Text(
                "The answer has more than {answer_bytes} MB; ask for fewer rows or columns.",
                answer_bytes=self._caps.answer_bytes >> 20,
            )
            raise SqlRefused(message) from error

    def _map(self, table: str, columns: Sequence[int]) -> None:
        source = self._tables[table]
        kept = self._kept.get(source.keys(columns)) if isinstance(source, VersionTable) else None
        if kept is None:
            self._channel.send(wire.END)
        else:
            self._channel.send(wire.MAPPED, json.dumps([column.size for column in kept]).encode())
            self._channel.send_descriptors([column.descriptor for column in kept])

    def _send_zones(self, table: str) -> None:
        source = self._tables[table]
        assert isinstance(source, VersionTable)  # noqa: S101 - the request says which tables have zones
        sink = pa.BufferOutputStream()
        found = zones(source.manifest)
        with pa.ipc.new_stream(sink, found.schema) as writer:
            writer.write_table(found)
        self._channel.send(wire.BATCH, memoryview(sink.getvalue()))

    def _open(self, scan: int, table: str, columns: Sequence[int], ranges: Sequence[tuple[int, int]] | None) -> None:
        source = self._tables[table]
        if not isinstance(source, VersionTable):
            self._scans[scan] = source.batches(columns)
        elif ranges is not None:
            self._scans[scan] = source.batches_within(columns, ranges)
        else:
            self._scans[scan] = source.batches(columns)
            if can_keep():
                self._recordings[scan] = Recording(self._kept, source.keys(columns), source.manifest.rows)

    def _send_next(self, scan: int) -> None:
        batch = next(self._scans[scan], None)
        recording = self._recordings.get(scan)
        if batch is not None:
            self._channel.send(wire.BATCH, memoryview(batch.serialize()))
            if recording is not None:
                recording.add(batch)
            return
        del self._scans[scan]
        self._channel.send(wire.END)
        if recording is not None:  # while the statement works on what it has got
            recording.finish()
            del self._recordings[scan]


def _rows_of(answer: bytearray) -> SqlResult:
    said = json.loads(answer)
    columns = [(str(name), str(kind)) for name, kind in said["columns"]]
    return SqlResult(columns, said["rows"], bool(said["truncated"]), 0.0)


def _table_of(answer: bytearray) -> SqlResult:
    table = pa.ipc.open_stream(pa.py_buffer(memoryview(answer)[1:])).read_all()
    columns = [(field.name, str(field.type)) for field in table.schema]
    return SqlResult(columns, [], bool(answer[0]), 0.0, table)


def _refuse(sentence: str, line: int | None, column: int | None, *, outgrown: bool) -> NoReturn:
    if outgrown:
        raise SqlOutgrown(OUT_OF_MEMORY)
    place = {name: value for name, value in (("line", line), ("column", column)) if value is not None}
    raise SqlRefused(sentence, facts=place)
