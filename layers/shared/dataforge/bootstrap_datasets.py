"""The part of the composition root that is about datasets."""

from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dataforge.kernel.clock import Clock

if TYPE_CHECKING:
    from dataforge.contexts.datasets.contract import DatasetReader
    from dataforge.contexts.datasets.memberships import NoMemberships
    from dataforge.contexts.datasets.ports import ObjectStore
    from dataforge.contexts.datasets.services.comparing import Comparer
    from dataforge.contexts.datasets.services.exports import Exporter
    from dataforge.contexts.datasets.services.imports import Importer
    from dataforge.contexts.datasets.services.lifecycle import Lifecycle
    from dataforge.contexts.datasets.services.versions import Versions
    from dataforge.contexts.datasets.services.working import JobRunner
    from dataforge.contexts.datasets.storage import S3Files
    from dataforge.platform.aws.sqs import Queue
    from dataforge.platform.db.database import Database


class DatasetServices:
    """Services of datasets, each made when first used and then kept; mixed into the container."""

    settings: Any
    clock: Clock

    @property
    @abstractmethod
    def database(self) -> "Database":
        """PostgreSQL."""

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

    @cached_property
    def import_queue(self) -> "Queue":
        """Where imports and maintenance wait."""
        from dataforge.platform.aws.sqs import Queue

        return Queue(self.settings.imports_queue_url)

    @cached_property
    def export_queue(self) -> "Queue":
        """Where exports wait."""
        from dataforge.platform.aws.sqs import Queue

        return Queue(self.settings.exports_queue_url)

    @cached_property
    def chunks(self) -> "ObjectStore":
        """Immutable objects of the bucket."""
        from dataforge.platform.aws.clients import client
        from dataforge.platform.aws.objects import S3ObjectStore

        return S3ObjectStore(client("s3"), self.settings.data_bucket)

    @cached_property
    def dataset_reader(self) -> "DatasetReader":
        """Rows of datasets for contexts that carry no Arrow."""
        from dataforge.contexts.datasets.facade import ExportedRows

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
