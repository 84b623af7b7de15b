"""When learners are reminded: their own clocks, quiet hours, cadences, and what a plan is applied by."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.notifications.reminders.domain import (
    Cadence,
    Learner,
    OpenLesson,
    Rhythm,
    Withheld,
    instant_of,
    is_due,
    plan_reminders,
    slot_of,
    zone_of,
)

ADA = UUID(int=1)
COHORT, OTHER = UUID(int=10), UUID(int=11)
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "Australia/Lord_Howe", "UTC")


def learner(**changes: object) -> Learner:
    return replace(Learner(ADA, "ada@example.org", "Ada", "Europe/Berlin", time(9)), **changes)  # type: ignore[arg-type]


def lesson(day: str = "2026-05-04", number: int = 1, cohort: UUID = COHORT) -> OpenLesson:
    lesson_id = UUID(int=100 + number)
    return OpenLesson(ADA, cohort, lesson_id, f"Lesson {number}", "https://e.org/1", number, date.fromisoformat(day))


def at(text: str, zone: str = "Europe/Berlin") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("zone", "day", "clock", "utc"),
    [
        ("Europe/Berlin", "2026-05-04", "09:00", "2026-05-04T07:00:00+00:00"),
        # Spring: clocks jump from 02:00 to 03:00; the time in between comes when they jump over it.
        ("Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T01:00:00+00:00"),
        ("Europe/Berlin", "2026-03-29", "03:00", "2026-03-29T01:00:00+00:00"),
        # Autumn: 02:30 comes twice, and the first one counts.
        ("Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T00:30:00+00:00"),
        # Half an hour, and midnight that is jumped over.
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:30:00+00:00"),
        ("America/Santiago", "2026-09-06", "00:20", "2026-09-06T04:00:00+00:00"),
        ("Asia/Kolkata", "2026-05-04", "09:00", "2026-05-04T03:30:00+00:00"),
        # A day that Samoa did not have.
        ("Pacific/Apia", "2011-12-30", "09:00", "2011-12-30T10:00:00+00:00"),
    ],
)
def test_a_wall_clock_has_one_instant(zone: str, day: str, clock: str, utc: str) -> None:
    found = instant_of(date.fromisoformat(day), time.fromisoformat(clock), ZoneInfo(zone))

    assert found.isoformat() == utc


@given(
    st.sampled_from(ZONES),
    st.dates(date(2020, 1, 1), date(2037, 12, 31)),
    st.times().map(lambda found: found.replace(second=0, microsecond=0)),
)
def test_nobody_is_reminded_before_the_time_they_chose(zone: str, day: date, clock: time) -> None:
    shown = instant_of(day, clock, ZoneInfo(zone)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)

    late = shown - datetime.combine(day, clock)
    assert timedelta(0) <= late <= timedelta(hours=1)


@pytest.mark.parametrize(
    ("quiet", "chosen", "expected"),
    [
        ((None, None), "23:00", "23:00"),
        (("22:00", "07:00"), "23:00", "07:00"),  # over midnight
        (("22:00", "07:00"), "06:59", "07:00"),
        (("22:00", "07:00"), "07:00", "07:00"),
        (("12:00", "13:00"), "12:30", "13:00"),
        (("12:00", "12:00"), "12:00", "12:00"),  # no quiet hours at all
    ],
)
def test_a_time_in_quiet_hours_moves_to_their_end(
    quiet: tuple[str | None, str | None], chosen: str, expected: str
) -> None:
    start, end = (None if text is None else time.fromisoformat(text) for text in quiet)

    assert learner(quiet_from=start, quiet_to=end, reminder_time=time.fromisoformat(chosen)).hour == time.fromisoformat(
        expected
    )


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-05-04T08:59", False),
        ("2026-05-04T09:00", True),
        ("2026-05-04T23:00", True),  # a run that was missed is made up for on the same day
        ("2026-05-05T00:10", False),  # the next day has its own
    ],
)
def test_the_hour_comes_once_a_day(now: str, due: bool) -> None:
    assert is_due(learner(), at(now)) is due


def test_nothing_comes_in_the_quiet_hours_of_a_late_run() -> None:
    night_owl = learner(quiet_from=time(21), quiet_to=time(7))

    assert is_due(night_owl, at("2026-05-04T20:45"))
    assert not is_due(night_owl, at("2026-05-04T21:15"))


def test_an_hour_after_the_last_run_of_a_day_or_before_quiet_hours_comes_with_that_run() -> None:
    late = learner(reminder_time=time(23, 59))
    before_quiet = learner(reminder_time=time(10, 7), quiet_from=time(10, 15), quiet_to=time(8))

    runs = [at("2026-05-04T00:00") + timedelta(minutes=15 * number) for number in range(-16, 96)]
    for one, shown in ((late, "23:45"), (before_quiet, "10:00")):
        zone = zone_of(one.zone)
        due = [run.astimezone(zone) for run in runs if is_due(one, run)]
        assert {f"{run:%H:%M}" for run in due if run.date().isoformat() == "2026-05-04"} == {shown}


def test_a_lesson_is_due_on_its_date_where_the_learner_is() -> None:
    far = learner(zone="Pacific/Kiritimati")  # 14 hours ahead of UTC
    now = datetime(2026, 5, 3, 19, 0, tzinfo=UTC)  # 09:00 on 4 May there

    [item] = plan_reminders(now, [far], [lesson("2026-05-04"), lesson("2026-05-05", 2)], {}, {}).reminders

    assert item.local_date == date(2026, 5, 4)
    assert [found.number for found in item.lessons] == [1]


def test_all_lessons_are_in_one_digest_oldest_first_each_once() -> None:
    lessons = [lesson("2026-05-02", 2), lesson("2026-05-01", 3), lesson("2026-05-02", 2, OTHER)]

    [item] = plan_reminders(at("2026-05-04T09:00"), [learner()], lessons, {}, {}).reminders

    assert [found.number for found in item.lessons] == [3, 2]


@pytest.mark.parametrize(
    ("rhythm", "reminded"),
    [
        (Rhythm(), "1234567"),
        (Rhythm(Cadence.WEEKDAYS), "12345"),
        (Rhythm(Cadence.WEEKLY, 3), "3"),
        (Rhythm(Cadence.NEVER), ""),
    ],
)
def test_a_cohort_is_reminded_on_its_days(rhythm: Rhythm, reminded: str) -> None:
    monday = at("2026-05-04T10:00")

    days = [
        str(number)
        for number in range(1, 8)
        if plan_reminders(monday + timedelta(days=number - 1), [learner()], [lesson()], {COHORT: rhythm}, {}).reminders
    ]

    assert "".join(days) == reminded


def test_who_gets_none_is_in_the_plan_and_not_sent() -> None:
    plan = plan_reminders(at("2026-05-04T09:00"), [learner()], [lesson()], {}, {ADA: Withheld.SUPPRESSED})

    assert [item.withheld for item in plan.reminders] == [Withheld.SUPPRESSED]
    assert plan.sent == ()


def test_the_hash_of_a_plan_changes_with_everything_that_would_be_sent() -> None:
    now = at("2026-05-04T09:00")
    plans = [
        plan_reminders(now, [learner()], [lesson()], {}, {}),
        plan_reminders(now, [learner()], [lesson(), lesson(number=2)], {}, {}),
        plan_reminders(now, [learner(email="eva@example.org")], [lesson()], {}, {}),
        plan_reminders(now, [learner()], [lesson()], {}, {ADA: Withheld.NOT_WANTED}),
        plan_reminders(now + timedelta(minutes=1), [learner()], [lesson()], {}, {}),
    ]

    assert len({plan.hash for plan in plans}) == len(plans)
    assert plans[0].hash == plan_reminders(now, [learner()], [lesson()], {}, {}).hash


def test_a_zone_that_is_gone_is_utc() -> None:
    assert zone_of("Mars/Olympus_Mons") == ZoneInfo("UTC")


def test_a_slot_is_a_quarter_of_an_hour() -> None:
    moments = [datetime(2026, 5, 4, 9, minute, second, tzinfo=UTC) for minute, second in ((0, 0), (14, 59), (15, 0))]

    assert [slot_of(moment).minute for moment in moments] == [0, 0, 15]
