"""Lesson dates in calendars: one's own over HTTP, and what is announced of new, moved and vanished ones."""

from collections.abc import AsyncIterator
from datetime import date, time, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest
from icalendar import Calendar
from sqlalchemy import delete, insert, select, update

from dataforge.contexts.identity.tables import users
from dataforge.contexts.learning.tables import cohort_members, cohorts, lessons
from dataforge.contexts.notifications.calendar.commands import AnnounceDates, announce_dates
from dataforge.contexts.notifications.calendar.consumers import announce_dates as announce_job
from dataforge.contexts.notifications.calendar.domain import KIND, event_uid
from dataforge.contexts.notifications.messages.consumers import send_waiting
from dataforge.contexts.notifications.tables import calendar_events, preferences
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.db.unit_of_work import run
from infra.local.mailbox import ReceivedMail
from tests.builders.api import ApiUnderTest
from tests.builders.mail import receiving
from tests.builders.notifications import SENDER, School, instant

TODAY = date(2026, 5, 4)
SOON = date(2026, 5, 11)
HOURS: dict[str, Any] = {"start_time": time(9), "duration_minutes": 90}


@pytest.fixture
async def school(api: ApiUnderTest, clock: FixedClock, tmp_path: Path) -> AsyncIterator[School]:
    clock.advance(instant("2026-05-04T09:00:00+02:00") - clock.now())
    with receiving(tmp_path / "mail") as mailbox:
        yield School(api, mailbox)


async def events_of(school: School, learner: UUID, path: str = "/api/calendar.ics") -> list[Any]:
    client = await school.api.as_user(learner, Role.LEARNER)
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    return Calendar.from_ical(answer.content).events


async def announced(school: School) -> list[tuple[UUID, str, int, str]]:
    """What a run puts on its way: for whom, method, sequence, title."""
    before = len(await school.messages())
    await run(school.services.unit_of_work(NotificationsUnitOfWork), announce_dates, AnnounceDates())
    found = [message for message in (await school.messages())[before:] if message["kind"] == KIND]
    return [
        (message["user_id"], event["method"], event["sequence"], event["title"])
        for message in found
        for event in message["content"]["events"]
    ]


async def change(school: School, statement: Any) -> None:
    async with school.database.transaction() as connection:
        await connection.execute(statement)


async def test_the_calendar_has_ones_own_dates_and_no_others(school: School) -> None:
    ada, grace = await school.learner(), await school.learner(time_zone="America/New_York")
    blue, red = await school.cohort(ada, grace), await school.cohort(grace)
    whole = await school.lesson(blue, SOON, "Whole day")
    await school.lesson(red, SOON, "Red")
    held = await school.lesson(None, SOON, "Everybody's", **HOURS)
    fixed = await school.lesson(blue, SOON, "Fixed", **HOURS, time_zone="Asia/Tokyo")
    await school.lesson(blue, None, "No date")
    await school.lesson(blue, TODAY - timedelta(days=400), "Long ago")
    await school.lesson(await school.cohort(ada, active=False), SOON, "Of a closed cohort")

    found = {str(event["UID"]): event for event in await events_of(school, ada)}
    other = {str(event["UID"]): event for event in await events_of(school, grace)}

    assert set(found) == {event_uid(ada, lesson) for lesson in (whole, held, fixed)}
    assert len(other) == 4
    assert found[event_uid(ada, whole)]["DTSTART"].dt == SOON
    starts = [found[event_uid(ada, held)], other[event_uid(grace, held)], other[event_uid(grace, fixed)]]
    assert [event["DTSTART"].params["TZID"] for event in starts] == ["Europe/Berlin", "America/New_York", "Asia/Tokyo"]
    assert {event["DTSTART"].dt.time() for event in starts} == {time(9)}


async def test_one_lesson_is_given_to_its_learners_only(school: School) -> None:
    ada, grace = await school.learner(), await school.learner()
    lesson = await school.lesson(await school.cohort(ada), SOON, "Fire")
    path = f"/api/calendar/lessons/{lesson}"

    [event] = await events_of(school, ada, path)
    refused = await (await school.api.as_user(grace, Role.LEARNER)).get(path)
    nobody = await (await school.api.client()).get(path)

    assert event["SUMMARY"] == "Fire"
    assert (refused.status_code, refused.json()["code"]) == (404, "no_lesson_date")
    assert nobody.status_code == 401


