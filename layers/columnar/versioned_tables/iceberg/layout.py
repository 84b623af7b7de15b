"""What the files of a published table hold, kept beside each snapshot so that the next one writes only what is new."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from versioned_tables.schema.columns import TableSchema

LAYOUT = "dataforge.layout"
"""The property of a snapshot that names its layout."""


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A data file: its rows are those of `sources` (address and rows) one after the other.

    `fields` has the field id of each column it holds, by column id. `stored` names the columns that the sources hold:
    one that comes back later may be among them. `dead` is a digest of the rows that the snapshot does not have, and
    `deletes` the file that says so.
    """

    path: str
    sources: tuple[tuple[str, int], ...]
    fields: Mapping[str, int]
    stored: frozenset[str]
    dead: str | None = None
    deletes: str | None = None

    @property
    def rows(self) -> int:
        """Rows of the file, whether the snapshot has them or not."""
        return sum(rows for _, rows in self.sources)

    def shows(self, schema: TableSchema, fields: Mapping[str, int]) -> bool:
        """Whether a snapshot whose columns have these fields reads from it what the version has."""
        return all(
            self.fields.get(column.id) == fields[column.id]
            if column.id in self.fields
            else column.id not in self.stored
            for column in schema.columns
        )

    def with_deletes(self, dead: str | None, deletes: str | None) -> PublishedFile:
        """The same file with other rows left out."""
        return replace(self, dead=dead, deletes=deletes)


def encode(files: list[PublishedFile]) -> bytes:
    """Files as bytes."""
    listed = [
        {
            "path": file.path,
            "sources": [list(source) for source in file.sources],
            "fields": dict(file.fields),
            "stored": sorted(file.stored),
            "dead": file.dead,
            "deletes": file.deletes,
        }
        for file in files
    ]
    return gzip.compress(json.dumps({"layout": 1, "files": listed}).encode(), mtime=0)


def decode(data: bytes) -> list[PublishedFile]:
    """What `encode` wrote; raises ValueError or KeyError on anything else."""
    return [_file(file) for file in json.loads(gzip.decompress(data))["files"]]


def _file(value: Mapping[str, Any]) -> PublishedFile:
    return PublishedFile(
        str(value["path"]),
        tuple((str(address), int(rows)) for address, rows in value["sources"]),
        {str(column): int(field) for column, field in value["fields"].items()},
        frozenset(value["stored"]),
        value["dead"],
        value["deletes"],
    )
