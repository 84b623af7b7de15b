"""From a bounce at SES through topic and queue to an address that gets no more mail."""

import json
import secrets
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from sqlalchemy import select

from dataforge.contexts.notifications.feedback.consumers import feedback_messages
from dataforge.contexts.notifications.reminders.consumers import send_daily_reminders
from dataforge.contexts.notifications.suppressions.domain import Scope, email_hash
from dataforge.contexts.notifications.tables import suppressions
from dataforge.kernel.clock import FixedClock
from dataforge.platform.aws.clients import client
from dataforge.platform.db.tables import audit_log
from dataforge.platform.mail.message import Mail
from dataforge.platform.mail.senders import SesSender
from tests.builders.api import ApiUnderTest
from tests.builders.emulator import EmulatedAws
from tests.builders.feedback import bounce, complaint, delivery, in_envelope, raw
from tests.builders.mail import receiving
from tests.builders.notifications import School, instant

NINE = instant("2026-05-04T09:00:00+02:00")
BOUNCING, COMPLAINING = "bounce@simulator.amazonses.com", "complaint@simulator.amazonses.com"


class Registry(School):
    """Hands messages to `notifier` as Lambda does."""

    async def deliver(self, *bodies: str) -> list[int]:
        """Which of the messages are given back to the queue."""
        records = [{"messageId": str(number), "body": body} for number, body in enumerate(bodies)]
        answer = await feedback_messages({"Records": records}, self.worker("notifier"))
        return [int(item["itemIdentifier"]) for item in answer["batchItemFailures"]]

    async def suppressed(self) -> dict[str, tuple[str, str]]:
        async with self.database.read_only() as connection:
            rows = await connection.execute(select(suppressions))
            return {row.email_hash: (row.scope, row.reason) for row in rows}


@pytest.fixture
async def registry(api: ApiUnderTest, clock: FixedClock, tmp_path: Path) -> AsyncIterator[Registry]:
    clock.advance(NINE - clock.now())
    with receiving(tmp_path / "mail") as mailbox:
        yield Registry(api, mailbox)


@pytest.mark.parametrize("body", [raw, in_envelope])
@pytest.mark.parametrize("member", ["notificationType", "eventType"])
async def test_who_bounces_or_complains_is_mailed_no_more(
    registry: Registry, clock: FixedClock, body: Any, member: str
) -> None:
    ada, bob, eve, dan = [await registry.learner() for _ in range(4)]
    await registry.lesson(await registry.cohort(ada, bob, eve, dan), NINE.date())
    addresses = {person: await registry.email(person) for person in (ada, bob, eve, dan)}

    given_back = await registry.deliver(
        body(bounce(addresses[ada].upper(), member=member)),
        body(complaint(addresses[bob], member=member)),
        body(bounce(addresses[eve], kind="Transient", member=member)),
        body(delivery(addresses[dan], member=member)),
    )
    await send_daily_reminders({}, registry.services)

    assert given_back == []
    assert registry.recipients() == sorted([addresses[eve], addresses[dan]])
    assert await registry.suppressed() == {
        email_hash(addresses[ada]): (Scope.ALL, "bounce"),
        email_hash(addresses[bob]): (Scope.ALL, "complaint"),
    }


async def test_a_report_that_comes_twice_changes_nothing_more(registry: Registry) -> None:
    report = raw(bounce("ada@example.org", "bob@example.org"))

    assert await registry.deliver(report, report) == []
    assert await registry.deliver(report) == []

    async with registry.database.read_only() as connection:
        entries = (await connection.execute(select(audit_log).where(audit_log.c.action == "suppressed"))).all()
    assert len(await registry.suppressed()) == 2
    assert len(entries) == 2
    assert "ada@example.org" not in json.dumps([str(entry) for entry in entries])


async def test_a_bounce_says_more_than_a_complaint_before_it_and_not_the_other_way_round(registry: Registry) -> None:
    address = "ada@example.org"

    await registry.deliver(raw(complaint(address)), raw(bounce(address)), raw(complaint(address)))

    assert await registry.suppressed() == {email_hash(address): (Scope.ALL, "bounce")}


async def test_what_cannot_be_read_is_given_back_and_poisons_nothing_else(registry: Registry) -> None:
    given_back = await registry.deliver(
        "no JSON", raw(bounce("ada@example.org")), in_envelope("{"), raw({"eventType": "Weather"}), raw({}),
        in_envelope(complaint("bob@example.org")),
    )  # fmt: skip

    assert given_back == [0, 2, 3, 4]
    assert len(await registry.suppressed()) == 2


@pytest.mark.parametrize("raw_delivery", ["true", "false"])
async def test_a_mail_that_bounces_at_the_provider_comes_back_by_way_of_topic_and_queue(
    registry: Registry, emulator: EmulatedAws, clock: FixedClock, raw_delivery: str
) -> None:
    domain = f"{secrets.token_hex(6)}.example.org"
    sender, ses, sns = f"no-reply@{domain}", boto3.client("ses"), boto3.client("sns")
    topic, queue = sns.create_topic(Name=f"feedback-{secrets.token_hex(6)}")["TopicArn"], emulator.queue()
    arn = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": raw_delivery})
    ses.verify_domain_identity(Domain=domain)
    for kind in ("Bounce", "Complaint", "Delivery"):
        ses.set_identity_notification_topic(Identity=domain, NotificationType=kind, SnsTopic=topic)

    by_v1 = SesSender(sender)
    by_v1._v1_only = True  # the emulator reports what became of mails that it took by version 1, and of no others
    for address in (BOUNCING, COMPLAINING, "success@simulator.amazonses.com"):
        await by_v1.send(Mail(address, "Hello", "Hello\n"))
    bodies = _received(queue, 4)  # a complaint is a delivery first
    given_back = await registry.deliver(*bodies)

    assert len(bodies) == 4
    assert given_back == []
    assert await registry.suppressed() == {
        email_hash(BOUNCING): (Scope.ALL, "bounce"),
        email_hash(COMPLAINING): (Scope.ALL, "complaint"),
    }


def _received(queue: str, count: int) -> list[str]:
    found: list[str] = []
    deadline = time.monotonic() + 30
    while len(found) < count and time.monotonic() < deadline:
        answer = client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in answer.get("Messages", []):
            found.append(message["Body"])
            client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return found


async def test_the_emulator_takes_a_whole_message_by_either_version_of_the_api(emulator: EmulatedAws) -> None:
    domain = f"{secrets.token_hex(6)}.example.org"
    boto3.client("sesv2").create_email_identity(EmailIdentity=domain)
    by_v2, by_v1 = SesSender(f"no-reply@{domain}"), SesSender(f"no-reply@{domain}")
    by_v1._v1_only = True

    ids = [await sender.send(Mail("ada@example.org", "Hello", "Hello\n")) for sender in (by_v2, by_v1)]

    assert len(set(ids)) == 2
    assert all(ids)
