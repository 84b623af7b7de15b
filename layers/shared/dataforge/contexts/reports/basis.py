"""What every report says of itself, and how it names people's lessons."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
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


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a report is asked for, and as of when.

    `after` is the `next_key` of the page before: its first element is the watermark, which all pages share.
    """

    as_of: datetime | None = None
    after: tuple[Any, ...] | None = None
    limit: int = 50

    @property
    def watermark(self) -> datetime | None:
        """The watermark of the pages before; None for the first page."""
        return None if self.after is None else datetime.fromisoformat(self.after[0])

    @property
    def key(self) -> tuple[Any, ...] | None:
        """Where in the list the page before ended; None for the first page."""
        return None if self.after is None else self.after[1:]

    def next_key(self, basis: Basis, *key: object) -> tuple[object, ...]:
        """What the page after begins after, `key` being the place of the last row of this one."""
        return (basis.watermark.isoformat(), *key)


def share(part: int, whole: int) -> float | None:
    """Part of a whole, 0 to 1; None of nothing."""
    return part / whole if whole else None
