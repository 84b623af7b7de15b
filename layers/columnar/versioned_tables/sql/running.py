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
from typing import Any, NoReturn

import pyarrow as pa

from dataforge.kernel.texts import Text
from versioned_tables.errors import SqlRefused
from versioned_tables.format.manifest import Manifest
from versioned_tables.sql import wire
from versioned_tables.sql.caps import SqlCaps, SqlResult
from versioned_tables.sql.process import EngineProcess, shared_engine
from versioned_tables.sql.streams import batches, seen_schema, table_names
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
    """Run a SELECT or EXPLAIN over tables named as in the commit (see `streams.table_names`).

    Raises SqlRefused with DuckDB's own sentence, or because of a cap; CorruptStorage and ObjectMissing when the tables
    cannot be read; Unavailable when no child can be had.
    """
    limits = caps or SqlCaps()
    if len(statement) > MOST_STATEMENT:
        raise SqlRefused(
            Text("The statement is longer than {most_statement} characters.", most_statement=MOST_STATEMENT)
        )
    started = time.monotonic()
    try:
        with (engine or shared_engine()).child(started + limits.seconds) as channel:
            answer = _Conversation(channel, store, manifests, limits).answer_to(statement)
    except TimeoutError as error:
        raise _out_of_time(limits) from error
    except wire.Closed as error:
        log.warning("the SQL engine's child ended without an answer")
        message = Text(
            "The SQL engine stopped while it ran the statement, most likely for want of memory; ask for less."
        )
        raise SqlRefused(message) from error
    elapsed = (time.monotonic() - started) * 1000
    columns = [(str(name), str(kind)) for name, kind in answer["columns"]]
    return SqlResult(columns, answer["rows"], bool(answer["truncated"]), elapsed)


async def answer_sql(store: TableStore, manifests: Mapping[str, Manifest], statement: str, caps: SqlCaps) -> SqlResult:
    """`run_sql` in a thread, which is left alone when it hangs where no deadline reaches: in a store that does not
    answer while rows are read.
    """
    running = asyncio.to_thread(run_sql, store, manifests, statement, caps)
    try:
        return await asyncio.wait_for(running, caps.seconds + _GRACE_SECONDS)
    except TimeoutError as error:
        raise _out_of_time(caps) from error


def _out_of_time(caps: SqlCaps) -> SqlRefused:
    return SqlRefused(Text("The statement took more than {seconds:g} seconds and was stopped.", seconds=caps.seconds))


class _Conversation:
    """One statement with one child."""

    def __init__(
        self, channel: wire.Channel, store: TableStore, manifests: Mapping[str, Manifest], caps: SqlCaps
    ) -> None:
        self._channel = channel
        self._store = store
        self._manifests = {name: manifests[sheet] for name, sheet in table_names(manifests).items()}
        self._caps = caps
        self._scans: dict[int, Iterator[pa.RecordBatch]] = {}

    def answer_to(self, statement: str) -> dict[str, Any]:
        """Columns, rows and whether they were cut. Raises SqlRefused, wire.Closed and TimeoutError."""
        self._channel.send(wire.REQUEST, self._request(statement))
        while True:
            kind, content = self._receive()
            said = json.loads(content)
            if kind == wire.NEXT:
                self._send_next(said)
            elif kind == wire.OPEN:
                self._open(**said)
            elif kind == wire.CLOSE:
                self._scans.pop(said, None)
            elif kind == wire.ANSWER:
                return dict(said)
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
            "tables": {
                name: base64.b64encode(seen_schema(manifest.schema.columns).serialize()).decode()
                for name, manifest in self._manifests.items()
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

    def _open(self, scan: int, table: str, columns: Sequence[int]) -> None:
        manifest = self._manifests[table]
        self._scans[scan] = batches(self._store, manifest, [manifest.schema.columns[at] for at in columns])

    def _send_next(self, scan: int) -> None:
        batch = next(self._scans[scan], None)
        if batch is None:
            del self._scans[scan]
            self._channel.send(wire.END)
        else:
            self._channel.send(wire.BATCH, memoryview(batch.serialize()))


def _refuse(sentence: str, line: int | None = None, column: int | None = None) -> NoReturn:
    place = {name: value for name, value in (("line", line), ("column", column)) if value is not None}
    raise SqlRefused(sentence, facts=place)
