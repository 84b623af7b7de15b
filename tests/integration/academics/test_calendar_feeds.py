"""Feeds for calendars: whose they are, what they show, and what becomes of one that was revoked."""

from datetime import date, time, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from icalendar import Calendar
from sqlalchemy import text

from dataforge.contexts.academics.feeds.domain import KEPT_FOR, MOST_FEEDS
from dataforge.contexts.academics.maintenance import forget_old
from dataforge.contexts.academics.module import AcademicsServices
from dataforge.contexts.academics.sections.domain import Meeting
from dataforge.contexts.academics.students.repository import merge_users
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from tests.builders.academics import Campus
from tests.builders.api import ApiUnderTest

MONDAYS = Meeting(1, time(9), time(10, 30), "A1")
FEEDS = "/api/calendar-feeds"


async def made(client: httpx.AsyncClient, kind: str = "learner", **more: str) -> dict[str, Any]:
    answer = await client.post(FEEDS, json={"kind": kind, "name": "My phone", **more})
    assert answer.status_code == 201, answer.text
    feed: dict[str, Any] = answer.json()
    return feed


async def read(api: ApiUnderTest, feed: dict[str, Any], **headers: str) -> httpx.Response:
    """What a calendar gets, which is signed in nowhere."""
    parts = urlsplit(feed["address"])
    return await (await api.client()).get(f"{parts.path}?{parts.query}", headers=headers)


def events_of(answer: httpx.Response) -> list[Any]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    return list(Calendar.from_ical(answer.content).events)


async def a_student(api: ApiUnderTest, campus: Campus) -> tuple[UUID, httpx.AsyncClient]:
    user = await api.add_user(Role.LEARNER)
    return await campus.student(user_id=user), await api.as_user(user, Role.LEARNER)


async def test_a_learners_feed_follows_what_they_are_in(api: ApiUnderTest, campus: Campus) -> None:
    student, client = await a_student(api, campus)
    full = await campus.section(meetings=(MONDAYS,), capacity=1)
    other = await campus.section(meetings=(Meeting(2, time(22), time(2)),))
    await campus.enroll(await campus.student(), full)
    feed = await made(client)

    before = events_of(await read(api, feed))
    await campus.enroll(student, full)
    await campus.enroll(student, other)
    after = events_of(await read(api, feed))

    assert before == []
    assert sorted((str(event["STATUS"]), event.decoded("DTSTART").isoformat()) for event in after) == [
        ("CONFIRMED", "2026-09-08T22:00:00+00:00"),
        ("TENTATIVE", "2026-09-07T09:00:00+00:00"),
    ]
    assert {str(event["DTEND"].dt.isoformat()) for event in after} >= {"2026-09-09T02:00:00+00:00"}


async def test_feeds_of_sections_and_instructors_name_nobody(api: ApiUnderTest, campus: Campus) -> None:
    teacher = await api.add_user(Role.INSTRUCTOR)
    section = await campus.section(meetings=(MONDAYS,), instructor_id=teacher)
    await campus.enroll(await campus.student(first_name="Grace", last_name="Hopper"), section)
    client = await api.as_user(teacher, Role.INSTRUCTOR)
    [row] = await campus.rows("SELECT username, display_name FROM identity.users WHERE id = :id", id=teacher)

    answers = [
        await read(api, await made(client, "instructor")),
        await read(api, await made(await api.as_role(Role.LEARNER), "section", section_id=str(section))),
    ]

    for answer in answers:
        assert len(events_of(answer)) == 1
        assert not [word for word in ("Hopper", "Grace", row["username"], row["display_name"]) if word in answer.text]


async def test_a_feed_leaves_out_holidays_and_what_is_cancelled_and_shows_what_is_moved(
    api: ApiUnderTest, campus: Campus
) -> None:
    registrar, semester = await api.as_role(Role.REGISTRAR), await campus.semester()
    section = await campus.section(meetings=(MONDAYS,))
    feed = await made(registrar, "section", section_id=str(section))
    first = await read(api, feed)
    days = {"holidays": [{"starts_on": "2026-10-05", "ends_on": "2026-10-09", "name": "Autumn break"}]}
    await registrar.put(f"/api/semesters/{semester}/holidays", json=days, headers={"If-Match": "*"})
    changes = f"/api/sections/{section}/meeting-changes"
    target = {"on": "2026-09-23", "starts": "22:00", "ends": "01:00", "room": "B2"}
    await registrar.post(changes, json={"on": "2026-09-14", "note": "Ada Lovelace is ill."})
    await registrar.post(changes, json={"on": "2026-09-21", "moved_to": target})

    answer = await read(api, feed, **{"If-None-Match": first.headers["ETag"]})

    series, moved = events_of(answer)
    assert sorted(day.dt.date() for day in series["EXDATE"].dts) == [date(2026, 9, 14), date(2026, 10, 5)]
    assert moved.decoded("RECURRENCE-ID").isoformat() == "2026-09-21T09:00:00+00:00"
    assert moved.decoded("DTSTART").isoformat() == "2026-09-23T22:00:00+00:00"
    assert (moved["UID"], str(moved["LOCATION"])) == (series["UID"], "B2")
    assert "ill" not in answer.text


