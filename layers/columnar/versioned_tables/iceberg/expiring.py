"""Snapshots that shall be no more, and which files the others still need."""

from __future__ import annotations

from collections.abc import Iterable

from pyiceberg.table import Table
from pyiceberg.table.refs import MAIN_BRANCH
from pyiceberg.table.snapshots import Snapshot
from pyiceberg.table.update.snapshot import ExpireSnapshots, ManageSnapshots

from versioned_tables.iceberg.layout import LAYOUT
from versioned_tables.iceberg.publishing import COMMIT


def commit_of(snapshot: Snapshot) -> str | None:
    """The commit that a snapshot of ours shows; None for one that somebody else has written."""
    return None if snapshot.summary is None else snapshot.summary.additional_properties.get(COMMIT)


def published_commit(table: Table) -> str | None:
    """The commit that the table is at: that of the present snapshot, or of the last of ours before it."""
    snapshot = table.metadata.current_snapshot()
    while snapshot is not None and commit_of(snapshot) is None:
        parent = snapshot.parent_snapshot_id
        snapshot = None if parent is None else table.metadata.snapshot_by_id(parent)
    return None if snapshot is None else commit_of(snapshot)


def published_commits(table: Table) -> set[str]:
    """The commits that snapshots show."""
    return {commit for snapshot in table.metadata.snapshots if (commit := commit_of(snapshot)) is not None}


def expire(table: Table, commits: Iterable[str]) -> int:
    """Take the snapshots of commits out of the table, with their tags; how many.

    What the branch `main` is at stays, and so does what a tag or branch of somebody else's names. Raises pyiceberg's
    CommitFailedException when somebody else commits at the same moment.
    """
    gone = set(commits)
    metadata = table.metadata
    named = {ref.snapshot_id for name, ref in metadata.refs.items() if name == MAIN_BRANCH or name not in gone}
    tags = [name for name, ref in metadata.refs.items() if ref.snapshot_id not in named]
    expired = [
        snapshot.snapshot_id
        for snapshot in metadata.snapshots
        if commit_of(snapshot) in gone and snapshot.snapshot_id not in named
    ]
    if not expired:
        return 0
    with table.transaction() as transaction:
        changes = ManageSnapshots(transaction)
        for name in tags:
            changes.remove_tag(name)
        changes.commit()
        ExpireSnapshots(transaction).by_ids(expired).commit()
    return len(expired)


def needed_files(table: Table) -> set[str]:
    """Every file that the table's metadata leads to: rows, deletes, manifests, layouts and the metadata itself."""
    metadata = table.metadata
    needed = {table.metadata_location, *(entry.metadata_file for entry in metadata.metadata_log)}
    needed |= {statistics.statistics_path for statistics in [*metadata.statistics, *metadata.partition_statistics]}
    for snapshot in metadata.snapshots:
        needed.add(snapshot.manifest_list)
        if snapshot.summary is not None and (layout := snapshot.summary.additional_properties.get(LAYOUT)) is not None:
            needed.add(layout)
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path not in needed:
                needed.add(manifest.manifest_path)
                entries = manifest.fetch_manifest_entry(table.io)
                needed |= {entry.data_file.file_path for entry in entries}
    return needed
