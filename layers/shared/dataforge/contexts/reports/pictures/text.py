"""Texts of pictures: numbers, spans and times in words."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta


def amount(value: float, digits: int = 0) -> str:
    """A number as people write it: 1,234."""
    return f"{value:,.{digits}f}"


def count(value: int, one: str, many: str = "") -> str:
    """1 learner, 1,234 learners."""
    return f"{amount(value)} {one if value == 1 else many or one + 's'}"


def percent(part: int, whole: int) -> str:
    """A share in whole per cent; only none is 0% and only all is 100%. A dash for a share of nothing."""
    if whole == 0:
        return "–"
    shown = round(100 * part / whole)
    if part > 0 and shown == 0:
        return "<1%"
    if part < whole and shown == 100:
        return ">99%"
    return f"{shown}%"


def duration(value: timedelta) -> str:
    """A span in the largest unit that has at least two, or in seconds: 90 minutes, 3 days."""
    seconds = value.total_seconds()
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length:
            return count(round(seconds / length), unit)
    return count(round(seconds), "second")


def instant(value: datetime) -> str:
    """A time as pages write it."""
    utc = value.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y, %H:%M} UTC"


def day(value: datetime) -> str:
    """A day of the time zone that the time is in."""
    return f"{value.day} {value:%b %Y}"


def listed(parts: Iterable[str]) -> str:
    """Parts of a sentence one after the other, with semicolons."""
    return "; ".join(parts)
