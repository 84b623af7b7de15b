"""Preparing a commit: which objects somebody must look at again before it is published."""

from pathlib import Path
from typing import Any, cast
from uuid import uuid4

from dataforge.contexts.datasets.commits.domain import CommitTable
from dataforge.contexts.datasets.commits.versions import Authorship, StoredTable, Version, Versions
from tests.builders.tables import PEOPLE, people, table, version
from versioned_tables.format.manifest import Manifest, Source
from versioned_tables.format.manifest_codec import encode_manifest
from versioned_tables.hashing.row_hash import hash_rows
from versioned_tables.storage.local_directory import LocalDirectoryStore
from versioned_tables.storage.table_store import TableStore
from versioned_tables.write.packs import PackWriter

BY = Authorship("ada", None, "again", "2026-01-01T00:00:00Z")


def packed(tables: TableStore, *starts: int) -> list[Source]:
    """Chunks of 3,000 rows each, in one pack."""
    writer = PackWriter(tables, PEOPLE)
    for start in starts:
        rows = table(people(range(start, start + 3_000)))
        writer.add(rows, hash_rows(rows, PEOPLE))
    return writer.finish()


def based_on(dataset: Any, manifest: Manifest) -> Version:
    record = encode_manifest(manifest)
    row = cast("CommitTable", None)  # of no interest here
    return Version(dataset, "c" * 64, "d" * 64, None, None, {"data": StoredTable(row, manifest, record, {})})


def test_a_known_chunk_in_another_pack_that_was_there_is_looked_at_again(tmp_path: Path) -> None:
    dataset = uuid4()
    versions = Versions(cast("Any", None), LocalDirectoryStore(tmp_path))
    tables = versions.store(dataset)
    base = version(tables, people(range(3_000)))
    [known] = base.sources
    packed(tables, 0, 3_000)
    [same, _] = packed(tables, 0, 3_000)
    elsewhere = Manifest(base.schema, (same,), base.leaves, base.pieces)

    made = versions.prepare(based_on(dataset, base), {"copy": elsewhere}, BY)
    unchanged_place = versions.prepare(based_on(dataset, base), {"copy": base}, BY)

    assert (same.id, same.place == known.place) == (known.id, False)
    assert made is not None
    assert made.reused == (tables.source_key(same),)
    assert unchanged_place is not None
    assert unchanged_place.reused == ()
