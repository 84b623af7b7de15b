"""The unit of work of learning's commands."""

from dataforge.contexts.learning.cohorts.repository import Cohorts
from dataforge.contexts.learning.completions.register import SqlLessonRegister
from dataforge.contexts.learning.launches.repository import Launches
from dataforge.contexts.learning.lessons.repository import Lessons
from dataforge.platform.db.unit_of_work import SqlUnitOfWork


class LearningUnitOfWork(SqlUnitOfWork):
    """A transaction with learning's repositories."""

    @property
    def cohorts(self) -> Cohorts:
        """Cohorts and their members."""
        return Cohorts(self.connection, self.now)

    @property
    def lessons(self) -> Lessons:
        """Lessons."""
        return Lessons(self.connection, self.now)

    @property
    def launches(self) -> Launches:
        """Launches."""
        return Launches(self.connection, self.now)

    @property
    def completions(self) -> SqlLessonRegister:
        """What statements give evidence of."""
        return SqlLessonRegister(self.connection, self.publish)
