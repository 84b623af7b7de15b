"""The unit of work of the commands of datasets."""

from dataforge.contexts.datasets.commits.repository import Commits
from dataforge.contexts.datasets.datasets.repository import Datasets, Permissions
from dataforge.contexts.datasets.expectations.repository import Expectations
from dataforge.contexts.datasets.jobs.repository import Jobs
from dataforge.contexts.datasets.publications.repository import Publications
from dataforge.contexts.datasets.refs.repository import Refs
from dataforge.contexts.datasets.reviews.repository import Reviews
from dataforge.contexts.datasets.uploads.repository import Uploads
from dataforge.platform.jobs.repository import JobsUnitOfWork
from dataforge.platform.plans.repository import Plans


class DatasetsUnitOfWork(JobsUnitOfWork):
    """One transaction with the repositories of datasets."""

    @property
    def datasets(self) -> Datasets:
        """Datasets and their tags."""
        return Datasets(self.connection, self.now)

    @property
    def permissions(self) -> Permissions:
        """Grants."""
        return Permissions(self.connection, self.now, self.principal.user_id)

    @property
    def refs(self) -> Refs:
        """Branches and tags."""
        return Refs(self.connection, self.now, self.principal.user_id)

    @property
    def commits(self) -> Commits:
        """Commits, their tables and manifests."""
        return Commits(self.connection, self.now)

    @property
    def jobs(self) -> Jobs:
        """Jobs."""
        return Jobs(self.connection, self.now)

    @property
    def uploads(self) -> Uploads:
        """Uploads."""
        return Uploads(self.connection)

    @property
    def reviews(self) -> Reviews:
        """Review requests."""
        return Reviews(self.connection, self.now)

    @property
    def expectations(self) -> Expectations:
        """Expectations."""
        return Expectations(self.connection, self.now, self.principal.user_id)

    @property
    def publications(self) -> Publications:
        """Publications."""
        return Publications(self.connection, self.now, self.principal.user_id)

    @property
    def plans(self) -> Plans:
        """Dry runs of imports."""
        return Plans(self.connection)
