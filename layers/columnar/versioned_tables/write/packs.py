"""Packs: objects with a few megabytes of chunks and the hashes of their rows.

A pack is the chunks, each a Parquet file of its own, and behind them the hash sidecars in the same order. What a
reader wants of it is a range, and neighbours are one range, so that a comparison of a million rows is a few requests
and not hundreds. Packs are cut by the size of their rows before encoding, so that the same rows make the same packs,
and a second attempt finds those of the first in place.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from versioned_tables.errors import CorruptStorage
from versioned_tables.format.manifest import Place, Source
from versioned_tables.hashing.row_hash import HASH_BYTES, RowHashes
from versioned_tables.schema.columns import TableSchema
from versioned_tables.storage.table_store import STORING, TableStore

# Rows and hashes before encoding: about 140,000 rows of a dozen columns, 7 MB as stored.
PACK_BYTES = 24 << 20
_ENCODING = 16
# The share of a column's bytes below which zstd has to come, and tables that are too wide to try.
_WORTH_COMPRESSING = 0.9
_TRIED_COLUMNS = 1024
# Chunks of which every column is read back, and of the others one column out of so many.
_WHOLE = 4
_SHARE = 4
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns (by id) that chunks have as a dictionary, as differences of whole numbers, and compressed by zstd."""

    dictionary: tuple[str, ...]
    deltas: tuple[str, ...]
    compressed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Chunk:
    data: Future[pa.Buffer]
    hashes: RowHashes


class PackWriter:
    """Add chunks (columns by id), then `finish`. With a pool chunks are encoded there, and packs are stored behind.

    A few packs and chunks are held at a time; `add` waits for the oldest.
    """

    def __init__(self, store: TableStore, schema: TableSchema, pool: Executor | None = None) -> None:
        self._store = store
        self._schema = schema
        self._pool = pool
        self._layout: Layout | None = None
        self._open: list[_Chunk] = []
        self._open_bytes = 0
        self._encoding: deque[Future[pa.Buffer]] = deque()
        self._packs: list[Future[list[Source]]] = []
        self._chunks = 0

    def __len__(self) -> int:
        return self._chunks

    def add(self, table: pa.Table, hashes: RowHashes) -> None:
        """Take a chunk; its number is how many came before it. Raises what an earlier one met."""
        if self._layout is None:
            self._layout = layout_for(table)
        arguments = (table, self._layout, self._looked_at(table.schema.names))
        data = _at_once(_encoded, *arguments) if self._pool is None else self._pool.submit(_encoded, *arguments)
        self._open.append(_Chunk(data, hashes))
        self._open_bytes += table.nbytes + len(hashes) * HASH_BYTES
        self._chunks += 1
        self._encoding.append(data)
        if self._open_bytes >= PACK_BYTES:
            self._seal()
        while len(self._encoding) > _ENCODING:
            self._encoding.popleft().result()

    def _looked_at(self, names: Sequence[str]) -> list[str]:
        """Columns of the next chunk that are read back: all of the first few, then a quarter of each in turn. Reading
        everything back would cost a quarter of an import.
        """
        if self._chunks < _WHOLE:
            return list(names)
        return [name for at, name in enumerate(names) if (at + self._chunks) % _SHARE == 0] or list(names[:1])

    def finish(self) -> list[Source]:
        """The chunks in order; every pack is stored when this returns. Raises what encoding and storing raised."""
        if self._open:
            self._seal()
        return [source for pack in self._packs for source in pack.result()]

    def _seal(self) -> None:
        chunks, self._open, self._open_bytes = self._open, [], 0
        arguments = (self._store, self._schema.signature, chunks)
        self._packs.append(
            _at_once(_store, *arguments) if self._pool is None else self._store.behind(_store, *arguments)
        )
        if len(self._packs) > STORING:
            self._packs[-STORING - 1].result()


def _at_once(
    call: Callable[_Arguments, _Result], *args: _Arguments.args, **kwargs: _Arguments.kwargs
) -> Future[_Result]:
    done: Future[_Result] = Future()
    done.set_result(call(*args, **kwargs))
    return done


def _encoded(table: pa.Table, layout: Layout, looked_at: Sequence[str]) -> pa.Buffer:
    data = _written(table, layout)
    read_back(table.select(list(looked_at)), data)
    return data


