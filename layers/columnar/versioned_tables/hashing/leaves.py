"""Leaves: runs of 32 to 512 consecutive rows cut on the key hash, so that an update moves no boundary.

A row ends a leaf when the leaf has at least `LEAST` rows and the top 7 bits of its key hash are zero, or when the leaf
has `MOST` rows. The cut of a row depends on nothing after it, so a stream cut in any blocks gives the same leaves;
after an edit the cuts meet the old ones again at the next shared boundary.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from versioned_tables.hashing.row_hash import U64, RowHashes

LEAST = 32
MOST = 512
_SHIFT = np.uint64(57)

I64 = npt.NDArray[np.int64]


def cut(keys: U64, carried: int = 0) -> list[int]:
    """Exclusive ends of the leaves that end within these rows; `carried` rows of an open leaf lie before them."""
    start = -carried
    ends: list[int] = []
    for end in (np.flatnonzero((keys >> _SHIFT) == 0) + 1).tolist():
        while end - start > MOST:
            start += MOST
            ends.append(start)
        if end - start >= LEAST:
            ends.append(end)
            start = end
    while len(keys) - start >= MOST:
        start += MOST
        ends.append(start)
    return ends


def leaf_hashes(hashes: RowHashes, ends: list[int]) -> U64:
    """One BLAKE2b-128 per leaf over its rows' 16-byte hashes, as an (n, 2) uint64 array; the leaves start at row 0."""
    data = memoryview(hashes.interleaved())
    digests = bytearray()
    start = 0
    for end in ends:
        digests += hashlib.blake2b(data[start * 16 : end * 16], digest_size=16).digest()
        start = end
    return np.frombuffer(bytes(digests), dtype="<u8").reshape(-1, 2)
