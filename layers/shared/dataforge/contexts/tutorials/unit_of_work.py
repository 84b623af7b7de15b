"""The unit of work of the commands of tutorials."""

from uuid import UUID

from dataforge.contexts.tutorials.transcripts.repository import Transcripts
from dataforge.contexts.tutorials.tutorials.repository import SqlShareLinks, SqlTutorials
from dataforge.kernel.errors import Forbidden
from dataforge.kernel.texts import Text
from dataforge.platform.db.throttle import Throttle
from dataforge.platform.jobs.shared import SharedJobsUnitOfWork


class TutorialsUnitOfWork(SharedJobsUnitOfWork):
    """A transaction with the repositories of tutorials, which can queue jobs."""

    @property
    def person(self) -> UUID:
        """The signed-in person; raises Forbidden where the system itself is at work."""
        if self.principal.user_id is None:
            message = Text("This needs a signed-in person.")
            raise Forbidden(message)
        return self.principal.user_id

    @property
    def transcripts(self) -> Transcripts:
        """Transcripts."""
        return Transcripts(self.connection, self.now)

    @property
    def tutorials(self) -> SqlTutorials:
        """Tutorials."""
        return SqlTutorials(self.connection, self.now)

    @property
    def links(self) -> SqlShareLinks:
        """Links to tutorials."""
        return SqlShareLinks(self.connection)

    @property
    def throttle(self) -> Throttle:
        """How often callers may try something."""
        return Throttle(self.connection, self.now)