async def test_what_has_not_changed_is_not_sent_again(api: ApiUnderTest, campus: Campus, clock: FixedClock) -> None:
    section = await campus.section(meetings=(MONDAYS,))
    feed = await made(await api.as_role(Role.VIEWER), "section", section_id=str(section))
    first = await read(api, feed)
    clock.advance(timedelta(days=3))

    again = await read(api, feed, **{"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]


async def test_the_owner_sees_when_a_feed_was_read_and_nobody_elses(
    api: ApiUnderTest, campus: Campus, clock: FixedClock
) -> None:
    _, client = await a_student(api, campus)
    feed = await made(client)
    never = (await client.get(FEEDS)).json()["items"]
    await read(api, feed)
    first = clock.now()
    clock.advance(timedelta(seconds=59))
    await read(api, feed)

    [row] = (await client.get(FEEDS)).json()["items"]

    assert [item["last_read_at"] for item in never] == [None]
    assert row["last_read_at"] == first.isoformat().replace("+00:00", "Z")
    assert "token" not in row
    assert feed["address"].endswith(row["hint"])
    assert (await (await api.as_role(Role.ADMIN)).get(FEEDS)).json()["items"] == []
    assert (await (await api.as_role(Role.ADMIN)).delete(f"{FEEDS}/{feed['id']}")).status_code == 404


async def test_a_revoked_feed_answers_that_it_is_gone_and_a_wrong_secret_that_there_is_none(
    api: ApiUnderTest, campus: Campus, clock: FixedClock
) -> None:
    _, client = await a_student(api, campus)
    feed = await made(client)
    forged = {"address": feed["address"][:-1] + ("A" if feed["address"][-1] != "A" else "B")}

    revoked = await client.delete(f"{FEEDS}/{feed['id']}")
    gone, wrong = await read(api, feed), await read(api, forged)

    assert revoked.status_code == 204
    assert (await client.delete(f"{FEEDS}/{feed['id']}")).status_code == 404
    assert (gone.status_code, gone.json()["code"]) == (410, "feed_revoked")
    assert (wrong.status_code, wrong.json()["code"]) == (404, "feed_unknown")
    assert (await client.get(FEEDS)).json()["items"] == []
    clock.advance(KEPT_FOR + timedelta(days=1))
    assert (await forget_old(api.platform_of("maintenance").get(AcademicsServices)))["calendar_feeds"] == 1
    assert (await read(api, feed)).status_code == 404


async def test_a_feed_shows_what_its_owner_may_see_now(api: ApiUnderTest, campus: Campus) -> None:
    registrar = await api.add_user(Role.REGISTRAR)
    draft = await campus.section(course=await campus.course(state="draft"), meetings=(MONDAYS,))
    feed = await made(await api.as_user(registrar, Role.REGISTRAR), "section", section_id=str(draft))
    assert len(events_of(await read(api, feed))) == 1

    async def change(column: str) -> httpx.Response:
        async with campus.database.transaction() as connection:
            await connection.execute(text(f"UPDATE identity.users SET {column} WHERE id = :id"), {"id": registrar})
        return await read(api, feed)

    assert events_of(await change("role = 'viewer'")) == []
    assert (await change("suspended_at = now()")).status_code == 404


@pytest.mark.parametrize(
    ("role", "body", "status"),
    [
        (Role.VIEWER, {"kind": "learner"}, 404),  # no student
        (Role.LEARNER, {"kind": "instructor"}, 400),
        (Role.ADMIN, {"kind": "section"}, 400),
        (Role.ADMIN, {"kind": "section", "section_id": "00000000-0000-7000-8000-000000000000"}, 404),
        (Role.ADMIN, {"kind": "instructor", "section_id": "00000000-0000-7000-8000-000000000000"}, 400),
        (Role.ADMIN, {"kind": "everything"}, 400),
        (Role.ADMIN, {"kind": "instructor", "name": ""}, 400),
    ],
)
async def test_a_feed_of_what_cannot_be_is_refused(
    api: ApiUnderTest, role: Role, body: dict[str, str], status: int
) -> None:
    answer = await (await api.as_role(role)).post(FEEDS, json={"name": "My phone", **body})

    assert answer.status_code == status, answer.text


async def test_a_person_has_so_many_feeds_and_pages_of_them(api: ApiUnderTest) -> None:
    client = await api.as_role(Role.INSTRUCTOR)
    for _ in range(MOST_FEEDS):
        await made(client, "instructor")

    refused = await client.post(FEEDS, json={"kind": "instructor", "name": "One more"})
    first = (await client.get(FEEDS, params={"limit": 30})).json()
    rest = (await client.get(FEEDS, params={"limit": 30, "cursor": first["next_cursor"]})).json()

    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_feeds")
    assert len({item["id"] for item in first["items"] + rest["items"]}) == MOST_FEEDS


async def test_feeds_follow_accounts_that_become_one(api: ApiUnderTest, campus: Campus) -> None:
    merged, kept = [await api.add_user(Role.LEARNER) for _ in range(2)]
    student, section = await campus.student(user_id=merged), await campus.section(meetings=(MONDAYS,))
    await campus.enroll(student, section)
    feed = await made(await api.as_user(merged, Role.LEARNER))

    async with campus.database.transaction() as connection:
        await merge_users(connection, merged=merged, kept=kept)

    assert len(events_of(await read(api, feed))) == 1
    owned = (await (await api.as_user(kept, Role.LEARNER)).get(FEEDS)).json()["items"]
    assert [item["id"] for item in owned] == [feed["id"]]
