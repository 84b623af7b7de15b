"""The parts of datasets, each made when first used."""

import json
from functools import cached_property
from typing import TYPE_CHECKING

from dataforge.platform.services import Services

if TYPE_CHECKING:
    from uuid import UUID

    from dataforge.contexts.datasets.commits.versions import Versions
    from dataforge.contexts.datasets.comparisons.queries import Comparer
    from dataforge.contexts.datasets.exports.commands import Exporter
    from dataforge.contexts.datasets.exports.reader import ExportedRows
    from dataforge.contexts.datasets.imports.commands import Importer
    from dataforge.contexts.datasets.jobs.domain import Job
    from dataforge.contexts.datasets.maintenance.commands import Maintenance
    from dataforge.contexts.datasets.publications.lake import Lake
    from dataforge.contexts.datasets.publications.publisher import Publisher
    from dataforge.contexts.datasets.publications.snapshots import SnapshotReader
    from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
    from dataforge.kernel.access import Level
    from dataforge.kernel.principal import Principal
    from dataforge.kernel.quotas import UploadLimits
    from dataforge.platform.aws.athena import Athena
    from dataforge.platform.aws.sqs import Queue
    from dataforge.platform.jobs.control import JobControl
    from dataforge.platform.jobs.worker import JobRunner
    from dataforge.platform.uploads.files import S3Files
    from versioned_tables.objects import ObjectStore


class DatasetsServices(Services):
    """The parts of datasets."""

    @cached_property
    def files(self) -> "S3Files":
        """Uploads and exports."""
        from dataforge.platform.uploads.files import S3Files

        return S3Files(self.settings.data_bucket)

    @property
    def upload_limits(self) -> "UploadLimits":
        """How much may be uploaded in a day."""
        return self.platform.upload_limits

    @cached_property
    def import_queue(self) -> "Queue":
        """Where imports and maintenance wait."""
        return self.platform.queue("imports")

    @cached_property
    def export_queue(self) -> "Queue":
        """Where exports wait."""
        return self.platform.queue("exports")

    @cached_property
    def chunks(self) -> "ObjectStore":
        """Immutable objects of the bucket."""
        from dataforge.platform.aws.clients import client
        from dataforge.platform.aws.s3 import S3ObjectStore

        return S3ObjectStore(client("s3"), self.settings.data_bucket)

    @cached_property
    def dataset_reader(self) -> "ExportedRows":
        """Rows of datasets for contexts that carry no Arrow."""
        from dataforge.contexts.datasets.exports.reader import ExportedRows

        return ExportedRows(self.database, self.chunks, self.export_queue, self.clock)

    @cached_property
    def versions(self) -> "Versions":
        """Versions, with their caches."""
        from dataforge.contexts.datasets.commits.versions import Versions

        return Versions(self.database, self.chunks)

    @cached_property
    def comparer(self) -> "Comparer":
        """Compares versions."""
        from dataforge.contexts.datasets.comparisons.queries import Comparer

        return Comparer(self.versions)

    @cached_property
    def job_runner(self) -> "JobRunner[DatasetsUnitOfWork]":
        """Claims jobs and keeps them alive."""
        from dataforge.contexts.datasets.imports.failures import announce_failure
        from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
        from dataforge.platform.jobs.worker import JobRunner

        return JobRunner(DatasetsUnitOfWork, self.database, self.clock, failed=announce_failure)

    @cached_property
    def request_runner(self) -> "JobRunner[DatasetsUnitOfWork]":
        """Does the jobs of small files within a request, as far as that goes."""
        from functools import partial

        from dataforge.contexts.datasets.imports.bounds import MOST_SECONDS, RequestControl
        from dataforge.contexts.datasets.imports.failures import announce_failure
        from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
        from dataforge.platform.jobs.worker import JobRunner

        return JobRunner(
            DatasetsUnitOfWork,
            self.database,
            self.clock,
            failed=partial(announce_failure, awaited=True),
            pause_after_seconds=MOST_SECONDS,
            control=RequestControl,
        )

    @cached_property
    def importer(self) -> "Importer":
        """Does import jobs."""
        from dataforge.contexts.datasets.imports.commands import Importer

        return Importer(self.versions, files=self.files)

    @cached_property
    def exporter(self) -> "Exporter":
        """Does export jobs."""
        from dataforge.contexts.datasets.exports.commands import Exporter

        return Exporter(self.versions, self.files)

    @cached_property
    def publisher(self) -> "Publisher":
        """Does the jobs of publications."""
        from dataforge.contexts.datasets.publications.publisher import Publisher

        return Publisher(self.versions, self.lake)

    @cached_property
    def snapshot_reader(self) -> "SnapshotReader":
        """Reads snapshots for imports."""
        from dataforge.contexts.datasets.publications.snapshots import SnapshotReader

        return SnapshotReader(self.versions, self.files, self.lake)

    @cached_property
    def lake(self) -> "Lake":
        """Where versions are published."""
        from dataforge.contexts.datasets.publications.lake import Lake

        given = self.settings
        return Lake(given.iceberg_catalog, given.iceberg_namespaces, given.data_bucket, self.platform.database_url)

    @cached_property
    def athena(self) -> "Athena | None":
        """Runs queries over published tables; None where nobody does."""
        from dataforge.platform.aws.athena import Athena

        given = self.settings
        if not given.athena_workgroup:
            return None
        return Athena(given.athena_workgroup, given.athena_role_arn, given.data_bucket)

    async def export_or_publish(self, job: "Job", control: "JobControl[DatasetsUnitOfWork]") -> None:
        """Do a job of the exports queue."""
        from dataforge.contexts.datasets.jobs.domain import RunType

        if job.run_type is RunType.PUBLICATION:
            following = await self.publisher.work(job, control)
            if following is not None:
                await self.export_queue.send(json.dumps({"job_id": str(following)}))
        elif job.run_type.reads_a_file:
            await self.snapshot_reader.work(job, control)
        else:
            await self.exporter.work(job, control)

    @cached_property
    def maintenance(self) -> "Maintenance":
        """Compacts, collects and purges."""
        from dataforge.contexts.datasets.maintenance.commands import Maintenance

        return Maintenance(self.versions, self.clock)

    async def level_on(self, dataset_id: "UUID", principal: "Principal") -> "Level | None":
        """The person's level on a dataset; None without one, and where there is no such dataset."""
        from dataforge.contexts.datasets.datasets.queries import dataset_access

        async with self.database.read_only() as connection:
            access = await dataset_access(connection, dataset_id, principal)
        return None if access is None else access.level
