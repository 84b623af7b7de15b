"""Rules of reminders: the hour in a learner's own day, quiet hours, cadence, and what a plan says.

Local time is decided here and nowhere in SQL, with one zone database (tzdata): two databases differ for some zones.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dataforge.kernel.canonical import content_hash, plan_hash
from dataforge.kernel.errors import Conflict

KIND = "lesson_reminder"
SLOT = timedelta(minutes=15)


class NothingMoved(Conflict):
    """A plan is applied for an instant that is not yet there."""

    code = "reminders_in_future"
    title = "Reminders cannot be sent ahead of time"


class Cadence(StrEnum):
    """On which days a cohort is reminded."""

    DAILY = "daily"
    WEEKDAYS = "weekdays"
    WEEKLY = "weekly"
    NEVER = "never"


class Withheld(StrEnum):
    """Why somebody who has lessons to do gets no reminder."""

    SUPPRESSED = "suppressed"
    NOT_WANTED = "not_wanted"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The cadence of a cohort; `weekday` (ISO 8601: Monday 1) with `weekly` only."""

    cadence: Cadence = Cadence.DAILY
    weekday: int | None = None

    def includes(self, day: date) -> bool:
        """Whether the cohort is reminded on a day."""
        if self.cadence is Cadence.WEEKLY:
            return day.isoweekday() == self.weekday
        return self.cadence is Cadence.DAILY or (self.cadence is Cadence.WEEKDAYS and day.isoweekday() <= 5)


@dataclass(frozen=True, slots=True)
class Learner:
    """Somebody in a cohort, with the clock they live by; `quiet_from` equal to `quiet_to` means no quiet hours."""

    user_id: UUID
    email: str
    name: str
    zone: str
    reminder_time: time
    quiet_from: time | None = None
    quiet_to: time | None = None
    locale: str | None = None

    def is_quiet(self, at: time) -> bool:
        """Whether a time of their day lies in the quiet hours, which may reach over midnight."""
        start, end = self.quiet_from, self.quiet_to
        if start is None or end is None or start == end:
            return False
        return start <= at < end if start < end else at >= start or at < end

    @property
    def hour(self) -> time:
        """When they are reminded: the time they chose, or the end of the quiet hours around it."""
        if self.quiet_to is not None and self.is_quiet(self.reminder_time):
            return self.quiet_to
        return self.reminder_time

    def today(self, now: datetime) -> date:
        """The date on their calendar."""
        return now.astimezone(zone_of(self.zone)).date()

    def reminded_at(self, day: date) -> datetime:
        """The instant (UTC) of their reminder on a day."""
        return instant_of(day, self.hour, zone_of(self.zone))

    def may_be_mailed(self, now: datetime) -> bool:
        """Whether an instant lies outside their quiet hours."""
        return not self.is_quiet(now.astimezone(zone_of(self.zone)).time())


@dataclass(frozen=True, slots=True)
class OpenLesson:
    """A required lesson that a learner has not completed, by way of one of their cohorts."""

    user_id: UUID
    cohort_id: UUID
    lesson_id: UUID
    title: str
    url: str
    number: int | None
    lesson_date: date


@dataclass(frozen=True, slots=True)
class Reminder:
    """One digest: what a learner has to do, on their local date."""

    learner: Learner = field(repr=False)
    local_date: date
    lessons: tuple[OpenLesson, ...]
    withheld: Withheld | None = None

    @property
    def dedupe_key(self) -> str:
        """One for each learner, kind and local day."""
        return f"{KIND}:{self.learner.user_id}:{self.local_date.isoformat()}"


@dataclass(frozen=True, slots=True)
class ReminderPlan:
    """What a run at an instant does: reminders in order of their people, and those it withholds."""

    at: datetime
    reminders: tuple[Reminder, ...]

    @property
    def sent(self) -> tuple[Reminder, ...]:
        """Those that become mails."""
        return tuple(item for item in self.reminders if item.withheld is None)

    @property
    def hash(self) -> str:
        """What the plan is applied by."""
        operations = [
            [
                item.dedupe_key,
                content_hash(item.learner.email),
                [str(lesson.lesson_id) for lesson in item.lessons],
                item.withheld,
            ]
            for item in self.reminders
        ]
        return plan_hash("reminders", inputs={"at": self.at}, state=None, operations=operations)


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    """The time zone of a name; UTC for one that the zone database has lost since it was chosen."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def instant_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which a wall clock shows a time on a day.

    Of the two in autumn the first. In spring's gap the clock never shows it: the instant at which it jumps over it, so
    that nobody is reminded earlier than they asked.
    """
    instant = datetime.combine(day, at, zone).astimezone(UTC)
    shown = instant.astimezone(zone).replace(tzinfo=None)
    ahead = shown - datetime.combine(day, at)
    # In the gap the offset before it is used, which lands the length of the gap too late or just right: go back to it.
    return instant if ahead <= timedelta(0) else _start_of_offset(instant, zone)


def _start_of_offset(instant: datetime, zone: ZoneInfo) -> datetime:
    early, late = instant - timedelta(hours=25), instant  # Samoa once left out a day
    offset = late.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            late = middle
        else:
            early = middle
    return late.replace(microsecond=0)  # clocks jump on whole seconds


def is_due(learner: Learner, now: datetime) -> bool:
    """Whether the hour of a learner's reminder has come today and is not followed by quiet hours yet.

    An hour after the last run before midnight or before quiet hours comes with that run: the next one is too late.
    """
    today = learner.today(now)
    if not learner.may_be_mailed(now):
        return False
    following = slot_of(now) + SLOT
    last = learner.today(following) != today or not learner.may_be_mailed(following)
    return learner.reminded_at(today) <= now or (last and learner.reminded_at(today) < following)


def plan_reminders(
    at: datetime,
    learners: Iterable[Learner],
    lessons: Sequence[OpenLesson],
    rhythms: Mapping[UUID, Rhythm],
    withheld: Mapping[UUID, Withheld],
) -> ReminderPlan:
    """The plan for an instant: learners whose hour has come, with the lessons whose date has come for them."""
    by_learner: dict[UUID, list[OpenLesson]] = {}
    for lesson in lessons:
        by_learner.setdefault(lesson.user_id, []).append(lesson)
    reminders = []
    for learner in sorted(learners, key=lambda learner: learner.user_id):
        today = learner.today(at)
        found = {
            lesson.lesson_id: lesson
            for lesson in by_learner.get(learner.user_id, ())
            if lesson.lesson_date <= today and rhythms.get(lesson.cohort_id, Rhythm()).includes(today)
        }
        if found and is_due(learner, at):
            ordered = sorted(found.values(), key=lambda lesson: (lesson.lesson_date, lesson.number or 0, lesson.title))
            reminders.append(Reminder(learner, today, tuple(ordered), withheld.get(learner.user_id)))
    return ReminderPlan(at, tuple(reminders))


def slot_key(now: datetime) -> str:
    """What the run of the quarter of an hour is called that an instant lies in."""
    return f"schedule:{slot_of(now).isoformat()}"


def slot_of(now: datetime) -> datetime:
    """The quarter of an hour that an instant lies in: two schedulers that fire in it are one run."""
    return now - (now - datetime.min.replace(tzinfo=UTC)) % SLOT
