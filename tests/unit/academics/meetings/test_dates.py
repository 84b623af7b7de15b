"""The dates of a section: weekly meetings, less holidays, with what is cancelled or moved."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.academics.meetings.domain import (
    Holiday,
    MeetingChange,
    MeetingState,
    Occurrence,
    Slot,
    check_holidays,
    occurrences,
    planned_meeting,
)
from dataforge.contexts.academics.sections.domain import Meeting, Timetable
from dataforge.kernel.errors import ValidationFailed

MONDAYS = Meeting(1, time(9), time(10, 30), "A1")
NIGHTS = Meeting(6, time(22), time(2))
SEPTEMBER = (date(2026, 9, 1), date(2026, 9, 30))


def dates(
    *meetings: Meeting,
    zone: str = "UTC",
    days: tuple[date, date] = SEPTEMBER,
    holidays: Sequence[Holiday] = (),
    changes: Sequence[MeetingChange] = (),
) -> list[Occurrence]:
    return list(occurrences(Timetable(meetings, *days, zone), holidays, changes))


def refused_pointers(holidays: Sequence[Holiday]) -> list[str]:
    try:
        check_holidays(holidays, *SEPTEMBER)
    except ValidationFailed as error:
        return [item.pointer for item in error.violations]
    return []


def test_a_weekly_meeting_has_a_date_each_week() -> None:
    assert [item.planned_on.day for item in dates(MONDAYS)] == [7, 14, 21, 28]
    assert {item.state for item in dates(MONDAYS)} == {MeetingState.SCHEDULED}


def test_a_meeting_over_midnight_ends_on_the_next_day() -> None:
    first = dates(NIGHTS)[0]

    assert first.starts_at == datetime(2026, 9, 5, 22, tzinfo=UTC)
    assert first.ends_at == datetime(2026, 9, 6, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 10, 17), 5), (date(2026, 10, 24), 6), (date(2027, 3, 27), 4), (date(2027, 4, 3), 5)]
)
def test_a_night_in_which_clocks_change_is_longer_or_shorter(day: date, hours: int) -> None:
    [night] = dates(Meeting(6, time(22), time(3)), zone="Europe/Berlin", days=(day, day))

    assert (night.ends_at - night.starts_at).total_seconds() == hours * 3600


def test_nothing_starts_on_a_holiday() -> None:
    holiday = Holiday(date(2026, 9, 13), date(2026, 9, 14), "Founders' Day")

    found = dates(MONDAYS, NIGHTS, holidays=[holiday])

    # The night before goes on into the holiday.
    assert [(item.planned_on.day, item.note) for item in found if not item.takes_place] == [(14, "Founders' Day")]
    assert 12 in [item.planned_on.day for item in found if item.takes_place]


def test_a_meeting_is_cancelled_or_moved_by_its_day_and_hour() -> None:
    room = Slot(date(2026, 9, 22), time(20), time(1), "B2")
    changes = [
        MeetingChange(date(2026, 9, 14), time(9), note="The teacher is ill."),
        MeetingChange(date(2026, 9, 21), time(9), room),
        MeetingChange(date(2026, 9, 28), time(10), room),  # there is no such meeting
    ]

    found = dates(MONDAYS, changes=changes)

    assert [item.state.value for item in found] == ["scheduled", "cancelled", "moved", "scheduled"]
    assert (found[2].slot.room, found[2].starts_at.hour, found[2].ends_at.day) == ("B2", 20, 23)


def test_what_was_moved_takes_place_even_on_a_holiday() -> None:
    holiday = Holiday(date(2026, 9, 14), date(2026, 9, 14), "Founders' Day")
    change = MeetingChange(date(2026, 9, 14), time(9), Slot(date(2026, 9, 15), time(9), time(10)))

    assert dates(MONDAYS, holidays=[holiday], changes=[change])[1].takes_place


def test_a_semester_of_centuries_is_counted_for_ten_years() -> None:
    ages = (date(1900, 1, 1), date(9998, 12, 31))

    assert len(dates(MONDAYS, days=ages)) == 522
    assert dates(MONDAYS, days=(date(9998, 12, 1), date(9998, 12, 31)))[-1].planned_on == date(9998, 12, 28)


@pytest.mark.parametrize(
    ("holidays", "pointers"),
    [
        ([], []),
        ([Holiday(date(2026, 9, 2), date(2026, 9, 1), "a")], ["/holidays/0/ends_on"]),
        ([Holiday(date(2026, 8, 1), date(2026, 8, 31), "a")], ["/holidays/0/starts_on"]),
        ([Holiday(date(2026, 8, 1), date(2026, 9, 1), "a")], []),
        (
            [Holiday(date(2026, 9, 1), date(2026, 9, 5), "a"), Holiday(date(2026, 9, 5), date(2026, 9, 6), "b")],
            ["/holidays/1"],
        ),
    ],
)
def test_holidays_lie_in_their_semester_and_do_not_overlap(holidays: list[Holiday], pointers: list[str]) -> None:
    assert refused_pointers(holidays) == pointers


def test_a_change_names_a_meeting_that_there_is() -> None:
    table = Timetable((MONDAYS, Meeting(1, time(14), time(15))), *SEPTEMBER, "UTC")

    assert planned_meeting(table, date(2026, 9, 7), time(9)) is MONDAYS
    for day, starts, words in (
        (date(2026, 9, 7), None, "09:00, 14:00"),
        (date(2026, 9, 7), time(10), "09:00, 14:00"),
        (date(2026, 9, 8), None, "does not meet"),
        (date(2026, 10, 5), time(9), "does not meet"),
    ):
        with pytest.raises(ValidationFailed, match=words):
            planned_meeting(table, day, starts)


@given(
    st.sets(st.integers(0, 29)),
    st.lists(st.tuples(st.integers(0, 29), st.integers(0, 5)), max_size=3),
    st.booleans(),
)
def test_every_planned_date_is_there_once_whatever_becomes_of_it(
    cancelled: set[int], breaks: list[tuple[int, int]], moved: bool
) -> None:
    day = [date(2026, 9, 1 + number) for number in range(30)]
    holidays = [Holiday(day[first], day[min(29, first + more)], "break") for first, more in breaks]
    slot = Slot(date(2026, 12, 1), time(9), time(8)) if moved else None
    changes = [MeetingChange(day[number], time(9), slot) for number in cancelled]

    found = dates(MONDAYS, NIGHTS, holidays=holidays, changes=changes)

    assert [(item.planned_on, item.planned) for item in found] == [
        (item.planned_on, item.planned) for item in dates(MONDAYS, NIGHTS)
    ]
    for item in found:
        changed = item.planned is MONDAYS and item.planned_on.day - 1 in cancelled
        off = any(holiday.covers(item.planned_on) for holiday in holidays)
        assert item.takes_place == (moved if changed else not off)
        assert item.starts_at < item.ends_at


@pytest.mark.parametrize(
    ("starts", "ends", "shown"),
    [
        ("02:30", "03:00", ("01:30", "02:00")),  # there is no 02:30: 03:30, and half an hour as planned
        ("02:00", "03:00", ("01:00", "02:00")),
        ("02:30", "03:30", ("01:30", "02:30")),
        ("02:15", "02:45", ("01:15", "01:45")),
        ("01:30", "03:30", ("00:30", "01:30")),
        ("02:30", "04:30", ("01:30", "02:30")),
    ],
)
def test_a_meeting_that_starts_in_the_hour_that_spring_leaves_out_ends_after_it_starts(
    starts: str, ends: str, shown: tuple[str, str]
) -> None:
    sunday = date(2027, 3, 28)
    meeting = Meeting(7, time.fromisoformat(starts), time.fromisoformat(ends))

    [item] = dates(meeting, zone="Europe/Berlin", days=(sunday, sunday))

    assert (f"{item.starts_at:%H:%M}", f"{item.ends_at:%H:%M}") == shown
    timetable = Timetable((meeting,), sunday, sunday, "Europe/Berlin")
    assert list(timetable.instants(sunday, sunday)) == [(item.starts_at, item.ends_at, meeting)]


@given(
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Beirut"]),
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    st.integers(1, 23 * 60),
)
def test_every_meeting_ends_after_it_starts(zone: str, starts: time, minutes: int) -> None:
    ends = (datetime.combine(date(2026, 1, 1), starts) + timedelta(minutes=minutes)).time()

    for item in dates(
        *(Meeting(day, starts, ends) for day in range(1, 8)), zone=zone, days=(date(2026, 1, 1), date(2026, 12, 31))
    ):
        assert item.starts_at < item.ends_at, item
