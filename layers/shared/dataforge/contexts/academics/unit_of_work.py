"""The unit of work of the commands of academics."""

from dataforge.contexts.academics.catalog.repository import Catalog
from dataforge.contexts.academics.copies.repository import Copies
from dataforge.contexts.academics.enrollment.repository.enrollments import Enrollments
from dataforge.contexts.academics.feeds.repository import CalendarFeeds
from dataforge.contexts.academics.meetings.repository import Meetings
from dataforge.contexts.academics.rosters.repository.plans import RosterPlans
from dataforge.contexts.academics.rosters.repository.uploads import RosterUploads
from dataforge.contexts.academics.sections.repository import Sections
from dataforge.contexts.academics.students.repository import Students
from dataforge.platform.db.unit_of_work import SqlUnitOfWork
from dataforge.platform.plans.repository import Plans


class AcademicsUnitOfWork(SqlUnitOfWork):
    """One transaction with the repositories of academics."""

    @property
    def catalog(self) -> Catalog:
        """Departments, courses, semesters."""
        return Catalog(self.connection, self.now)

    @property
    def sections(self) -> Sections:
        """Sections."""
        return Sections(self.connection, self.now)

    @property
    def meetings(self) -> Meetings:
        """Holidays, and changes of single meetings."""
        return Meetings(self.connection, self.now)

    @property
    def calendar_feeds(self) -> CalendarFeeds:
        """Feeds for calendars."""
        return CalendarFeeds(self.connection, self.now)

    @property
    def copies(self) -> Copies:
        """Sections of copied semesters."""
        return Copies(self.connection, self.now)

    @property
    def plans(self) -> Plans:
        """Plans that wait to be applied, but for those of rosters."""
        return Plans(self.connection)

    @property
    def students(self) -> Students:
        """Students with their holds, overrides and completions."""
        return Students(self.connection, self.now)

    @property
    def enrollments(self) -> Enrollments:
        """Enrolments."""
        return Enrollments(self.connection, self._request_id)

    @property
    def roster_uploads(self) -> RosterUploads:
        """Announced roster uploads."""
        return RosterUploads(self.connection)

    @property
    def rosters(self) -> RosterPlans:
        """Roster plans."""
        return RosterPlans(self.connection)
