"""How a time zone's clocks change, as rules that recur for ever where there are such rules.

Found by asking a zone for its offsets, so that they agree with the zone database that everything else here uses.
Clocks are only looked at from 1970 on, in whole seconds.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from dataforge.kernel.texts import Text

# After so many years each date has been on each weekday (the calendar of the 20th and 21st century repeats), so what
# has been seen that long is a rule and not a coincidence.
_CYCLE = 28
# Clocks have stayed changed for four weeks (Ramadan in Morocco); a step is shorter than any such time.
_STEP = timedelta(days=5)
_DAYS_OF = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_WEEK = 7
_FIRST_YEAR, _LAST_YEAR = 1970, 2200


@dataclass(frozen=True, slots=True)
class ClockChange:
    """One change: at an instant (UTC) the offset `before` gives way to `after`.

    `saving` says whether what follows is daylight saving time; `name` is what the zone is called then.
    """

    at: datetime
    before: timedelta
    after: timedelta
    saving: bool
    name: str

    @property
    def wall(self) -> datetime:
        """What clocks show when they change, as those that have not changed yet show it."""
        return self.at.replace(tzinfo=None) + self.before


@dataclass(frozen=True, slots=True)
class YearlyDay:
    """One day a year: a weekday (ISO 8601: Monday 1) among seven days in a row, `first` to `last` of a month.

    Fewer days: it occurs in some years only (seven days that reach over the end of a month are two of these).
    """

    month: int
    first: int
    last: int
    weekday: int

    def in_year(self, year: int) -> date | None:
        """The day in a year."""
        days = (date(year, self.month, day) for day in range(self.first, self.last + 1))
        return next((day for day in days if day.isoweekday() == self.weekday), None)

    @property
    def ordinal(self) -> int | None:
        """Which one of the month's such weekdays it is, -1 for the last; None if neither says it."""
        if self.last - self.first != _WEEK - 1:
            return None
        if self.last == _DAYS_OF[self.month - 1] and self.month != 2:
            return -1
        return self.first // _WEEK + 1 if self.first % _WEEK == 1 else None


@dataclass(frozen=True, slots=True)
class Onset:
    """When an offset begins to count: at `wall`, by the clocks before it; and with a `rule` each year from then on."""

    wall: datetime
    before: timedelta
    after: timedelta
    saving: bool
    name: str
    rule: YearlyDay | None = None


@lru_cache(maxsize=256)
def onsets(zone: tzinfo, first: int, last: int) -> tuple[Onset, ...]:
    """When the offsets of a zone begin that count from the start of one year to the end of another, in that order.

    A change that recurs has a rule, which goes on for ever. Where the zone's law knows no rule (Ramadan in Morocco),
    there are single changes, up to a year after the last. Raises ValueError for years outside 1971 to 2170.
    """
    if not _FIRST_YEAR < first <= last <= _LAST_YEAR - _CYCLE - 2:
        message = Text(
            "clock changes are known for years from {first_year} to {last_year}",
            first_year=_FIRST_YEAR + 1,
            last_year=_LAST_YEAR - _CYCLE - 2,
        )
        raise ValueError(message)
    start = first - 1
    changes = _changes(zone, start, last + 1 + _CYCLE)
    rules = _rules([change for change in changes if change.wall.year > last + 1])
    if rules is None:
        single, recurring, regular_from = [c for c in changes if c.wall.year <= last + 1], [], 0
    else:
        regular_from = _regular_from(changes, rules, start, last + 1)
        single, recurring = [c for c in changes if c.wall.year < regular_from], rules
    found = [_once(change) for change in single]
    for rule, change in recurring:
        day = _first_day(rule, regular_from)
        wall = datetime.combine(day, change.wall.time())
        found.append(Onset(wall, change.before, change.after, change.saving, change.name, rule))
    return _with_a_beginning(zone, sorted(found, key=_instant), first)


def _changes(zone: tzinfo, first: int, last: int) -> list[ClockChange]:
    """The changes of a zone from the start of one year to the end of another."""
    found = list(_probe(zone, datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 1, tzinfo=UTC)))
    # Irish law calls winter the exception: what counts as saving here is the later clock, as everywhere else.
    negative = any((change.at.astimezone(zone).dst() or timedelta(0)) < timedelta(0) for change in found)
    return [
        ClockChange(change.at, change.before, change.after, change.after > change.before, change.name)
        if negative
        else change
        for change in found
    ]


