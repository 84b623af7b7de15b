"""How lessons or courses compare."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from dataforge.contexts.reports.basis import Basis, share


class ComparedBy(StrEnum):
    """What is compared."""

    LESSON = "lesson"
    COURSE = "course"


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """A lesson or course: pairs of learner and lesson that are expected, started and completed.

    `median_seconds` is from start to completion, of the completed ones; `mean_score` the mean of their scaled scores
    (-1 to 1), where they have one, of `scored` completions.
    """

    id: UUID
    title: str
    expected: int
    started: int
    completed: int
    median_seconds: float | None
    mean_score: float | None
    scored: int

    @property
    def rate(self) -> float | None:
        """Completed of expected."""
        return share(self.completed, self.expected)


@dataclass(frozen=True, slots=True)
class ComparisonReport:
    """Lessons or courses by title."""

    basis: Basis
    by: ComparedBy
    cohort_id: UUID | None
    rows: Sequence[ComparisonRow]
    next_key: tuple[object, ...] | None = None
