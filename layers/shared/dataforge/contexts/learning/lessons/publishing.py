"""Lessons that other contexts make of what they have: created and changed by the commands of lessons."""

from typing import cast
from uuid import UUID

from dataforge.contexts.learning.cohorts.queries import workspace_of_cohort
from dataforge.contexts.learning.contract import PublishedLesson
from dataforge.contexts.learning.lessons.commands import ChangeLesson, CreateLesson, change_lesson, create_lesson
from dataforge.contexts.learning.unit_of_work import LearningUnitOfWork
from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.kernel.errors import NotFound
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import UnitOfWork
from dataforge.platform.db.unit_of_work import SqlUnitOfWork


class StoredLessonPublishing:
    """Keeps the contract's LessonPublishing."""

    def __init__(self, statements: StatementMatching) -> None:
        self._statements = statements

    async def publish(self, uow: UnitOfWork, lesson: PublishedLesson) -> UUID:
        """Create or change the lesson within the other transaction; its id."""
        inner = LearningUnitOfWork.within(cast("SqlUnitOfWork", uow))
        if lesson.cohort_id is not None:
            await _require_cohort(inner, lesson.cohort_id, lesson.workspace_id)
        if lesson.lesson_id is not None and await inner.lessons.exists(lesson.lesson_id):
            cohort = {} if lesson.cohort_id is None else {"cohort_id": lesson.cohort_id}
            change = ChangeLesson(lesson.lesson_id, "*", {"title": lesson.title, **cohort})
            return await change_lesson(self._statements, change, inner)
        create = CreateLesson(
            lesson_url=lesson.lesson_url,
            title=lesson.title,
            workspace_id=lesson.workspace_id,
            cohort_id=lesson.cohort_id,
        )
        row = await create_lesson(self._statements, create, inner)
        lesson_id: UUID = row["id"]
        return lesson_id


async def _require_cohort(uow: LearningUnitOfWork, cohort_id: UUID, workspace_id: UUID) -> None:
    """Raise NotFound for a cohort of another workspace as for one that does not exist: nobody learns of it here."""
    refusal = NotFound(Text("There is no cohort {cohort_id} in this workspace.", cohort_id=cohort_id))
    try:
        owner = await workspace_of_cohort(uow.connection, cohort_id)
    except NotFound as error:
        raise refusal from error
    if owner != workspace_id:
        raise refusal
