"""The unit of work of the commands of schemas."""

from dataforge.contexts.schemas.deployments.repository import Deployments
from dataforge.contexts.schemas.plans.repository import Plans
from dataforge.contexts.schemas.trash.repository import TrashItems
from dataforge.platform.db.unit_of_work import SqlUnitOfWork


class SchemasUnitOfWork(SqlUnitOfWork):
    """A transaction with the repositories of schemas."""

    @property
    def plans(self) -> Plans:
        """Plans that were made."""
        return Plans(self.connection)

    @property
    def deployments(self) -> Deployments:
        """Deployments and their steps."""
        return Deployments(self.connection)

    @property
    def trash(self) -> TrashItems:
        """What was dropped and is kept for a while."""
        return TrashItems(self.connection)
