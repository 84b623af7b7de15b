"""What other contexts may know of records: the events it publishes and the people it needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

LESSON_COMPLETED = "records.lesson_completed"
"""Outbox event: a known person has completed a known lesson; its payload is a LessonCompleted."""


@dataclass(frozen=True, slots=True)
class LessonCompleted:
    """A completion that a statement gave evidence of.

    `score` is the scaled score (-1 to 1) if the statement had one; `section_id` is None for a lesson outside a section.
    """

    user_id: UUID
    lesson_id: UUID
    section_id: UUID | None
    statement_id: UUID
    score: Decimal | None
    occurred_at: datetime

    def payload(self) -> dict[str, object]:
        """The event's JSON."""
        return {
            "user_id": str(self.user_id),
            "lesson_id": str(self.lesson_id),
            "section_id": None if self.section_id is None else str(self.section_id),
            "statement_id": str(self.statement_id),
            "score": None if self.score is None else str(self.score),
            "occurred_at": self.occurred_at.isoformat(),
        }

    @classmethod
    def from_payload(cls, payload: Mapping[str, object]) -> "LessonCompleted":
        """Read what `payload` wrote."""
        section_id, score = payload["section_id"], payload["score"]
        return cls(
            user_id=UUID(str(payload["user_id"])),
            lesson_id=UUID(str(payload["lesson_id"])),
            section_id=None if section_id is None else UUID(str(section_id)),
            statement_id=UUID(str(payload["statement_id"])),
            score=None if score is None else Decimal(str(score)),
            occurred_at=datetime.fromisoformat(str(payload["occurred_at"])),
        )
