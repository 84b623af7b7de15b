"""When a lesson is held, by which addresses statements mean it, and refusals of lessons."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dataforge.kernel.errors import AlreadyExists, ValidationFailed, Violation

MOST_MINUTES = 1440


@dataclass(frozen=True, slots=True)
class LessonAddress:
    """An activity id in its normal form; the lesson's own, or an alias."""

    address: str
    alias: bool = False


class DuplicateLessonUrl(AlreadyExists):
    """A lesson has this activity id, or an alias with the same normal form."""

    code = "duplicate_lesson_url"
    title = "Another lesson has this URL"


def check_hours(lesson: Mapping[str, Any]) -> None:
    """Raise ValidationFailed for a time of day without a day or a duration, or a time zone without a time of day."""
    day, start, minutes = lesson["lesson_date"], lesson["start_time"], lesson["duration_minutes"]
    broken = []
    if start is not None and day is None:
        broken.append(Violation("/lesson_date", "A lesson with a start_time has a lesson_date.", "required"))
    if start is not None and minutes is None:
        broken.append(Violation("/duration_minutes", "A lesson with a start_time has duration_minutes.", "required"))
    if start is None and minutes is not None:
        broken.append(Violation("/start_time", "A lesson with duration_minutes has a start_time.", "required"))
    if start is None and lesson["time_zone"] is not None:
        broken.append(Violation("/start_time", "A lesson with a time_zone has a start_time.", "required"))
    if broken:
        raise ValidationFailed(" ".join(item.message for item in broken), violations=broken)
