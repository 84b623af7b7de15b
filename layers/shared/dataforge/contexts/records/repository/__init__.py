"""The write SQL of records."""

from dataforge.contexts.records.repository.catalog import SqlCatalog
from dataforge.contexts.records.repository.statements import SqlStatementTables
from dataforge.platform.db.unit_of_work import SqlUnitOfWork


class SqlRecordsUnitOfWork(SqlUnitOfWork):
    """A transaction with the repositories of records."""

    @property
    def statements(self) -> SqlStatementTables:
        """Raw and flat statements."""
        return SqlStatementTables(self.connection, self.publish)

    @property
    def catalog(self) -> SqlCatalog:
        """Lessons, cohorts and their members."""
        return SqlCatalog(self.connection)


__all__ = ["SqlCatalog", "SqlRecordsUnitOfWork", "SqlStatementTables"]
