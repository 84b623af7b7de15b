"""Does the jobs of publications: commits become snapshots one after the other, or the table goes.

One job at a time works on a publication. Kill it anywhere: files are stored before the catalog moves the table to them,
the catalog's move is one step, and the next attempt goes on from the commit that the table itself is at. A worker that
has lost its job without knowing cannot move the table behind its successor's back: it has read the table before it last
made sure of its job, and the catalog refuses who does not know the newest state.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dataforge.contexts.datasets.commits.queries import resolve_version
from dataforge.contexts.datasets.publications.commands import EndRun, NotePublished, begin_run, end_run, note_published
from dataforge.contexts.datasets.publications.domain import (
    Publication,
    PublicationRaced,
    PublicationRefused,
    lake_prefix,
)
from dataforge.contexts.datasets.publications.queries import commits_to_publish, dataset_deleted, known_commits
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.jobs.control import JobControl, Steps
from dataforge.platform.observability import logger

if TYPE_CHECKING:
    from pyiceberg.catalog import MetastoreCatalog
    from pyiceberg.table import Table

    from dataforge.contexts.datasets.commits.versions import Version, Versions
    from dataforge.contexts.datasets.jobs.domain import Job
    from dataforge.contexts.datasets.publications.lake import Lake
    from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
    from versioned_tables.iceberg.publishing import Published
    from versioned_tables.schema.columns import TableSchema

# Longer than whoever writes to a table takes from its first file to its snapshot.
GRACE = timedelta(days=2)
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

    async def work(self, job: Job, control: JobControl[DatasetsUnitOfWork]) -> UUID | None:
        """Publish what is new, or remove, and end the job; raises what it fails with.

        Returns a job that is to be sent for what has come up meanwhile.
        """
        identity = UUID(str(job.run_parameters["publication_id"]))
        publication = await run(control.unit_of_work(), begin_run, job)
        removed = publication is not None and publication.removing
        if publication is None:
            summary: dict[str, Any] = {"publication_id": str(identity), "snapshots": []}
        elif removed:
            control.stage("removing")
            await asyncio.to_thread(self._drop, publication, whole=await self._is_deleted(publication.dataset_id))
            summary = {"removed": True, "table": publication.table_name}
        else:
            summary = await self._publish(publication, job, control)
        ended = EndRun(identity, job.id, control.worker, summary, control.progress, removed=removed)
        return await run(control.unit_of_work(), end_run, ended)

    async def _publish(
        self, publication: Publication, job: Job, control: JobControl[DatasetsUnitOfWork]
    ) -> dict[str, Any]:
        from versioned_tables.iceberg.expiring import published_commit

        snapshots = []
        with self._lake.catalog(publication.dataset_id) as catalog:
            table = await asyncio.to_thread(self._lake.find, catalog, publication.dataset_id, publication.table_name)
            # In this order: whoever has the job by now has not moved the table before it was read.
            await run(control.unit_of_work(), _hold, (job.id, control))
            published = None if table is None else published_commit(table)
            waiting, skipped = await self._commits(publication, published)
            for commit_id in waiting:
                control.stage("publishing")
                found = await self._versions.load(publication.dataset_id, commit_id, sheet=publication.sheet)
                table, made = await asyncio.to_thread(self._snapshot, catalog, table, publication, found, control)
                snapshots.append({"commit_id": commit_id, **asdict(made), "snapshot_id": str(made.snapshot_id)})
                rows = found.tables[publication.sheet].manifest.rows
                # Each in its own transaction: a run that stops here goes on from here.
                command = NotePublished(publication.id, commit_id, made.snapshot_id, rows)
                await run(control.unit_of_work(), note_published, command)
            expired = 0 if table is None else await self._expire(publication, table, control)
        summary = {"publication_id": str(publication.id), "snapshots": snapshots, "passed_over": skipped}
        return {**summary, "expired": expired}

    async def _commits(self, publication: Publication, published: str | None) -> tuple[list[str], bool]:
        """Commits to publish, oldest first, and whether some are passed over."""
        version = publication.ref_name if publication.follows else publication.commit_id
        async with self._versions.database.read_only() as connection:
            head = await resolve_version(connection, publication.dataset_id, version or "")
            if published == head != publication.published_commit_id:
                return [head], False  # it is there, and was not written down
            return await commits_to_publish(connection, publication.dataset_id, published, head)

    def _snapshot(
        self,
        catalog: MetastoreCatalog,
        table: Table | None,
        publication: Publication,
        version: Version,
        control: JobControl[DatasetsUnitOfWork],
    ) -> tuple[Table, Published]:
        """The snapshot of a version, made unless the table is at it. Blocks."""
        from pyiceberg.exceptions import CommitFailedException

        from versioned_tables.iceberg.publishing import Publishing, publish

        _, manifest = version.sheet(publication.sheet)
        if not manifest.schema.columns:
            raise PublicationRefused(Text("The sheet {sheet!r} has no columns.", sheet=publication.sheet))

        def report(rows: int, size: int) -> None:
            control.report(Steps("publishing", rows, size))

        if table is None:
            table = self._make_table(catalog, publication, manifest.schema)
        about = {"dataforge.ref": publication.ref_name or version.commit_id, "dataforge.sheet": publication.sheet}
        store = self._versions.store(publication.dataset_id)
        try:
            made = publish(store, manifest, table, Publishing(version.commit_id, about), report)
        except CommitFailedException as error:
            raise _raced() from error
        logger.info("published", publication_id=str(publication.id), **asdict(made))
        return table, made

    def _make_table(self, catalog: MetastoreCatalog, publication: Publication, schema: TableSchema) -> Table:
        from pyiceberg.exceptions import TableAlreadyExistsError

        from versioned_tables.iceberg.publishing import first_schema

        dataset_id, name = publication.dataset_id, publication.table_name
        self._lake.make_namespace(catalog, dataset_id)
        about = {"dataforge.dataset-id": str(dataset_id), "dataforge.publication-id": str(publication.id)}
        try:
            return catalog.create_table(
                (self._lake.namespace(dataset_id), name),
                first_schema(schema),
                location=self._lake.location(dataset_id, name),
                properties={**_TABLE, **about},
            )
        except TableAlreadyExistsError as error:
            raise _raced() from error

    async def _expire(self, publication: Publication, table: Table, control: JobControl[DatasetsUnitOfWork]) -> int:
        """Let snapshots go whose commits the dataset has forgotten, with the files that only they had; how many."""
        from versioned_tables.iceberg.expiring import published_commits

        shown = published_commits(table)
        async with self._versions.database.read_only() as connection:
            gone = shown - await known_commits(connection, publication.dataset_id, shown)
        if not gone:
            return 0
        control.stage("expiring")
        older_than = (control.unit_of_work().now - GRACE).timestamp()
        return await asyncio.to_thread(self._expire_snapshots, publication, table, gone, older_than)

    def _expire_snapshots(self, publication: Publication, table: Table, gone: set[str], older_than: float) -> int:
        from pyiceberg.exceptions import CommitFailedException

        from versioned_tables.iceberg.expiring import expire, needed_files

        try:
            expired = expire(table, gone)
        except CommitFailedException as error:
            raise _raced() from error
        if not expired:
            return 0
        needed = needed_files(table)
        location = self._lake.location(publication.dataset_id, publication.table_name)
        prefix = f"{lake_prefix(publication.dataset_id)}{publication.table_name}/"
        objects = self._versions.objects
        for item in list(objects.list(prefix)):
            # Whoever writes to the table at this moment names its files afterwards.
            if item.modified < older_than and f"{location}/{item.key.removeprefix(prefix)}" not in needed:
                objects.delete(item.key)
        logger.info("snapshots expired", publication_id=str(publication.id), snapshots=expired)
        return expired

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


async def _hold(lease: tuple[UUID, JobControl[DatasetsUnitOfWork]], uow: DatasetsUnitOfWork) -> None:
    """Make sure that the job is still this worker's; raises JobLost."""
    job_id, control = lease
    await uow.jobs.note_step(job_id, control.worker, {"progress": control.progress})


def _raced() -> PublicationRaced:
    return PublicationRaced(Text("The table has been written to at the same moment; this is repeated."))
