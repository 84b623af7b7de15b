"""From open lessons to one mail a day: the schedule, its preview, and everything that can go wrong in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from dataforge.contexts.identity.tables import users
from dataforge.contexts.notifications.messages.commands import MessageSender, SendWaiting, claim
from dataforge.contexts.notifications.messages.domain import MAX_ATTEMPTS
from dataforge.contexts.notifications.messages.repository import Messages
from dataforge.contexts.notifications.preferences.domain import KINDS
from dataforge.contexts.notifications.reminders.consumers import send_daily_reminders
from dataforge.contexts.notifications.reminders.repository import Runs
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.mail.message import Mail
from dataforge.platform.mail.senders import SmtpSender
from infra.local.ports import LOOPBACK, free_port
from tests.builders.api import ApiUnderTest
from tests.builders.browser import add_person, person, send
from tests.builders.mail import receiving, refusing
from tests.builders.notifications import BASE, SENDER, School, instant

TODAY = date(2026, 5, 4)  # a Monday
NINE = instant("2026-05-04T09:00:00+02:00")


@pytest.fixture
async def school(api: ApiUnderTest, clock: FixedClock, tmp_path: Path) -> AsyncIterator[School]:
    clock.advance(NINE - clock.now())
    with receiving(tmp_path / "mail") as mailbox:
        yield School(api, mailbox)


async def test_who_has_something_to_do_gets_one_mail_a_day(school: School, clock: FixedClock) -> None:
    ada, eva, ben = [await school.learner(display_name=name) for name in ("Ada", "Eva", "Ben")]
    cohort = await school.cohort(ada, eva, ben)
    first = await school.lesson(cohort, TODAY - timedelta(days=3), "Fire safety")
    await school.lesson(cohort, TODAY, "First aid")
    later = await school.lesson(cohort, TODAY + timedelta(days=1), "Ladders")
    for lesson in (first, later):
        await school.complete(eva, lesson)
    await school.complete(ben, first)
    await school.complete(ben, first, voided=True)

    done = await send_daily_reminders({}, school.services)
    for _ in range(3):
        clock.advance(timedelta(minutes=15))
        await send_daily_reminders({}, school.services)

    assert done["plan"] == {"planned": 3, "added": 3}
    assert done["messages"] == {"sent": 3}
    assert school.recipients() == sorted([await school.email(person) for person in (ada, eva, ben)])
    texts = {mail.recipients[0]: mail.text for mail in school.mailbox.mails()}
    assert [title in texts[await school.email(ada)] for title in ("Fire safety", "First aid", "Ladders")] == [
        *(True, True, False)
    ]
    assert "Fire safety" not in texts[await school.email(eva)]
    assert len(school.mailbox.mails()) == 3


async def test_the_next_day_brings_the_next_one(school: School, clock: FixedClock) -> None:
    await school.lesson(await school.cohort(await school.learner()), TODAY)
    await send_daily_reminders({}, school.services)

    clock.advance(NINE + timedelta(days=1) - clock.now())
    await send_daily_reminders({}, school.services)

    assert [row["local_date"] for row in await school.messages()] == [TODAY, TODAY + timedelta(days=1)]
    assert len(school.mailbox.mails()) == 2


async def test_nobody_else_is_reminded(school: School, clock: FixedClock) -> None:
    suspended, idle = await school.learner(suspended_at=clock.now()), await school.learner()
    await school.learner()
    cohort = await school.cohort(suspended)
    await school.cohort(idle, name="inactive", active=False)
    await school.lesson(cohort, TODAY)
    await school.lesson(cohort, None, "Without a date")
    await school.lesson(None, TODAY, "Optional", required=False)

    await send_daily_reminders({}, school.services)

    assert school.recipients() == []


async def test_each_learner_has_a_clock_of_their_own(school: School, clock: FixedClock) -> None:
    berlin = await school.learner(reminder_time=time(9))
    tokyo = await school.learner(reminder_time=time(9), time_zone="Asia/Tokyo")
    early = await school.learner(reminder_time=time(7, 30))
    quiet = await school.learner(reminder_time=time(9), quiet_from=time(22), quiet_to=time(9, 30))
    await school.lesson(await school.cohort(berlin, tokyo, early, quiet), TODAY)
    seen: dict[str, str] = {}

    clock.advance(instant("2026-05-04T00:00:00+00:00") - clock.now())
    while clock.now() < instant("2026-05-04T12:00:00+00:00"):
        await send_daily_reminders({}, school.services)
        for address in set(school.recipients()) - set(seen):
            seen[address] = f"{clock.now():%H:%M}"
        clock.advance(timedelta(minutes=15))

    people = {"berlin": berlin, "tokyo": tokyo, "early": early, "quiet": quiet}
    assert {name: seen[await school.email(person)] for name, person in people.items()} == {
        "tokyo": "00:00",
        "early": "05:30",
        "berlin": "07:00",
        "quiet": "07:30",
    }


async def test_a_mail_can_be_unsubscribed_from_with_one_click(school: School) -> None:
    await school.lesson(await school.cohort(await school.learner()), TODAY)

    await send_daily_reminders({}, school.services)

    [mail] = school.mailbox.mails()
    link = mail.message["List-Unsubscribe"]
    assert link.startswith(f"<{BASE}/api/unsubscribe?token=")
    assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"{BASE}/ui/unsubscribe?token=" in mail.text
    assert f"{BASE}/ui/unsubscribe?token=" in mail.part("html")


async def test_a_lessons_title_is_a_title_and_nothing_more(school: School) -> None:
    title = "<script>alert(1)</script>\r\nBcc: eve@example.org"
    await school.lesson(await school.cohort(await school.learner()), TODAY, title, lesson_url="javascript:alert(1)")

    await send_daily_reminders({}, school.services)

    [mail] = school.mailbox.mails()
    assert mail.message["Bcc"] is None
    assert "<script>" not in mail.part("html")
    assert "javascript:" not in mail.part("html")


async def test_two_schedulers_that_fire_at_once_are_one_run(school: School) -> None:
    learners = [await school.learner() for _ in range(30)]
    await school.lesson(await school.cohort(*learners), TODAY)

    results = await asyncio.gather(*(send_daily_reminders({}, school.worker()) for _ in range(4)))

    assert [result["mine"] for result in results].count(True) == 1
    assert sum(result["messages"].get("sent", 0) for result in results) == 30
    assert len(school.mailbox.mails()) == 30


class _Killed(BaseException):
    """The process ended here."""


@asynccontextmanager
async def killed_at(step: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """End a sender at a step: after it claimed, before or after the provider took a mail, before it wrote that down."""

    async def die(*_: object, **__: object) -> None:
        raise _Killed

    with monkeypatch.context() as patched:
        if step == "after planning":
            patched.setattr("dataforge.contexts.notifications.messages.commands.claim", die)
        elif step == "while planning":
            patched.setattr(Runs, "end", die)
        elif step == "after claiming":
            patched.setattr("dataforge.contexts.notifications.messages.commands.learners_of", die)
        elif step == "after preparing":
            patched.setattr(MessageSender, "_hand_over", die)
        elif step == "after writing":
            real_record = Messages.record

            async def record_and_die(self: Messages, outcomes: Any) -> Any:
                await real_record(self, outcomes)  # in a transaction that never commits
                raise _Killed

            patched.setattr(Messages, "record", record_and_die)
        elif step == "before handing over":
            patched.setattr(SmtpSender, "send", die)
        elif step == "after handing over":
            real = SmtpSender.send

            async def send_and_die(self: SmtpSender, mail: Mail) -> str:
                await real(self, mail)
                raise _Killed

            patched.setattr(SmtpSender, "send", send_and_die)
        else:
            patched.setattr(Messages, "record", die)
        with pytest.raises(_Killed):
            yield
    # What was under way in the same loop has ended as well.
    await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "step",
    [
        *("while planning", "after planning", "after claiming", "after preparing", "before handing over"),
        *("after handing over", "before writing", "after writing"),
    ],
)
async def test_a_sender_that_is_killed_loses_nothing_and_repeats_nothing(
    school: School, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    learners = [await school.learner() for _ in range(5)]
    await school.lesson(await school.cohort(*learners), TODAY)
    async with killed_at(step, monkeypatch):
        await send_daily_reminders({}, school.services)

    for _ in range(3):
        clock.advance(timedelta(minutes=15))
        await send_daily_reminders({}, school.worker())

    assert await school.statuses() == ["sent"] * 5
    assert school.recipients() == sorted([await school.email(person) for person in learners])
    # A mail is with the provider twice only if the sender died between its answer and the note of it, and then under
    # the same Message-ID.
    honest = step in ("after handing over", "before writing", "after writing")
    assert honest or len(school.mailbox.mails()) == 5


async def test_what_another_sender_has_in_its_hands_is_left_to_it(school: School) -> None:
    await school.lesson(await school.cohort(await school.learner()), TODAY)
    elsewhere = school.worker()

    async def claim_first(_command: None, uow: NotificationsUnitOfWork) -> None:
        await uow.messages.claim(10, KINDS)

    await send_daily_reminders({}, school.services)
    await run(elsewhere.unit_of_work(NotificationsUnitOfWork), claim_first, None)

    assert await run(school.services.unit_of_work(NotificationsUnitOfWork), claim, SendWaiting(10)) == []


async def test_a_provider_that_is_away_for_an_hour_gets_everything_afterwards_once(
    school: School, clock: FixedClock
) -> None:
    learners = [await school.learner() for _ in range(4)]
    await school.lesson(await school.cohort(*learners), TODAY)
    back, school.services.platform.mailer = (
        school.services.platform.mailer,
        SmtpSender(f"smtp://{LOOPBACK}:{free_port()}", SENDER),
    )

    await send_daily_reminders({}, school.services)
    while clock.now() < NINE + timedelta(hours=1):
        clock.advance(timedelta(minutes=1))
        await school.services.message_sender.send_waiting(SendWaiting())
    assert school.recipients() == []
    school.services.platform.mailer = back
    clock.advance(timedelta(minutes=30))
    await school.services.message_sender.send_waiting(SendWaiting())

    assert await school.statuses() == ["sent"] * 4
    assert len(school.mailbox.mails()) == 4
    assert all(row["attempts"] < MAX_ATTEMPTS for row in await school.messages())


async def test_who_the_provider_does_not_know_is_not_tried_again_and_stops_nobody(
    school: School, clock: FixedClock
) -> None:
    await school.lesson(await school.cohort(await school.learner(), await school.learner()), TODAY)
    with refusing("550 5.1.1 No such user") as school.services.platform.mailer:
        await send_daily_reminders({}, school.services)
        clock.advance(timedelta(hours=1))
        await school.services.message_sender.send_waiting(SendWaiting())

    assert [(row["status"], row["attempts"]) for row in await school.messages()] == [("failed", 1)] * 2


async def test_what_comes_too_late_waits_for_the_end_of_the_quiet_hours_or_is_left_to_the_next_day(
    school: School, clock: FixedClock
) -> None:
    evening = await school.learner(reminder_time=time(20), quiet_from=time(21), quiet_to=time(23))
    await school.lesson(await school.cohort(evening), TODAY)
    clock.advance(instant("2026-05-04T20:00:00+02:00") - clock.now())
    away = SmtpSender(f"smtp://{LOOPBACK}:{free_port()}", SENDER)
    back, school.services.platform.mailer = school.services.platform.mailer, away
    await send_daily_reminders({}, school.services)

    school.services.platform.mailer = back
    clock.advance(instant("2026-05-04T21:30:00+02:00") - clock.now())
    await school.services.message_sender.send_waiting(SendWaiting())
    in_quiet_hours = school.recipients()
    [waiting] = await school.messages()
    clock.advance(instant("2026-05-05T00:30:00+02:00") - clock.now())
    await school.services.message_sender.send_waiting(SendWaiting())

    assert in_quiet_hours == []
    assert (waiting["status"], waiting["not_before"]) == ("pending", instant("2026-05-04T23:00:00+02:00"))
    assert (await school.statuses(), school.recipients()) == (["skipped"], [])


async def test_who_goes_back_a_day_before_it_is_sent_has_the_reminder_on_that_day(
    school: School, clock: FixedClock
) -> None:
    learner = await school.learner(time_zone="Pacific/Auckland")
    await school.lesson(await school.cohort(learner), TODAY)
    clock.advance(instant("2026-05-04T09:00:00+12:00") - clock.now())
    school.services.platform.mailer = SmtpSender(f"smtp://{LOOPBACK}:{free_port()}", SENDER)
    await send_daily_reminders({}, school.services)
    async with school.database.transaction() as connection:
        await connection.execute(update(users).where(users.c.id == learner).values(time_zone="America/Los_Angeles"))

    clock.advance(timedelta(minutes=30))
    await send_daily_reminders({}, school.worker())
    early = len(school.mailbox.mails())
    clock.advance(instant("2026-05-04T09:00:00-07:00") - clock.now())
    await send_daily_reminders({}, school.worker())

    assert (early, await school.statuses()) == (0, ["sent"])
    assert school.recipients() == [await school.email(learner)]


async def test_who_is_suspended_or_has_unsubscribed_in_the_meantime_gets_nothing(
    school: School, clock: FixedClock
) -> None:
    ada = await school.learner()
    await school.lesson(await school.cohort(ada), TODAY)
    away = SmtpSender(f"smtp://{LOOPBACK}:{free_port()}", SENDER)
    back, school.services.platform.mailer = school.services.platform.mailer, away
    await send_daily_reminders({}, school.services)
    async with school.database.transaction() as connection:
        await connection.execute(update(users).where(users.c.id == ada).values(suspended_at=clock.now()))

    school.services.platform.mailer = back
    clock.advance(timedelta(hours=1))
    await school.services.message_sender.send_waiting(SendWaiting())

    assert (await school.statuses(), school.recipients()) == (["suppressed"], [])


async def test_a_preview_is_what_is_sent_and_goes_stale_with_what_it_saw(school: School, clock: FixedClock) -> None:
    ada, eva = await school.learner(display_name="Ada"), await school.learner(display_name="Eva")
    cohort = await school.cohort(ada, eva)
    lesson = await school.lesson(cohort, TODAY)
    admin = await school.api.as_role(Role.ADMIN)
    preview = (await admin.get("/api/debug/reminder-preview")).json()
    await school.complete(eva, lesson)

    stale = await admin.post("/api/reminders", json={"at": preview["at"], "plan_hash": preview["plan_hash"]})
    again = (await admin.get("/api/debug/reminder-preview", params={"at": preview["at"]})).json()
    clock.advance(timedelta(minutes=2))
    sent = await admin.post("/api/reminders", json={"at": again["at"], "plan_hash": again["plan_hash"]})
    twice = await admin.post("/api/reminders", json={"at": again["at"], "plan_hash": again["plan_hash"]})
    await school.services.message_sender.send_waiting(SendWaiting())

    assert [item["name"] for item in preview["reminders"]] == ["Ada", "Eva"]
    assert (stale.status_code, stale.json()["code"]) == (409, "plan_stale")
    assert [item["name"] for item in again["reminders"]] == ["Ada"]
    assert (sent.status_code, sent.json()["counts"]) == (202, {"planned": 1, "added": 1})
    assert (twice.status_code, twice.json()["code"]) == (409, "plan_stale")
    assert school.recipients() == [await school.email(ada)]


async def test_runs_are_listed_newest_first_page_by_page(school: School, clock: FixedClock) -> None:
    admin = await school.api.as_role(Role.ADMIN)
    for number in range(4):
        if number % 2:
            await send_daily_reminders({}, school.services)
        else:
            preview = (await admin.get("/api/debug/reminder-preview")).json()
            await admin.post("/api/reminders", json={"at": preview["at"], "plan_hash": preview["plan_hash"]})
        clock.advance(timedelta(minutes=15))
        admin = await school.api.as_role(Role.ADMIN)

    seen, path = [], "/api/reminders?limit=1"
    while path:
        page = (await admin.get(path)).json()
        seen += [item["started_at"] for item in page["items"]]
        path = page["next"]

    assert len(seen) == 4
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00", "1999-12-31"]
)
async def test_an_instant_that_no_reminder_can_have_is_refused(school: School, at: str) -> None:
    await school.lesson(await school.cohort(await school.learner()), TODAY)
    admin = await school.api.as_role(Role.ADMIN)

    shown = await admin.get("/api/debug/reminder-preview", params={"at": at})
    sent = await admin.post("/api/reminders", json={"at": at, "plan_hash": "0" * 64})

    assert (shown.status_code, sent.status_code) == (400, 400)
    assert shown.json()["errors"][0]["pointer"] == "query:at"
    assert sent.json()["errors"][0]["pointer"] == "/at"


@pytest.mark.parametrize("at", ["", "yesterday", "9999-12-31T23:59:59Z", "2026-05-04T09:00:00"])
async def test_a_form_that_was_mangled_sends_nothing(school: School, at: str) -> None:
    user_id, _ = await add_person(school.api, Role.ADMIN)
    browser = await person(school.api, user_id, Role.ADMIN)

    answer = await send(browser, "/ui/test-reminders", {"at": at, "plan_hash": "0" * 64}, form_of="/ui/test-reminders")

    assert answer.status_code == 400
    assert await school.messages() == []


async def test_a_preview_of_the_future_is_not_sent(school: School) -> None:
    admin = await school.api.as_role(Role.ADMIN)
    tomorrow = (NINE + timedelta(days=1)).isoformat()
    preview = (await admin.get("/api/debug/reminder-preview", params={"at": tomorrow})).json()

    answer = await admin.post("/api/reminders", json={"at": tomorrow, "plan_hash": preview["plan_hash"]})

    assert (answer.status_code, answer.json()["code"]) == (409, "reminders_in_future")


async def test_a_cohort_has_its_own_cadence(school: School, clock: FixedClock) -> None:
    ada = await school.learner()
    cohort = await school.cohort(ada)
    await school.lesson(cohort, TODAY)
    instructor = await school.api.as_role(Role.INSTRUCTOR)
    before = await instructor.get(f"/api/reminder-cadences/{cohort}")
    body = {"cadence": "weekly", "weekday": 3}
    changed = await instructor.put(
        f"/api/reminder-cadences/{cohort}", json=body, headers={"If-Match": before.headers["ETag"]}
    )
    outdated = await instructor.put(
        f"/api/reminder-cadences/{cohort}", json=body, headers={"If-Match": before.headers["ETag"]}
    )
    wrong = await instructor.put(
        f"/api/reminder-cadences/{cohort}", json={"cadence": "weekly"}, headers={"If-Match": "*"}
    )
    for _ in range(7):
        await send_daily_reminders({}, school.services)
        clock.advance(timedelta(days=1))

    assert before.json() == {"cohort_id": str(cohort), "cadence": "daily", "weekday": None}
    assert changed.json() == {"cohort_id": str(cohort), "cadence": "weekly", "weekday": 3}
    assert (outdated.status_code, wrong.status_code) == (412, 400)
    assert [row["local_date"].isoweekday() for row in await school.messages()] == [3]


def test_the_fixture_is_on_a_monday() -> None:
    assert datetime.fromisoformat(TODAY.isoformat()).isoweekday() == 1


async def test_the_page_says_why_there_is_nothing_to_send_and_what_runs_became(school: School) -> None:
    admin = await school.api.as_role(Role.ADMIN)
    preview = (await admin.get("/api/debug/reminder-preview")).json()
    await admin.post("/api/reminders", json={"at": preview["at"], "plan_hash": preview["plan_hash"]})
    user_id, _ = await add_person(school.api, Role.ADMIN)
    browser = await person(school.api, user_id, Role.ADMIN)

    page = await browser.get("/ui/test-reminders")

    assert "People are reminded at their own hour" in page.text
    assert ">sent by hand<" in page.text
    assert ">succeeded<" in page.text


async def test_whoever_lacks_a_role_is_told_which_ones_would_do(school: School) -> None:
    learner = await school.api.as_role(Role.LEARNER)

    hidden = await learner.get(f"/api/reminder-cadences/{await school.cohort(await school.learner())}")
    refused = await learner.post("/api/cohorts", json={"name": "Blue"})

    assert hidden.status_code == 404
    assert refused.status_code == 403
    assert refused.json()["detail"] == (
        "This needs the role admin, instructor or registrar; you are signed in as learner."
    )
