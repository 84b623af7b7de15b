"""Compaction, verification from hash to bytes, and garbage collection."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from versioned_tables.errors import CorruptStorage, ObjectMissing
from versioned_tables.format.keys import encode_keys
from versioned_tables.format.manifest import (
    Manifest,
    Pieces,
    Place,
    Source,
    drop_unused,
    join_pieces,
    slice_pieces,
)
from versioned_tables.hashing.leaves import cut, leaf_hashes
from versioned_tables.hashing.row_hash import HASH_BYTES, RowHashes, hash_rows
from versioned_tables.read.rows import read_range
from versioned_tables.schema.arrow_types import conform
from versioned_tables.schema.columns import TableSchema
from versioned_tables.storage.table_store import TableStore, decode_chunk
from versioned_tables.write.packs import PackWriter
from versioned_tables.write.writer import CHUNK_RAW_BYTES, CHUNK_ROWS

MOST_PATCHES = 16
MOST_PATCHED = 0.10
_SMALL = 1024


def needs_compaction(manifest: Manifest) -> bool:
    """Whether more than 16 patches, 10 % of the rows from patches, or mostly small pieces make reads slow."""
    kinds = np.array([source.kind == "patch" for source in manifest.sources], dtype=bool)
    if not len(manifest.pieces) or not len(kinds):
        return False
    patched = int(manifest.pieces.count[kinds[manifest.pieces.source]].sum())
    return int(kinds.sum()) > MOST_PATCHES or patched > manifest.rows * MOST_PATCHED


def compact(store: TableStore, manifest: Manifest) -> Manifest:
    """The same version with fragmented stretches rewritten as chunks: equal digest, equal commit id, other pieces."""
    parts: list[Pieces] = []
    packs = PackWriter(store, manifest.schema)
    step = _chunk_rows(store, manifest)
    for start in range(0, manifest.rows, step):
        stop = min(start + step, manifest.rows)
        pieces = slice_pieces(manifest, start, stop)
        if not _fragmented(manifest, pieces):
            parts.append(pieces)
            continue
        table = read_range(store, manifest, start, stop).combine_chunks()
        parts.append(Pieces(np.array([len(manifest.sources) + len(packs)]), np.array([0]), np.array([stop - start])))
        packs.add(table, hash_rows(table, manifest.schema))
    sources = (*manifest.sources, *packs.finish())
    return drop_unused(replace(manifest, sources=sources, pieces=join_pieces(parts)))


def _chunk_rows(store: TableStore, manifest: Manifest) -> int:
    sample = read_range(store, manifest, 0, 512)
    per_row = max(1, sample.nbytes // max(1, sample.num_rows))
    return int(max(64, min(CHUNK_ROWS, CHUNK_RAW_BYTES // per_row)))


def _fragmented(manifest: Manifest, pieces: Pieces) -> bool:
    """Whether a stretch has rows from patches, or more than two pieces of chunks."""
    return len(pieces) > 3 or any(manifest.sources[at].kind == "patch" for at in np.unique(pieces.source).tolist())


@dataclass(frozen=True, slots=True)
class Problem:
    """A broken link between a hash and what it stands for: what, where, and why."""

    thing: str
    identity: str
    reason: str


def verify(store: TableStore, manifest: Manifest) -> list[Problem]:
    """Walk a version from leaf hashes to stored bytes: addresses of objects, hash sidecars against rows, rows against
    leaf hashes, order of keys, patches.

    Stops at the first broken object or leaf; an empty list means that every byte is what the commit id says.
    """
    packs: dict[str, list[tuple[Source, Place]]] = {}
    patches = {source.id for source in manifest.sources if source.place is None}
    for source in manifest.sources:
        if source.place is not None:
            packs.setdefault(source.place.pack, []).append((source, source.place))
    for pack, chunks in packs.items():
        problem = _verify_pack(store, manifest.schema, pack, chunks)
        if problem:
            return [problem]
    for identity in sorted(patches.union(manifest.change.patches if manifest.change else ())):
        found = _object(store, "patch", identity, store.key("patches", identity))
        if isinstance(found, Problem):
            return [found]
    if int(manifest.leaves.counts.sum()) != manifest.rows:
        return [Problem("manifest", manifest.digest, "its leaves and its pieces have different numbers of rows")]
    return _verify_leaves(store, manifest)


def _object(store: TableStore, kind: str, identity: str, key: str) -> bytes | Problem:
    """An object that is what its address says."""
    try:
        data = store.objects.get(key)
    except ObjectMissing:
        return Problem(kind, identity, f"the object {key} is missing")
    if hashlib.sha256(data).hexdigest() != identity:
        return Problem(kind, identity, f"the bytes of {key} do not match its address")
    return data


def _verify_pack(
    store: TableStore, schema: TableSchema, pack: str, chunks: Sequence[tuple[Source, Place]]
) -> Problem | None:
    """A pack's bytes, its chunks, and the hashes that comparisons believe: those made under this schema."""
    key = store.key("packs", pack)
    found = _object(store, "pack", pack, key)
    if isinstance(found, Problem):
        return found
    data = memoryview(found)
    for source, place in chunks:
        body = data[place.start : place.start + source.size]
        if hashlib.sha256(body).hexdigest() != source.id:
            return Problem("chunk", source.id, f"the bytes from {place.start + 1} on in {key} do not match its address")
        if place.signature != schema.signature:
            continue
        try:
            rows = conform(decode_chunk(source, body)[0], schema)
        except CorruptStorage as error:
            return Problem("chunk", source.id, str(error))
        if data[place.hashes : place.hashes + source.rows * HASH_BYTES] != hash_rows(rows, schema).to_bytes():
            return Problem("hash sidecar", source.id, f"the hashes in {key} are not those of the chunk's rows")
    return None


