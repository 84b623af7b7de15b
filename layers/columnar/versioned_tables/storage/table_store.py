"""Packs and patches of one dataset in an object store, with caches of what is immutable.

Keys: `<prefix>packs/<2 hex>/<sha256>` chunks with the hashes of their rows (see `packs`), `<prefix>patches/<2
hex>/<sha256>`. The prefix is one dataset's, so nothing is deduplicated across tenants.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cache, partial
from operator import itemgetter
from typing import Any, ParamSpec, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from cachetools import FIFOCache, LRUCache

from versioned_tables.errors import CorruptStorage
from versioned_tables.format.manifest import Source
from versioned_tables.format.patches import Patch, decode_patch, encode_patch
from versioned_tables.hashing.row_hash import HASH_BYTES, RowHashes, hash_rows
from versioned_tables.objects import ObjectStore
from versioned_tables.schema.arrow_types import conform
from versioned_tables.schema.columns import TableSchema

CACHE_BYTES = 128 << 20
_PARALLEL = 16
# Packs are stored two at a time: one is sent while the store works on the other.
STORING = 2
# One request is read up to this, over gaps up to that: a request costs what half a megabyte of data costs.
_MOST_RANGE = 8 << 20
_MOST_GAP = 512 << 10
# Chunks that are held decoded to hash them anew.
_DECODED = 16
_Item = TypeVar("_Item")
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")
# A source, and the first byte and the length of what is wanted of its pack.
_Part = tuple[Source, int, int]
_SIGNATURES = 256


@dataclass(frozen=True, slots=True)
class _Fetched:
    """Parts of packs and patches, by source."""

    parts: dict[str, memoryview]
    patches: dict[str, Patch]


class _Cache:
    """Least recently used values up to a number of bytes; safe for threads."""

    def __init__(self, most_bytes: int) -> None:
        self._values: LRUCache[tuple[object, ...], tuple[object, int]] = LRUCache(most_bytes, itemgetter(1))
        self._lock = threading.Lock()

    def get(self, key: tuple[object, ...]) -> object | None:
        with self._lock:
            return self._values.get(key, (None, 0))[0]

    def put(self, key: tuple[object, ...], value: object, size: int) -> None:
        with self._lock:
            if key not in self._values and size <= self._values.maxsize:
                self._values[key] = (value, size)


class TableStore:
    """Reads and writes the objects of one dataset. Cheap to make; keep one per process for its caches."""

    def __init__(self, store: ObjectStore, prefix: str = "", *, cache_bytes: int = CACHE_BYTES) -> None:
        self.objects = store
        self.prefix = prefix
        self._storing = ThreadPoolExecutor(STORING, thread_name_prefix="packs")
        self._under_way: set[Future[Any]] = set()
        # Not of the pool below: its work waits for that of the pool.
        self._ahead = ThreadPoolExecutor(1, thread_name_prefix="ahead")
        self._cache = _Cache(cache_bytes)
        self._pool = ThreadPoolExecutor(_PARALLEL, thread_name_prefix="objects")
        self._signatures: FIFOCache[str, TableSchema] = FIFOCache(_SIGNATURES)

    def learn(self, *schemas: TableSchema) -> None:
        """Remember what columns the signatures of these schemas stand for: hashes stored under one of them are those
        under a schema with more columns, too.
        """
        for schema in schemas:
            self._signatures[schema.signature] = schema

    def may_hold(self, source: Source, ids: Sequence[str]) -> bool:
        """Whether the stored rows of a source may have one of these columns."""
        if source.place is None:
            return not set(ids).isdisjoint(self.patch(source.id).after.schema.names)
        known = self._signatures.get(source.place.signature)
        return known is None or any(known.has(item) for item in ids)

    def _hashed_alike(self, schema: TableSchema, signature: str, stored: str) -> bool:
        """Whether rows stored under a signature have the same hashes under a schema, whose own signature this is."""
        known = self._signatures.get(stored)
        return stored == signature or (known is not None and known.hashes_within(schema))

    def key(self, kind: str, identity: str) -> str:
        """The object key of a pack or a patch."""
        return f"{self.prefix}{kind}/{identity[:2]}/{identity}"

    def source_key(self, source: Source) -> str:
        """The object that holds a manifest's source."""
        return self.key("patches", source.id) if source.place is None else self.key("packs", source.place.pack)

    def put_pack(self, body: bytes) -> str:
        """Store a pack; idempotent. Its address."""
        identity = hashlib.sha256(body).hexdigest()
        self.objects.put_if_absent(self.key("packs", identity), body)
        return identity

    def behind(
        self, call: Callable[_Arguments, _Result], *args: _Arguments.args, **kwargs: _Arguments.kwargs
    ) -> Future[_Result]:
        """Have something stored while the caller works."""
        future = self._storing.submit(call, *args, **kwargs)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        return future

    def drain(self) -> None:
        """Wait until nothing is being stored any more, also of writers that were given up."""
        wait(list(self._under_way))

    def put_patch(self, patch: Patch) -> Source:
        """Store a patch; idempotent."""
        identity, data = encode_patch(patch)
        # A patch is small: it is read as readers will, before anything names it.
        decode_patch(data)
        self.objects.put_if_absent(self.key("patches", identity), data)
        self._cache.put(("patch", identity), patch, patch.after.nbytes + patch.before.nbytes + 1024)
        return Source("patch", identity, patch.after.num_rows, len(data))

    def patch(self, identity: str) -> Patch:
        """A patch by address; raises CorruptStorage, ObjectMissing."""
        found = self._cache.get(("patch", identity))
        if isinstance(found, Patch):
            return found
        patch = decode_patch(self.objects.get(self.key("patches", identity)))
        self._cache.put(("patch", identity), patch, patch.after.nbytes + patch.before.nbytes + 1024)
        return patch

    def rows(
        self, sources: Sequence[Source], columns: Sequence[str] | None = None, *, keep: bool = True
    ) -> list[pa.Table]:
        """The rows of each source, columns by id, all held at once. A narrow request of an uncached chunk decodes only
        what it names. Whoever passes by once says so by `keep`, and leaves the cache to others.

        Raises CorruptStorage, ObjectMissing.
        """
        unique = list({source.id: source for source in sources}.values())
        found = dict(zip((source.id for source in unique), self.each(unique, columns, keep=keep), strict=True))
        return [found[source.id] for source in sources]

    def each(
        self, sources: Sequence[Source], columns: Sequence[str] | None = None, *, keep: bool = True, coded: bool = False
    ) -> Iterator[pa.Table]:
        """The same one after the other: the bytes of all are held, and rows only of one, unless the cache keeps them.

        With `coded`, text of few values may come as dictionary arrays, which whoever takes a few rows has sooner.
        """
        cached = [self._cache.get(("chunk", source.id)) for source in sources]
        missing = [source for source, table in zip(sources, cached, strict=True) if table is None]
        data = self._fetched(
            [(source, source.place.start, source.size) for source in missing if source.place],
            [source.id for source in missing if source.place is None],
        )
        for source, table in zip(sources, cached, strict=True):
            if isinstance(table, pa.Table):
                yield table
            elif source.place is None:
                yield data.patches[source.id].after
            else:
                decoded, whole = decode_chunk(source, data.parts[source.id], columns, coded=coded and not keep)
                if whole and keep:
                    self._cache.put(("chunk", source.id), decoded, decoded.nbytes + 1024)
                yield decoded

    def hashes(self, sources: Sequence[Source], schema: TableSchema) -> list[RowHashes]:
        """Row hashes of each source as `schema` sees it: as stored, or made when they were stored under another one.

        Raises CorruptStorage, ObjectMissing.
        """
        signature = schema.signature
        usable = cache(partial(self._hashed_alike, schema, signature))
        found: dict[str, RowHashes] = {}
        stored: list[_Part] = []
        others: list[Source] = []
        for source in {source.id: source for source in sources}.values():
            cached = self._cache.get(("hashes", source.id, signature))
            if isinstance(cached, RowHashes):
                found[source.id] = cached
            elif source.place is not None and usable(source.place.signature):
                stored.append((source, source.place.hashes, source.rows * HASH_BYTES))
            else:
                others.append(source)

        data = self._fetched(stored, [source.id for source in others if source.place is None])
        strangers: list[Source] = []

        def keep(source: Source, hashes: RowHashes) -> None:
            if len(hashes) != source.rows:
                raise CorruptStorage(f"{source.id} has {len(hashes)} hashes, its manifest says {source.rows} rows.")
            self._cache.put(("hashes", source.id, signature), hashes, len(hashes) * HASH_BYTES + 256)
            found[source.id] = hashes

        for source in (*(source for source, _, _ in stored), *others):
            if source.id in data.parts:
                # A copy: the cache counts these bytes, not those of the range they came in.
                hashes = RowHashes.from_bytes(bytes(data.parts[source.id]))
            elif source.id in data.patches and usable(data.patches[source.id].signature):
                hashes = data.patches[source.id].after_hashes
            else:
                strangers.append(source)
                continue
            keep(source, hashes)
        for at in range(0, len(strangers), _DECODED):
            group = strangers[at : at + _DECODED]
            for source, table in zip(group, self.rows(group), strict=True):
                keep(source, hash_rows(conform(table, schema), schema))
        return [found[source.id] for source in sources]

    def read_ahead(self, sources: Sequence[Source], schema: TableSchema) -> Future[list[RowHashes]]:
        """Have these hashes read into the cache while the caller works. The result raises what `hashes` raises."""
        return self._ahead.submit(self.hashes, sources, schema)

    def _fetched(self, parts: Sequence[_Part], patches: Sequence[str]) -> _Fetched:
        """The bytes of each source's part of its pack, neighbours read with one request; and patches, all at once."""
        found = _Fetched({}, {})

        def read(group: list[_Part] | str) -> None:
            if isinstance(group, str):
                found.patches[group] = self.patch(group)
                return
            first, last = group[0], group[-1]
            start, stop = first[1], last[1] + last[2]
            key = self.source_key(first[0])
            data = memoryview(self.objects.get_range(key, start, stop - start))
            if len(data) != stop - start:
                raise CorruptStorage(f"Object {key} ends at byte {start + len(data)}, inside of a chunk.")
            found.parts.update({source.id: data[at - start : at - start + size] for source, at, size in group})

        wanted: list[list[_Part] | str] = [*_neighbours(parts), *patches]
        self._each(read, wanted)
        return found

    def _each(self, call: Callable[[_Item], object], items: Sequence[_Item]) -> None:
        """Call for every item, several at the same time so that latencies overlap."""
        if len(items) < 2:
            for item in items:
                call(item)
            return
        todo = iter(items)

        def drain() -> None:
            for item in todo:  # shared by all readers: each takes the next one
                call(item)

        for reader in [self._pool.submit(drain) for _ in range(min(_PARALLEL, len(items)))]:
            reader.result()


