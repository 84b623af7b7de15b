"""Patch objects: what one commit changed, rows before and after, in one small object.

Layout: magic, u64 length, then zstd over: u32 header length, JSON header, Arrow IPC stream of the after-rows, IPC
stream of the before-rows, row hashes of both (24 bytes a row), operations. An operation is (kind, after row or -1,
before row or -1, position in the new version, position in the old one); operations are in the order of the new version.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from versioned_tables.errors import CorruptStorage
from versioned_tables.format.manifest import I64
from versioned_tables.hashing.row_hash import RowHashes

MAGIC = b"DFP1"
INSERT, UPDATE, DELETE = 0, 1, 2
_ZSTD = pa.Codec("zstd", compression_level=3)


@dataclass(frozen=True, slots=True)
class Operations:
    """Changes in the order of the new version: int64 arrays of equal length; -1 where a side does not exist."""

    kind: I64
    after: I64
    before: I64
    new_position: I64
    old_position: I64

    def __len__(self) -> int:
        return len(self.kind)


@dataclass(frozen=True, slots=True)
class Patch:
    """The rows of both sides (columns by id), the hashes of those after, and the operations over them."""

    after: pa.Table
    before: pa.Table
    after_hashes: RowHashes
    operations: Operations
    signature: str


def encode_patch(patch: Patch) -> tuple[str, bytes]:
    """The patch's address (SHA-256, hex) and bytes; equal patches give equal bytes."""
    ops = patch.operations
    table = np.stack([ops.kind, ops.after, ops.before, ops.new_position, ops.old_position])
    parts = [
        _stream(patch.after),
        _stream(patch.before),
        patch.after_hashes.to_bytes(),
        b"",  # once the hashes of the rows before, which nothing reads
        np.ascontiguousarray(table, dtype="<i8").view(np.uint8).reshape(-1, 8).T.tobytes(),
    ]
    header = json.dumps(
        {"signature": patch.signature, "lengths": [len(part) for part in parts]}, separators=(",", ":")
    ).encode()
    body = struct.pack("<I", len(header)) + header + b"".join(parts)
    data = MAGIC + struct.pack("<Q", len(body)) + _ZSTD.compress(body, asbytes=True)
    return hashlib.sha256(data).hexdigest(), data


def decode_patch(data: bytes) -> Patch:
    """The patch of these bytes; raises CorruptStorage."""
    if data[:4] != MAGIC:
        raise CorruptStorage("The object is not a patch.")
    body = memoryview(_ZSTD.decompress(data[12:], struct.unpack("<Q", data[4:12])[0], asbytes=True))
    size = struct.unpack("<I", body[:4])[0]
    header = json.loads(bytes(body[4 : 4 + size]))
    parts: list[memoryview] = []
    at = 4 + size
    for length in header["lengths"]:
        parts.append(body[at : at + length])
        at += length
    ops = np.ascontiguousarray(np.frombuffer(parts[4], dtype=np.uint8).reshape(8, -1).T).view("<i8").reshape(5, -1)
    after, before = (pa.ipc.open_stream(pa.py_buffer(part)).read_all() for part in parts[:2])
    return Patch(after, before, RowHashes.from_bytes(bytes(parts[2])), Operations(*ops), header["signature"])


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        for batch in table.combine_chunks().to_batches():
            writer.write_batch(batch)
    return bytes(sink.getvalue().to_pybytes())
