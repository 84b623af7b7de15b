"""Versioned tables for tests: a store on disk, versions from plain rows, and imports of bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from versioned_tables.files.options import ImportOptions
from versioned_tables.files.sources import BytesSource
from versioned_tables.format.manifest import Manifest
from versioned_tables.imports.importing import ImportOutcome, import_file
from versioned_tables.read.rows import read_range
from versioned_tables.schema.arrow_types import arrow_schema
from versioned_tables.schema.columns import TableSchema, make_schema
from versioned_tables.schema.texts import plain_rows
from versioned_tables.storage.local_directory import LocalDirectoryStore
from versioned_tables.storage.table_store import TableStore
from versioned_tables.write.writer import TableWriter

PEOPLE = make_schema([("id", "int"), ("name", "string"), ("score", "float")], ["id"])
LINES = make_schema([("name", "string"), ("score", "float")])

Row = Mapping[str, object]


def store(folder: Path) -> TableStore:
    """A table store in a directory."""
    return TableStore(LocalDirectoryStore(folder), "t/")


def table(rows: Iterable[Row], schema: TableSchema = PEOPLE) -> pa.Table:
    """Rows by column name as the engine stores them, in key order when there is a key."""
    named = [{column.id: row.get(column.name) for column in schema.columns} for row in rows]
    if schema.key:
        named.sort(key=lambda row: tuple(row[key] for key in schema.key))
    return pa.Table.from_pylist(named, arrow_schema(schema))


def version(
    tables: TableStore, rows: Iterable[Row], schema: TableSchema = PEOPLE, base: Manifest | None = None, parts: int = 1
) -> Manifest:
    """A version of exactly these rows, added in some number of parts."""
    writer = TableWriter(tables, schema, base=base)
    whole = table(rows, schema)
    step = max(1, -(-whole.num_rows // parts))
    for start in range(0, whole.num_rows, step):
        writer.add(whole.slice(start, step))
    return writer.finish()


def people(numbers: Iterable[int]) -> list[dict[str, object]]:
    """Rows that depend on nothing but their number."""
    return [{"id": n, "name": f"name {n * 7919 % 1000}", "score": n / 4} for n in numbers]


def rows_of(tables: TableStore, manifest: Manifest) -> list[dict[str, object]]:
    """All rows by column name as JSON values."""
    return plain_rows(read_range(tables, manifest, 0, manifest.rows).rename_columns(manifest.schema.names))


def imported(
    tables: TableStore,
    data: bytes | str,
    options: ImportOptions | None = None,
    *,
    name: str = "file.csv",
    bases: Mapping[str, Manifest] | None = None,
) -> ImportOutcome:
    """Import bytes (or text in UTF-8) as a file."""
    content = data.encode() if isinstance(data, str) else data
    return import_file(tables, BytesSource(content, name), options or ImportOptions(), bases)


def column(rows: Sequence[Mapping[str, object]], name: str) -> list[object]:
    """One column of rows."""
    return [row[name] for row in rows]
