"""Refs, commits, their tables and manifests."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.datasets.domain.commits import NewCommit
from dataforge.contexts.datasets.domain.refs import Ref, RefExists, RefKind, StorageMoved, commit_missing, ref_missing
from dataforge.contexts.datasets.lookups import resolve_version
from dataforge.contexts.datasets.tables import commit_tables, commits, datasets, manifests, refs

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


class SqlRefs:
    """Branches and tags in `datasets.refs`."""

    def __init__(self, connection: AsyncConnection, now: datetime, created_by: UUID | None) -> None:
        self._connection = connection
        self._now = now
        self._created_by = created_by

    async def lock(self, dataset_id: UUID, name: str) -> Ref:
        """The ref, locked until the end of the transaction; raises RefNotFound."""
        query = (
            select(refs, datasets.c.default_branch)
            .join(datasets, datasets.c.id == refs.c.dataset_id)
            .where(refs.c.dataset_id == dataset_id, refs.c.name == name)
            .with_for_update(of=refs)
        )
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            raise ref_missing(name)
        return Ref(
            row.name,
            RefKind(row.kind),
            row.commit_id,
            row.protected,
            row.required_approvals,
            is_default=row.name == row.default_branch,
        )

    async def add(self, dataset_id: UUID, name: str, kind: RefKind, commit_id: str) -> None:
        """Insert; raises RefExists."""
        statement = (
            pg_insert(refs)
            .values(
                dataset_id=dataset_id,
                name=name,
                kind=kind.value,
                commit_id=commit_id,
                created_by=self._created_by,
                created_at=self._now,
                updated_at=self._now,
            )
            .on_conflict_do_nothing()
            .returning(refs.c.name)
        )
        if (await self._connection.execute(statement)).one_or_none() is None:
            message = f"A branch or tag {name!r} exists; choose another name or move that one."
            raise RefExists(message, facts={"ref": name})

    async def move(self, dataset_id: UUID, name: str, commit_id: str) -> None:
        """Put a locked ref on another commit."""
        await self._set(dataset_id, name, {"commit_id": commit_id})

    async def protect(self, dataset_id: UUID, name: str, *, protected: bool, required_approvals: int) -> None:
        """Set the protection of a locked ref."""
        await self._set(dataset_id, name, {"protected": protected, "required_approvals": required_approvals})

    async def delete(self, dataset_id: UUID, name: str) -> None:
        """Remove a locked ref."""
        await self._connection.execute(delete(refs).where(refs.c.dataset_id == dataset_id, refs.c.name == name))

    async def _set(self, dataset_id: UUID, name: str, values: dict[str, object]) -> None:
        statement = update(refs).where(refs.c.dataset_id == dataset_id, refs.c.name == name)
        await self._connection.execute(statement.values({**values, "updated_at": self._now}))


class SqlCommits:
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
            message = "Storage was tidied up while this commit was made; nothing was changed. Try again."
            raise StorageMoved(message, headers={"Retry-After": "1"})

    async def resolve(self, dataset_id: UUID, version: str) -> str:
        """The commit id of a branch, a tag or a commit id; raises RefNotFound or CommitNotFound."""
        return await resolve_version(self._connection, dataset_id, version)

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
