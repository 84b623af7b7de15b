"""What changed in who has completed what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dataforge.contexts.reports.basis import Basis


@dataclass(frozen=True, slots=True)
class CompletionChange:
    """The first completion of a lesson by a learner, as of the report's watermark.

    Without `completed_at` the completion was withdrawn: the statement was voided, or turned out to be somebody else's.
    `changed_at` is when this became known.
    """

    user_id: UUID
    lesson_id: UUID
    completed_at: datetime | None
    statement_id: UUID | None
    score_scaled: float | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class CompletionChanges:
    """Completions that changed after `since` and up to the watermark, in the order in which that became known.

    Who asks with `next_since`, once all pages are read, misses nothing and gets nothing twice.
    """

    basis: Basis
    since: datetime
    changes: Sequence[CompletionChange]
    next_key: tuple[object, ...] | None = None

    @property
    def next_since(self) -> datetime | None:
        """What to ask for next: the watermark, never less than was asked for; None while there are more pages."""
        return None if self.next_key is not None else max(self.since, self.basis.watermark)