async def test_a_calendar_that_has_not_changed_is_not_sent_again(school: School) -> None:
    ada = await school.learner()
    lesson = await school.lesson(await school.cohort(ada), SOON, "Fire")
    client = await school.api.as_user(ada, Role.LEARNER)
    first = await client.get("/api/calendar.ics")

    same = await client.get("/api/calendar.ics", headers={"If-None-Match": first.headers["ETag"]})
    await change(school, update(lessons).where(lessons.c.id == lesson).values(title="Fire drill"))
    other = await client.get("/api/calendar.ics", headers={"If-None-Match": first.headers["ETag"]})

    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert (other.status_code, other.headers["ETag"] == first.headers["ETag"]) == (200, False)


async def test_new_dates_are_announced_once(school: School) -> None:
    ada = await school.learner()
    blue = await school.cohort(ada)
    await school.lesson(blue, SOON, "Fire")
    await school.lesson(blue, TODAY, "First aid")
    await school.lesson(blue, TODAY - timedelta(days=1), "Yesterday")

    assert await announced(school) == [(ada, "REQUEST", 0, "First aid"), (ada, "REQUEST", 0, "Fire")]
    assert await announced(school) == []


@pytest.mark.parametrize(
    "values",
    [
        {"lesson_date": SOON + timedelta(days=1)},
        {"title": "Fire drill"},
        {"lesson_url": "https://lms.example.org/other"},
        {"start_time": time(10)},
        {"duration_minutes": 60},
        {"time_zone": "Asia/Tokyo"},
        {"start_time": None, "duration_minutes": None},
    ],
)
async def test_a_date_that_has_changed_is_sent_with_a_greater_sequence(school: School, values: dict[str, Any]) -> None:
    ada = await school.learner()
    lesson = await school.lesson(await school.cohort(ada), SOON, "Fire", **HOURS)
    await announced(school)

    await change(school, update(lessons).where(lessons.c.id == lesson).values(**values))

    assert await announced(school) == [(ada, "REQUEST", 1, values.get("title", "Fire"))]
    assert await announced(school) == []
    [event] = await events_of(school, ada)
    assert event["SEQUENCE"] == 1


async def test_a_learner_who_moves_to_another_zone_has_the_hours_there(school: School) -> None:
    ada = await school.learner()
    blue = await school.cohort(ada)
    await school.lesson(blue, SOON, "By one's own clock", **HOURS)
    await school.lesson(blue, SOON, "By one clock", **HOURS, time_zone="Europe/Berlin")
    await school.lesson(blue, SOON, "Whole day")
    await announced(school)

    await change(school, update(users).where(users.c.id == ada).values(time_zone="Asia/Tokyo"))

    assert await announced(school) == [(ada, "REQUEST", 1, "By one's own clock")]


@pytest.mark.parametrize("how", ["deleted", "undated", "left", "closed", "past"])
async def test_what_is_gone_is_cancelled_and_comes_back_as_newer(school: School, how: str) -> None:
    ada = await school.learner()
    blue = await school.cohort(ada)
    lesson = await school.lesson(blue, SOON, "Fire")
    await announced(school)
    ways = {
        "deleted": delete(lessons).where(lessons.c.id == lesson),
        "undated": update(lessons).where(lessons.c.id == lesson).values(lesson_date=None),
        "left": update(cohort_members)
        .where(cohort_members.c.cohort_id == blue)
        .values(left_at=instant("2026-05-04T06:00Z")),
        "closed": update(cohorts).where(cohorts.c.id == blue).values(active=False),
        "past": update(lessons).where(lessons.c.id == lesson).values(lesson_date=TODAY - timedelta(days=30)),
    }

    await change(school, ways[how])

    assert await announced(school) == [(ada, "CANCEL", 1, "Fire")]
    assert await announced(school) == []
    if how == "left":
        await change(school, update(cohort_members).values(left_at=None))
        assert await announced(school) == [(ada, "REQUEST", 2, "Fire")]


