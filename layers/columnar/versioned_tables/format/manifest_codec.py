"""Manifests as bytes: whole, or as the difference to the manifest of an earlier version.

A one-row commit must not cost a whole manifest, so a record is stored against the record of its base when that is
small: copied runs and literals of leaves and pieces. `EncodedManifest.chain` names the records that decoding needs,
the whole one first; a chain has at most `MOST_LINKS` records, then the next record skips back to the whole one, or is
whole itself.

A record's id is the SHA-256 of its bytes; it names storage, not content, and changes with compaction.

Example: five rows in one chunk are the piece (source 0, from row 0, 5 rows). After an update of the third row they are
(0, 0, 2), (1, 0, 1), (0, 3, 2), source 1 being the patch. As numbers that compress well: sources as steps 0, 1, -1;
starts as the rows passed over since the source's last piece 0, 0, 1; counts 2, 1, 2. FORMAT.md has the bytes.
"""

from __future__ import annotations

import hashlib
import json
import struct
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from cachetools import LRUCache

from versioned_tables.errors import CorruptStorage
from versioned_tables.format.manifest import I64, Change, KeyList, Leaves, Manifest, Pieces, Place, Source
from versioned_tables.hashing.row_hash import U64
from versioned_tables.schema.columns import TableSchema

MAGIC = b"DFM2"
MOST_LINKS = 16
_SMALL = 2048
# Bytes of a pack's address and of a schema's signature.
_PACK = 32 + 8
_ZSTD = pa.Codec("zstd", compression_level=3)


@dataclass(frozen=True, slots=True)
class EncodedManifest:
    """A record to store: its bytes, its id, and the ids of the records to decode before it (oldest first, often
    none).
    """

    id: str
    data: bytes
    chain: tuple[str, ...] = ()


def encode_manifest(
    manifest: Manifest, *, parent: EncodedManifest | None = None, others: Mapping[str, bytes] | None = None
) -> EncodedManifest:
    """The record of a manifest, against the record of the version it came from when that is much smaller.

    `others` holds the bytes of the parent's chain by id, as for decoding.
    """
    whole = b""
    if parent is not None:
        known = dict(others or {})
        for base in _bases(parent, known):
            before = decode_manifest(base, known)
            if not before.schema.keyed_like(manifest.schema):
                break  # equal leaves have other first keys
            data = _delta(manifest, base, before)
            if len(data) >= _SMALL:
                whole = whole or _whole(manifest)
            back = _unpack(data, before)
            if (not whole or len(data) * 2 <= len(whole)) and _same(back, manifest):
                record = EncodedManifest(hashlib.sha256(data).hexdigest(), data, (*base.chain, base.id))
                _recent.put(
                    record.id, back
                )  # not `manifest`: its sources may stand in another order than decoding gives
                return record
    whole = whole or _whole(manifest)
    return EncodedManifest(hashlib.sha256(whole).hexdigest(), whole)


def _whole(manifest: Manifest) -> bytes:
    return _pack({"whole": True, **_header(manifest)}, _whole_arrays(manifest))


def _bases(parent: EncodedManifest, others: Mapping[str, bytes]) -> list[EncodedManifest]:
    """What a new record may build on: its parent, or the whole record at the start of a full chain."""
    if len(parent.chain) + 1 < MOST_LINKS:
        return [parent]
    return [EncodedManifest(parent.chain[0], others[parent.chain[0]])]


def _same(one: Manifest, other: Manifest) -> bool:
    """Whether two manifests name the same rows at the same places; guards against a collision in the run search."""
    numbers = {source: at for at, source in enumerate(dict.fromkeys((*one.sources, *other.sources)))}
    first, second = (
        np.array([numbers[source] for source in m.sources], dtype=np.int64)[m.pieces.source] for m in (one, other)
    )
    return (
        one.digest == other.digest
        and np.array_equal(first, second)
        and np.array_equal(one.pieces.start, other.pieces.start)
        and np.array_equal(one.pieces.count, other.pieces.count)
    )


def decode_manifest(record: EncodedManifest, others: Mapping[str, bytes] | None = None) -> Manifest:
    """The manifest of a record; `others` holds the bytes of the chain by id. Raises CorruptStorage."""
    links = {identity: (others or {}).get(identity, b"") for identity in record.chain} | {record.id: record.data}
    for identity, data in links.items():
        if hashlib.sha256(data).hexdigest() != identity:
            raise CorruptStorage(f"Manifest {identity} does not match its hash.")
    todo: list[str] = []
    found: Manifest | None = None
    for identity in reversed(links):
        found = _recent.get(identity)
        if found is not None:
            break
        todo.append(identity)
    for identity in reversed(todo):
        found = _unpack(links[identity], found)
    if found is None:
        raise CorruptStorage("A manifest record has neither bytes nor a chain.")
    _recent.put(record.id, found)
    return found


