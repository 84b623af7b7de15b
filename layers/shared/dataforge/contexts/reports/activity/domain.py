"""Activity over time: intervals by the calendar of a time zone, and what happened in each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from dataforge.contexts.reports.basis import Basis


class Interval(StrEnum):
    """How long an interval is by the calendar; weeks begin on Monday (ISO 8601)."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class ActivityInterval:
    """What happened from `begins` to before `ends`, both instants with the offset of the time zone.

    `learners` are different people; `completions` are first completions of a lesson by a learner.
    """

    begins: datetime
    ends: datetime
    statements: int
    learners: int
    completions: int


@dataclass(frozen=True, slots=True)
class ActivityReport:
    """Activity per interval, also of those in which nothing happened; the totals count each learner once."""

    basis: Basis
    interval: Interval
    time_zone: str
    cohort_id: UUID | None
    lesson_id: UUID | None
    statements: int
    learners: int
    completions: int
    intervals: Sequence[ActivityInterval]
