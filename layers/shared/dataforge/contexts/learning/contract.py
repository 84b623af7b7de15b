"""What other contexts may know of learning: the events it publishes."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from dataforge.kernel.events import Event


@dataclass(frozen=True, slots=True)
class LessonCompleted(Event):
    """A known person has completed a known lesson, which a statement gives evidence of.

    `score` is the scaled score (-1 to 1) if the statement had one; `section_id` is None for a lesson outside a section.
    """

    name = "records.lesson_completed"
    about = "user_id"

    user_id: UUID
    lesson_id: UUID
    section_id: UUID | None
    statement_id: UUID
    score: Decimal | None
    occurred_at: datetime
