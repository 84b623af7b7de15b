"""Compaction, garbage collection, the end of retention, and verification from refs to bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.datasets.domain.access import DatasetNotFound
from dataforge.contexts.datasets.services.versions import Versions, chunk_prefix
from dataforge.contexts.datasets.tables import commit_tables, commits, datasets, manifests, refs
from dataforge.contexts.datasets.upkeep import RETENTION
from dataforge.kernel.clock import Clock
from dataforge.platform.observability import logger
from versioned_tables.errors import CorruptStorage
from versioned_tables.format.manifest import Manifest
from versioned_tables.format.manifest_codec import encode_manifest
from versioned_tables.hashing.commits import TableContent, commit_id, tree_hash
from versioned_tables.maintain.maintenance import (
    Garbage,
    collect_garbage,
    compact,
    live_keys,
    needs_compaction,
    verify,
)
from versioned_tables.schema.columns import TableSchema

# Longer than any import runs, so that objects of a commit under way are never taken for garbage.
GRACE = timedelta(days=2)
# Commits that no ref reaches any more can still be found by their id for this long.
KEEP_UNREACHABLE = timedelta(days=30)

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


@dataclass(frozen=True, slots=True)
class Broken:
    """The first hash that does not hold: which ref and commit lead there, what it is, and why."""

    ref: str
    commit_id: str
    sheet: str | None
    thing: str
    identity: str
    reason: str


class Lifecycle:
    """Keeps the storage of datasets small, and proves that it is whole."""

    def __init__(self, versions: Versions, clock: Clock) -> None:
        self._versions = versions
        self._clock = clock

    async def upkeep(self, dataset_id: UUID) -> dict[str, Any]:
        """Compact the heads, forget unreachable commits, collect garbage; safe beside writers and to repeat."""
        compacted = await self.compact(dataset_id)
        forgotten = await self.forget_unreachable(dataset_id)
        garbage = await self.collect(dataset_id)
        told = {"compacted": compacted, **forgotten, **asdict(garbage)}
        logger.info("dataset upkeep", dataset_id=str(dataset_id), **told)
        return told

    async def compact(self, dataset_id: UUID) -> int:
        """Rewrite the tables of branch heads that have grown many patches; commit ids stay. Returns how many."""
        done = 0
        async with self._versions.database.read_only() as connection:
            query = (
                select(commit_tables.c.commit_id, commit_tables.c.sheet, commit_tables.c.manifest_id)
                .join(
                    refs,
                    (refs.c.dataset_id == commit_tables.c.dataset_id) & (refs.c.commit_id == commit_tables.c.commit_id),
                )
                .where(refs.c.dataset_id == dataset_id, refs.c.kind == "branch")
                .distinct()
            )
            heads = (await connection.execute(query)).all()
            known = await self._versions.manifests(connection, dataset_id, [head.manifest_id for head in heads])
        tables = self._versions.store(dataset_id)
        for manifest_id in dict.fromkeys(head.manifest_id for head in heads):
            manifest = known[manifest_id][1]
            if needs_compaction(manifest):
                smaller = await asyncio.to_thread(compact, tables, manifest)
                done += await self._replace(dataset_id, manifest_id, smaller)
        return done

    async def _replace(self, dataset_id: UUID, old: str, smaller: Manifest) -> int:
        encoded = await asyncio.to_thread(encode_manifest, smaller)
        if encoded.id == old:
            return 0
        async with self._versions.database.transaction() as connection:
            held = select(datasets.c.id).where(datasets.c.id == dataset_id).with_for_update(read=True)
            if await connection.scalar(held) is None:
                return 0
            await connection.execute(
                pg_insert(manifests)
                .values(
                    dataset_id=dataset_id,
                    manifest_id=encoded.id,
                    chain=list(encoded.chain),
                    data=encoded.data,
                    created_at=self._clock.now(),
                )
                .on_conflict_do_nothing()
            )
            moved = await connection.execute(
                update(commit_tables)
                .where(commit_tables.c.dataset_id == dataset_id, commit_tables.c.manifest_id == old)
                .values(manifest_id=encoded.id, size_bytes=smaller.size_bytes)
            )
        return moved.rowcount

    async def forget_unreachable(self, dataset_id: UUID) -> dict[str, int]:
        """Delete commits no ref has reached for thirty days, and manifest records that nothing is written against."""
        now = self._clock.now()
        async with self._versions.database.transaction() as connection:
            await self._lock(connection, dataset_id)
            values = {"dataset_id": dataset_id, "before": now - KEEP_UNREACHABLE}
            gone = list((await connection.scalars(_UNREACHABLE, values)).all())
            # What is younger and was made on top of them keeps them alive.
            gone = await self._without_children(connection, dataset_id, gone)
            mine = commits.c.dataset_id == dataset_id
            await connection.execute(delete(commits).where(mine, commits.c.commit_id.in_(gone)))
            dead = 0
            while True:
                removed = await connection.execute(_DEAD_MANIFESTS, {"dataset_id": dataset_id, "before": now - GRACE})
                dead += removed.rowcount
                if removed.rowcount == 0:
                    break
        return {"commits": len(gone), "manifests": dead}

    @staticmethod
    async def _without_children(connection: AsyncConnection, dataset_id: UUID, gone: Sequence[str]) -> list[str]:
        rows = await connection.execute(
            select(commits.c.commit_id, commits.c.parent_commit_id, commits.c.merge_parent_id)
            .where(commits.c.dataset_id == dataset_id)
            .order_by(commits.c.generation.desc())
        )
        going, kept = set(gone), set[str]()
        for row in rows:
            if row.commit_id not in going or row.commit_id in kept:
                kept.update(parent for parent in (row.parent_commit_id, row.merge_parent_id) if parent is not None)
        return sorted(going - kept)

    async def collect(self, dataset_id: UUID) -> Garbage:
        """Delete objects that no commit names and that are older than the grace period.

        The live set is read, and the deletions are made, while no commit can be published: a writer that found one of
        these objects in place looks again before its commit becomes visible.
        """
        older_than = (self._clock.now() - GRACE).timestamp()
        tables = self._versions.store(dataset_id)
        async with self._versions.database.transaction() as connection:
            await self._lock(connection, dataset_id)
            live: set[str] = set()
            ids = list(
                (
                    await connection.scalars(
                        select(commit_tables.c.manifest_id).where(commit_tables.c.dataset_id == dataset_id).distinct()
                    )
                ).all()
            )
            for at in range(0, len(ids), 50):
                known = await self._versions.manifests(connection, dataset_id, ids[at : at + 50])
                live |= live_keys(tables, [manifest for _, manifest, _ in known.values()])
            return await asyncio.to_thread(collect_garbage, tables, live, older_than=older_than)

    async def purge(self, dataset_id: UUID) -> bool:
        """Delete a dataset whose retention has ended, rows and objects; False when it is not due."""
        async with self._versions.database.transaction() as connection:
            record = (
                await connection.execute(select(datasets).where(datasets.c.id == dataset_id).with_for_update())
            ).one_or_none()
            if record is None or record.deleted_at is None or record.deleted_at > self._clock.now() - RETENTION:
                return False
            await asyncio.to_thread(self._remove_objects, dataset_id)
            await connection.execute(delete(datasets).where(datasets.c.id == dataset_id))
        logger.info("dataset purged", dataset_id=str(dataset_id))
        return True

    def _remove_objects(self, dataset_id: UUID) -> None:
        # Exports end by the bucket's lifecycle rule, long before retention does.
        for prefix in (chunk_prefix(dataset_id), f"uploads/{dataset_id}/"):
            for item in list(self._versions.objects.list(prefix)):
                self._versions.objects.delete(item.key)

    async def _lock(self, connection: AsyncConnection, dataset_id: UUID) -> None:
        # Writers hold the row FOR SHARE while they publish; new jobs and uploads need not wait.
        query = select(datasets.c.id).where(datasets.c.id == dataset_id)
        await connection.execute(query.with_for_update(key_share=True))

    async def verify(self, dataset_id: UUID) -> dict[str, Any]:
        """Walk from every ref to every byte: `{dataset_id, refs, commits, tables, broken}`; `broken` None means whole.

        Commit ids and content hashes are computed anew, manifests are decoded, rows are hashed, objects are read.
        """
        # Its own caches, so that nothing is believed because it was right once.
        fresh = Versions(self._versions.database, self._versions.objects)
        counts = {"refs": 0, "commits": 0, "tables": 0}
        seen_commits, seen_tables = set[str](), set[str]()
        broken: Broken | None = None
        async with self._versions.database.read_only() as connection:
            query = select(refs).where(refs.c.dataset_id == dataset_id).order_by(refs.c.name)
            found = (await connection.execute(query)).all()
            if not found:
                message = f"There is no dataset {dataset_id}."
                raise DatasetNotFound(message)
            for ref in found:
                counts["refs"] += 1
                waiting = [ref.commit_id]
                while waiting and broken is None:
                    one = waiting.pop()
                    if one in seen_commits:
                        continue
                    seen_commits.add(one)
                    counts["commits"] += 1
                    broken, parents = await self._verify_commit(
                        fresh, connection, dataset_id, ref.name, one, seen_tables, counts
                    )
                    waiting.extend(parents)
                if broken is not None:
                    break
        return {"dataset_id": str(dataset_id), **counts, "broken": None if broken is None else asdict(broken)}

    async def _verify_commit(
        self,
        versions: Versions,
        connection: AsyncConnection,
        dataset_id: UUID,
        ref: str,
        identity: str,
        seen: set[str],
        counts: dict[str, int],
    ) -> tuple[Broken | None, list[str]]:
        query = select(commits).where(commits.c.dataset_id == dataset_id, commits.c.commit_id == identity)
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            return Broken(ref, identity, None, "commit", identity, "the commit is missing"), []
        mine = (commit_tables.c.dataset_id == dataset_id, commit_tables.c.commit_id == identity)
        tables = (await connection.execute(select(commit_tables).where(*mine))).all()
        content = {
            table.sheet: TableContent(TableSchema.from_json(table.definition), table.row_count, table.leaves_sha256)
            for table in tables
        }
        if tree_hash(content) != row.content_hash:
            return Broken(ref, identity, None, "content hash", row.content_hash, "its tables have another hash"), []
        parents = [parent for parent in (row.parent_commit_id, row.merge_parent_id) if parent is not None]
        expected = commit_id(
            row.content_hash, parents=parents, author=row.author, message=row.message, authored_at=row.authored_at
        )
        if expected != identity:
            return Broken(
                ref, identity, None, "commit", identity, "its content, parents or words have another hash"
            ), []
        for table in tables:
            if table.manifest_id in seen:
                continue
            seen.add(table.manifest_id)
            counts["tables"] += 1
            broken = await self._verify_table(versions, connection, dataset_id, ref, identity, table)
            if broken is not None:
                return broken, []
        return None, parents

    async def _verify_table(
        self,
        versions: Versions,
        connection: AsyncConnection,
        dataset_id: UUID,
        ref: str,
        commit: str,
        table: Any,  # noqa: ANN401 - a SQLAlchemy row
    ) -> Broken | None:
        try:
            known = await versions.manifests(connection, dataset_id, [table.manifest_id])
        except (CorruptStorage, KeyError) as error:
            return Broken(ref, commit, table.sheet, "manifest", table.manifest_id, str(error))
        manifest = known[table.manifest_id][1]
        if manifest.digest != table.leaves_sha256:
            reason = "its leaves have another hash than the commit says"
            return Broken(ref, commit, table.sheet, "manifest", table.manifest_id, reason)
        problems = await asyncio.to_thread(verify, versions.store(dataset_id), manifest)
        if problems:
            first = problems[0]
            return Broken(ref, commit, table.sheet, first.thing, first.identity, first.reason)
        return None
