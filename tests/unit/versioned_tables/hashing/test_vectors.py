"""The test vectors of FORMAT.md: the library gives them, and so does a second implementation in plain Python."""

import hashlib
import json
import struct
from datetime import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from versioned_tables.hashing.commits import TableContent, commit_id, leaves_digest, tree_hash
from versioned_tables.hashing.leaves import leaf_hashes
from versioned_tables.hashing.row_hash import hash_rows
from versioned_tables.schema.arrow_types import to_arrow
from versioned_tables.schema.columns import Column, TableSchema

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())
MASK = (1 << 64) - 1
A = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F)
B = (0xD6E8FEB86659FD93, 0xA0761D6478BD642F)
G = 0xFF51AFD7ED558CCD


def mixed(word: int, lane: int) -> int:
    word = word * A[lane] & MASK
    word ^= word >> 32
    word = word * B[lane] & MASK
    return word ^ word >> 29


def seeds(column: str, family: str) -> tuple[int, int]:
    digest = hashlib.blake2b(f"h1|{column}|{family}".encode(), digest_size=16).digest()
    return struct.unpack("<QQ", digest)


def cell(column: str, family: str, value: Any, lane: int) -> int:
    """The part of one cell: a word, or the bytes of a text."""
    seed = seeds(column, family)[lane]
    if isinstance(value, int):
        return mixed((value & MASK) ^ seed, lane)
    data = value
    state = seed ^ (len(value) * G & MASK)
    if len(data) > 128:
        data = hashlib.blake2b(data, digest_size=16).digest()
    for at in range(0, len(data), 8):
        state = (state ^ int.from_bytes(data[at : at + 8].ljust(8, b"\0"), "little")) * A[lane] & MASK
        state ^= state >> 32
    return mixed(state, lane)


def spoken(case: dict[str, Any]) -> object:
    """The value of a case, as the library takes it."""
    value = case["value"]
    if case["type"] == "binary":
        return bytes.fromhex(value)
    if case["type"] == "time":
        return time.fromisoformat(value)
    return float(value) if case["type"] == "float" else value


def listed(case: dict[str, Any]) -> Any:
    """The word or the bytes that FORMAT.md says the value stands for."""
    return int(case["word"], 16) if "word" in case else bytes.fromhex(case["bytes"])


@pytest.mark.parametrize("case", VECTORS["cells"], ids=lambda case: f"{case['type']} {case['value']!s:.20}")
def test_a_cell_has_the_hash_of_the_vectors(case: dict[str, Any]) -> None:
    schema = TableSchema((Column(case["column"], "x", case["type"], nullable=True),))
    kind = to_arrow(case["type"])
    value = spoken(case)
    cells = pa.array([value], kind) if case["type"] in ("int", "float", "bool", "string", "binary", "time") else None
    table = pa.table([pa.array([value]).cast(kind) if cells is None else cells], names=[case["column"]])

    found = hash_rows(table, schema)

    assert [f"{int(lane[0]):016x}" for lane in (found.low, found.high)] == case["hash"]
    plain = [cell(case["column"], case["family"], listed(case), lane) for lane in (0, 1)]
    assert [f"{lane:016x}" for lane in plain] == case["hash"]


def test_five_rows_have_the_ids_of_the_vectors() -> None:
    given = VECTORS["table"]
    schema = TableSchema.from_json(given["schema"])
    rows = pa.table(
        [pa.array([row[at] for row in given["rows"]], to_arrow(c.type)) for at, c in enumerate(schema.columns)],
        names=[c.id for c in schema.columns],
    )

    hashes = hash_rows(rows, schema)
    leaf = leaf_hashes(hashes, [len(given["rows"])])
    digest = leaves_digest(np.uint32(len(given["rows"])).tobytes() + leaf.tobytes())
    tree = tree_hash({given["name"]: TableContent(schema, len(given["rows"]), digest)})

    assert [f"{int(low):016x}{int(high):016x}" for low, high in zip(hashes.low, hashes.high, strict=True)] == given[
        "row_hashes"
    ]
    assert [f"{int(key):016x}" for key in hashes.key] == given["key_hashes"]
    assert leaf.tobytes().hex() == given["leaf"]
    assert (digest, tree) == (given["leaves_sha256"], given["tree"])
    assert (
        commit_id(tree, parents=[], author="ada", message="First", authored_at="2026-01-31T12:00:00Z")
        == (given["commit"])
    )


def test_five_rows_add_up_cell_by_cell() -> None:
    """Each row is the sum of its cells, lane by lane; a null adds nothing; the key hash mixes the key's sum."""
    given = VECTORS["table"]
    family = {"int": "number", "string": "string"}
    columns = given["schema"]["columns"]
    for row, row_hash, key_hash in zip(given["rows"], given["row_hashes"], given["key_hashes"], strict=True):
        lanes = [0, 0]
        for column, value in zip(columns, row, strict=True):
            if value is not None:
                word = value.encode() if isinstance(value, str) else value
                for lane in (0, 1):
                    lanes[lane] = (lanes[lane] + cell(column["id"], family[column["type"]], word, lane)) & MASK
        assert f"{lanes[0]:016x}{lanes[1]:016x}" == row_hash
        assert f"{mixed(cell(columns[0]['id'], 'number', row[0], 0), 0):016x}" == key_hash
