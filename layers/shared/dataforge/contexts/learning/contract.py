"""What other contexts may know of learning: the events it publishes, and how they make lessons of what they have."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from dataforge.kernel.events import Event
from dataforge.kernel.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class LessonCompleted(Event):
    """A known person has completed a known lesson, which a statement gives evidence of.

    `score` is the scaled score (-1 to 1) if the statement had one; `section_id` is None for a lesson outside a section,
    `workspace_id` for one of the organisation.
    """

    name = "records.lesson_completed"
    about = "user_id"

    user_id: UUID
    lesson_id: UUID
    section_id: UUID | None
    statement_id: UUID
    score: Decimal | None
    occurred_at: datetime
    workspace_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class PublishedLesson:
    """What a context offers as a lesson of a workspace.

    `lesson_url` is the activity id of statements about it. A lesson that exists (`lesson_id`) keeps the one it has, and
    its cohort unless another is given.
    """

    lesson_url: str
    title: str
    workspace_id: UUID
    cohort_id: UUID | None = None
    lesson_id: UUID | None = None


class LessonPublishing(Protocol):
    """Makes lessons of what other contexts have; completions are then counted as those of any lesson."""

    async def publish(self, uow: UnitOfWork, lesson: PublishedLesson) -> UUID:
        """Create or change the lesson within the transaction of this unit of work; its id.

        The same lesson again changes nothing, and one that was deleted is made again. Raises NotFound for a
        cohort that the workspace does not have, DuplicateLessonUrl for an activity id of another lesson.
        """
        ...