class _Recent:
    """The manifests of the last few records by id, so that a commit does not replay the chain it adds to."""

    def __init__(self, most: int) -> None:
        self._manifests: LRUCache[str, Manifest] = LRUCache(most)
        self._lock = threading.Lock()

    def get(self, identity: str) -> Manifest | None:
        with self._lock:
            return self._manifests.get(identity)

    def put(self, identity: str, manifest: Manifest) -> None:
        with self._lock:
            self._manifests[identity] = manifest


_recent = _Recent(4)


def _header(manifest: Manifest) -> dict[str, object]:
    change = manifest.change
    return {
        "schema": manifest.schema.to_json(),
        "change": None
        if change is None
        else [
            change.base_digest,
            list(change.patches),
            change.complete,
            change.inserted,
            change.updated,
            change.deleted,
        ],
    }


def _pack(header: dict[str, object], arrays: Sequence[bytes]) -> bytes:
    text = json.dumps({**header, "lengths": [len(item) for item in arrays]}, separators=(",", ":")).encode()
    body = struct.pack("<I", len(text)) + text + b"".join(arrays)
    return MAGIC + struct.pack("<Q", len(body)) + bytes(_ZSTD.compress(body, asbytes=True))


def _unpack(data: bytes, base: Manifest | None) -> Manifest:
    if data[:4] != MAGIC:
        raise CorruptStorage("The record is not a manifest.")
    body = bytes(_ZSTD.decompress(data[12:], struct.unpack("<Q", data[4:12])[0], asbytes=True))
    size = struct.unpack("<I", body[:4])[0]
    header = json.loads(body[4 : 4 + size])
    parts: list[bytes] = []
    at = 4 + size
    for length in header["lengths"]:
        parts.append(body[at : at + length])
        at += length
    change = (
        None
        if header["change"] is None
        else Change(header["change"][0], tuple(header["change"][1]), *header["change"][2:])
    )
    schema = TableSchema.from_json(header["schema"])
    sources = _sources(parts[0])
    literal_leaves = _leaves(parts[1:4], keyed=bool(schema.key))
    literal_pieces = _pieces(parts[4:7])
    if header["whole"]:
        return Manifest(schema, sources, literal_leaves, literal_pieces, change)
    if base is None:
        raise CorruptStorage("A manifest record needs the record before it.")
    sources = (*base.sources, *sources)
    leaf_runs, piece_runs = (_ints(part).reshape(-1, 3) for part in parts[7:9])
    return Manifest(
        schema,
        sources,
        _replay_leaves(base.leaves, literal_leaves, leaf_runs),
        _replay_pieces(base.pieces, literal_pieces, piece_runs),
        change,
    )


def _whole_arrays(manifest: Manifest) -> list[bytes]:
    return [_source_bytes(manifest.sources), *_leaf_bytes(manifest.leaves), *_piece_bytes(manifest.pieces)]


def _source_bytes(sources: Sequence[Source]) -> bytes:
    """Kinds, addresses, rows and bytes of all; then the packs with their signatures, and the places of the chunks."""
    kinds = "".join(source.kind[0] for source in sources).encode()
    ids = b"".join(bytes.fromhex(source.id) for source in sources)
    sizes = np.array([[s.rows for s in sources], [s.size for s in sources]], dtype=np.int64).reshape(-1)
    places = [source.place for source in sources if source.place is not None]
    packs = {pack: at for at, pack in enumerate(dict.fromkeys((place.pack, place.signature) for place in places))}
    numbers = [[packs[p.pack, p.signature] for p in places], [p.start for p in places], [p.hashes for p in places]]
    return b"".join(
        (
            struct.pack("<III", len(sources), len(packs), len(places)),
            kinds,
            ids,
            *(bytes.fromhex(pack + signature) for pack, signature in packs),
            _shuffled(sizes),
            _shuffled(np.array(numbers, dtype=np.int64).reshape(-1)),
        )
    )