async def test_a_lesson_that_is_over_is_not_cancelled(school: School, clock: FixedClock) -> None:
    ada = await school.learner()
    blue = await school.cohort(ada)
    await school.lesson(blue, TODAY, "Fire")
    await announced(school)

    clock.advance(timedelta(days=2))
    await change(school, update(cohorts).where(cohorts.c.id == blue).values(active=False))

    assert await announced(school) == []


async def test_what_was_sent_of_days_long_over_is_forgotten(school: School, clock: FixedClock) -> None:
    ada = await school.learner()
    blue = await school.cohort(ada)
    await school.lesson(blue, TODAY, "Fire")
    gone = await school.lesson(blue, SOON, "First aid")
    await announced(school)
    await change(school, delete(lessons).where(lessons.c.id == gone))
    await announced(school)

    clock.advance(timedelta(days=402))
    await announced(school)

    async with school.database.read_only() as connection:
        kept = (await connection.execute(select(calendar_events.c.lesson_id))).scalars().all()
    assert kept == [gone]


async def test_who_does_not_want_them_hears_nothing_until_they_do(school: School) -> None:
    ada, suspended = await school.learner(), await school.learner(suspended_at=instant("2026-05-01T00:00Z"))
    await school.lesson(await school.cohort(ada, suspended), SOON, "Fire")
    await change(school, insert(preferences).values(user_id=ada, kind=KIND, wanted=False))

    assert await announced(school) == []
    await change(school, update(preferences).values(wanted=True))
    assert await announced(school) == [(ada, "REQUEST", 0, "Fire")]


async def test_two_that_announce_at_once_send_each_date_once(school: School) -> None:
    ada = await school.learner()
    await school.lesson(await school.cohort(ada), SOON, "Fire")
    works = [school.worker().unit_of_work(NotificationsUnitOfWork) for _ in range(2)]

    async with works[0] as first:
        counts = await announce_dates(AnnounceDates(), first)
        beside = await run(works[1], announce_dates, AnnounceDates())
        await first.commit()

    assert (counts["request"], counts["mails"], beside.total()) == (1, 1, 0)
    assert await announced(school) == []


async def mailed(school: School) -> list[ReceivedMail]:
    """The mails of a minute of maintenance, oldest first."""
    before = {mail.id for mail in school.mailbox.mails()}
    for job in (announce_job, send_waiting):
        await job(school.services)
    return sorted((mail for mail in school.mailbox.mails() if mail.id not in before), key=lambda mail: mail.id)


def invitations_in(mail: ReceivedMail) -> list[tuple[str, Any]]:
    """The method that each attachment's type names, and its event."""
    found = []
    for part in mail.message.iter_attachments():
        assert (part.get_content_type(), part.get_param("charset")) == ("text/calendar", "UTF-8")
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        calendar = Calendar.from_ical(content)
        assert str(calendar["METHOD"]) == part.get_param("method")
        [event] = calendar.events
        found.append((str(calendar["METHOD"]), event))
    return found


async def test_the_mail_brings_dates_into_the_calendar_and_out_of_it(school: School) -> None:
    ada = await school.learner(display_name="Ada Byron")
    blue = await school.cohort(ada)
    held = await school.lesson(blue, SOON, "Übung", **HOURS)
    whole = await school.lesson(blue, SOON, "First aid")

    [first] = await mailed(school)
    await change(school, delete(lessons).where(lessons.c.id == whole))
    await change(school, update(lessons).where(lessons.c.id == held).values(start_time=time(10)))
    [second] = await mailed(school)

    assert first.recipients == (await school.email(ada),)
    assert "First aid: May 11, 2026" in first.text
    (_, day), (_, hours) = invitations_in(first)
    assert {method for method, _ in invitations_in(first)} == {"REQUEST"}
    assert (day["SUMMARY"], day["DTSTART"].dt) == ("First aid", SOON)
    assert hours["DTSTART"].dt.isoformat() == "2026-05-11T09:00:00+02:00"
    assert str(hours["ATTENDEE"]) == f"mailto:{await school.email(ada)}"
    assert str(hours["ORGANIZER"]) == f"mailto:{SENDER}"
    assert [(method, event["UID"], event["SEQUENCE"]) for method, event in invitations_in(second)] == [
        ("CANCEL", event_uid(ada, whole), 1),
        ("REQUEST", event_uid(ada, held), 1),
    ]
    assert "cancelled" in second.text
    assert await mailed(school) == []


