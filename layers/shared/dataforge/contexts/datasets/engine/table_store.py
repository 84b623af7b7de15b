"""Chunks, patches and hash sidecars of one dataset in an object store, with caches of what is immutable.

Keys: `<prefix>chunks/<2 hex>/<sha256>` Parquet, `<prefix>patches/<2 hex>/<sha256>`, `<prefix>hashes/<2 hex>/<chunk
sha256>.<signature>`. The prefix is one tenant's, so nothing is deduplicated across tenants.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from dataforge.contexts.datasets.engine.arrow_types import conform
from dataforge.contexts.datasets.engine.manifest import Source
from dataforge.contexts.datasets.engine.patches import Patch, decode_patch, encode_patch
from dataforge.contexts.datasets.engine.rowhash import RowHashes, hash_rows
from dataforge.contexts.datasets.errors import CorruptStorage, ObjectMissing
from dataforge.contexts.datasets.model.columns import TableSchema
from dataforge.contexts.datasets.ports import ObjectStore

CACHE_BYTES = 128 << 20
_PARALLEL = 16
_Result = TypeVar("_Result")
_Item = TypeVar("_Item")


class _Cache:
    """Least recently used values up to a number of bytes; safe for threads."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held = 0
        self._values: OrderedDict[tuple[object, ...], tuple[object, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[object, ...]) -> object | None:
        with self._lock:
            found = self._values.get(key)
            if found is None:
                return None
            self._values.move_to_end(key)
            return found[0]

    def put(self, key: tuple[object, ...], value: object, size: int) -> None:
        with self._lock:
            if key in self._values or size > self._most:
                return
            self._values[key] = (value, size)
            self._held += size
            while self._held > self._most:
                self._held -= self._values.popitem(last=False)[1][1]


class TableStore:
    """Reads and writes the objects of one dataset. Cheap to make; keep one per process for its caches."""

    def __init__(self, store: ObjectStore, prefix: str = "", *, cache_bytes: int = CACHE_BYTES) -> None:
        self.objects = store
        self.prefix = prefix
        self._cache = _Cache(cache_bytes)
        self._pool = ThreadPoolExecutor(_PARALLEL, thread_name_prefix="objects")

    def key(self, kind: str, identity: str, suffix: str = "") -> str:
        """The object key of a chunk, patch or sidecar."""
        return f"{self.prefix}{kind}/{identity[:2]}/{identity}{suffix}"

    def source_key(self, source: Source) -> str:
        """The object key of a manifest's source."""
        return self.key("chunks" if source.kind == "chunk" else "patches", source.id)

    def put_chunk(
        self, table: pa.Table, hashes: RowHashes, schema: TableSchema, dictionary: Sequence[str] = ()
    ) -> Source:
        """Store rows (columns by id) and their hashes; idempotent. `dictionary` names columns worth a dictionary."""
        return self.start_chunk(table, hashes, schema, dictionary).result()

    def start_chunk(
        self, table: pa.Table, hashes: RowHashes, schema: TableSchema, dictionary: Sequence[str] = ()
    ) -> Future[Source]:
        """Encode now and store on the way, so that the caller's thread does not wait for the network."""
        sink = pa.BufferOutputStream()
        pq.write_table(
            table,
            sink,
            compression="zstd",
            compression_level=1,
            use_dictionary=list(dictionary),
            write_statistics=False,
            store_schema=False,
            row_group_size=max(1, table.num_rows),
        )
        data = sink.getvalue()
        identity = hashlib.sha256(data).hexdigest()
        sidecar, body = self.key("hashes", identity, f".{schema.signature}"), self.key("chunks", identity)

        def store() -> Source:
            self.objects.put_if_absent(sidecar, hashes.to_bytes())
            self.objects.put_if_absent(body, memoryview(data))  # type: ignore[arg-type]
            return Source("chunk", identity, table.num_rows, data.size)

        return self._pool.submit(store)

    def put_patch(self, patch: Patch) -> Source:
        """Store a patch; idempotent."""
        identity, data = encode_patch(patch)
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

    def rows(self, source: Source, columns: Sequence[str] | None = None) -> pa.Table:
        """The rows of a source, columns by id. A narrow request of an uncached chunk decodes only what it names."""
        if source.kind == "patch":
            return self.patch(source.id).after
        found = self._cache.get(("chunk", source.id))
        if isinstance(found, pa.Table):
            return found
        data = self.objects.get(self.key("chunks", source.id))
        try:
            file = pq.ParquetFile(pa.BufferReader(data))
            names = file.schema_arrow.names
            wanted = None if columns is None else [name for name in names if name in set(columns)]
            partial = wanted is not None and len(wanted) * 2 < len(names)
            table = file.read(columns=wanted if partial else None, use_threads=False)
        except pa.ArrowException as error:
            raise CorruptStorage(f"Chunk {source.id} cannot be decoded: {error}") from error
        if table.num_rows != source.rows:
            raise CorruptStorage(f"Chunk {source.id} has {table.num_rows} rows, its manifest says {source.rows}.")
        if not partial:
            self._cache.put(("chunk", source.id), table, table.nbytes + 1024)
        return table

    def hashes(self, source: Source, schema: TableSchema) -> RowHashes:
        """Row hashes of a source as `schema` sees it: from the sidecar, or computed when the chunk was hashed under
        another schema.
        """
        key = ("hashes", source.id, schema.signature)
        found = self._cache.get(key)
        if isinstance(found, RowHashes):
            return found
        hashes = self._stored_hashes(source, schema)
        if hashes is None:
            hashes = hash_rows(conform(self.rows(source), schema), schema)
        if len(hashes) != source.rows:
            raise CorruptStorage(
                f"The hash sidecar of {source.id} has {len(hashes)} rows, its manifest says {source.rows}."
            )
        self._cache.put(key, hashes, len(hashes) * 24 + 256)
        return hashes

    def _stored_hashes(self, source: Source, schema: TableSchema) -> RowHashes | None:
        if source.kind == "patch":
            patch = self.patch(source.id)
            return patch.after_hashes if patch.signature == schema.signature else None
        try:
            return RowHashes.from_bytes(self.objects.get(self.key("hashes", source.id, f".{schema.signature}")))
        except ObjectMissing:
            return None

    def each(self, call: Callable[[Source], _Result], sources: Sequence[Source]) -> list[_Result]:
        """The results of a read of every source, in order; the reads run at the same time so that latencies overlap."""
        return self.each_of(call, sources)

    def each_of(self, call: Callable[[_Item], _Result], items: Sequence[_Item]) -> list[_Result]:
        """The same for anything that reads one object per item."""
        if len(items) < 2:
            return [call(item) for item in items]
        found: dict[int, _Result] = {}
        todo = iter(range(len(items)))

        def drain() -> None:
            for at in todo:  # shared by all readers: each takes the next number
                found[at] = call(items[at])

        for reader in [self._pool.submit(drain) for _ in range(min(_PARALLEL, len(items)))]:
            reader.result()
        return [found[at] for at in range(len(items))]