def _sources(data: bytes) -> tuple[Source, ...]:
    count, pack_count, place_count = struct.unpack("<III", data[:12])
    at = 12 + count
    kinds = data[12:at].decode()
    ids = [data[at + i * 32 : at + i * 32 + 32].hex() for i in range(count)]
    at += count * 32
    packs = [data[at + i * _PACK : at + i * _PACK + _PACK].hex() for i in range(pack_count)]
    at += pack_count * _PACK
    rows, sizes = _ints(data[at : at + count * 16]).reshape(2, -1).tolist()
    numbers = _ints(data[at + count * 16 : at + count * 16 + place_count * 24]).reshape(3, -1).T.tolist()
    places = iter([Place(packs[pack][:64], packs[pack][64:], start, hashes) for pack, start, hashes in numbers])
    return tuple(
        Source("chunk", ids[i], rows[i], sizes[i], next(places))
        if kinds[i] == "c"
        else Source("patch", ids[i], rows[i], sizes[i])
        for i in range(count)
    )


def _shuffled(values: I64) -> bytes:
    """Little-endian bytes, all lowest bytes first: small numbers become long runs of zeros."""
    return np.ascontiguousarray(values, dtype="<i8").view(np.uint8).reshape(-1, 8).T.tobytes()


def _ints(data: bytes) -> I64:
    return np.ascontiguousarray(np.frombuffer(data, dtype=np.uint8).reshape(8, -1).T).view("<i8").reshape(-1)


def _leaf_bytes(leaves: Leaves) -> list[bytes]:
    keys = leaves.first_keys
    lengths = np.diff(keys.offsets)
    blob = keys.blob[int(keys.offsets[0]) : int(keys.offsets[-1])]
    if len(lengths) and (lengths == lengths[0]).all():
        blob = np.frombuffer(blob, dtype=np.uint8).reshape(len(lengths), -1).T.tobytes()
    return [
        _shuffled(leaves.counts),
        np.ascontiguousarray(leaves.hashes, dtype="<u8").tobytes(),
        _shuffled(lengths) + blob,
    ]


def _leaves(parts: Sequence[bytes], *, keyed: bool) -> Leaves:
    counts = _ints(parts[0])
    hashes = np.frombuffer(parts[1], dtype="<u8").reshape(-1, 2)
    if not keyed:
        return Leaves(counts, hashes, KeyList(b"", np.zeros(1, dtype=np.int64)))
    lengths = _ints(parts[2][: len(counts) * 8])
    blob = parts[2][len(counts) * 8 :]
    if len(lengths) and (lengths == lengths[0]).all():
        blob = np.ascontiguousarray(np.frombuffer(blob, dtype=np.uint8).reshape(-1, len(lengths)).T).tobytes()
    return Leaves(counts, hashes, KeyList(blob, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)))


def _piece_bytes(pieces: Pieces) -> list[bytes]:
    """Starts are written as the distance from the end of the source's previous piece: mostly 0 or 1."""
    order = np.argsort(pieces.source, kind="stable")
    source, start, count = pieces.source[order], pieces.start[order], pieces.count[order]
    previous = np.concatenate([[0], (start + count)[:-1]]) if len(order) else start
    previous[np.concatenate([[True], source[1:] != source[:-1]])[: len(order)]] = 0
    gaps = np.empty_like(start)
    gaps[order] = start - previous
    return [_shuffled(np.diff(pieces.source, prepend=0)), _shuffled(gaps), _shuffled(pieces.count)]


def _pieces(parts: Sequence[bytes]) -> Pieces:
    source, gaps, count = np.cumsum(_ints(parts[0])), _ints(parts[1]), _ints(parts[2])
    order = np.argsort(source, kind="stable")
    steps = (gaps + count)[order]
    total = np.cumsum(steps)
    firsts = np.concatenate([[True], np.diff(source[order]) != 0])[: len(order)]
    before = np.repeat((total - steps)[firsts], np.diff(np.append(np.flatnonzero(firsts), len(order))))
    start = np.empty_like(gaps)
    start[order] = total - before - count[order]
    return Pieces(source, start, count)


