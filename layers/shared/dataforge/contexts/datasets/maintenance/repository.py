"""The write SQL of maintenance: commits that nothing reaches, and their manifests."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.datasets.commits.domain import ManifestRecord
from dataforge.contexts.datasets.tables import commit_tables, commits, datasets, manifests

# Unreachable: no ref leads there along parents. The newest go first, so that no parent goes before its child.
_UNREACHABLE = text(
    """
    WITH RECURSIVE reached AS (
        SELECT c.commit_id, c.parent_commit_id, c.merge_parent_id
        FROM datasets.refs r JOIN datasets.commits c USING (dataset_id, commit_id)
        WHERE r.dataset_id = :dataset_id
        UNION
        SELECT c.commit_id, c.parent_commit_id, c.merge_parent_id
        FROM reached JOIN datasets.commits c
          ON c.dataset_id = :dataset_id AND c.commit_id IN (reached.parent_commit_id, reached.merge_parent_id)
    )
    SELECT commit_id FROM datasets.commits
    WHERE dataset_id = :dataset_id AND commit_id NOT IN (SELECT commit_id FROM reached)
      AND NOT EXISTS (
        SELECT 1 FROM datasets.jobs j
        WHERE j.dataset_id = :dataset_id AND j.source_commit_id = commits.commit_id
          AND j.status IN ('pending', 'running')
      )
      AND committed_at < :before
    """
)
# A record lives while a table of a commit names it, or a record that lives is written against it.
_DEAD_MANIFESTS = text(
    """
    DELETE FROM datasets.manifests m
    WHERE m.dataset_id = :dataset_id AND m.created_at < :before
      AND NOT EXISTS (
        SELECT 1 FROM datasets.commit_tables t WHERE t.dataset_id = :dataset_id AND t.manifest_id = m.manifest_id
      )
      AND NOT EXISTS (
        SELECT 1 FROM datasets.manifests other
        WHERE other.dataset_id = :dataset_id AND m.manifest_id = ANY (other.chain)
      )
    """
)


class StoredCommits:
    """Commits and manifests of datasets, as far as maintenance changes them."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def keep_publishers_out(self, dataset_id: UUID) -> None:
        """Let no commit be published until the transaction ends.

        Publishers hold the dataset's row FOR SHARE; new jobs and uploads need not wait.
        """
        query = select(datasets.c.id).where(datasets.c.id == dataset_id)
        await self._connection.execute(query.with_for_update(key_share=True))

    async def manifest_ids(self, dataset_id: UUID) -> Sequence[str]:
        """The manifests that tables of commits name."""
        query = select(commit_tables.c.manifest_id).where(commit_tables.c.dataset_id == dataset_id).distinct()
        return (await self._connection.scalars(query)).all()

    async def replace_manifest(self, dataset_id: UUID, old: str, manifest: ManifestRecord, size_bytes: int) -> int:
        """Name another manifest of the same content wherever the old one was named; how many tables that is."""
        held = select(datasets.c.id).where(datasets.c.id == dataset_id).with_for_update(read=True)
        if await self._connection.scalar(held) is None:
            return 0
        record = pg_insert(manifests).values(
            dataset_id=dataset_id,
            manifest_id=manifest.id,
            chain=list(manifest.chain),
            data=manifest.data,
            created_at=self._now,
        )
        await self._connection.execute(record.on_conflict_do_nothing())
        moved = await self._connection.execute(
            update(commit_tables)
            .where(commit_tables.c.dataset_id == dataset_id, commit_tables.c.manifest_id == old)
            .values(manifest_id=manifest.id, size_bytes=size_bytes)
        )
        return moved.rowcount

    async def forget_unreachable(self, dataset_id: UUID, before: datetime) -> int:
        """Delete commits that no ref reaches and nothing younger was made on top of; how many."""
        values = {"dataset_id": dataset_id, "before": before}
        found = (await self._connection.scalars(_UNREACHABLE, values)).all()
        gone = await self._without_children(dataset_id, found)
        mine = commits.c.dataset_id == dataset_id
        await self._connection.execute(delete(commits).where(mine, commits.c.commit_id.in_(gone)))
        return len(gone)

    async def _without_children(self, dataset_id: UUID, gone: Sequence[str]) -> Sequence[str]:
        rows = await self._connection.execute(
            select(commits.c.commit_id, commits.c.parent_commit_id, commits.c.merge_parent_id)
            .where(commits.c.dataset_id == dataset_id)
            .order_by(commits.c.generation.desc())
        )
        going, kept = set(gone), set[str]()
        for row in rows:
            if row.commit_id not in going or row.commit_id in kept:
                kept.update(parent for parent in (row.parent_commit_id, row.merge_parent_id) if parent is not None)
        return sorted(going - kept)

    async def forget_dead_manifests(self, dataset_id: UUID, before: datetime) -> int:
        """Delete manifest records that nothing is written against; how many."""
        values = {"dataset_id": dataset_id, "before": before}
        dead = 0
        while (removed := (await self._connection.execute(_DEAD_MANIFESTS, values)).rowcount) > 0:
            dead += removed
        return dead
