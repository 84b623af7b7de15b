"""Columns of versions that the function keeps decoded, where a statement's process can read them without a copy.

Each lies as an Arrow stream in anonymous memory of its own, sealed against any change. A statement's process is handed
the descriptors of the columns that its plan scans, and of no others. What is used least goes first when there is no
more room; its memory is free when the last process that reads it has ended.
"""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
from cachetools import LRUCache

# Beside the engine's own memory and the function's: see ADR 69 for the sum.
MOST_BYTES = 256 << 20
# Rows of a batch: enough of them for each thread of the engine.
_BATCH_ROWS = 32_768
# Texts that repeat this often in the first rows are numbers into a list of them, which the engine groups by faster.
_SAMPLE_ROWS, _LEAST_REPEATS, _MOST_TEXTS = 65_536, 32, 65_536

# What a column is: the store's prefix, the version's rows, the column's id and type.
Key = tuple[str, str, str, str]


@dataclass(frozen=True, eq=False)
class KeptColumn:
    """An Arrow stream of one column: a descriptor of sealed memory, open as long as this lives, and its bytes."""

    descriptor: int
    size: int


class KeptColumns:
    """Least recently used columns up to a number of bytes; safe for threads."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._columns: LRUCache[Key, KeptColumn] = LRUCache(most_bytes, lambda column: column.size)
        self._lock = threading.Lock()

    @property
    def most_bytes(self) -> int:
        """What all columns together may take."""
        return int(self._columns.maxsize)

    def get(self, keys: Sequence[Key]) -> list[KeptColumn] | None:
        """The columns of all these keys; None when one is not kept."""
        with self._lock:
            found = [self._columns.get(key) for key in keys]
        columns = [column for column in found if column is not None]
        return columns if len(columns) == len(keys) else None

    def lacks(self, key: Key) -> bool:
        """Whether a column is not kept."""
        with self._lock:
            return key not in self._columns

    def put(self, key: Key, values: pa.ChunkedArray) -> None:
        """Keep a column if there is room for it, and memory of this kind."""
        with suppress(OSError):
            column = _stored(values)
            with self._lock:
                if column.size <= self._columns.maxsize:
                    self._columns[key] = column


class Recording:
    """Columns of a scan of a whole table, batch by batch, that are kept at its end; none if they are too large."""

    def __init__(self, kept: KeptColumns, keys: Sequence[Key], rows: int) -> None:
        self._kept = kept
        self._keys = {at: key for at, key in enumerate(keys) if kept.lacks(key)}
        self._rows = rows
        self._batches: list[pa.RecordBatch] = []
        self._seen = self._bytes = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a batch of the scan."""
        if not self._keys:
            return
        part = batch.select(list(self._keys))
        self._batches.append(part)
        self._seen += part.num_rows
        self._bytes += part.nbytes
        # All of them at once must find room, or each scan would push out what the one before has kept.
        if self._bytes * self._rows > self._kept.most_bytes * max(1, self._seen):
            self._keys.clear()
            self._batches.clear()

    def finish(self) -> None:
        """The scan has come to its end."""
        if self._seen != self._rows or not self._batches:
            return
        table, self._batches = pa.Table.from_batches(self._batches), []
        for at, key in enumerate(self._keys.values()):
            self._kept.put(key, table.column(at))


@cache
def can_keep() -> bool:
    """Whether the system has anonymous memory with a descriptor, and seals; it is tried once."""
    try:
        _sealed(lambda _: None)
    except OSError:
        return False
    return True


def _stored(values: pa.ChunkedArray) -> KeptColumn:
    return _sealed(partial(_write, _compact(values)))


def _sealed(write: Callable[[BinaryIO], None]) -> KeptColumn:
    """New memory with what is written; raises OSError where there is none, or none of this kind."""
    if sys.platform != "linux":
        raise OSError
    import fcntl

    descriptor = os.memfd_create("column", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            write(file)
        seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
        column = KeptColumn(descriptor, os.fstat(descriptor).st_size)
    except BaseException:
        os.close(descriptor)
        raise
    weakref.finalize(column, os.close, descriptor)
    return column


def _write(values: pa.ChunkedArray, file: BinaryIO) -> None:
    schema = pa.schema([pa.field("", values.type)])
    with pa.ipc.new_stream(file, schema) as writer:
        for batch in _batches(values):
            writer.write_batch(pa.RecordBatch.from_arrays([batch], schema=schema))


def _batches(values: pa.ChunkedArray) -> Iterator[pa.Array]:
    """All values in arrays of equal length, whatever windows they were read in; one at a time is copied."""
    for start in range(0, len(values), _BATCH_ROWS):
        part = values.slice(start, _BATCH_ROWS)
        yield part.chunk(0) if part.num_chunks == 1 else pa.concat_arrays(part.chunks)


def _compact(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts that repeat as numbers into one list for all chunks, which the engine takes for texts as well."""
    if not pa.types.is_string(values.type) or len(values) < _LEAST_REPEATS:
        return values
    sample = values.slice(0, _SAMPLE_ROWS)
    if pc.count_distinct(sample).as_py() * _LEAST_REPEATS > len(sample):
        return values
    encoded = values.dictionary_encode()
    return encoded if len(encoded.chunk(0).dictionary) <= _MOST_TEXTS else values
