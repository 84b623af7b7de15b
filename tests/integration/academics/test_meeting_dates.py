"""Holidays, meetings over midnight, and single meetings that are cancelled or moved, over HTTP."""

from datetime import date, time, timedelta
from typing import Any
from uuid import UUID

import httpx
from icalendar import Calendar

from dataforge.contexts.academics.sections.domain import Meeting
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from tests.builders.academics import Campus
from tests.builders.api import ApiUnderTest

MONDAYS = Meeting(1, time(9), time(10, 30), "A1")
NIGHTS = Meeting(5, time(22), time(2), "Observatory")
NOWHERE = "00000000-0000-7000-8000-000000000000"
HOLIDAY = {"starts_on": "2026-10-05", "ends_on": "2026-10-09", "name": "Autumn break"}


async def set_holidays(client: httpx.AsyncClient, semester: UUID, *holidays: dict[str, str]) -> httpx.Response:
    path = f"/api/semesters/{semester}/holidays"
    tag = (await client.get(path)).headers["ETag"]
    return await client.put(path, json={"holidays": list(holidays)}, headers={"If-Match": tag})


async def meetings_of(client: httpx.AsyncClient, section: UUID, **days: str) -> list[dict[str, Any]]:
    answer = await client.get(f"/api/sections/{section}/meetings", params=days)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_holidays_are_kept_in_order_with_the_semesters_revision(api: ApiUnderTest, campus: Campus) -> None:
    registrar, semester = await api.as_role(Role.REGISTRAR), await campus.semester()
    early = {"starts_on": "2026-09-14", "ends_on": "2026-09-14", "name": "Founders' Day"}

    answer = await set_holidays(registrar, semester, HOLIDAY, early)
    again = await set_holidays(registrar, semester, early, HOLIDAY)

    assert answer.status_code == 200, answer.text
    assert [day["name"] for day in answer.json()["holidays"]] == ["Founders' Day", "Autumn break"]
    assert answer.headers["ETag"] == '"2"' == again.headers["ETag"]
    assert (await registrar.get(f"/api/semesters/{semester}")).headers["ETag"] == '"2"'
    learner = await api.as_role(Role.LEARNER)
    assert (await learner.get(f"/api/semesters/{semester}/holidays")).json() == again.json()
    assert (await set_holidays(learner, semester)).status_code == 403


async def test_holidays_that_cannot_be_are_refused_with_their_places(api: ApiUnderTest, campus: Campus) -> None:
    registrar, semester = await api.as_role(Role.REGISTRAR), await campus.semester()

    overlapping = await set_holidays(registrar, semester, HOLIDAY, {**HOLIDAY, "starts_on": "2026-10-09"})
    path = f"/api/semesters/{semester}/holidays"
    stale = await registrar.put(path, json={"holidays": []}, headers={"If-Match": '"9"'})
    unconditional = await registrar.put(path, json={"holidays": []})
    nowhere = await registrar.get(f"/api/semesters/{NOWHERE}/holidays")

    assert overlapping.status_code == 400
    assert [item["pointer"] for item in overlapping.json()["errors"]] == ["/holidays/1"]
    assert (stale.status_code, unconditional.status_code, nowhere.status_code) == (412, 428, 404)


async def test_a_meeting_over_midnight_is_kept_and_conflicts_with_the_next_morning(
    api: ApiUnderTest, campus: Campus
) -> None:
    registrar = await api.as_role(Role.REGISTRAR)
    body = {
        "course_id": str(await campus.course()),
        "semester_id": str(await campus.semester()),
        "code": "night",
        "meetings": [{"weekday": 5, "starts": "22:00", "ends": "02:00"}],
    }
    night = await registrar.post("/api/sections", json=body)
    morning = await campus.section(meetings=(Meeting(6, time(1), time(3)),))
    later = await campus.section(meetings=(Meeting(6, time(2), time(3)),))
    student = await campus.student()
    await campus.enroll(student, UUID(night.json()["id"]))

    refused = (await campus.enroll(student, morning)).refusal

    assert night.status_code == 201, night.text
    assert night.json()["meetings"] == [{"weekday": 5, "starts": "22:00", "ends": "02:00", "room": ""}]
    assert refused is not None
    assert "Friday 22:00–Saturday 02:00" in refused.detail
    assert (await campus.enroll(student, later)).refusal is None
    empty = await registrar.post(
        "/api/sections", json={**body, "code": "none", "meetings": [{"weekday": 5, "starts": "22:00", "ends": "22:00"}]}
    )
    assert empty.status_code == 400