def _verify_leaves(store: TableStore, manifest: Manifest) -> list[Problem]:
    """Hash every row anew and cut the leaves anew."""
    ends = manifest.leaf_ends
    first = 0
    while first < len(ends):
        last = min(len(ends), int(np.searchsorted(ends, manifest.leaf_start(first) + 65_536, side="right")) + 1)
        start, stop = manifest.leaf_start(first), int(ends[last - 1])
        try:
            table = read_range(store, manifest, start, stop)
        except CorruptStorage as error:
            return [Problem("rows", f"{start + 1}..{stop}", str(error))]
        hashes = hash_rows(table, manifest.schema)
        bounds = (ends[first:last] - start).tolist()
        problem = _verify_part(manifest, hashes, bounds, first, last)
        if problem:
            return [problem]
        if manifest.schema.key:
            keys = encode_keys(table.select(list(manifest.schema.key)), manifest.schema)
            bad = next((at for at in range(1, len(keys)) if keys[at] <= keys[at - 1]), None)
            starts = [0, *bounds[:-1]]
            if bad is not None or [keys[at] for at in starts] != [
                manifest.leaves.first_keys[leaf] for leaf in range(first, last)
            ]:
                return [
                    Problem(
                        "keys", f"{start + 1 + (bad or 0)}", "the rows are not in key order, or a first key is wrong"
                    )
                ]
        first = last
    return []


def _verify_part(manifest: Manifest, hashes: RowHashes, bounds: list[int], first: int, last: int) -> Problem | None:
    fresh = leaf_hashes(hashes, bounds)
    wrong = np.flatnonzero((fresh != manifest.leaves.hashes[first:last]).any(axis=1))
    if len(wrong):
        leaf = first + int(wrong[0])
        return Problem(
            "leaf",
            str(leaf),
            f"rows {manifest.leaf_start(leaf) + 1} to {int(manifest.leaf_ends[leaf])} do not match the leaf hash",
        )
    expected = cut(hashes.key)
    if last == len(manifest.leaves) and (not expected or expected[-1] < len(hashes)):
        expected.append(len(hashes))
    if expected != bounds:
        return Problem("leaf", str(first), "the leaves are not cut where the key hashes say")
    return None


def live_keys(store: TableStore, manifests: Iterable[Manifest]) -> set[str]:
    """Object keys that versions need: packs, whole as long as one of their chunks is needed, and patches."""
    keys: set[str] = set()
    for manifest in manifests:
        keys.update(store.source_key(source) for source in manifest.sources)
        if manifest.change is not None:
            keys.update(store.key("patches", identity) for identity in manifest.change.patches)
    return keys


@dataclass(frozen=True, slots=True)
class Garbage:
    """What a collection removed, and what it left because it is too young."""

    removed: int
    removed_bytes: int
    kept: int
    too_young: int


def collect_garbage(store: TableStore, live: set[str], *, older_than: float) -> Garbage:
    """Delete objects of the dataset that no live version names and that were last written before `older_than` (epoch
    seconds).

    Choose `older_than` further back than any import runs: objects are stored before the commit that names them.
    """
    removed = size = kept = young = 0
    for kind in ("packs", "patches"):
        for found in list(store.objects.list(f"{store.prefix}{kind}/")):
            if found.key in live:
                kept += 1
            elif found.modified >= older_than:
                young += 1
            else:
                store.objects.delete(found.key)
                removed += 1
                size += found.size
    return Garbage(removed, size, kept, young)
