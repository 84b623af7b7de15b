"""Unsubscribing: by a POST only, by whoever has the link, for good; and preferences."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from dataforge.contexts.notifications.reminders.consumers import send_daily_reminders
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from tests.builders.api import ApiUnderTest
from tests.builders.mail import receiving
from tests.builders.notifications import BASE, School, instant

TODAY = date(2026, 5, 4)


@pytest.fixture
async def school(api: ApiUnderTest, clock: FixedClock, tmp_path: Path) -> AsyncIterator[School]:
    clock.advance(instant("2026-05-04T09:00:00+02:00") - clock.now())
    with receiving(tmp_path / "mail") as mailbox:
        yield School(api, mailbox)


async def link_in_the_mail(school: School) -> str:
    """The path of the one-click link that a learner got."""
    await school.lesson(await school.cohort(await school.learner()), TODAY)
    await send_daily_reminders({}, school.services)
    link = str(school.mailbox.mails()[0].message["List-Unsubscribe"])
    return link.removeprefix(f"<{BASE}").removesuffix(">")


async def test_one_click_stops_reminders_from_then_on(school: School, clock: FixedClock) -> None:
    path = await link_in_the_mail(school)
    anybody = await school.api.client()
    form = {"List-Unsubscribe": "One-Click"}

    answers = [await anybody.post(path, data=form) for _ in range(2)]
    clock.advance(timedelta(days=1))
    await send_daily_reminders({}, school.services)

    assert [answer.status_code for answer in answers] == [200, 200]
    assert await school.statuses() == ["sent", "suppressed"]
    assert len(school.mailbox.mails()) == 1


async def test_scanners_that_follow_every_link_unsubscribe_nobody(school: School, clock: FixedClock) -> None:
    path = await link_in_the_mail(school)
    scanner = await school.api.client()

    for number in range(500):
        answer = await scanner.get(path if number % 2 else path.replace("/api/", "/ui/"))
        assert answer.status_code == (303 if number % 2 else 200)
    for method in ("HEAD", "OPTIONS"):
        await scanner.request(method, path)
        await scanner.request(method, path.replace("/api/", "/ui/"))
    clock.advance(timedelta(days=1))
    await send_daily_reminders({}, school.services)

    assert await school.statuses() == ["sent", "sent"]


async def test_a_program_that_opens_the_link_is_led_to_the_page(school: School) -> None:
    path = await link_in_the_mail(school)

    answer = await (await school.api.client()).get(path)

    assert answer.status_code == 303
    assert answer.headers["Location"].endswith(path.replace("/api/", "/ui/"))


@pytest.mark.parametrize("token", ["", "a", "AAAA", "x" * 501, "%00", "ümlaut"])
async def test_a_link_that_is_not_ours_is_refused(school: School, token: str) -> None:
    anybody = await school.api.client()

    answer = await anybody.post("/api/unsubscribe", params={"token": token})

    assert answer.status_code == 400


async def test_a_token_of_another_list_is_no_link(school: School) -> None:
    cursor = school.api.platform.cursors.seal("/api/users?[]", ["a", "b"])

    answer = await (await school.api.client()).post("/api/unsubscribe", params={"token": cursor})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_unsubscribe_link")


async def test_a_person_who_turns_reminders_off_gets_none_and_can_turn_them_on_again(
    school: School, clock: FixedClock
) -> None:
    ada = await school.learner()
    await school.lesson(await school.cohort(ada), TODAY)
    client = await school.api.as_user(ada, Role.LEARNER)
    before = (await client.get("/api/notification-preferences")).json()["items"]
    path = "/api/notification-preferences/lesson_reminder"
    off = await client.put(path, json={"wanted": False})
    await send_daily_reminders({}, school.services)
    on = await client.put(path, json={"wanted": True})
    clock.advance(timedelta(days=1))
    await send_daily_reminders({}, school.services)

    assert [(item["kind"], item["wanted"]) for item in before if item["kind"] == "lesson_reminder"] == [
        ("lesson_reminder", True)
    ]
    assert all(item["wanted"] for item in before)
    assert [answer.json()["items"][0]["wanted"] for answer in (off, on)] == [False, True]
    assert await school.statuses() == ["suppressed", "sent"]


async def test_a_kind_that_does_not_exist_is_named(school: School) -> None:
    client = await school.api.as_role(Role.LEARNER)

    answer = await client.put("/api/notification-preferences/newsletter", json={"wanted": False})

    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_notification_kind")
    assert "lesson_reminder" in answer.json()["detail"]
