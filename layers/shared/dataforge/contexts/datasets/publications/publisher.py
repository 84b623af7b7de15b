"""Does the jobs of publications: commits become snapshots one after the other, or the table goes.

Kill it anywhere. Files are stored before the catalog moves the table to them, the catalog's move is one step, and a
run that finds the table at the commit already only writes that down. Two runs at once cannot both move it: the one that
comes second is repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dataforge.contexts.datasets.commits.queries import resolve_version
from dataforge.contexts.datasets.publications.commands import NotePublished, note_published
from dataforge.contexts.datasets.publications.domain import (
    Publication,
    PublicationRaced,
    PublicationRefused,
    lake_prefix,
)
from dataforge.contexts.datasets.publications.queries import commits_to_publish, dataset_deleted, find_publication
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.jobs.control import JobControl, Steps
from dataforge.platform.observability import logger

if TYPE_CHECKING:
    from dataforge.contexts.datasets.commits.versions import Version, Versions
    from dataforge.contexts.datasets.jobs.domain import Job
    from dataforge.contexts.datasets.publications.lake import Lake
    from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork

_TABLE = {
    "format-version": "2",
    # Of two that write at once one starts anew, and looks again at what there is.
    "commit.retry.num-retries": "0",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
}


class Publisher:
    """Brings tables of the catalog to where their versions are."""

    def __init__(self, versions: Versions, lake: Lake) -> None:
        self._versions = versions
        self._lake = lake

    async def work(self, job: Job, control: JobControl[DatasetsUnitOfWork]) -> None:
        """Publish what is new, or remove, and end the job; raises what it fails with."""
        identity = UUID(str(job.run_parameters["publication_id"]))
        async with self._versions.database.read_only() as connection:
            publication = await find_publication(connection, identity)
        if publication is None:
            summary: dict[str, Any] = {"removed": True}
        elif publication.removing:
            control.stage("removing")
            await asyncio.to_thread(self._drop, publication, whole=await self._is_deleted(publication.dataset_id))
            summary = {"removed": True, "table": publication.table_name}
        else:
            summary = await self._publish(publication, control)

        async def complete(summary: Mapping[str, Any], uow: DatasetsUnitOfWork) -> None:
            if summary.get("removed"):
                await uow.publications.remove([identity])
            await uow.jobs.complete(job.id, control.worker, summary, control.progress)

        await run(control.unit_of_work(), complete, summary)

    async def _publish(self, publication: Publication, control: JobControl[DatasetsUnitOfWork]) -> dict[str, Any]:
        async with self._versions.database.read_only() as connection:
            version = publication.ref_name if publication.follows else publication.commit_id
            head = await resolve_version(connection, publication.dataset_id, version or "")
            published = publication.published_commit_id
            waiting, skipped = await commits_to_publish(connection, publication.dataset_id, published, head)
        snapshots = []
        for commit_id in waiting:
            control.stage("publishing")
            found = await self._versions.load(publication.dataset_id, commit_id, sheet=publication.sheet)
            snapshot = await asyncio.to_thread(self._snapshot, publication, found, control)
            snapshots.append({"commit_id": commit_id, **snapshot})
            rows = found.tables[publication.sheet].manifest.rows
            command = NotePublished(publication.id, commit_id, snapshot["snapshot_id"], rows)
            # Each in its own transaction: a run that stops here goes on from here.
            await run(control.unit_of_work(), note_published, command)
        for snapshot in snapshots:
            snapshot["snapshot_id"] = str(snapshot["snapshot_id"])
        return {"publication_id": str(publication.id), "snapshots": snapshots, "passed_over": skipped}

    def _snapshot(
        self, publication: Publication, version: Version, control: JobControl[DatasetsUnitOfWork]
    ) -> dict[str, Any]:
        """The snapshot of a version, made unless the table has it. Blocks."""
        from pyiceberg.exceptions import CommitFailedException

        from versioned_tables.iceberg.publishing import Publishing, first_schema, publish

        _, manifest = version.sheet(publication.sheet)
        if not manifest.schema.columns:
            raise PublicationRefused(Text("The sheet {sheet!r} has no columns.", sheet=publication.sheet))

        def report(rows: int, size: int) -> None:
            control.report(Steps("publishing", rows, size))

        dataset_id, name = publication.dataset_id, publication.table_name
        with self._lake.catalog(dataset_id) as catalog:
            table = self._lake.find(catalog, dataset_id, name)
            if table is None:
                self._lake.make_namespace(catalog, dataset_id)
                location = self._lake.location(dataset_id, name)
                about = {"dataforge.dataset-id": str(dataset_id), "dataforge.publication-id": str(publication.id)}
                table = catalog.create_table(
                    (self._lake.namespace(dataset_id), name),
                    first_schema(manifest.schema),
                    location=location,
                    properties={**_TABLE, **about},
                )
            about = {"dataforge.ref": publication.ref_name or version.commit_id, "dataforge.sheet": publication.sheet}
            store = self._versions.store(dataset_id)
            try:
                made = publish(store, manifest, table, Publishing(version.commit_id, about), report)
            except CommitFailedException as error:
                message = Text("The table has been written to at the same moment; this is repeated.")
                raise PublicationRaced(message) from error
        logger.info("published", publication_id=str(publication.id), **asdict(made))
        return asdict(made)

    async def _is_deleted(self, dataset_id: UUID) -> bool:
        async with self._versions.database.read_only() as connection:
            return await dataset_deleted(connection, dataset_id)

    def _drop(self, publication: Publication, *, whole: bool) -> None:
        """Take the table out of the catalog, then delete its files; again is fine. Blocks.

        `whole`: everything that the catalog has of the dataset, also what engines have made beside it.
        """
        dataset_id, name = publication.dataset_id, publication.table_name
        with self._lake.catalog(dataset_id) as catalog:
            self._lake.drop(catalog, dataset_id, None if whole else name)
        objects = self._versions.objects
        for item in list(objects.list(lake_prefix(dataset_id) if whole else f"{lake_prefix(dataset_id)}{name}/")):
            objects.delete(item.key)
