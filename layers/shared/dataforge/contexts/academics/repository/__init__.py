"""The write SQL of academics."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.academics.repository.catalogue import SqlCatalogue
from dataforge.contexts.academics.repository.enrollments import SqlEnrollments
from dataforge.contexts.academics.repository.roster_uploads import SqlRosterUploads
from dataforge.contexts.academics.repository.rosters import SqlRosters
from dataforge.contexts.academics.repository.students import SqlStudents
from dataforge.contexts.academics.tables import consumed_events
from dataforge.platform.db.unit_of_work import SqlUnitOfWork


class SqlConsumedEvents:
    """Which events a consumer has dealt with."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def first_time(self, consumer: str, event_id: UUID, now: datetime) -> bool:
        """Register the event; False when it was registered before."""
        statement = (
            upsert(consumed_events)
            .values(consumer=consumer, event_id=event_id, consumed_at=now)
            .on_conflict_do_nothing()
            .returning(consumed_events.c.event_id)
        )
        return (await self._connection.execute(statement)).first() is not None

    async def forget(self, before: datetime) -> int:
        """Forget events registered before that time; returns their number."""
        statement = delete(consumed_events).where(consumed_events.c.consumed_at < before)
        return (await self._connection.execute(statement)).rowcount


class SqlAcademicsUnitOfWork(SqlUnitOfWork):
    """One transaction with the repositories of academics."""

    @property
    def catalogue(self) -> SqlCatalogue:
        """Departments, courses, semesters, sections."""
        return SqlCatalogue(self.connection, self.now)

    @property
    def people(self) -> SqlStudents:
        """Students with their holds, overrides and completions."""
        return SqlStudents(self.connection, self.now)

    @property
    def enrollments(self) -> SqlEnrollments:
        """Enrolments."""
        return SqlEnrollments(self.connection, self._request_id)

    @property
    def roster_uploads(self) -> SqlRosterUploads:
        """Announced roster uploads."""
        return SqlRosterUploads(self.connection)

    @property
    def rosters(self) -> SqlRosters:
        """Roster plans."""
        return SqlRosters(self.connection)

    @property
    def consumed(self) -> SqlConsumedEvents:
        """Events dealt with."""
        return SqlConsumedEvents(self.connection)


__all__ = ["SqlAcademicsUnitOfWork"]
