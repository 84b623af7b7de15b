"""The instant tests happen at, and when clocks change, as a zone itself says."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)


def offsets_by_day(zone: ZoneInfo, years: range, step: int = 1) -> tuple[timedelta | None, ...]:
    """The offset of a zone at the start (UTC) of each day of some years, or of every third day, say."""
    start, end = datetime(years.start, 1, 1, tzinfo=UTC), datetime(years.stop, 1, 1, tzinfo=UTC)
    days = range(0, (end - start).days + 1, step)
    return tuple((start + timedelta(days=day)).astimezone(zone).utcoffset() for day in days)


def clock_changes(zone: ZoneInfo, years: range) -> list[datetime]:
    """The first second (UTC) of each new offset of a zone in some years; no zone changes twice within a day."""
    start, offsets = datetime(years.start, 1, 1, tzinfo=UTC), offsets_by_day(zone, years)
    found = []
    for day, (before, after) in enumerate(pairwise(offsets)):
        if before == after:
            continue
        early, late = 0, 86_400
        while late - early > 1:
            middle = (early + late) // 2
            instant = start + timedelta(days=day, seconds=middle)
            early, late = (middle, late) if instant.astimezone(zone).utcoffset() == before else (early, middle)
        found.append(start + timedelta(days=day, seconds=late))
    return found
