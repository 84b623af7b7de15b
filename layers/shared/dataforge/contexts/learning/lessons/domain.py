"""When a lesson is held, by which addresses statements mean it, and refusals of lessons."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dataforge.kernel.errors import AlreadyExists, ValidationFailed, Violation
from dataforge.kernel.texts import Text

MOST_MINUTES = 1440
FIRST_YEAR, LAST_YEAR = 1971, 2169  # of hours: those whose clock changes are known (kernel.zone_rules)
MAX_ALIASES = 100
MAX_ADDRESS = 500
"""Characters of an address in its normal form."""


@dataclass(frozen=True, slots=True)
class LessonAddress:
    """An activity id in its normal form; the lesson's own, or an alias."""

    address: str
    alias: bool = False


@dataclass(frozen=True, slots=True)
class WrittenAddress:
    """How the URL of a lesson was written, and the address it has; None for one that has none yet."""

    lesson_id: UUID
    lesson_url: str
    address: str | None


class DuplicateLessonUrl(AlreadyExists):
    """A lesson has this activity id, or an alias with the same normal form."""

    code = "duplicate_lesson_url"
    title = "Another lesson has this URL"


def check_hours(lesson: Mapping[str, Any]) -> None:
    """Raise ValidationFailed for a time of day without a duration or a day within reach, or a zone without a time."""
    day, start, minutes = lesson["lesson_date"], lesson["start_time"], lesson["duration_minutes"]
    broken = []
    if start is not None and day is None:
        broken.append(Violation("/lesson_date", Text("A lesson with a start_time has a lesson_date."), "required"))
    if start is not None and day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
        years = Text(
            "A lesson with a start_time is held in the years {first_year} to {last_year}.",
            first_year=FIRST_YEAR,
            last_year=LAST_YEAR,
        )
        broken.append(Violation("/lesson_date", years, "out_of_range"))
    if start is not None and minutes is None:
        broken.append(
            Violation("/duration_minutes", Text("A lesson with a start_time has duration_minutes."), "required")
        )
    if start is None and minutes is not None:
        broken.append(Violation("/start_time", Text("A lesson with duration_minutes has a start_time."), "required"))
    if start is None and lesson["time_zone"] is not None:
        broken.append(Violation("/start_time", Text("A lesson with a time_zone has a start_time."), "required"))
    if broken:
        raise ValidationFailed(" ".join(item.message for item in broken), violations=broken)


def check_tenancy(workspace_id: UUID | None, of_cohort: UUID | None) -> None:
    """Raise ValidationFailed unless a lesson is of the workspace of its cohort."""
    if workspace_id != of_cohort:
        message = Text("The cohort is of another workspace than the lesson; lessons do not move.")
        raise ValidationFailed(message, violations=[Violation("/cohort_id", message, "workspace")])


def check_section(workspace_id: UUID | None, section_id: UUID | None) -> None:
    """Raise ValidationFailed for a lesson of a workspace that would count for a section of the organisation."""
    if workspace_id is not None and section_id is not None:
        message = Text("A lesson of a workspace is of no section.")
        raise ValidationFailed(message, violations=[Violation("/section_id", message, "workspace")])
