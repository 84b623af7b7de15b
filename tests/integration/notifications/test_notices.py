"""What other contexts make people hear of: from the event in the outbox to the mail, once, if it is wanted."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, update

from dataforge.bootstrap import modules
from dataforge.contexts.academics.contract import EnrollmentChanged, MeetingChanged, RosterApplied
from dataforge.contexts.datasets.contract import DatasetImportEnded, ReviewDecided, ReviewRequested
from dataforge.contexts.identity.contract import PasswordResetRequested
from dataforge.contexts.lrs.contract import StatementImportEnded, SubscriptionDisabled
from dataforge.contexts.notifications.contract import WebhookDisabled
from dataforge.contexts.notifications.messages.commands import KEPT_FOR
from dataforge.contexts.notifications.messages.consumers import send_waiting
from dataforge.contexts.notifications.suppressions.commands import Suppress, suppress
from dataforge.contexts.notifications.suppressions.domain import Reason, Scope, email_hash
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.contexts.schemas.contract import SchemaDeploymentEnded, SchemaDrifted
from dataforge.events.jobs import relay_outbox
from dataforge.events.wiring import subscribers
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.events import Event
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role
from dataforge.platform.db.tables import outbox
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.mail.senders import SmtpSender
from infra.local.mailbox import Mailbox, ReceivedMail
from infra.local.ports import LOOPBACK, free_port
from tests.builders.api import ApiUnderTest
from tests.builders.mail import receiving
from tests.builders.notifications import BASE, SENDER, School, instant

NOON = instant("2026-05-04T12:00:00+02:00")


class Office(School):
    """Publishes events, and sends what they lead to as `maintenance` does."""

    def __init__(self, api: ApiUnderTest, mailbox: Mailbox) -> None:
        super().__init__(api, mailbox)
        self.services = self.worker("maintenance")

    async def publish(self, *events: Event) -> None:
        now = self.api.platform.clock.now()
        async with self.database.transaction() as connection:
            for event in events:
                row = {"id": event.event_id, "name": event.name, "key": event.key, "payload": event.payload()}
                await connection.execute(insert(outbox).values(**row, occurred_at=now, next_attempt_at=now))

    async def relay(self) -> None:
        counts = await relay_outbox(self.services.platform, subscribers(modules(), self.services.platform))
        assert (counts["failed"], counts["dead"]) == (0, 0)

    async def told(self, *events: Event) -> list[ReceivedMail]:
        """The mails that events lead to within a minute."""
        before = {mail.id for mail in self.mailbox.mails()}
        await self.publish(*events)
        await self.relay()
        await send_waiting(self.services)
        return [mail for mail in self.mailbox.mails() if mail.id not in before]

    async def suppress(self, email: str, scope: Scope, reason: Reason = Reason.UNSUBSCRIBE) -> None:
        command = Suppress(email_hash(email), scope, reason)
        await run(self.services.unit_of_work(NotificationsUnitOfWork), suppress, command)


@pytest.fixture
async def office(api: ApiUnderTest, clock: FixedClock, tmp_path: Path) -> AsyncIterator[Office]:
    clock.advance(NOON - clock.now())
    with receiving(tmp_path / "mail") as mailbox:
        yield Office(api, mailbox)


def enrolled(user_id: UUID | None, **values: Any) -> EnrollmentChanged:
    ids = {name: uuid7() for name in ("enrollment_id", "section_id", "student_id", "course_id")}
    given: dict[str, Any] = {
        **ids, "from_": None, "to": "ENROLLED", "reason": None, "wait_no": None, "student_name": "Ada",
        "user_id": user_id, "email": None, "course_code": "CS1", "course_title": "Logic", "section_code": "A",
        "semester_code": "2026F", "rule": None, "actor_id": None, "at": datetime(2026, 5, 4, tzinfo=UTC), **values,
    }  # fmt: skip
    return EnrollmentChanged(**given)


def imported(user_id: UUID | None, error: str | None = None) -> DatasetImportEnded:
    return DatasetImportEnded(uuid7(), uuid7(), user_id, "people.csv", 3, 1, error)


async def test_everything_that_ends_for_somebody_is_told_to_them(office: Office) -> None:
    ada = await office.learner(display_name="Ada")
    bob = await office.learner(display_name="Bob")
    dataset = uuid7()

    mails = await office.told(
        enrolled(ada),
        enrolled(ada, from_="WAITLISTED", course_code="CS2"),
        ReviewRequested(dataset, "People", 1, "New rows", "draft", "main", bob, (ada, bob)),
        ReviewDecided(dataset, "People", 2, "Old rows", "approved", ada, bob),
        ReviewDecided(dataset, "People", 3, "My own", "merged", ada, ada),
        imported(ada),
        imported(ada, "Row 3 is too long."),
        StatementImportEnded(uuid7(), ada, 5, 1, 0, None),
        RosterApplied(uuid7(), "2026F", 12, ada),
        SchemaDeploymentEnded(uuid7(), uuid7(), "ws_abc", "r1", None, ada),
        SchemaDeploymentEnded(uuid7(), uuid7(), "ws_abc", None, "Somebody else holds a lock.", ada),
        SchemaDrifted(uuid7(), "ws_abc", "r1", "f" * 64, (ada,)),
        WebhookDisabled(uuid7(), "Slack", uuid7(), "Nothing was delivered for 5 days. 500: broken", (ada,)),
        SubscriptionDisabled(uuid7(), "Other store", "The store does not let us in (401).", (ada,)),
    )

    assert sorted(str(mail.message["Subject"]) for mail in mails) == sorted(
        [
            "CS1 Logic: enrolled",
            "CS2 Logic: a seat became free",
            "Bob asks for your review: New rows",
            "Approved: Old rows",
            "Import finished: people.csv",
            "Import failed: people.csv",
            "Import finished: xAPI",
            "The roster has been applied",
            "Schema deployed: ws_abc",
            "Schema not deployed: ws_abc",
            "Schema changed without a deployment: ws_abc",
            "Webhook switched off: Slack",
            "Webhook switched off: Other store",
        ]
    )
    assert {mail.recipients for mail in mails} == {(await office.email(ada),)}
    texts = {str(mail.message["Subject"]): mail.text for mail in mails}
    assert "Bob proposes to merge draft into main in the dataset People" in texts["Bob asks for your review: New rows"]
    assert f"{BASE}/ui/datasets/{dataset}" in texts["Approved: Old rows"]
    assert "1 row could not be used." in texts["Import finished: people.csv"]
    assert "Nothing was delivered for 5 days. 500: broken" in texts["Webhook switched off: Slack"]
    assert "Row 3 is too long." in texts["Import failed: people.csv"]
    assert all(f"{BASE}/ui/notification-preferences" in text for text in texts.values())


async def test_an_event_that_comes_twice_is_told_once(office: Office) -> None:
    event = enrolled(await office.learner())
    await office.told(event)
    async with office.database.transaction() as connection:
        await connection.execute(update(outbox).values(relayed_at=None))

    await office.relay()
    await send_waiting(office.services)

    assert len(office.mailbox.mails()) == 1
    assert await office.statuses() == ["sent"]


async def test_a_student_without_an_account_is_told_at_their_own_address(office: Office) -> None:
    [mail] = await office.told(enrolled(None, email="Ada@Example.org"))

    [message] = await office.messages()
    assert mail.recipients == ("Ada@Example.org",)
    assert (message["status"], message["address"], message["content"]) == ("sent", None, {})


async def test_nobody_is_told_who_is_suspended_or_has_no_address(office: Office, clock: FixedClock) -> None:
    suspended = await office.learner(suspended_at=clock.now())

    mails = await office.told(
        enrolled(suspended), enrolled(suspended, email="own@example.org"), enrolled(None), imported(None)
    )

    assert mails == []


async def test_each_kind_is_turned_off_on_its_own(office: Office) -> None:
    ada = await office.learner()
    client = await office.api.as_user(ada, Role.LEARNER)
    off = await client.put("/api/notification-preferences/enrollment", json={"wanted": False})

    mails = await office.told(enrolled(ada), imported(ada))

    assert [item["kind"] for item in off.json()["items"] if not item["wanted"]] == ["enrollment"]
    assert [str(mail.message["Subject"]) for mail in mails] == ["Import finished: people.csv"]
    assert sorted(await office.statuses()) == ["sent", "suppressed"]


@pytest.mark.parametrize(
    "kind",
    [
        "password_reset",
        "password_change",
        "second_factor_added",
        "second_factor_removed",
        "email_confirmation",
        "email_change",
        "workspace_invitation",
        "token_created",
        "token_expiry",
        "personal_export",
    ],
)
async def test_what_one_has_asked_for_cannot_be_turned_off(office: Office, kind: str) -> None:
    client = await office.api.as_role(Role.LEARNER)

    answer = await client.put(f"/api/notification-preferences/{kind}", json={"wanted": False})

    assert answer.status_code == 400
    assert "cannot be turned off" in answer.text


async def test_a_mail_is_unsubscribed_from_by_its_own_scope(office: Office) -> None:
    ada = await office.learner()
    [mail] = await office.told(enrolled(ada))
    link = str(mail.message["List-Unsubscribe"]).removeprefix(f"<{BASE}").removesuffix(">")
    anybody = await office.api.client()

    answer = await anybody.post(link, data={"List-Unsubscribe": "One-Click"})
    mails = await office.told(enrolled(ada), imported(ada))

    assert answer.status_code == 200
    assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert [str(mail.message["Subject"]) for mail in mails] == ["Import finished: people.csv"]


async def test_the_password_mail_comes_to_whoever_has_unsubscribed_and_not_to_an_address_that_is_none(
    office: Office,
) -> None:
    ada, bob, eve = [await office.learner() for _ in range(3)]
    await office.suppress(await office.email(ada), Scope.ALL)
    await office.suppress(await office.email(bob), Scope.ALL, Reason.COMPLAINT)
    await office.suppress(await office.email(eve), Scope.ALL)
    await office.suppress(await office.email(eve), Scope.ALL, Reason.BOUNCE)
    resets = [PasswordResetRequested(await office.email(person)) for person in (ada, bob, eve)]

    mails = await office.told(*resets, enrolled(ada), enrolled(bob))

    assert sorted(mail.recipients[0] for mail in mails) == sorted([await office.email(ada), await office.email(bob)])
    assert {str(mail.message["Subject"]) for mail in mails} == {"Your account is waiting for you"}
    assert all(mail.message["List-Unsubscribe"] is None for mail in mails)


async def test_what_can_wait_waits_for_the_end_of_the_quiet_hours_and_a_password_does_not(
    office: Office, clock: FixedClock
) -> None:
    ada = await office.learner(quiet_from=time(11), quiet_to=time(13))

    at_once = await office.told(enrolled(ada), PasswordResetRequested(await office.email(ada)))
    clock.advance(timedelta(minutes=59))
    still_quiet = await office.told()
    clock.advance(timedelta(minutes=1))
    afterwards = await office.told()

    assert [str(mail.message["Subject"]) for mail in at_once] == ["Your account is waiting for you"]
    assert still_quiet == []
    assert [str(mail.message["Subject"]) for mail in afterwards] == ["CS1 Logic: enrolled"]


async def test_a_mail_is_in_the_language_of_whoever_gets_it(office: Office) -> None:
    ada, bob = await office.learner(locale="de-AT"), await office.learner(locale="fr", display_name="Bob")

    mails = await office.told(
        enrolled(ada), PasswordResetRequested(await office.email(ada)), imported(bob), imported(bob, "Too long.")
    )

    assert {str(mail.message["Subject"]) for mail in mails} == {
        "CS1 Logic: angemeldet",
        "Ihr Konto wartet auf Sie",
        "Import terminé : people.csv",
        "Échec de l’import : people.csv",
    }


async def test_a_password_mail_that_was_kept_up_for_an_hour_has_a_link_that_works(
    office: Office, clock: FixedClock
) -> None:
    ada = await office.learner()
    back = office.services.platform.mailer
    office.services.platform.mailer = SmtpSender(f"smtp://{LOOPBACK}:{free_port()}", SENDER)
    await office.told(PasswordResetRequested(await office.email(ada)))
    for _ in range(60):
        clock.advance(timedelta(minutes=1))
        await send_waiting(office.services)

    office.services.platform.mailer = back
    clock.advance(timedelta(minutes=30))
    [mail] = await office.told()
    token = mail.text.partition("token=")[2].split()[0]
    form = {"token": token, "password": "correct horse battery staple 7"}
    answer = await (await office.api.client()).post("/api/passwords/resets/complete", json=form)

    assert answer.status_code in (200, 204), answer.text


async def test_one_mail_that_cannot_be_written_does_not_stop_the_others(office: Office) -> None:
    ada = await office.learner()
    await office.publish(enrolled(ada), imported(ada))
    await office.relay()
    broken = next(row for row in await office.messages() if row["kind"] == "enrollment")
    async with office.database.transaction() as connection:
        from dataforge.contexts.notifications.tables import messages

        await connection.execute(update(messages).where(messages.c.id == broken["id"]).values(content={}))

    counts = await send_waiting(office.services)

    assert counts == {"pending": 1, "sent": 1}
    assert [row["last_error"] for row in await office.messages() if row["kind"] == "enrollment"] != [None]


async def test_old_messages_are_forgotten_and_waiting_ones_are_not(office: Office, clock: FixedClock) -> None:
    ada = await office.learner()
    await office.told(enrolled(ada))
    clock.advance(KEPT_FOR)
    await office.publish(imported(ada))
    await office.relay()
    clock.advance(timedelta(hours=1))

    counts = await send_waiting(office.services)

    assert counts == {"sent": 1, "forgotten": 1}


async def test_reminders_have_their_own_sender(office: Office) -> None:
    """The function `reminders` may not read accounts: what others have to say is sent by `maintenance`."""
    from dataforge.contexts.notifications.reminders.consumers import send_daily_reminders

    await office.publish(enrolled(await office.learner()))
    await office.relay()

    done = await send_daily_reminders({}, office.worker("reminders"))

    assert done["messages"] == {}
    assert await office.statuses() == ["pending"]


async def test_who_has_asked_for_a_password_in_vain_leaves_no_trace(office: Office) -> None:
    await office.told(PasswordResetRequested("nobody@example.org"))

    [message] = await office.messages()
    assert (message["status"], message["content"]) == ("suppressed", {})


async def test_a_meeting_that_is_cancelled_is_told_to_accounts_and_to_addresses_in_their_languages(
    office: Office,
) -> None:
    ada = await office.learner(display_name="Ada", locale="de")
    event = MeetingChanged(
        uuid7(), "A", "CS1", "Logic", "cancelled", date(2026, 5, 11), time(9), None, None, None, "", "Ill.", (ada,),
        ("bob@example.org", "cy@example.org"),
    )  # fmt: skip

    mails = await office.told(event)

    assert sorted(str(mail.message["Subject"]) for mail in mails) == [
        "CS1 Logic: kein Termin am 11. Mai 2026, 09:00",
        "CS1 Logic: no meeting on May 11, 2026, 09:00",
        "CS1 Logic: no meeting on May 11, 2026, 09:00",
    ]
