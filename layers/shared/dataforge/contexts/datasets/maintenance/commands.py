"""Compaction, garbage collection and the end of retention."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.datasets.commits.domain import ManifestRecord
from dataforge.contexts.datasets.commits.versions import Versions, chunk_prefix
from dataforge.contexts.datasets.downloads.domain import folder_of
from dataforge.contexts.datasets.maintenance.repository import StoredCommits
from dataforge.contexts.datasets.publications.domain import lake_prefix
from dataforge.contexts.datasets.tables import commit_tables, refs
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
from dataforge.contexts.datasets.uploads.domain import sent_prefix
from dataforge.kernel.clock import Clock
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.observability import logger
from versioned_tables.format.manifest import Manifest
from versioned_tables.format.manifest_codec import encode_manifest
from versioned_tables.maintain.maintenance import Garbage, collect_garbage, compact, live_keys, needs_compaction

# Longer than any import runs, so that objects of a commit under way are never taken for garbage.
GRACE = timedelta(days=2)
# Commits that no ref reaches any more can still be found by their id for this long.
KEEP_UNREACHABLE = timedelta(days=30)
_AT_ONCE = 50


class Maintenance:
    """Keeps the storage of datasets small."""

    def __init__(self, versions: Versions, clock: Clock) -> None:
        self._versions = versions
        self._clock = clock

    async def maintain(self, dataset_id: UUID) -> dict[str, Any]:
        """Compact the heads, forget unreachable commits, collect garbage; safe beside writers and to repeat."""
        compacted = await self.compact(dataset_id)
        forgotten = await run(self._unit_of_work(), _forget, dataset_id)
        garbage = await run(self._unit_of_work(), self._collect, dataset_id)
        report = {"compacted": compacted, **forgotten, **asdict(garbage)}
        logger.info("dataset maintained", dataset_id=str(dataset_id), **report)
        return report

    async def compact(self, dataset_id: UUID) -> int:
        """Rewrite the tables of branch heads that have grown many patches; commit ids stay. Returns how many."""
        done = 0
        async with self._versions.database.read_only() as connection:
            heads = await _manifests_of_heads(connection, dataset_id)
            known = await self._versions.manifests(connection, dataset_id, heads)
        store = self._versions.store(dataset_id)
        for manifest_id in heads:
            manifest = known[manifest_id][1]
            if needs_compaction(manifest):
                smaller = await asyncio.to_thread(compact, store, manifest)
                done += await self._replace(dataset_id, manifest_id, smaller)
        return done

    async def _replace(self, dataset_id: UUID, old: str, smaller: Manifest) -> int:
        encoded = await asyncio.to_thread(encode_manifest, smaller)
        if encoded.id == old:
            return 0

        async def replace(record: ManifestRecord, uow: DatasetsUnitOfWork) -> int:
            return await _stored(uow).replace_manifest(dataset_id, old, record, smaller.size_bytes)

        return await run(self._unit_of_work(), replace, ManifestRecord(encoded.id, encoded.chain, encoded.data))

    async def _collect(self, dataset_id: UUID, uow: DatasetsUnitOfWork) -> Garbage:
        """Delete objects that no commit names and that are older than the grace period.

        The live set is read, and the deletions are made, while no commit can be published: a writer that found one of
        these objects in place looks again before its commit becomes visible.
        """
        older_than = (uow.now - GRACE).timestamp()
        store = self._versions.store(dataset_id)
        await _stored(uow).keep_publishers_out(dataset_id)
        live: set[str] = set()
        ids = await _stored(uow).manifest_ids(dataset_id)
        for at in range(0, len(ids), _AT_ONCE):
            known = await self._versions.manifests(uow.connection, dataset_id, ids[at : at + _AT_ONCE])
            live |= live_keys(store, [manifest for _, manifest, _ in known.values()])
        return await asyncio.to_thread(collect_garbage, store, live, older_than=older_than)

    async def purge(self, dataset_id: UUID) -> bool:
        """Delete a dataset whose retention has ended, rows and objects; False when it is not due."""
        purged = await run(self._unit_of_work(), self._purge, dataset_id)
        if purged:
            logger.info("dataset purged", dataset_id=str(dataset_id))
        return purged

    async def _purge(self, dataset_id: UUID, uow: DatasetsUnitOfWork) -> bool:
        record = await uow.datasets.lock(dataset_id)
        if record is None or not record.retention_ended(uow.now):
            return False
        await asyncio.to_thread(self._remove_objects, dataset_id)
        await uow.datasets.erase(dataset_id)
        return True

    def _remove_objects(self, dataset_id: UUID) -> None:
        # Exports end by the bucket's lifecycle rule, long before retention does. Files of its tables do, too, and may
        # have been made a moment before it was deleted.
        # Its publications are gone by now; what engines have written beside them goes here.
        of_dataset = (f"uploads/{dataset_id}/", sent_prefix(dataset_id), folder_of(dataset_id), lake_prefix(dataset_id))
        for prefix in (chunk_prefix(dataset_id), *of_dataset):
            for item in list(self._versions.objects.list(prefix)):
                self._versions.objects.delete(item.key)

    def _unit_of_work(self) -> DatasetsUnitOfWork:
        return DatasetsUnitOfWork(self._versions.database, clock=self._clock)


async def _manifests_of_heads(connection: AsyncConnection, dataset_id: UUID) -> list[str]:
    of_head = (refs.c.dataset_id == commit_tables.c.dataset_id) & (refs.c.commit_id == commit_tables.c.commit_id)
    query = (
        select(commit_tables.c.manifest_id)
        .join(refs, of_head)
        .where(refs.c.dataset_id == dataset_id, refs.c.kind == "branch")
        .distinct()
    )
    return list((await connection.scalars(query)).all())


def _stored(uow: DatasetsUnitOfWork) -> StoredCommits:
    return StoredCommits(uow.connection, uow.now)


async def _forget(dataset_id: UUID, uow: DatasetsUnitOfWork) -> dict[str, int]:
    """Delete commits no ref has reached for thirty days, and manifest records that nothing is written against."""
    stored = _stored(uow)
    await stored.keep_publishers_out(dataset_id)
    return {
        "commits": await stored.forget_unreachable(dataset_id, uow.now - KEEP_UNREACHABLE),
        "manifests": await stored.forget_dead_manifests(dataset_id, uow.now - GRACE),
    }
