"""The matrix of a cohort: a row for each learner, a cell for each lesson."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from dataforge.contexts.reports.basis import Basis, LessonLabel, share


class CellState(StrEnum):
    """How far a learner is with a lesson."""

    COMPLETED = "completed"
    IN_PROGRESS = "in_progress"
    NOT_STARTED = "not_started"


# What stands for each state in `LearnerRow.states`.
STATES = {"c": CellState.COMPLETED, "p": CellState.IN_PROGRESS, "-": CellState.NOT_STARTED}


@dataclass(frozen=True, slots=True)
class LessonColumn:
    """A lesson of the cohort and how many of all its learners have started and completed it."""

    lesson: LessonLabel
    learners: int
    started: int
    completed: int

    @property
    def rate(self) -> float | None:
        """Completed of all learners of the cohort; None without learners."""
        return share(self.completed, self.learners)


@dataclass(frozen=True, slots=True)
class LearnerRow:
    """A learner's way through the lessons.

    `states` has a letter of STATES for each lesson, in the order of the report's columns. `completed_at_json` and
    `started_at_json` are JSON lists in the same order, as the database writes them: a report of 25,000 cells passes
    them on unread.
    """

    user_id: UUID
    display_name: str
    email: str
    last_activity: datetime | None
    states: str
    completed_at_json: str
    started_at_json: str

    @property
    def completed(self) -> int:
        """How many lessons are completed."""
        return self.states.count("c")

    @property
    def rate(self) -> float | None:
        """Completed of all lessons; None without lessons."""
        return share(self.completed, len(self.states))

    def state(self, column: int) -> CellState:
        """The state of the lesson in this column, from 0."""
        return STATES[self.states[column]]

    def completed_at(self) -> Sequence[datetime | None]:
        """When each lesson was completed."""
        return _instants(self.completed_at_json)

    def started_at(self) -> Sequence[datetime | None]:
        """When each lesson was started: the first statement of it."""
        return _instants(self.started_at_json)


@dataclass(frozen=True, slots=True)
class MatrixReport:
    """A page of the matrix: all columns, whose counts are of the whole cohort, and some of its learners by name.

    `learners` is how many there are in all; `next_key` what the next page begins after.
    """

    basis: Basis
    cohort_id: UUID
    cohort_name: str
    learners: int
    columns: Sequence[LessonColumn]
    rows: Sequence[LearnerRow]
    next_key: tuple[object, ...] | None = None

    @property
    def rate(self) -> float | None:
        """Completed of all pairs of learner and lesson of the whole cohort."""
        return share(sum(column.completed for column in self.columns), self.learners * len(self.columns))


def _instants(text: str) -> Sequence[datetime | None]:
    return [None if value is None else datetime.fromisoformat(value) for value in json.loads(text)]
