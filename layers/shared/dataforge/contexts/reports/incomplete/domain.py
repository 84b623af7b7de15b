"""Learners of whom a lesson is expected and who have not completed it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dataforge.contexts.reports.basis import Basis, LessonLabel


@dataclass(frozen=True, slots=True)
class MissingLearner:
    """Somebody who has not completed the lesson; without `started_at` they have not begun."""

    user_id: UUID
    display_name: str
    email: str
    started_at: datetime | None
    last_activity: datetime | None


@dataclass(frozen=True, slots=True)
class IncompleteReport:
    """Who is missing, by name; `expected` and `missing` count all of them, also those of other pages."""

    basis: Basis
    lesson: LessonLabel
    cohort_id: UUID | None
    expected: int
    missing: int
    learners: Sequence[MissingLearner]
    next_key: tuple[object, ...] | None = None
