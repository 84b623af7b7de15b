"""The write SQL of commits, their tables and manifests."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.datasets.commits.domain import NewCommit, StorageMoved, commit_missing
from dataforge.contexts.datasets.tables import commit_tables, commits, manifests
from dataforge.kernel.texts import Text

# Walks from the descendant towards the roots and stops below the generation of the commit looked for.
_IS_ANCESTOR = text(
    """
    WITH RECURSIVE goal AS (
        SELECT generation FROM datasets.commits WHERE dataset_id = :dataset_id AND commit_id = :ancestor
    ), walk AS (
        SELECT commit_id, parent_commit_id, merge_parent_id, generation
        FROM datasets.commits WHERE dataset_id = :dataset_id AND commit_id = :descendant
        UNION
        SELECT c.commit_id, c.parent_commit_id, c.merge_parent_id, c.generation
        FROM walk JOIN datasets.commits c
          ON c.dataset_id = :dataset_id AND c.commit_id IN (walk.parent_commit_id, walk.merge_parent_id)
        WHERE c.generation >= (SELECT generation FROM goal)
    )
    SELECT EXISTS (SELECT 1 FROM walk WHERE commit_id = :ancestor)
    """
)


class Commits:
    """Commits in `datasets.commits`, `datasets.commit_tables` and `datasets.manifests`."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def add(self, dataset_id: UUID, commit: NewCommit) -> None:
        """Insert what is not there yet; raises CommitNotFound when a parent is missing."""
        parents = [parent for parent in (commit.parent, commit.merge_parent) if parent is not None]
        generation = 1 + await self._generation(dataset_id, parents) if parents else 0
        statement = pg_insert(commits).values(
            dataset_id=dataset_id,
            commit_id=commit.commit_id,
            content_hash=commit.content_hash,
            parent_commit_id=commit.parent,
            merge_parent_id=commit.merge_parent,
            generation=generation,
            message=commit.message,
            author=commit.author,
            author_id=commit.author_id,
            authored_at=commit.authored_at,
            committed_at=self._now,
        )
        added = await self._connection.execute(statement.on_conflict_do_nothing().returning(commits.c.commit_id))
        if added.one_or_none() is None:
            return  # the id is a hash over all of it: it is the same commit
        if commit.manifests:
            await self._check_chains(dataset_id, commit)
            rows = [
                {
                    "dataset_id": dataset_id,
                    "manifest_id": manifest.id,
                    "chain": list(manifest.chain),
                    "data": manifest.data,
                    "created_at": self._now,
                }
                for manifest in commit.manifests
            ]
            await self._connection.execute(pg_insert(manifests).on_conflict_do_nothing(), rows)
        if commit.tables:
            await self._connection.execute(
                insert(commit_tables),
                [
                    {
                        "dataset_id": dataset_id,
                        "commit_id": commit.commit_id,
                        "sheet": table.sheet,
                        "position": table.position,
                        "manifest_id": table.manifest_id,
                        "leaves_sha256": table.leaves_sha256,
                        "definition": dict(table.definition),
                        "row_count": table.row_count,
                        "size_bytes": table.size_bytes,
                        "changes": None if table.changes is None else dict(table.changes),
                    }
                    for table in commit.tables
                ],
            )

    async def _check_chains(self, dataset_id: UUID, commit: NewCommit) -> None:
        """Compaction may have replaced a record, and collection removed it, since this commit was based on it."""
        fresh = {manifest.id for manifest in commit.manifests}
        needed = {link for manifest in commit.manifests for link in manifest.chain} - fresh
        query = select(func.count()).where(manifests.c.dataset_id == dataset_id, manifests.c.manifest_id.in_(needed))
        if needed and await self._connection.scalar(query) != len(needed):
            message = Text("Storage was tidied up while this commit was made; nothing was changed. Try again.")
            raise StorageMoved(message, headers={"Retry-After": "1"})

    async def is_ancestor(self, dataset_id: UUID, ancestor: str, descendant: str) -> bool:
        """Whether one commit is the other or comes before it in history."""
        values = {"dataset_id": dataset_id, "ancestor": ancestor, "descendant": descendant}
        return bool(await self._connection.scalar(_IS_ANCESTOR, values))

    async def _generation(self, dataset_id: UUID, parents: Sequence[str]) -> int:
        query = select(func.count(), func.max(commits.c.generation)).where(
            commits.c.dataset_id == dataset_id, commits.c.commit_id.in_(parents)
        )
        found, generation = (await self._connection.execute(query)).one()
        if found != len(set(parents)):
            raise commit_missing(" or ".join(parents))
        return int(generation)