def _written(table: pa.Table, layout: Layout) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression=dict.fromkeys(layout.compressed, "zstd"),
        compression_level=dict.fromkeys(layout.compressed, 1),
        use_dictionary=list(layout.dictionary),
        column_encoding=dict.fromkeys(layout.deltas, "DELTA_BINARY_PACKED") or None,
        write_statistics=False,
        store_schema=False,
        row_group_size=max(1, table.num_rows),
    )
    return sink.getvalue()


def read_back(table: pa.Table, data: pa.Buffer) -> None:
    """Read columns of a chunk as readers will, before anything names it. Raises CorruptStorage when they are not the
    same.
    """
    names = table.schema.names
    try:
        found = pq.ParquetFile(pa.BufferReader(data), pre_buffer=False).read(columns=names, use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise CorruptStorage(f"A chunk cannot be read back as it was written: {error}") from error
    if found.num_rows != table.num_rows or found.schema.names != names:
        raise CorruptStorage("A chunk reads back with other rows or columns than it was written with.")
    for name, written, read in zip(names, table.columns, found.columns, strict=True):
        if not (read.equals(written) or _same_bits(written, read)):
            raise CorruptStorage(f"Column {name} of a chunk reads back with other values than it was written with.")


def _same_bits(written: pa.ChunkedArray, read: pa.ChunkedArray) -> bool:
    """Equality for types where a value may differ from itself, or that Parquet names otherwise."""
    if not pa.types.is_floating(written.type):
        return bool(read.cast(written.type).equals(written))
    sides = ([chunk.view(pa.int64()) for chunk in side.chunks] for side in (written, read))
    one, two = (pa.chunked_array(chunks, pa.int64()) for chunks in sides)
    return bool(one.equals(two))


def _store(store: TableStore, signature: str, chunks: Sequence[_Chunk]) -> list[Source]:
    encoded = [chunk.data.result() for chunk in chunks]
    body = b"".join([*(memoryview(data) for data in encoded), *(chunk.hashes.to_bytes() for chunk in chunks)])
    identity = store.put_pack(body)
    sources = []
    start, hashes = 0, sum(data.size for data in encoded)
    for chunk, data in zip(chunks, encoded, strict=True):
        rows = len(chunk.hashes)
        address = hashlib.sha256(data).hexdigest()
        sources.append(Source("chunk", address, rows, data.size, Place(identity, signature, start, hashes)))
        start += data.size
        hashes += rows * HASH_BYTES
    return sources


def layout_for(table: pa.Table) -> Layout:
    """How the chunks of a version are written, tried on the first one of them.

    Whole numbers, dates and times are stored as differences where these take no more than the compressed numbers, and
    columns that zstd makes hardly smaller are not compressed: both are sooner written and sooner read.
    """
    dictionary = _worth_a_dictionary(table)
    names = table.schema.names
    if len(names) > _TRIED_COLUMNS:
        return Layout(dictionary, (), tuple(names))
    whole = [name for name in names if name not in dictionary and _is_whole(table.schema.field(name).type)]
    plain = _sizes(table, Layout(dictionary, (), tuple(names)))
    packed = _sizes(table.select(whole), Layout((), tuple(whole), tuple(whole))) if whole else {}
    deltas = tuple(name for name in whole if min(packed[name]) <= min(plain[name]))
    sizes = {**plain, **{name: packed[name] for name in deltas}}
    compressed = tuple(name for name in names if sizes[name][1] < sizes[name][0] * _WORTH_COMPRESSING)
    return Layout(dictionary, deltas, compressed)


def _is_whole(kind: pa.DataType) -> bool:
    return bool(pa.types.is_int64(kind) or pa.types.is_temporal(kind))


def _sizes(table: pa.Table, layout: Layout) -> dict[str, tuple[int, int]]:
    """Bytes of each column before and after compression."""
    group = pq.read_metadata(pa.BufferReader(_written(table, layout))).row_group(0)
    columns = [group.column(at) for at in range(group.num_columns)]
    return {c.path_in_schema: (c.total_uncompressed_size, c.total_compressed_size) for c in columns}


def _worth_a_dictionary(table: pa.Table) -> tuple[str, ...]:
    """Columns whose values repeat at least four times on average in the first chunk."""
    sample = table.slice(0, 2048)
    return tuple(name for name in sample.schema.names if len(sample.column(name).unique()) * 4 <= sample.num_rows)