def decode_chunk(
    source: Source, data: memoryview, columns: Sequence[str] | None = None, *, coded: bool = False
) -> tuple[pa.Table, bool]:
    """The rows of a chunk, and whether they are whole: of a few columns the others are not decoded.

    With `coded`, text that was written by a dictionary comes as one. Raises CorruptStorage.
    """
    try:
        buffer = pa.py_buffer(data)
        file = pq.ParquetFile(pa.BufferReader(buffer), pre_buffer=False)
        if coded and (dictionaries := _dictionaries(file.metadata)):
            file = pq.ParquetFile(
                pa.BufferReader(buffer), metadata=file.metadata, read_dictionary=dictionaries, pre_buffer=False
            )
        names = file.schema_arrow.names
        wanted = None if columns is None else [name for name in names if name in set(columns)]
        partial = wanted is not None and len(wanted) * 2 < len(names)
        table = file.read(columns=wanted if partial else None, use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise CorruptStorage(f"Chunk {source.id} cannot be decoded: {error}") from error
    if table.num_rows != source.rows:
        raise CorruptStorage(f"Chunk {source.id} has {table.num_rows} rows, its manifest says {source.rows}.")
    return table, not partial


def _dictionaries(metadata: pq.FileMetaData) -> list[str]:
    """Text columns of a chunk that were written by a dictionary."""
    if not metadata.num_row_groups:
        return []
    columns = (metadata.row_group(0).column(at) for at in range(metadata.num_columns))
    return [
        column.path_in_schema
        for column in columns
        if column.physical_type == "BYTE_ARRAY" and "RLE_DICTIONARY" in column.encodings
    ]


def _neighbours(parts: Sequence[_Part]) -> Iterator[list[_Part]]:
    """Parts of one pack that lie near each other, in order."""
    group: list[_Part] = []
    for part in sorted(parts, key=lambda part: (_pack(part), part[1])):
        if group:
            gap = part[1] - group[-1][1] - group[-1][2]
            length = part[1] + part[2] - group[0][1]
            if _pack(part) != _pack(group[0]) or gap > _MOST_GAP or length > _MOST_RANGE:
                yield group
                group = []
        group.append(part)
    if group:
        yield group


def _pack(part: _Part) -> str:
    return part[0].place.pack if part[0].place else ""
