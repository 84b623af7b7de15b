"""The unit of work of the record store's commands."""

from datetime import datetime

from dataforge.contexts.lrs.bodies.repository import Bodies
from dataforge.contexts.lrs.documents.repository import Documents
from dataforge.contexts.lrs.erasures.repository import Erasures
from dataforge.contexts.lrs.flat_rows.repository import FlatRows
from dataforge.contexts.lrs.forwarding.repository import Deliveries, Subscriptions
from dataforge.contexts.lrs.identifiers.repository import Identifiers
from dataforge.contexts.lrs.load.repository import RawStatements
from dataforge.contexts.lrs.matching.repository import SqlStatementMatching
from dataforge.contexts.lrs.purges.repository import Removals
from dataforge.contexts.lrs.quarantine.repository import Quarantine
from dataforge.contexts.lrs.rebuild.repository import Rebuild
from dataforge.contexts.lrs.search.repository import StatementIndex
from dataforge.contexts.lrs.sessions.repository import Sessions
from dataforge.platform.jobs.shared import SharedJobsUnitOfWork
from dataforge.platform.plans.repository import Plans


class LrsUnitOfWork(SharedJobsUnitOfWork):
    """A transaction with the repositories of the record store."""

    async def take_revision(self) -> datetime:
        """The instant from which on others know what this transaction changes in the past (StatementMatching)."""
        return await SqlStatementMatching().take_revision(self.connection)

    @property
    def raw(self) -> RawStatements:
        """Statements as they were sent."""
        return RawStatements(self.connection)

    @property
    def bodies(self) -> Bodies:
        """The partitions of bodies."""
        return Bodies(self.connection)

    @property
    def flat(self) -> FlatRows:
        """Statements as reports read them."""
        return FlatRows(self.connection)

    @property
    def rebuild(self) -> Rebuild:
        """Flat rows against their statements."""
        return Rebuild(self.connection)

    @property
    def identifiers(self) -> Identifiers:
        """What people are known by."""
        return Identifiers(self.connection)

    @property
    def index(self) -> StatementIndex:
        """What statements are found by."""
        return StatementIndex(self.connection)

    @property
    def quarantine(self) -> Quarantine:
        """What can never become a statement."""
        return Quarantine(self.connection)

    @property
    def removals(self) -> Removals:
        """What a purge takes away."""
        return Removals(self.connection)

    @property
    def erasures(self) -> Erasures:
        """People who are erased."""
        return Erasures(self.connection)

    @property
    def plans(self) -> Plans:
        """Plans that wait to be applied."""
        return Plans(self.connection)

    @property
    def sessions(self) -> Sessions:
        """Sessions of course players."""
        return Sessions(self.connection, self.now)

    @property
    def subscriptions(self) -> Subscriptions:
        """To whom statements are sent."""
        return Subscriptions(self.connection, self.now)

    @property
    def deliveries(self) -> Deliveries:
        """What is sent."""
        return Deliveries(self.connection, self.now)

    @property
    def documents(self) -> Documents:
        """State and profiles."""
        return Documents(self.connection)
