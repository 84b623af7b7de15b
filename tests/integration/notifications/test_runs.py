"""Runs of reminders, by the names of the plan: scheduled once, retried, and answered for."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from dataforge.contexts.notifications.contract import DailyReminders, IncompleteUser, TaskStatusRead
from dataforge.contexts.notifications.messages.repository import Messages
from dataforge.contexts.notifications.reminders.domain import slot_key
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from tests.builders.api import ApiUnderTest
from tests.builders.mail import receiving
from tests.builders.notifications import School, instant

NINE = instant("2026-05-04T09:00:00+02:00")


@pytest.fixture
async def school(api: ApiUnderTest, clock: FixedClock, tmp_path: Path) -> AsyncIterator[School]:
    clock.advance(NINE - clock.now())
    with receiving(tmp_path / "mail") as mailbox:
        yield School(api, mailbox)


def reminders_of(school: School) -> DailyReminders:
    return school.worker().platform.get(DailyReminders)


async def test_who_is_incomplete_is_scheduled_and_sent_and_the_run_says_so(school: School, clock: FixedClock) -> None:
    ada, eva = await school.learner(), await school.learner()
    lesson = await school.lesson(await school.cohort(ada, eva), NINE.date())
    await school.complete(eva, lesson)
    reminders = reminders_of(school)

    incomplete = await reminders.get_incomplete_users(clock.now())
    scheduled = await reminders.schedule_daily_reminders()
    sent = await reminders.send_daily_reminders()
    again = await reminders.schedule_daily_reminders()

    assert incomplete == [IncompleteUser(ada, NINE.date(), (lesson,))]
    assert isinstance(scheduled, TaskStatusRead)
    assert (scheduled.status, scheduled.attempt, scheduled.counts) == ("succeeded", 1, {"planned": 1, "added": 1})
    assert sent == {"sent": 1}
    assert (again.run_key, again.attempt) == (scheduled.run_key, 1)
    assert again.counts == {"planned": 1, "added": 1, "mails_sent": 1}
    assert await reminders.get_incomplete_users(clock.now()) == []
    assert await reminders.get_task_status("schedule:never") is None


async def test_a_run_that_fails_says_why_and_is_tried_again(
    school: School, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await school.lesson(await school.cohort(await school.learner()), NINE.date())
    reminders, key = reminders_of(school), slot_key(clock.now())

    async def fail(*_: object) -> int:
        message = "no room"
        raise OSError(message)

    statuses = []
    with monkeypatch.context() as broken:
        broken.setattr(Messages, "add", fail)
        for _ in range(2):
            with pytest.raises(OSError, match="no room"):
                await reminders.schedule_daily_reminders()
            statuses.append(await reminders.get_task_status(key))
    repaired = await reminders.schedule_daily_reminders()

    assert [(item.status, item.attempt, item.error) for item in statuses if item] == [
        ("retrying", 1, "OSError: no room"),
        ("failed", 2, "OSError: no room"),
    ]
    assert (repaired.status, repaired.attempt, repaired.error) == ("succeeded", 3, None)
    assert repaired.counts["added"] == 1


async def test_a_run_is_read_by_its_key(school: School, clock: FixedClock) -> None:
    scheduled = await reminders_of(school).schedule_daily_reminders()
    admin = await school.api.as_role(Role.ADMIN)

    found = await admin.get(f"/api/reminders/{quote(scheduled.run_key, safe='')}")
    missing = await admin.get("/api/reminders/schedule%3Anever")
    listed = (await admin.get("/api/reminders")).json()["items"]
    refused = await (await school.api.as_role(Role.INSTRUCTOR)).get("/api/reminders/schedule%3Anever")

    assert found.json()["run_key"] == scheduled.run_key
    assert (found.json()["name"], found.json()["status"], found.json()["attempt"]) == (
        *("send_daily_reminders", "succeeded", 1),
    )
    assert (missing.status_code, refused.status_code) == (404, 403)
    assert [(item["attempt"], item["error"]) for item in listed] == [(1, None)]
    assert clock.now() - NINE == timedelta(0)