def _probe(zone: tzinfo, start: datetime, end: datetime) -> Iterator[ClockChange]:
    early, offset = start, _offset(zone, start)
    while early < end:
        late = min(early + _STEP, end)
        after = _offset(zone, late)
        if after != offset:
            at = _bisect(zone, early, late, offset)
            local = at.astimezone(zone)
            yield ClockChange(at, offset, _offset(zone, at), bool(local.dst()), local.tzname() or "")
        early, offset = late, after


def _bisect(zone: tzinfo, early: datetime, late: datetime, offset: timedelta) -> datetime:
    """The first second of an interval at which the offset is another one."""
    low, high = 0, int((late - early).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, early + timedelta(seconds=middle)) == offset:
            low = middle
        else:
            high = middle
    return early + timedelta(seconds=high)


def _offset(zone: tzinfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)


def _rules(changes: list[ClockChange]) -> list[tuple[YearlyDay, ClockChange]] | None:
    """The rules that a whole cycle of changes follows, each with one of its changes; None if they follow none."""
    groups: dict[tuple[timedelta, timedelta, time, int], list[ClockChange]] = defaultdict(list)
    for change in changes:
        groups[change.before, change.after, change.wall.time(), change.wall.isoweekday()].append(change)
    rules = []
    for (_, _, _, weekday), group in groups.items():
        days = sorted(_from_march(change.wall.date()) for change in group)
        years = {change.wall.year for change in group}
        if len(years) != _CYCLE or len(group) != _CYCLE or days[-1] - days[0] != _WEEK - 1:
            return None
        windows = _months(days[0], weekday)
        if windows is None:
            return None
        rules += [(window, group[0]) for window in windows]
    return rules


def _from_march(day: date) -> int:
    """The number of a day from the first of March on, which leap years do not move."""
    return (day - date(day.year, 3, 1)).days


def _months(first: int, weekday: int) -> list[YearlyDay] | None:
    """Seven days from a day of the year on, by months; None where leap years move them."""
    start, end = (date(2001, 3, 1) + timedelta(days=first + more) for more in (0, _WEEK - 1))
    if start.month < 3 or end.year > start.year:
        return None
    if start.month == end.month:
        return [YearlyDay(start.month, start.day, end.day, weekday)]
    return [
        YearlyDay(start.month, start.day, _DAYS_OF[start.month - 1], weekday),
        YearlyDay(end.month, 1, end.day, weekday),
    ]


def _regular_from(changes: list[ClockChange], rules: list[tuple[YearlyDay, ClockChange]], first: int, last: int) -> int:
    """The first year from which on there is nothing but what the rules say; `last` is known to be followed by such."""
    actual: dict[int, set[tuple[datetime, timedelta, timedelta]]] = defaultdict(set)
    for change in changes:
        actual[change.wall.year].add((change.wall, change.before, change.after))
    year = last + 1
    while year > first and actual[year - 1] == {
        (datetime.combine(day, change.wall.time()), change.before, change.after)
        for rule, change in rules
        if (day := rule.in_year(year - 1))
    }:
        year -= 1
    return year


def _first_day(rule: YearlyDay, year: int) -> date:
    return next(day for day in map(rule.in_year, range(year, year + _CYCLE + 1)) if day)


def _once(change: ClockChange) -> Onset:
    return Onset(change.wall, change.before, change.after, change.saving, change.name)


def _instant(onset: Onset) -> datetime:
    return onset.wall - onset.before


def _with_a_beginning(zone: tzinfo, found: list[Onset], first: int) -> tuple[Onset, ...]:
    """Without what is over before the first year begins, and with the offset that counts then."""
    start = datetime(first, 1, 1, tzinfo=UTC)
    naive = start.replace(tzinfo=None) - timedelta(days=1)  # the year begins by its own clocks
    past = [onset for onset in found if onset.rule is None and _instant(onset) <= naive]
    begun = [onset for onset in found if _instant(onset) <= naive]
    kept = [onset for onset in found if onset not in past[:-1]]
    if begun:
        return tuple(kept)
    local = (start - timedelta(days=1)).astimezone(zone)
    offset = local.utcoffset() or timedelta(0)
    beginning = Onset(datetime(first - 1, 1, 1), offset, offset, saving=False, name=local.tzname() or "")  # noqa: DTZ001 - a wall clock
    return (beginning, *kept)