async def test_the_dates_of_a_section_leave_out_nothing_and_say_what_becomes_of_each(
    api: ApiUnderTest, campus: Campus
) -> None:
    registrar, berlin = await api.as_role(Role.REGISTRAR), await campus.semester(time_zone="Europe/Berlin")
    section = await campus.section(semester_id=berlin, meetings=(MONDAYS, NIGHTS))
    await set_holidays(registrar, berlin, HOLIDAY)
    changes = f"/api/sections/{section}/meeting-changes"
    cancelled = await registrar.post(changes, json={"on": "2026-09-14", "note": "The hall is closed."})
    target = {"on": "2026-09-23", "starts": "08:00", "ends": "09:30", "room": "B2"}
    moved = await registrar.post(changes, json={"on": "2026-09-21", "starts": "09:00", "moved_to": target})

    found = await meetings_of(registrar, section, starts_on="2026-09-11", ends_on="2026-10-12")

    assert (cancelled.status_code, moved.status_code) == (201, 201), moved.text
    assert moved.json() | {"moved_to": target, "state": "moved", "applies": True} == moved.json()
    assert [(item["on"], item["state"]) for item in found] == [
        ("2026-09-11", "scheduled"),
        ("2026-09-14", "cancelled"),
        ("2026-09-18", "scheduled"),
        ("2026-09-23", "moved"),
        ("2026-09-25", "scheduled"),
        ("2026-09-28", "scheduled"),
        ("2026-10-02", "scheduled"),
        ("2026-10-05", "holiday"),
        ("2026-10-09", "holiday"),
        ("2026-10-12", "scheduled"),
    ]
    assert found[0]["starts_at"] == "2026-09-11T20:00:00Z"
    assert found[0]["ends_at"] == "2026-09-12T00:00:00Z"
    assert (found[3]["planned_on"], found[3]["room"]) == ("2026-09-21", "B2")
    assert found[7]["note"] == "Autumn break"


async def test_a_change_replaces_the_one_before_and_can_be_taken_back(api: ApiUnderTest, campus: Campus) -> None:
    teacher = await api.add_user(Role.INSTRUCTOR)
    section = await campus.section(meetings=(MONDAYS,), instructor_id=teacher)
    client, changes = await api.as_user(teacher, Role.INSTRUCTOR), f"/api/sections/{section}/meeting-changes"
    await client.post(changes, json={"on": "2026-09-14"})
    target = {"on": "2026-09-15", "starts": "23:00", "ends": "00:30"}
    replaced = await client.post(changes, json={"on": "2026-09-14", "moved_to": target})

    listed = (await client.get(changes)).json()["items"]
    gone = await client.delete(f"{changes}/{replaced.json()['id']}")

    assert [(item["on"], item["state"]) for item in listed] == [("2026-09-14", "moved")]
    assert gone.status_code == 204
    assert (await client.delete(f"{changes}/{replaced.json()['id']}")).status_code == 404
    assert {item["state"] for item in await meetings_of(client, section)} == {"scheduled"}
    audited = await campus.rows(
        "SELECT action FROM platform.audit_log WHERE action LIKE 'section.meeting%' ORDER BY id"
    )
    assert [row["action"] for row in audited] == [
        "section.meeting_cancelled", "section.meeting_moved", "section.meeting_restored"
    ]  # fmt: skip


async def test_only_who_teaches_a_section_or_keeps_all_changes_its_meetings(api: ApiUnderTest, campus: Campus) -> None:
    section = await campus.section(meetings=(MONDAYS,), instructor_id=await api.add_user(Role.INSTRUCTOR))
    path, body = f"/api/sections/{section}/meeting-changes", {"on": "2026-09-14"}

    answers = {role: (await (await api.as_role(role)).post(path, json=body)).status_code for role in Role}

    assert answers == {
        Role.ADMIN: 201, Role.REGISTRAR: 201, Role.INSTRUCTOR: 404, Role.ANALYST: 403, Role.LEARNER: 403,
        Role.VIEWER: 403,
    }  # fmt: skip


async def test_a_change_of_a_meeting_that_there_is_not_is_refused(api: ApiUnderTest, campus: Campus) -> None:
    registrar, section = await api.as_role(Role.REGISTRAR), await campus.section(meetings=(MONDAYS,))
    path = f"/api/sections/{section}/meeting-changes"

    wrong_day = await registrar.post(path, json={"on": "2026-09-15"})
    wrong_hour = await registrar.post(path, json={"on": "2026-09-14", "starts": "10:00"})
    nothing = await registrar.post(
        path, json={"on": "2026-09-14", "moved_to": {"on": "2026-09-15", "starts": "10:00", "ends": "10:00"}}
    )
    nowhere = await registrar.post(f"/api/sections/{NOWHERE}/meeting-changes", json={"on": "2026-09-14"})

    assert [answer.status_code for answer in (wrong_day, wrong_hour, nothing, nowhere)] == [400, 400, 400, 404]
    assert wrong_hour.json()["errors"][0]["pointer"] == "/starts"


async def test_a_change_stays_when_the_timetable_changes_and_says_that_it_counts_no_more(
    api: ApiUnderTest, campus: Campus
) -> None:
    registrar, section = await api.as_role(Role.REGISTRAR), await campus.section(meetings=(MONDAYS,))
    path = f"/api/sections/{section}/meeting-changes"
    await registrar.post(path, json={"on": "2026-09-14"})

    timetable = {"meetings": [{"weekday": 2, "starts": "09:00", "ends": "10:30"}]}
    await registrar.patch(f"/api/sections/{section}", json=timetable, headers={"If-Match": "*"})

    assert [item["applies"] for item in (await registrar.get(path)).json()["items"]] == [False]
    assert {item["state"] for item in await meetings_of(registrar, section)} == {"scheduled"}