def _delta(manifest: Manifest, record: EncodedManifest, base: Manifest) -> bytes:
    known = {source: at for at, source in enumerate(base.sources)}
    extra = [source for source in manifest.sources if source not in known]
    place = known | {source: len(base.sources) + at for at, source in enumerate(extra)}
    renumber = np.array([place[source] for source in manifest.sources], dtype=np.int64)
    pieces = manifest.pieces
    source = renumber[pieces.source] if len(renumber) else pieces.source
    leaf_runs, fresh_leaves = _runs(_leaf_words(manifest.leaves), _leaf_words(base.leaves))
    piece_runs, fresh_pieces = _runs(_piece_words(source, pieces), _piece_words(base.pieces.source, base.pieces))
    keys = manifest.leaves.first_keys
    literals = Leaves(
        manifest.leaves.counts[fresh_leaves],
        manifest.leaves.hashes[fresh_leaves],
        KeyList.of([keys[at] for at in fresh_leaves.tolist()]) if len(keys) else keys,
    )
    literal_pieces = Pieces(source[fresh_pieces], pieces.start[fresh_pieces], pieces.count[fresh_pieces])
    arrays = [
        _source_bytes(extra),
        *_leaf_bytes(literals),
        *_piece_bytes(literal_pieces),
        _shuffled(leaf_runs),
        _shuffled(piece_runs),
    ]
    return _pack({"whole": False, "base": record.id, **_header(manifest)}, arrays)


def _leaf_words(leaves: Leaves) -> U64:
    mixed = leaves.hashes[:, 0] ^ (leaves.hashes[:, 1] * np.uint64(3))
    words: U64 = np.bitwise_xor(mixed, leaves.counts.view(np.uint64))
    return words


def _piece_words(source: I64, pieces: Pieces) -> U64:
    mixed = ((source << 32) + pieces.start).view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return mixed ^ (pieces.count.view(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F))


def _runs(new: U64, old: U64) -> tuple[I64, I64]:
    """How `new` is made of `old`: flat (literals before, first copied, copied) triples, and the indexes of the
    literals.
    """
    if not len(old) or not len(new):
        return np.array([len(new), 0, 0], dtype=np.int64), np.arange(len(new))
    order = np.argsort(old, kind="stable")
    at = np.minimum(np.searchsorted(old, new, sorter=order), len(old) - 1)
    found = np.where(old[order[at]] == new, order[at], -1)
    literal = found < 0
    goes_on = np.where(literal[1:], literal[:-1], ~literal[:-1] & (np.diff(found) == 1))
    starts = np.flatnonzero(np.concatenate([[True], ~goes_on]))
    ends = np.append(starts[1:], len(found))
    triples: list[tuple[int, int, int]] = []
    literals = 0
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        if found[start] < 0:
            literals = end - start
        else:
            triples.append((literals, int(found[start]), end - start))
            literals = 0
    if literals or not triples:
        triples.append((literals, 0, 0))
    return np.array(triples, dtype=np.int64).reshape(-1), np.flatnonzero(found < 0)


def _gather(runs: I64, literal_count: int, offset: int) -> I64:
    """Indexes into base records followed by literal records that replay the runs."""
    interleaved = np.empty((len(runs), 2), dtype=np.int64)
    interleaved[:, 0] = offset + np.cumsum(runs[:, 0]) - runs[:, 0]
    interleaved[:, 1] = runs[:, 1]
    starts, counts = interleaved.reshape(-1), runs[:, [0, 2]].reshape(-1)
    if int(runs[:, 0].sum()) != literal_count:
        raise CorruptStorage("A manifest record does not fit the record before it.")
    before = np.cumsum(counts) - counts
    found: I64 = np.repeat(starts - before, counts) + np.arange(int(counts.sum()))
    return found


def _replay_leaves(base: Leaves, literal: Leaves, runs: I64) -> Leaves:
    picks = _gather(runs, len(literal), len(base))
    counts = np.concatenate([base.counts, literal.counts])[picks]
    hashes = np.concatenate([base.hashes, literal.hashes])[picks]
    one, two = base.first_keys, literal.first_keys
    if not len(one) and not len(two):
        return Leaves(counts, hashes, two)
    blob = np.frombuffer(one.blob + two.blob, dtype=np.uint8)
    starts = np.concatenate([one.offsets[:-1], two.offsets[:-1] + len(one.blob)])[picks]
    lengths = np.concatenate([np.diff(one.offsets), np.diff(two.offsets)])[picks]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    gathered = blob[np.repeat(starts - offsets[:-1], lengths) + np.arange(int(offsets[-1]))]
    return Leaves(counts, hashes, KeyList(gathered.tobytes(), offsets))


def _replay_pieces(base: Pieces, literal: Pieces, runs: I64) -> Pieces:
    picks = _gather(runs, len(literal), len(base))
    source, start, count = (
        np.concatenate([getattr(base, n), getattr(literal, n)])[picks] for n in ("source", "start", "count")
    )
    return Pieces(source, start, count)
