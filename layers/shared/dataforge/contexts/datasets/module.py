"""How datasets is wired: its services, and what they serve and do."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from dataforge.contexts.datasets.contract import DatasetReader
from dataforge.platform.module import Command, Consumer, Job, Module
from dataforge.platform.services import Platform, Services

if TYPE_CHECKING:
    from dataforge.contexts.datasets.memberships import NoMemberships
    from dataforge.contexts.datasets.reader import ExportedRows
    from dataforge.contexts.datasets.services.comparing import Comparer
    from dataforge.contexts.datasets.services.exports import Exporter
    from dataforge.contexts.datasets.services.imports import Importer
    from dataforge.contexts.datasets.services.lifecycle import Lifecycle
    from dataforge.contexts.datasets.services.versions import Versions
    from dataforge.contexts.datasets.services.working import JobRunner
    from dataforge.contexts.datasets.storage import S3Files
    from dataforge.kernel.quotas import UploadLimits
    from dataforge.platform.aws.sqs import Queue
    from versioned_tables.objects import ObjectStore

ROUTES = "dataforge.contexts.datasets.routes"


class DatasetsServices(Services):
    """The parts of datasets."""

    @cached_property
    def memberships(self) -> "NoMemberships":
        """Which workspaces a person is in."""
        from dataforge.contexts.datasets.memberships import NoMemberships

        return NoMemberships()

    @cached_property
    def files(self) -> "S3Files":
        """Uploads and exports."""
        from dataforge.contexts.datasets.storage import S3Files

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
        from dataforge.contexts.datasets.reader import ExportedRows

        return ExportedRows(self.database, self.chunks, self.export_queue, self.memberships, self.clock)

    @cached_property
    def dataset_versions(self) -> "Versions":
        """Versions, with their caches."""
        from dataforge.contexts.datasets.services.versions import Versions

        return Versions(self.database, self.chunks)

    @cached_property
    def comparer(self) -> "Comparer":
        """Compares versions."""
        from dataforge.contexts.datasets.services.comparing import Comparer

        return Comparer(self.dataset_versions)

    @cached_property
    def job_runner(self) -> "JobRunner":
        """Claims jobs and keeps them alive."""
        from dataforge.contexts.datasets.services.working import JobRunner

        return JobRunner(self.database, self.clock)

    @cached_property
    def importer(self) -> "Importer":
        """Does import jobs."""
        from dataforge.contexts.datasets.services.imports import Importer

        return Importer(self.dataset_versions, self.job_runner)

    @cached_property
    def exporter(self) -> "Exporter":
        """Does export jobs."""
        from dataforge.contexts.datasets.services.exports import Exporter

        return Exporter(self.dataset_versions, self.job_runner, self.files)

    @cached_property
    def lifecycle(self) -> "Lifecycle":
        """Compacts, collects, purges and verifies."""
        from dataforge.contexts.datasets.services.lifecycle import Lifecycle

        return Lifecycle(self.dataset_versions, self.clock)


def _dataset_commands() -> Mapping[str, Command[DatasetsServices]]:
    from dataforge.contexts.datasets import consumers

    return {"verify_dataset": consumers.verify_dataset, "upkeep_dataset": consumers.upkeep_dataset}


def _import_messages() -> Consumer[DatasetsServices]:
    from dataforge.contexts.datasets import consumers

    return consumers.import_messages


def _export_messages() -> Consumer[DatasetsServices]:
    from dataforge.contexts.datasets import consumers

    return consumers.export_messages


def _jobs() -> Mapping[str, Job[DatasetsServices]]:
    from dataforge.contexts.datasets.upkeep import queue_due

    return {"datasets": queue_due}


def _reader(platform: Platform) -> "ExportedRows":
    return platform.get(DatasetsServices).dataset_reader


MODULE = Module(
    name="datasets",
    services=DatasetsServices,
    routers={
        "datasets_api": {"/api/datasets": ROUTES, "/ui/datasets": "dataforge.contexts.datasets.pages"},
        "datasets_sql": {"/api/datasets": ROUTES},
    },
    offers={DatasetReader: _reader},
    commands={"dataset_import": _dataset_commands},
    consumers={"dataset_import": _import_messages, "dataset_export": _export_messages},
    jobs=_jobs,
)