async def test_dates_wait_for_the_end_of_quiet_hours(school: School, clock: FixedClock) -> None:
    quiet = {"quiet_from": time(8), "quiet_to": time(12)}
    await school.lesson(await school.cohort(await school.learner(**quiet)), SOON, "Fire")

    assert await mailed(school) == []
    clock.advance(timedelta(hours=3))
    assert len(await mailed(school)) == 1


async def test_many_dates_come_in_several_mails(school: School) -> None:
    ada = await school.learner()
    blue = await school.cohort(ada)
    for number in range(21):
        await school.lesson(blue, SOON, f"Lesson {number}")

    assert len(await announced(school)) == 21
    assert sorted(len(message["content"]["events"]) for message in await school.messages()) == [1, 20]


class Client:
    """A calendar program: of each UID it keeps what has the greatest SEQUENCE, in whatever order mails arrive."""

    def __init__(self, content: list[bytes]) -> None:
        self._events: dict[str, tuple[int, str, Any]] = {}
        for text in content:
            calendar = Calendar.from_ical(text)
            [event] = calendar.events
            known = self._events.get(str(event["UID"]))
            assert known is None or known[0] != event["SEQUENCE"], "two mails with one SEQUENCE"
            if known is None or known[0] < event["SEQUENCE"]:
                self._events[str(event["UID"])] = (event["SEQUENCE"], str(calendar["METHOD"]), event)

    def shown(self) -> dict[str, tuple[str, Any, str]]:
        """What stands in the calendar: start and title by UID."""
        return {
            uid: (str(event["SUMMARY"]), event["DTSTART"].dt, str(event["STATUS"]))
            for uid, (_, method, event) in self._events.items()
            if method == "REQUEST"
        }


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_a_calendar_shows_in_the_end_what_there_is(school: School, seed: int) -> None:
    random = Random(seed)
    learners = [await school.learner(time_zone=zone) for zone in ("Europe/Berlin", "Pacific/Apia")]
    classes = [await school.cohort(*learners), await school.cohort(learners[0])]
    ids: list[UUID] = []

    async def happen() -> None:
        day = SOON + timedelta(days=random.randrange(30))
        hours = random.choice([{}, HOURS, {**HOURS, "time_zone": "Asia/Tokyo"}])
        cohort = random.choice([*classes, None])
        if not ids or random.random() < 0.4:
            ids.append(await school.lesson(cohort, random.choice([day, None]), f"Lesson {len(ids)}", **hours))
            return
        lesson, learner = random.choice(ids), random.choice(learners)
        one, of_class = lessons.c.id == lesson, cohort_members.c.cohort_id == classes[0]
        clocks = {"start_time": None, "duration_minutes": None, "time_zone": None, **hours}
        await change(
            school,
            random.choice(
                [
                    update(lessons).where(one).values(lesson_date=random.choice([day, None])),
                    update(lessons).where(one).values(**clocks),
                    update(lessons).where(one).values(title=f"Title {random.random()}"),
                    update(lessons).where(one).values(cohort_id=cohort),
                    delete(lessons).where(one),
                    update(cohorts).where(cohorts.c.id == classes[0]).values(active=random.random() < 0.8),
                    update(cohort_members)
                    .where(of_class, cohort_members.c.user_id == learner)
                    .values(left_at=random.choice([None, None, instant("2026-05-04T06:00Z")])),
                    update(users).where(users.c.id == learner).values(time_zone=random.choice(["UTC", "Asia/Tokyo"])),
                ]
            ),
        )

    for _ in range(40):
        for _ in range(random.randrange(1, 4)):
            await happen()
        await announced(school)

    await send_waiting(school.services)
    mailed_parts = 0
    for learner in learners:
        address = await school.email(learner)
        parts = [
            part.get_payload(decode=True)
            for mail in school.mailbox.mails()
            if mail.recipients == (address,)
            for part in mail.message.iter_attachments()
        ]
        random.shuffle(parts)
        agenda = {
            str(event["UID"]): (str(event["SUMMARY"]), event["DTSTART"].dt, str(event["STATUS"]))
            for event in await events_of(school, learner)
        }
        assert Client(parts).shown() == agenda  # type: ignore[arg-type]
        mailed_parts += len(parts)
    assert mailed_parts > 15, "too little has happened to say anything"
