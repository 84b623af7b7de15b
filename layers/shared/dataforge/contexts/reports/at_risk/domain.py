"""Who is at risk of not completing what is required of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from dataforge.contexts.reports.basis import Basis


@dataclass(frozen=True, slots=True)
class AtRiskLearner:
    """A learner who is at risk.

    `required` lessons are those of all active cohorts the learner is in; `started` includes those completed.
    `last_activity` and `idle_days` (whole days up to the watermark) are None for whoever has never started.
    """

    user_id: UUID
    display_name: str
    email: str
    cohorts: Sequence[str]
    required: int
    started: int
    completed: int
    last_activity: datetime | None
    idle_days: int | None


@dataclass(frozen=True, slots=True)
class AtRiskReport:
    """Learners at risk, those who have been away longest first; `total` counts them all, also those of other pages."""

    basis: Basis
    cohort_id: UUID | None
    idle_days: int
    include_never_started: bool
    total: int
    learners: Sequence[AtRiskLearner]
    next_key: tuple[object, ...] | None = None


def idle_since(watermark: datetime, days: int) -> datetime:
    """The instant so many days before, or the first that there is."""
    first = datetime.min.replace(tzinfo=UTC)
    return max(watermark, first + timedelta(days=days)) - timedelta(days=days)


def whole_days(since: datetime | None, until: datetime) -> int | None:
    """How many days of 24 hours are over; None without a beginning."""
    return None if since is None else (until - since).days
