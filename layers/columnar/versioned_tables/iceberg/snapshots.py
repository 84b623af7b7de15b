"""A snapshot of data files and position deletes.

`pyiceberg` 0.12 writes snapshots of data files only: where a row goes, it writes the rest of its file anew. Its
manifests, manifest lists, summaries and commits know position deletes all the same, so what is here is which manifests
a snapshot has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pyiceberg.manifest import (
    DataFile,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    ManifestWriter,
    ManifestWriterV2,
)
from pyiceberg.table import Transaction
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import _SnapshotProducer

# More manifests than this of one content are written as one.
MOST_MANIFESTS = 40


class _DeletesWriter(ManifestWriterV2):
    """A manifest of position deletes."""

    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, str]:
        return {**super()._meta, "content": "deletes"}


@dataclass(frozen=True)
class FileChanges:
    """Files that a snapshot has besides those of the one before, and paths of those that it has no more."""

    data: list[DataFile] = field(default_factory=list)
    deletes: list[DataFile] = field(default_factory=list)
    removed: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.data or self.deletes or self.removed)


class VersionSnapshot(_SnapshotProducer["VersionSnapshot"]):
    """Makes the snapshot of a version out of the one before; whoever else commits in between makes it fail."""

    def __init__(self, transaction: Transaction, changes: FileChanges, properties: dict[str, str]) -> None:
        operation = Operation.OVERWRITE if changes.deletes or changes.removed else Operation.APPEND
        super().__init__(operation, transaction, transaction._table.io, snapshot_properties=properties)  # noqa: SLF001 - a producer is part of its transaction
        self._changes = changes
        # What the summary counts.
        self._added_data_files = [*changes.data, *changes.deletes]

    def _manifests(self) -> list[ManifestFile]:
        kept: list[ManifestFile] = []
        for content, added in (
            (ManifestContent.DATA, self._changes.data),
            (ManifestContent.DELETES, self._changes.deletes),
        ):
            kept += self._of_content(content, added)
        return kept

    def _of_content(self, content: ManifestContent, added: list[DataFile]) -> list[ManifestFile]:
        before = self._transaction.table_metadata.current_snapshot()
        present = [] if before is None else [m for m in before.manifests(self._io) if m.content == content]
        kept: list[ManifestFile] = []
        entries: list[ManifestEntry] = []
        gone: list[ManifestEntry] = []
        merged = len(present) > MOST_MANIFESTS
        for manifest in present:
            live = self.fetch_manifest_entry(manifest)
            if not live:
                continue  # what the snapshot before has removed
            leaving = [entry for entry in live if entry.data_file.file_path in self._changes.removed]
            if not leaving and not merged:
                kept.append(manifest)
                continue
            gone += leaving
            entries += [entry for entry in live if entry.data_file.file_path not in self._changes.removed]
        self._deleted_data_files.update(entry.data_file for entry in gone)
        fresh = [
            ManifestEntry.from_args(status=ManifestEntryStatus.ADDED, snapshot_id=self._snapshot_id, data_file=file)
            for file in added
        ]
        if fresh or entries or gone:
            kept.append(self._written(content, fresh, entries, gone))
        return kept

    def _written(
        self,
        content: ManifestContent,
        fresh: Iterable[ManifestEntry],
        entries: Iterable[ManifestEntry],
        gone: Iterable[ManifestEntry],
    ) -> ManifestFile:
        with self._writer_of(content) as writer:
            every: tuple[tuple[Callable[[ManifestEntry], object], Iterable[ManifestEntry]], ...] = (
                (writer.add, fresh),
                (writer.existing, entries),
                (writer.delete, gone),
            )
            for write, each in every:
                for entry in each:
                    write(entry)
        return writer.to_manifest_file()

    def _writer_of(self, content: ManifestContent) -> ManifestWriter:
        metadata = self._transaction.table_metadata
        if content is ManifestContent.DATA:
            return self.new_manifest_writer(metadata.spec())
        output = self.new_manifest_output()
        return _DeletesWriter(metadata.spec(), self.schema(), output, self._snapshot_id, self._compression)

    # The base class asks both in the `_manifests` that is replaced here.
    def _existing_manifests(self) -> list[ManifestFile]:
        return []

    def _deleted_entries(self) -> list[ManifestEntry]:
        return []