async def test_the_schedule_as_a_calendar_leaves_out_what_does_not_take_place(
    api: ApiUnderTest, campus: Campus
) -> None:
    registrar = await api.as_role(Role.REGISTRAR)
    user = await api.add_user(Role.LEARNER)
    student, section = await campus.student(user_id=user), await campus.section(meetings=(MONDAYS,))
    await campus.enroll(student, section)
    await set_holidays(registrar, await campus.semester(), HOLIDAY)
    await registrar.post(f"/api/sections/{section}/meeting-changes", json={"on": "2026-09-14"})
    learner = await api.as_user(user, Role.LEARNER)

    answer = await learner.get(f"/api/students/{student}/schedule", headers={"Accept": "text/calendar"})

    [event] = Calendar.from_ical(answer.content).events
    assert sorted(day.dt.isoformat() for day in event["EXDATE"].dts) == [
        "2026-09-14T09:00:00+00:00", "2026-10-05T09:00:00+00:00"
    ]  # fmt: skip


async def test_dates_of_ages_are_asked_for_in_parts(api: ApiUnderTest, campus: Campus) -> None:
    ages = await campus.semester(starts_on=date(2020, 1, 1), ends_on=date(2090, 1, 1))
    hourly = tuple(Meeting(day, time(hour), time(hour, 30)) for day in range(1, 8) for hour in range(4))
    viewer, section = await api.as_role(Role.VIEWER), await campus.section(semester_id=ages, meetings=hourly)

    refused = await viewer.get(f"/api/sections/{section}/meetings")
    week = await meetings_of(viewer, section, starts_on="2026-01-05", ends_on="2026-01-11")

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/ends_on")
    assert len(week) == 28


async def test_a_meeting_is_moved_at_most_a_year_away_from_its_semester(api: ApiUnderTest, campus: Campus) -> None:
    registrar, berlin = await api.as_role(Role.REGISTRAR), await campus.semester(time_zone="Europe/Berlin")
    section = await campus.section(semester_id=berlin, meetings=(MONDAYS,))
    semester = (await registrar.get(f"/api/semesters/{berlin}")).json()
    last = date.fromisoformat(semester["ends_on"]) + timedelta(days=365)

    async def move(to: str) -> httpx.Response:
        slot = {"on": to, "starts": "22:00", "ends": "02:00"}
        return await registrar.post(
            f"/api/sections/{section}/meeting-changes", json={"on": "2026-09-21", "moved_to": slot}
        )

    answers = [await move(day) for day in ("1900-01-01", "9998-12-31", str(last + timedelta(days=1)), str(last))]

    assert [answer.status_code for answer in answers] == [400, 400, 400, 201]
    assert answers[0].json()["errors"][0]["pointer"] == "/moved_to/on"
    feed = await registrar.post(
        "/api/calendar-feeds", json={"kind": "section", "name": "Wall", "section_id": str(section)}
    )
    calendar = await registrar.get(feed.json()["address"].removeprefix(str(registrar.base_url)))
    assert calendar.status_code == 200
    assert f"DTSTART;TZID=Europe/Berlin:{last:%Y%m%d}T220000" in calendar.text


async def test_who_has_a_seat_is_told_what_becomes_of_a_meeting_and_once(
    api: ApiUnderTest, campus: Campus, clock: FixedClock
) -> None:
    registrar, user = await api.as_role(Role.REGISTRAR), await api.add_user(Role.LEARNER)
    section = await campus.section(meetings=(MONDAYS,), capacity=2, waitlist_capacity=5)
    for student in (
        await campus.student(user_id=user, email="ada@example.org"),
        await campus.student(email="bob@example.org"),
        await campus.student(email="waits@example.org"),
    ):
        await campus.enroll(student, section)
    changes = f"/api/sections/{section}/meeting-changes"
    target = {"on": "2026-09-15", "starts": "08:00", "ends": "09:30", "room": "B2"}

    for body in ({"on": "2026-09-14"}, {"on": "2026-09-14"}, {"on": "2026-09-14", "moved_to": target}):
        last = await registrar.post(changes, json=body)
        assert last.status_code == 201, last.text
    await registrar.delete(f"{changes}/{last.json()['id']}")
    clock.advance(timedelta(days=3650))
    await (await api.as_role(Role.REGISTRAR)).post(changes, json={"on": "2026-09-21"})

    told = await campus.rows("SELECT payload FROM platform.outbox WHERE name = 'academics.meeting_changed' ORDER BY id")
    payloads = [row["payload"] for row in told]
    everybody = ([str(user)], ["bob@example.org"])
    assert [(item["change"], item["held_on"], (item["people"], item["addresses"])) for item in payloads] == [
        ("cancelled", "2026-09-14", everybody),
        ("moved", "2026-09-14", everybody),
        ("restored", "2026-09-14", everybody),
        ("cancelled", "2026-09-21", ([], [])),
    ]
    assert (payloads[1]["new_on"], payloads[1]["new_starts"], payloads[1]["new_room"]) == (
        "2026-09-15",
        "08:00:00",
        "B2",
    )
