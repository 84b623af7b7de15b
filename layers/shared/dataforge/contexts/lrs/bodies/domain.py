"""Months, which the bodies of statements are kept by (UTC)."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

MONTHS_AHEAD = 2
FIRST_YEAR = 1990
"""What was stored before is in the default partition: no record store is older."""


def month_of(moment: datetime) -> date:
    """The first day of the month of a moment."""
    return moment.astimezone(UTC).date().replace(day=1)


def next_month(month: date) -> date:
    """The first day of the month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def start_of(month: date) -> datetime:
    """The moment in which a month begins."""
    return datetime(month.year, month.month, 1, tzinfo=UTC)


def months_needed(now: datetime) -> list[date]:
    """The months that partitions are made ahead for."""
    months = [month_of(now)]
    for _ in range(MONTHS_AHEAD):
        months.append(next_month(months[-1]))
    return months


def months_kept(moments: Iterable[datetime], now: datetime) -> set[date]:
    """The months of the moments that get partitions of their own: none that is not yet near, or long before."""
    return {month for month in map(month_of, moments) if month.year >= FIRST_YEAR and start_of(month) <= now}
