"""From whom a lesson expects to those who completed it, and how long that took them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import inf
from statistics import quantiles
from uuid import UUID

from dataforge.contexts.reports.basis import Basis, LessonLabel, share


class Stage(StrEnum):
    """A stage of the funnel; whoever is in one is in those before it, too."""

    EXPECTED = "expected"
    STARTED = "started"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class FunnelStage:
    """How many learners reached a stage: of those expected, and of those in the stage before."""

    stage: Stage
    learners: int
    share: float | None
    share_of_previous: float | None


@dataclass(frozen=True, slots=True)
class Durations:
    """Quartiles of times in seconds, of `n` learners; None of none.

    Between two values they are interpolated linearly (Hyndman and Fan 1996, type 7, as PostgreSQL's percentile_cont).
    """

    n: int
    lower_quartile: float | None
    median: float | None
    upper_quartile: float | None


@dataclass(frozen=True, slots=True)
class DurationBin:
    """How many learners took from `least_seconds` to less than `below_seconds` (None: or longer)."""

    least_seconds: int
    below_seconds: int | None
    learners: int


@dataclass(frozen=True, slots=True)
class FunnelReport:
    """The funnel of a lesson, for one cohort or for all that it is for.

    `durations` and `histogram` are of the time from a learner's first statement of the lesson to its completion.
    """

    basis: Basis
    lesson: LessonLabel
    cohort_id: UUID | None
    stages: Sequence[FunnelStage]
    durations: Durations
    histogram: Sequence[DurationBin]


_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
# What people can tell apart: from minutes to months, the last without an end.
BIN_EDGES = (0, 5 * _MINUTE, 15 * _MINUTE, _HOUR, 4 * _HOUR, _DAY, 3 * _DAY, 7 * _DAY, 30 * _DAY, 90 * _DAY)


def funnel_stages(expected: int, started: int, completed: int) -> tuple[FunnelStage, ...]:
    """The stages with their shares."""
    counts = (expected, started, completed)
    before = (expected, expected, started)
    return tuple(
        FunnelStage(stage, count, share(count, expected), share(count, previous))
        for stage, count, previous in zip(Stage, counts, before, strict=True)
    )


def durations_of(seconds: Sequence[float]) -> Durations:
    """Quartiles of times."""
    if not seconds:
        return Durations(0, None, None, None)
    lower, median, upper = quantiles(seconds, n=4, method="inclusive") if len(seconds) > 1 else (seconds[0],) * 3
    return Durations(len(seconds), lower, median, upper)


def duration_histogram(seconds: Sequence[float]) -> tuple[DurationBin, ...]:
    """How many times are in each of the bins between BIN_EDGES."""
    return tuple(
        DurationBin(int(least), None if below == inf else int(below), sum(least <= value < below for value in seconds))
        for least, below in pairwise((*BIN_EDGES, inf))
    )
