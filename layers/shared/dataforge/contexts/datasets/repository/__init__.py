"""The write SQL of datasets' commands; upkeep and the lifecycle of chunks write their own."""

from dataforge.contexts.datasets.repository.datasets import SqlDatasets, SqlPermissions
from dataforge.contexts.datasets.repository.history import SqlCommits, SqlRefs
from dataforge.contexts.datasets.repository.jobs import SqlJobs, SqlUploads
from dataforge.contexts.datasets.repository.reviews import SqlExpectations, SqlReviews
from dataforge.platform.db.unit_of_work import SqlUnitOfWork


class SqlDatasetsUnitOfWork(SqlUnitOfWork):
    """One transaction with the repositories of datasets."""

    @property
    def datasets(self) -> SqlDatasets:
        """Datasets and their tags."""
        return SqlDatasets(self.connection, self.now)

    @property
    def permissions(self) -> SqlPermissions:
        """Grants."""
        return SqlPermissions(self.connection, self.now, self.principal.user_id)

    @property
    def refs(self) -> SqlRefs:
        """Branches and tags."""
        return SqlRefs(self.connection, self.now, self.principal.user_id)

    @property
    def commits(self) -> SqlCommits:
        """Commits, their tables and manifests."""
        return SqlCommits(self.connection, self.now)

    @property
    def jobs(self) -> SqlJobs:
        """Jobs."""
        return SqlJobs(self.connection, self.now)

    @property
    def uploads(self) -> SqlUploads:
        """Uploads."""
        return SqlUploads(self.connection)

    @property
    def reviews(self) -> SqlReviews:
        """Review requests."""
        return SqlReviews(self.connection, self.now)

    @property
    def expectations(self) -> SqlExpectations:
        """Expectations."""
        return SqlExpectations(self.connection, self.now, self.principal.user_id)
