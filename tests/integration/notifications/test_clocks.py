"""Clocks that change while reminders are under way: the learner's, by law, and the server's, by mistake."""

from collections.abc import AsyncIterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dataforge.contexts.notifications.messages.commands import SendWaiting
from dataforge.contexts.notifications.messages.domain import MAX_ATTEMPTS
from dataforge.contexts.notifications.reminders.consumers import send_daily_reminders
from dataforge.kernel.clock import FixedClock
from dataforge.platform.mail.senders import SmtpSender
from infra.local.ports import LOOPBACK, free_port
from tests.builders.api import ApiUnderTest
from tests.builders.mail import receiving
from tests.builders.notifications import SENDER, School, instant

BERLIN = ZoneInfo("Europe/Berlin")
# 02:00 becomes 03:00, and 03:00 becomes 02:00.
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


@pytest.fixture
async def school(api: ApiUnderTest, tmp_path: Path) -> AsyncIterator[School]:
    with receiving(tmp_path / "mail") as mailbox:
        yield School(api, mailbox)


class Away:
    """The provider is not there until the block ends."""

    def __init__(self, school: School) -> None:
        self._platform = school.services.platform
        self._back = self._platform.mailer

    def __enter__(self) -> None:
        self._platform.mailer = SmtpSender(f"smtp://{LOOPBACK}:{free_port()}", SENDER)

    def __exit__(self, *_: object) -> None:
        self._platform.mailer = self._back


def go_to(clock: FixedClock, at: datetime) -> None:
    """Also backwards."""
    clock.advance(at - clock.now())


async def run_until(school: School, clock: FixedClock, end: datetime, *, step: timedelta) -> list[datetime]:
    """Fire the scheduler until an instant; when mails arrived."""
    seen, arrived = len(school.mailbox.mails()), []
    while clock.now() < end:
        await send_daily_reminders({}, school.services)
        await school.services.message_sender.send_waiting(SendWaiting())
        if len(school.mailbox.mails()) > seen:
            seen = len(school.mailbox.mails())
            arrived.append(clock.now())
        clock.advance(step)
    return arrived


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
@pytest.mark.parametrize("hour", [time(1, 45), time(2), time(2, 30), time(3), time(3, 15)])
async def test_on_the_night_of_the_change_one_mail_comes_and_no_earlier_than_asked_for(
    school: School, clock: FixedClock, day: date, hour: time
) -> None:
    learner = await school.learner(reminder_time=hour)
    await school.lesson(await school.cohort(learner), day)
    midnight = datetime.combine(day, time(0), BERLIN)
    go_to(clock, midnight)

    arrived = await run_until(school, clock, midnight + timedelta(hours=8), step=timedelta(minutes=15))

    assert len(arrived) == 1
    assert len(school.mailbox.mails()) == 1
    assert arrived[0].astimezone(BERLIN).time() >= hour


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
async def test_the_clock_changes_between_plan_and_mail_and_quiet_hours_are_kept(
    school: School, clock: FixedClock, day: date
) -> None:
    """Planned before the change, kept up by the provider until after it; quiet from the change until six."""
    learner = await school.learner(reminder_time=time(1, 30), quiet_from=time(2), quiet_to=time(6))
    await school.lesson(await school.cohort(learner), day)
    go_to(clock, datetime.combine(day, time(1, 45), BERLIN))
    with Away(school):
        await send_daily_reminders({}, school.services)
        clock.advance(timedelta(minutes=30))
        await school.services.message_sender.send_waiting(SendWaiting())

    arrived = await run_until(school, clock, datetime.combine(day, time(9), BERLIN), step=timedelta(minutes=15))

    assert [at.astimezone(BERLIN).time() for at in arrived] == [time(6)]
    assert len(school.mailbox.mails()) == 1


async def test_a_server_whose_clock_steps_back_reminds_nobody_twice(school: School, clock: FixedClock) -> None:
    ada, bob = await school.learner(), await school.learner(reminder_time=time(9, 30))
    await school.lesson(await school.cohort(ada, bob), date(2026, 5, 4))
    go_to(clock, instant("2026-05-04T09:40:00+02:00"))
    await send_daily_reminders({}, school.services)

    for _ in range(3):
        clock.advance(-timedelta(minutes=50))
        for _ in range(8):
            await send_daily_reminders({}, school.worker())
            clock.advance(timedelta(minutes=15))

    assert await school.statuses() == ["sent", "sent"]
    assert len(school.mailbox.mails()) == 2


async def test_a_message_claimed_before_the_clock_stepped_back_is_not_claimed_again(
    school: School, clock: FixedClock
) -> None:
    await school.lesson(await school.cohort(await school.learner()), date(2026, 5, 4))
    go_to(clock, instant("2026-05-04T09:00:00+02:00"))
    with Away(school):
        await send_daily_reminders({}, school.services)

    clock.advance(-timedelta(minutes=30))
    while_back = await school.worker().message_sender.send_waiting(SendWaiting())
    clock.advance(timedelta(hours=1))
    afterwards = await school.worker().message_sender.send_waiting(SendWaiting())

    assert (while_back, afterwards) == ({}, {"sent": 1})


async def test_an_hour_without_a_provider_ends_inside_allowed_hours_or_with_the_next_days_digest(
    school: School, clock: FixedClock
) -> None:
    """Three learners whose hour falls into the outage: one may be mailed after it, two may not any more that day."""
    late = {"reminder_time": time(21, 30)}
    free = await school.learner(**late)
    until_midnight = await school.learner(**late, quiet_from=time(22), quiet_to=time(0))
    overnight = await school.learner(**late, quiet_from=time(22), quiet_to=time(7))
    first, second = date(2026, 5, 4), date(2026, 5, 5)
    cohort = await school.cohort(free, until_midnight, overnight)
    await school.lesson(cohort, first, "Fire safety")
    await school.lesson(cohort, second, "First aid")
    go_to(clock, instant("2026-05-04T21:30:00+02:00"))
    with Away(school):
        for _ in range(61):
            await school.services.message_sender.send_waiting(SendWaiting())
            if clock.now().minute % 15 == 0:
                await send_daily_reminders({}, school.services)
            clock.advance(timedelta(minutes=1))
    that_evening = await run_until(school, clock, instant("2026-05-05T00:00:00+02:00"), step=timedelta(minutes=1))
    went_out = school.recipients()
    await run_until(school, clock, instant("2026-05-05T21:59:00+02:00"), step=timedelta(minutes=15))

    assert went_out == [await school.email(free)]
    assert len(that_evening) == 1
    by_person = {
        address: [mail.text for mail in school.mailbox.mails() if mail.recipients == (address,)]
        for address in [await school.email(person) for person in (free, until_midnight, overnight)]
    }
    assert [len(texts) for texts in by_person.values()] == [2, 1, 1]
    for texts in by_person.values():
        assert "Fire safety" in texts[-1]
        assert "First aid" in texts[-1]
    rows = [(row["local_date"], row["status"], row["attempts"]) for row in await school.messages()]
    assert sorted((day, status) for day, status, _ in rows) == sorted(
        [(first, "sent"), (first, "skipped"), (first, "skipped"), *[(second, "sent")] * 3]
    )
    assert all(attempts < MAX_ATTEMPTS for _, _, attempts in rows)
