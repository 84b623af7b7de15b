"""What every report says of itself, and how it names people's lessons."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Basis:
    """What a report rests on: every statement stored up to `watermark`, and nothing that became known later.

    Asking again with `as_of=watermark` gives the same numbers, but for `removed_since`: so many statements have been
    erased or purged since then.
    """

    watermark: datetime
    removed_since: int


@dataclass(frozen=True, slots=True)
class LessonLabel:
    """A lesson as reports name it."""

    lesson_id: UUID
    title: str
    lesson_number: int | None
    lesson_date: date | None
    required: bool


def share(part: int, whole: int) -> float | None:
    """Part of a whole, 0 to 1; None of nothing."""
    return part / whole if whole else None
