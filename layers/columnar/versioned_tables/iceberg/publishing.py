"""A version as the next snapshot of an Iceberg table: the rows of each pack and patch once, then only what is new.

A data file has the rows of one pack, or those that one patch has put in place of others. Rows that the version does not
have (any more) are left out by position deletes, one file of them for a data file. So a commit that changes a
thousand rows of a million adds a file of a thousand rows and a few kilobytes of positions.

Everything is written under names that follow from what it is, before the catalog is asked to move the table: an
attempt that dies leaves files that the next one finds, and nothing that a reader sees.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyiceberg.manifest import DataFile, DataFileContent
from pyiceberg.schema import Schema
from pyiceberg.table import Table, Transaction
from pyiceberg.table.snapshots import Snapshot
from pyiceberg.table.update import AddSchemaUpdate, AssertCurrentSchemaId, SetCurrentSchemaUpdate
from pyiceberg.table.update.snapshot import ManageSnapshots

from versioned_tables.format.manifest import Manifest, Source
from versioned_tables.iceberg.columns import file_column, file_type, next_fields, same_fields
from versioned_tables.iceberg.data_files import WrittenFile, arrow_schema_of, write_deletes, write_rows
from versioned_tables.iceberg.layout import LAYOUT, PublishedFile, decode, encode
from versioned_tables.iceberg.snapshots import FileChanges, VersionSnapshot
from versioned_tables.read.rows import rows_at
from versioned_tables.schema.arrow_types import conform
from versioned_tables.schema.columns import TableSchema
from versioned_tables.storage.table_store import TableStore

COMMIT = "dataforge.commit-id"
"""The property of a snapshot that names its commit; a tag of the table is called like the commit, too."""
# Chunks decoded at a time, about 65,536 rows.
_CHUNKS = 8
_Rows: TypeAlias = npt.NDArray[np.bool_]
Report: TypeAlias = Callable[[int, int], None]
"""Hears of rows and bytes written so far; may raise to stop."""


@dataclass(frozen=True, slots=True)
class Publishing:
    """What a snapshot is called: the commit, and properties of the summary besides."""

    commit_id: str
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Published:
    """A snapshot, and what was written for it: data files, their rows and bytes, and files of positions left out."""

    snapshot_id: int
    files: int = 0
    rows: int = 0
    bytes: int = 0
    delete_files: int = 0
    unchanged: bool = False


def snapshot_of(table: Table, commit_id: str) -> Snapshot | None:
    """The snapshot of a commit, if the table has it."""
    ref = table.metadata.refs.get(commit_id)
    return None if ref is None else table.metadata.snapshot_by_id(ref.snapshot_id)


def publish(
    store: TableStore, manifest: Manifest, table: Table, publishing: Publishing, report: Report = lambda *_: None
) -> Published:
    """Make the version the present snapshot of the table; nothing is done when it is that already.

    What others have written to the table meanwhile is no part of the new snapshot, and stays in theirs. Raises
    pyiceberg's CommitFailedException when somebody else commits at the same moment.
    """
    present = table.metadata.current_snapshot()
    if present is not None and (known := snapshot_of(table, publishing.commit_id)) is not None and known == present:
        return Published(present.snapshot_id, unchanged=True)
    return _Publisher(store, manifest, table, publishing, report).publish()


class _Publisher:
    def __init__(
        self, store: TableStore, manifest: Manifest, table: Table, publishing: Publishing, report: Report
    ) -> None:
        self._store = store
        self._manifest = manifest
        self._table = table
        self._publishing = publishing
        self._report = report
        current = table.schema()
        fields = next_fields(manifest.schema, current, table.metadata.last_column_id)
        self._changed = not same_fields(fields, current)
        self._schema = fields if self._changed else current
        self._ids = {
            column.id: field.field_id
            for column, field in zip(manifest.schema.columns, self._schema.fields, strict=True)
        }
        self._arrow = arrow_schema_of(self._schema, [file_type(column.type) for column in manifest.schema.columns])
        self._data: list[DataFile] = []
        self._deletes: list[DataFile] = []
        self._layout: list[PublishedFile] = []
        self._alive: dict[str, _Rows] = {}
        # Source and row of each stored row that the version has once more.
        self._repeated: list[tuple[int, int]] = []
        self._rows = self._bytes = 0

    def publish(self) -> Published:
        data, deletes = self._live_files()
        before = {file.path: file for file in self._files_before() if file.path in data}
        for group in self._find_rows():
            self._place(group, before)
        self._place_repeated(data)
        named = {file.deletes for file in self._layout} | {file.path for file in self._layout}
        added = {file.file_path for file in [*self._data, *self._deletes]}
        removed = frozenset((data | deletes) - (named - added))
        with self._table.transaction() as transaction:
            if self._changed:
                self._set_schema(transaction)
            changes = FileChanges(self._data, self._deletes, removed)
            producer = VersionSnapshot(transaction, changes, self._properties())
            producer.commit()
            ManageSnapshots(transaction).create_tag(producer.snapshot_id, self._publishing.commit_id).commit()
        return Published(producer.snapshot_id, len(self._data), self._rows, self._bytes, len(self._deletes))

    def _live_files(self) -> tuple[set[str], set[str]]:
        """Paths of the data files and of the delete files that the present snapshot has."""
        data, deletes = set[str](), set[str]()
        snapshot = self._table.metadata.current_snapshot()
        for manifest in [] if snapshot is None else snapshot.manifests(self._table.io):
            for entry in manifest.fetch_manifest_entry(self._table.io):
                of_rows = entry.data_file.content is DataFileContent.DATA
                (data if of_rows else deletes).add(entry.data_file.file_path)
        return data, deletes

    def _files_before(self) -> list[PublishedFile]:
        """The files of the last snapshot of ours."""
        snapshot = self._table.metadata.current_snapshot()
        while snapshot is not None:
            path = None if snapshot.summary is None else snapshot.summary.additional_properties.get(LAYOUT)
            if path is not None:
                with self._table.io.new_input(path).open() as file:
                    return decode(file.read())
            parent = snapshot.parent_snapshot_id
            snapshot = None if parent is None else self._table.metadata.snapshot_by_id(parent)
        return []

    def _find_rows(self) -> list[list[tuple[str, Source]]]:
        """Note which stored rows the version has. Returns per pack or patch the sources, in order, by address."""
        pieces, sources = self._manifest.pieces, self._manifest.sources
        groups: dict[str, dict[str, Source]] = {}
        for at, first, count in zip(pieces.source.tolist(), pieces.start.tolist(), pieces.count.tolist(), strict=True):
            source = sources[at]
            address = _address(source)
            rows = self._alive.get(address)
            if rows is None:
                rows = self._alive[address] = np.zeros(source.rows, dtype=np.bool_)
                groups.setdefault(_group(source), {})[address] = source
            part = rows[first : first + count]
            if part.any():
                self._repeated += [(at, first + row) for row in np.flatnonzero(part).tolist()]
            part[:] = True
        return [sorted(group.items(), key=lambda item: _order(item[1])) for group in groups.values()]

    def _place(self, group: Sequence[tuple[str, Source]], before: Mapping[str, PublishedFile]) -> None:
        """Find files that have the rows of a pack or patch, write one for what is missing, and leave out the rest."""
        missing = dict(group)
        for file in before.values():
            has = [address for address, _ in file.sources if address in missing]
            if has and file.shows(self._manifest.schema, self._ids):
                self._leave_out(file, has)
                for address in has:
                    del missing[address]
        if missing:
            self._leave_out(self._write(list(missing.items())), list(missing))

    def _leave_out(self, file: PublishedFile, has: Sequence[str]) -> None:
        """Note a file that shows some sources, with the rows of it that the snapshot shall not have."""
        rows = [
            self._alive[address] if address in has else np.zeros(count, dtype=np.bool_)
            for address, count in file.sources
        ]
        dead = np.flatnonzero(~np.concatenate(rows))
        digest = hashlib.blake2b(dead.astype("<i8").tobytes(), digest_size=16).hexdigest() if len(dead) else None
        if digest is None or digest == file.dead:
            self._layout.append(file if digest else file.with_deletes(None, None))
            return
        path = f"{file.path.removesuffix('.parquet')}-{digest}-deletes.parquet"
        written = write_deletes(file.path, dead)
        self._store_file(path, written)
        self._deletes.append(written.at(path))
        self._layout.append(file.with_deletes(digest, path))

    def _write(self, sources: Sequence[tuple[str, Source]]) -> PublishedFile:
        """Copy the rows of sources into a data file of this version's columns."""
        addresses = tuple((address, source.rows) for address, source in sources)
        stored: set[str] = set()

        def tables() -> Iterator[pa.Table]:
            for at in range(0, len(sources), _CHUNKS):
                loaded = self._store.rows([source for _, source in sources[at : at + _CHUNKS]], keep=False)
                for table in loaded:
                    stored.update(table.schema.names)
                yield self._in_file(pa.concat_tables([conform(table, self._manifest.schema) for table in loaded]))

        written = write_rows(self._arrow, tables())
        path = self._path_of(addresses)
        self._store_file(path, written)
        self._note(written.at(path))
        return PublishedFile(path, addresses, self._ids, frozenset(stored))

    def _place_repeated(self, live: set[str]) -> None:
        """Rows that the version has more than once: those of equal chunks, and of pieces that were taken twice."""
        if not self._repeated:
            return
        sources = self._manifest.sources
        path = self._path_of([(f"{_address(sources[at])} {row}", 1) for at, row in sorted(self._repeated)])
        if path not in live:
            addresses = np.array([(at << 32) | row for at, row in self._repeated], dtype=np.uint64)
            rows = rows_at(self._store, self._manifest.schema, sources, addresses, keep=False)
            written = write_rows(self._arrow, [self._in_file(rows)])
            self._store_file(path, written)
            self._note(written.at(path))
        # Without sources: only a version that repeats the same rows finds it again.
        self._layout.append(PublishedFile(path, (), self._ids, frozenset()))

    def _in_file(self, rows: pa.Table) -> pa.Table:
        columns = self._manifest.schema.columns
        arrays = [file_column(array, column) for array, column in zip(rows.columns, columns, strict=True)]
        return pa.Table.from_arrays(arrays, schema=self._arrow)

    def _note(self, file: DataFile) -> None:
        self._data.append(file)
        self._rows += file.record_count
        self._bytes += file.file_size_in_bytes
        self._report(self._rows, self._bytes)

    def _path_of(self, addresses: Sequence[tuple[str, int]]) -> str:
        columns = sorted((column.id, self._ids[column.id], column.type) for column in self._manifest.schema.columns)
        identity = hashlib.blake2b(repr((addresses, columns)).encode(), digest_size=20).hexdigest()
        return f"{self._table.location()}/data/{identity}.parquet"

    def _store_file(self, path: str, written: WrittenFile) -> None:
        with self._table.io.new_output(path).create(overwrite=True) as file:
            file.write(written.data.to_pybytes())

    def _properties(self) -> dict[str, str]:
        body = encode(self._layout)
        path = f"{self._table.location()}/metadata/layout-{hashlib.sha256(body).hexdigest()}.bin"
        with self._table.io.new_output(path).create(overwrite=True) as file:
            file.write(body)
        return {**self._publishing.properties, COMMIT: self._publishing.commit_id, LAYOUT: path}

    def _set_schema(self, transaction: Transaction) -> None:
        metadata = transaction.table_metadata
        known = next((schema for schema in metadata.schemas if same_fields(schema, self._schema)), None)
        schema = Schema(*self._schema.fields, schema_id=1 + max(one.schema_id for one in metadata.schemas))
        wanted = -1 if known is None else known.schema_id  # -1: the one that is added
        added = () if known is not None else (AddSchemaUpdate(schema=schema),)
        updates = (*added, SetCurrentSchemaUpdate.model_validate({"schema-id": wanted}))
        unmoved = AssertCurrentSchemaId.model_validate({"current-schema-id": metadata.current_schema_id})
        # The way in for a whole schema: `update_schema` takes one change at a time, and no two names that are swapped.
        transaction._apply(updates, (unmoved,))  # noqa: SLF001 - as said


def first_schema(schema: TableSchema) -> Schema:
    """The schema that a table for a version is made with."""
    return next_fields(schema, None, 0)


def _address(source: Source) -> str:
    """What tells stored rows from others: equal chunks of one pack lie in two places."""
    return f"patch {source.id}" if source.place is None else f"{source.place.pack} {source.place.start}"


def _group(source: Source) -> str:
    return f"patch {source.id}" if source.place is None else source.place.pack


def _order(source: Source) -> int:
    return 0 if source.place is None else source.place.start
