"""Content hashes and commit ids: what a version *is*, independent of how its bytes are stored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from versioned_tables.schema.columns import TableSchema

_VERSION = "dataforge-commit-1"


@dataclass(frozen=True, slots=True)
class TableContent:
    """One table of a commit by content: schema, number of rows, and the SHA-256 over its leaf hashes."""

    schema: TableSchema
    rows: int
    leaves_sha256: str


def tree_hash(tables: Mapping[str, TableContent]) -> str:
    """64 hex digits over names, schemas and leaf hashes of all tables: equal content, equal hash."""
    body = [
        [name, tables[name].schema.content_json(), tables[name].rows, tables[name].leaves_sha256]
        for name in sorted(tables)
    ]
    return hashlib.sha256(_canonical([_VERSION, body])).hexdigest()


def commit_id(tree: str, *, parents: Sequence[str], author: str, message: str, authored_at: str = "") -> str:
    """64 hex digits over content, parents, author, message and time; storage may be rewritten without changing it."""
    return hashlib.sha256(_canonical([_VERSION, tree, list(parents), author, message, authored_at])).hexdigest()


def _canonical(value: object) -> bytes:
    # Part of the format: whoever changes a byte of this text changes the id of every commit.
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def leaves_digest(pairs: bytes) -> str:
    """SHA-256 over all leaves in order: four bytes of row count (little-endian) and the 16-byte hash of each."""
    return hashlib.sha256(pairs).hexdigest()
