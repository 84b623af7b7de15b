"""What one learner did, lesson by lesson and statement by statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dataforge.contexts.reports.basis import Basis, LessonLabel


@dataclass(frozen=True, slots=True)
class LearnerLesson:
    """A lesson that is expected of the learner, or that they have begun all the same.

    `statements_at` are the times of the newest statements of the lesson, newest first.
    """

    lesson: LessonLabel
    expected: bool
    started_at: datetime | None
    last_at: datetime | None
    completed_at: datetime | None
    statements: int
    score_scaled: float | None
    statements_at: Sequence[datetime] = ()


@dataclass(frozen=True, slots=True)
class LearnerEvent:
    """A statement of the learner about a lesson; `completes` says whether it is one that completes it."""

    statement_id: UUID
    lesson_id: UUID
    title: str
    completes: bool
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class LearnerReport:
    """All lessons of a learner, and a page of what happened, newest first."""

    basis: Basis
    user_id: UUID
    display_name: str
    email: str
    lessons: Sequence[LearnerLesson]
    events: Sequence[LearnerEvent]
    next_key: tuple[object, ...] | None = None

    @property
    def completed(self) -> int:
        """How many lessons are completed."""
        return sum(item.completed_at is not None for item in self.lessons)
