"""The records of FORMAT.md byte by byte: the library reads and writes them, and so does a reader in plain Python.

Bodies are compared before compression: another release of zstd may pack the same bytes differently.
"""

import hashlib
import json
import struct
from dataclasses import astuple
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from versioned_tables.format.manifest import Change, KeyList, Leaves, Manifest, Pieces, Place, Source
from versioned_tables.format.manifest_codec import EncodedManifest, decode_manifest, encode_manifest
from versioned_tables.format.patches import Operations, Patch, decode_patch, encode_patch
from versioned_tables.hashing.leaves import leaf_hashes
from versioned_tables.hashing.row_hash import hash_rows
from versioned_tables.schema.columns import TableSchema

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())
SCHEMA = TableSchema.from_json(VECTORS["schema"])
WHOLE, DIFFERENCE = VECTORS["records"]
PATCH = VECTORS["patch"]
CHAIN = {WHOLE["id"]: bytes.fromhex(WHOLE["data"])}


def unpacked(data: bytes, mark: bytes) -> bytes:
    """What is compressed in a record: mark, length, zstd."""
    assert data[:4] == mark
    return bytes(pa.Codec("zstd").decompress(data[12:], struct.unpack("<Q", data[4:12])[0], asbytes=True))


def parts_of(body: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """The header of a body, and the parts whose lengths it names."""
    start = 4 + struct.unpack("<I", body[:4])[0]
    header = json.loads(body[4:start])
    ends = list(accumulate(header["lengths"], initial=start))
    return header, [body[one:two] for one, two in pairwise(ends)]


def numbers(data: bytes) -> list[int]:
    """Shuffled int64: all lowest bytes, then all second bytes, and so on."""
    count = len(data) // 8
    return [int.from_bytes(data[at::count], "little", signed=True) for at in range(count)]


def plain_sources(data: bytes) -> list[list[Any]]:
    count, packs, places = struct.unpack("<III", data[:12])
    kinds, rest = data[12 : 12 + count].decode(), data[12 + count :]
    ids, rest = [rest[at * 32 : at * 32 + 32].hex() for at in range(count)], rest[count * 32 :]
    named = [(rest[at : at + 32].hex(), rest[at + 32 : at + 40].hex()) for at in range(0, packs * 40, 40)]
    rest = rest[packs * 40 :]
    sizes, located = numbers(rest[: count * 16]), numbers(rest[count * 16 :])
    found: list[list[Any]] = []
    for at, kind in enumerate(kinds):
        source: list[Any] = [{"c": "chunk", "p": "patch"}[kind], ids[at], sizes[at], sizes[count + at]]
        if kind == "c":
            number = kinds[:at].count("c")
            pack, start, hashes = (located[part * places + number] for part in range(3))
            source.append([*named[pack], start, hashes])
        found.append(source)
    return found


def plain_leaves(parts: list[bytes]) -> list[list[Any]]:
    counts = numbers(parts[0])
    lengths, blob = numbers(parts[2][: len(counts) * 8]), parts[2][len(counts) * 8 :]
    assert len(set(lengths)) <= 1  # keys of one length lie byte by byte: all first bytes, then all second ones
    keys = [blob[at :: len(counts)] for at in range(len(counts))]
    hashes = ["".join(f"{word:016x}" for word in pair) for pair in struct.iter_unpack("<QQ", parts[1])]
    return [[count, leaf, key.hex()] for count, leaf, key in zip(counts, hashes, keys, strict=True)]


def plain_pieces(parts: list[bytes]) -> list[list[int]]:
    ends: dict[int, int] = {}
    pieces = []
    for source, gap, count in zip(accumulate(numbers(parts[0])), numbers(parts[1]), numbers(parts[2]), strict=True):
        start = ends.get(source, 0) + gap
        ends[source] = start + count
        pieces.append([source, start, count])
    return pieces


def replayed(before: list[Any], literals: list[Any], runs: list[int]) -> list[Any]:
    found: list[Any] = []
    fresh = iter(literals)
    for at in range(0, len(runs), 3):
        own, first, copied = runs[at : at + 3]
        found += [next(fresh) for _ in range(own)] + before[first : first + copied]
    return found


def plain_manifest(record: dict[str, Any]) -> dict[str, Any]:
    header, parts = parts_of(unpacked(bytes.fromhex(record["data"]), b"DFM2"))
    found = {
        "sources": plain_sources(parts[0]),
        "leaves": plain_leaves(parts[1:4]),
        "pieces": plain_pieces(parts[4:7]),
        "change": header["change"],
    }
    if not header["whole"]:
        before = plain_manifest(WHOLE)
        assert header["base"] == WHOLE["id"]
        found["sources"] = before["sources"] + found["sources"]
        found["leaves"] = replayed(before["leaves"], found["leaves"], numbers(parts[7]))
        found["pieces"] = replayed(before["pieces"], found["pieces"], numbers(parts[8]))
    return found


def manifest_of(given: dict[str, Any]) -> Manifest:
    change = given["change"]
    return Manifest(
        SCHEMA,
        tuple(Source(*item[:4], Place(*item[4]) if len(item) > 4 else None) for item in given["sources"]),
        Leaves(
            np.array([leaf[0] for leaf in given["leaves"]]),
            np.array([[int(leaf[1][:16], 16), int(leaf[1][16:], 16)] for leaf in given["leaves"]], dtype=np.uint64),
            KeyList.of([bytes.fromhex(leaf[2]) for leaf in given["leaves"]]),
        ),
        Pieces(*(np.array(column) for column in zip(*given["pieces"], strict=True))),
        None if change is None else Change(change[0], tuple(change[1]), *change[2:]),
    )


def listed(manifest: Manifest) -> dict[str, Any]:
    leaves, pieces = manifest.leaves, manifest.pieces
    hashes = [f"{low:016x}{high:016x}" for low, high in leaves.hashes.tolist()]
    keys = [key.hex() for key in leaves.first_keys]
    columns = (column.tolist() for column in (pieces.source, pieces.start, pieces.count))
    return {
        "sources": [_listed_source(source) for source in manifest.sources],
        "leaves": [list(leaf) for leaf in zip(leaves.counts.tolist(), hashes, keys, strict=True)],
        "pieces": [list(piece) for piece in zip(*columns, strict=True)],
        "change": None if manifest.change is None else json.loads(json.dumps(astuple(manifest.change))),
    }


def _listed_source(source: Source) -> list[Any]:
    return [*astuple(source)[:4], *([list(astuple(source.place))] if source.place else [])]


def rows(values: list[list[Any]]) -> pa.Table:
    keys, names = zip(*values, strict=True)
    return pa.table([pa.array(keys, pa.int64()), pa.array(names, pa.string())], names=["k", "n"])


@pytest.mark.parametrize("record", VECTORS["records"], ids=lambda record: record["what"])
def test_a_manifest_record_is_read(record: dict[str, Any]) -> None:
    data = bytes.fromhex(record["data"])
    assert hashlib.sha256(data).hexdigest() == record["id"]

    found = decode_manifest(EncodedManifest(record["id"], data, tuple(record.get("chain", ()))), CHAIN)

    assert listed(found) == record["manifest"]
    assert found.schema == SCHEMA
    assert plain_manifest(record) == record["manifest"]


@pytest.mark.parametrize("record", VECTORS["records"], ids=lambda record: record["what"])
def test_a_manifest_record_is_written(record: dict[str, Any]) -> None:
    parent = EncodedManifest(WHOLE["id"], CHAIN[WHOLE["id"]]) if record is DIFFERENCE else None

    found = encode_manifest(manifest_of(record["manifest"]), parent=parent)

    bodies = [unpacked(data, b"DFM2").hex() for data in (found.data, bytes.fromhex(record["data"]))]
    assert bodies == [record["body"]] * 2
    assert found.chain == tuple(record.get("chain", ()))


@pytest.mark.parametrize(("record", "side"), [(WHOLE, "rows_before"), (DIFFERENCE, "rows_after")])
def test_the_leaf_of_a_record_is_made_of_its_rows(record: dict[str, Any], side: str) -> None:
    leaf = leaf_hashes(hash_rows(rows(VECTORS[side]), SCHEMA), [5]).tolist()[0]

    assert f"{leaf[0]:016x}{leaf[1]:016x}" == record["manifest"]["leaves"][0][1]


def test_a_patch_is_read() -> None:
    data = bytes.fromhex(PATCH["data"])
    assert hashlib.sha256(data).hexdigest() == PATCH["id"]

    found = decode_patch(data)

    assert [list(row.values()) for row in found.after.to_pylist()] == PATCH["after"]
    assert [list(row.values()) for row in found.before.to_pylist()] == PATCH["before"]
    assert [int(column[0]) for column in astuple(found.operations)] == PATCH["operations"][0]
    header, parts = parts_of(unpacked(data, b"DFP1"))
    assert header["signature"] == PATCH["signature"]
    assert numbers(parts[4]) == PATCH["operations"][0]
    for part, side in ((parts[2], "after"), (parts[3], "before")):
        hashes = hash_rows(rows(PATCH[side]), SCHEMA)
        assert struct.unpack("<QQQ", part) == (int(hashes.key[0]), int(hashes.low[0]), int(hashes.high[0]))


def test_a_patch_is_written() -> None:
    after, before = rows(PATCH["after"]), rows(PATCH["before"])
    operations = Operations(*(np.array([value], dtype=np.int64) for value in PATCH["operations"][0]))
    patch = Patch(after, before, hash_rows(after, SCHEMA), operations, PATCH["signature"])

    _, data = encode_patch(patch)

    # The rows are Arrow IPC streams, whose padding and metadata are Arrow's; the rest is ours to the byte.
    wanted, found = (parts_of(unpacked(item, b"DFP1"))[1] for item in (bytes.fromhex(PATCH["data"]), data))
    # The hashes of the rows before, which the vector still has, are written no more.
    assert (found[2], found[3], found[4]) == (wanted[2], b"", wanted[4])
    assert [pa.ipc.open_stream(part).read_all() for part in found[:2]] == [after, before]
