"""Statements on their way to webhooks and other record stores: each at least once, in order, whatever dies."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from starlette.responses import Response

from dataforge.bootstrap import modules, xapi_app
from dataforge.contexts.lrs.consistency import MARGIN_SECONDS
from dataforge.contexts.lrs.contract import SubscriptionDisabled
from dataforge.contexts.lrs.forwarding import commands, queries
from dataforge.contexts.lrs.forwarding import deliverer as delivering
from dataforge.contexts.lrs.forwarding.announcements import Announcer, delivery_message
from dataforge.contexts.lrs.forwarding.consumers import announce_due
from dataforge.contexts.lrs.forwarding.domain import (
    AFTER_SECONDS,
    COVERED_SECONDS,
    Outcome,
)
from dataforge.contexts.lrs.module import LrsServices
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.events.worker import job_messages
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.aws.clients import client as aws_client
from dataforge.platform.aws.sqs import Queue
from dataforge.platform.db.database import Database
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.deliveries.domain import PAUSES, Verdict, new_secret
from infra.local.postgres import PostgresServer
from tests.builders.api import ApiUnderTest
from tests.builders.datasets import ok
from tests.builders.emulator import EmulatedAws
from tests.builders.events import published
from tests.builders.lrs import StoreUnderTest
from tests.builders.receivers import Receiver, Sent, answer
from tests.builders.roles import opened
from tests.builders.server import ServedApp
from tests.builders.statements import statement

SUBSCRIPTIONS = "/api/xapi/subscriptions"
VERB = "https://e.org/verbs/done"


class Killed(BaseException):
    """The process ends here."""


class Office:
    """An administrator, the worker, and a clock that both go by."""

    admin: httpx.AsyncClient
    admin_id: UUID
    aws: EmulatedAws

    def __init__(self, records: StoreUnderTest, api: ApiUnderTest, clock: FixedClock, queue: Queue) -> None:
        self.records, self.api, self.clock, self.queue = records, api, clock, queue
        self.worker = api.platform_of("worker").get(LrsServices)

    async def subscribe(self, url: str, **values: Any) -> dict[str, Any]:
        body = {"kind": "webhook", "name": "Elsewhere", "url": url, "since": "2020-01-01T00:00:00Z", **values}
        return dict(ok(await self.admin.post(SUBSCRIPTIONS, json=body), 201))

    async def forward(self, url: str, **values: Any) -> dict[str, Any]:
        return await self.subscribe(url, kind="lrs", username="key", password="their secret", **values)

    async def send(self, *statements: dict[str, Any], late: bool = False) -> list[str]:
        """Sent, loaded, and behind the consistency bound; `late`: also behind what has been planned before."""
        ids = list(ok(await self.records.post(list(statements))))
        await self.records.deliver()
        if late:
            await asyncio.sleep(MARGIN_SECONDS + 0.1)
            return ids
        await self.records.change(
            "UPDATE lrs.statement_keys SET stored_at = stored_at - interval '10 seconds' "
            "WHERE stored_at > now() - interval '5 seconds'"
        )
        await self.records.change(
            "UPDATE lrs.statement_bodies SET stored_at = stored_at - interval '10 seconds' "
            "WHERE stored_at > now() - interval '5 seconds'"
        )
        await self.records.change(
            "UPDATE records.statements_raw SET stored_at = stored_at - interval '10 seconds' "
            "WHERE stored_at > now() - interval '5 seconds'"
        )
        return ids

    async def deliver(self, subscription: dict[str, Any]) -> float | None:
        return await delivering.Deliverer(self.worker).deliver(subscription["id"])

    async def later(self, subscription: dict[str, Any], **time: float) -> float | None:
        self.clock.advance(timedelta(**time))
        self.admin = await self.api.as_user(self.admin_id, Role.ADMIN)
        return await self.deliver(subscription)

    async def state(self, subscription: dict[str, Any]) -> dict[str, Any]:
        return dict(ok(await self.admin.get(f"{SUBSCRIPTIONS}/{subscription['id']}")))

    async def deliveries(self, subscription: dict[str, Any], **asked: str) -> list[dict[str, Any]]:
        path = f"{SUBSCRIPTIONS}/{subscription['id']}/deliveries"
        return list(ok(await self.admin.get(path, params=asked))["items"])

    async def change(self, subscription: dict[str, Any], **changes: Any) -> dict[str, Any]:
        path, revision = f"{SUBSCRIPTIONS}/{subscription['id']}", (await self.state(subscription))["revision"]
        return dict(ok(await self.admin.patch(path, json=changes, headers={"If-Match": f'"{revision}"'})))


@pytest.fixture
async def office(
    records: StoreUnderTest, database: Database, emulator: EmulatedAws, clock: FixedClock
) -> AsyncIterator[Office]:
    """Everything that takes part."""
    url = emulator.queue()
    async with ApiUnderTest(
        database,
        clock,
        data_bucket=records.bucket,
        jobs_queue_url=url,
        private_receivers=True,
        access_token_seconds=86_400,
    ) as api:
        office = Office(records, api, clock, Queue(url))
        office.aws = emulator
        office.admin_id = await api.add_user(Role.ADMIN)
        office.admin = await api.as_user(office.admin_id, Role.ADMIN)
        yield office


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody else's endpoint."""
    with Receiver() as receiver:
        yield receiver


def delivered_ids(receiver: Receiver) -> list[str]:
    return [item["id"] for sent in receiver.posts for item in sent.json["data"]["statements"]]


async def test_a_webhook_gets_what_was_stored_signed_as_standard_webhooks_say(
    office: Office, receiver: Receiver
) -> None:
    made = await office.subscribe(f"{receiver.url}/hook?x=1", since=None)
    await office.records.change("UPDATE lrs.subscriptions SET position_at = now() - interval '1 hour'")
    ids = await office.send(statement(), statement(verb={"id": VERB}))

    # Receivers refuse what is older than five minutes.
    await office.later(made, seconds=(datetime.now(UTC) - office.clock.now()).total_seconds())
    await office.deliver(made)

    (sent,) = receiver.requests
    assert (sent.method, sent.path, sent.json["type"]) == ("POST", "/hook?x=1", "statements.stored")
    assert [item["id"] for item in sent.json["data"]["statements"]] == ids
    assert made["secret"].startswith("whsec_")
    assert Webhook(made["secret"]).verify(sent.body, sent.headers) == sent.json
    for secret, body in ((new_secret(), sent.body), (made["secret"], sent.body + b" ")):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, sent.headers)
    (delivery,) = await office.deliveries(made)
    assert (delivery["id"], delivery["state"], delivery["status"]) == (sent.headers["webhook-id"], "delivered", 204)
    assert "secret" not in await office.state(made)


async def test_a_filter_chooses_and_voiding_follows_what_was_chosen(office: Office, receiver: Receiver) -> None:
    ana = {"mbox": "mailto:ana.roux@example.org"}
    registration = str(uuid4())
    chosen = {"agent": ana, "verb": VERB, "activity": "https://e.org/a", "registration": registration}
    made = await office.subscribe(receiver.url, filter=chosen)
    fitting = statement(
        actor=ana, verb={"id": VERB}, object={"id": "https://e.org/a"}, context={"registration": registration}
    )
    others = [{**fitting, **other} for other in (
        {"actor": {"mbox": "mailto:bo@example.org"}}, {"verb": {"id": "https://e.org/else"}},
        {"object": {"id": "https://e.org/b"}}, {"context": {"registration": str(uuid4())}},
    )]  # fmt: skip
    first, *rest = await office.send(fitting, *others)
    void = {"verb": {"id": "http://adlnet.gov/expapi/verbs/voided"}}
    about = await office.send(
        *(statement(**void, object={"objectType": "StatementRef", "id": one}) for one in (first, rest[0]))
    )

    await office.deliver(made)

    assert delivered_ids(receiver) == [first, about[0]]


async def test_what_the_bound_has_not_passed_waits_and_is_not_overtaken(office: Office, receiver: Receiver) -> None:
    made = await office.subscribe(receiver.url)
    (early,) = await office.send(statement())
    # A request that was accepted before and is not loaded yet.
    await office.records.change(
        "INSERT INTO records.intake (request_id, stored_at) VALUES (gen_random_uuid(), now() - interval '1 hour')"
    )

    await office.deliver(made)
    assert receiver.requests == []
    await office.records.change("DELETE FROM records.intake")
    await office.deliver(made)

    assert delivered_ids(receiver) == [early]


async def test_many_statements_go_in_order_fifty_at_a_time(office: Office, receiver: Receiver) -> None:
    made = await office.subscribe(receiver.url)
    ids = await office.send(*(statement(object={"id": f"https://e.org/{n}"}) for n in range(120)))

    await office.deliver(made)

    assert [len(sent.json["data"]["statements"]) for sent in receiver.posts] == [50, 50, 20]
    assert delivered_ids(receiver) == ids


async def test_what_is_rare_is_found_however_far_it_is(
    office: Office, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "SCANNED", 7)
    made = await office.subscribe(receiver.url, filter={"verb": VERB})
    sent = [
        statement(object={"id": f"https://e.org/{n}"}, verb={"id": VERB if n == 30 else "https://e.org/x"})
        for n in range(40)
    ]
    ids = await office.send(*sent)

    await office.deliver(made)

    assert delivered_ids(receiver) == [ids[30]]


async def test_a_failed_attempt_is_repeated_with_its_id_and_nothing_goes_past_it(
    office: Office, receiver: Receiver
) -> None:
    made = await office.subscribe(receiver.url)
    (first,) = await office.send(statement())
    receiver.answering = answer(503, "busy", retry_after="60")
    pause = await office.deliver(made)
    (second,) = await office.send(statement(verb={"id": VERB}), late=True)
    receiver.answering = answer(204)

    await office.later(made, seconds=30)
    assert len(receiver.posts) == 1
    await office.later(made, seconds=60)

    assert pause is not None
    assert 60 <= pause <= 61
    assert delivered_ids(receiver) == [first, first, second]
    assert receiver.posts[0].headers["webhook-id"] == receiver.posts[1].headers["webhook-id"]
    assert (await office.state(made))["failing_since"] is None


async def test_what_waits_is_sent_at_once_to_an_address_that_was_mended(office: Office, receiver: Receiver) -> None:
    made = await office.subscribe(f"{receiver.url}/wrong")
    ids = await office.send(statement())
    receiver.answering = lambda sent: answer(404 if sent.path == "/wrong" else 204, retry_after="80000")(sent)
    await office.deliver(made)
    receiver.requests.clear()

    await office.change(made, name="Elsewhere, mended")
    await office.deliver(made)
    assert receiver.requests == []
    await office.change(made, url=receiver.url)
    await office.deliver(made)

    assert delivered_ids(receiver) == ids


async def test_a_worker_that_is_killed_between_any_two_steps_loses_nothing(
    office: Office, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await office.subscribe(receiver.url)
    (sent,) = await office.send(statement())

    async def kill(*_: object) -> None:
        raise Killed

    for step in ("lease_delivery", "record_outcome"):
        with monkeypatch.context() as patched:
            patched.setattr(delivering, step, kill)
            with pytest.raises(Killed):
                await office.later(made, minutes=5)
    await office.deliver(made)  # somebody still seems to have it
    assert delivered_ids(receiver) == [sent]
    await office.later(made, minutes=5)

    assert delivered_ids(receiver) == [sent, sent]
    assert len({item.headers["webhook-id"] for item in receiver.posts}) == 1
    assert [item["state"] for item in await office.deliveries(made)] == ["delivered"]


async def test_a_worker_whose_lease_ran_out_has_nothing_to_say(office: Office, receiver: Receiver) -> None:
    made = await office.subscribe(receiver.url)
    await office.send(statement())
    work = partial(LrsUnitOfWork, office.worker.database, clock=office.clock)
    await run(work(), commands.plan_deliveries, commands.PlanDeliveries(made["id"]))
    leased = await run(work(), commands.lease_delivery, commands.LeaseDelivery(made["id"]))
    assert leased is not None

    await office.later(made, minutes=5)
    late = Outcome(Verdict.RETRY, leased[1].statement_ids, error="too late")
    await run(work(), commands.record_outcome, commands.RecordOutcome(*leased, late, Random(1)))

    assert [item["state"] for item in await office.deliveries(made)] == ["delivered"]
    assert (await office.state(made))["failing_since"] is None


async def test_a_delivery_that_always_fails_is_dead_and_is_redriven(office: Office, receiver: Receiver) -> None:
    made = await office.subscribe(receiver.url)
    (first,) = await office.send(statement())
    receiver.answering = answer(500, "broken")
    for _ in PAUSES:
        await office.later(made, hours=5 if len(receiver.posts) < 9 else 15)
    assert len(receiver.posts) == len(PAUSES)
    (dead,) = await office.deliveries(made, state="dead")
    assert (dead["status"], dead["error"]) == (500, "500: broken")
    (second,) = await office.send(statement(verb={"id": VERB}), late=True)
    receiver.answering, receiver.requests[:] = answer(204), []
    await office.deliver(made)
    assert delivered_ids(receiver) == [second]

    path = f"{SUBSCRIPTIONS}/{made['id']}/deliveries/{dead['id']}/redrive"
    answers = [ok(await office.admin.post(path))["redriven"] for _ in range(2)]
    await office.deliver(made)

    assert answers == [1, 0]
    assert delivered_ids(receiver) == [second, first]


async def test_days_of_nothing_but_failure_switch_a_subscription_off(office: Office, receiver: Receiver) -> None:
    made = await office.subscribe(receiver.url)
    ids = await office.send(statement())
    receiver.answering = answer(302, location="http://169.254.169.254/")
    await office.deliver(made)
    await office.later(made, days=5, minutes=1)

    state = await office.state(made)
    assert (state["enabled"], state["disabled_reason"][:34]) == (False, "Nothing was delivered for 5 days. ")
    [told] = await published(office.api.database, SubscriptionDisabled)
    assert (str(told.subscription_id), told.keepers) == (made["id"], (office.admin_id,))
    await office.later(made, days=1)
    assert len(receiver.posts) == 2
    receiver.answering = answer(204)
    await office.change(made, enabled=True)
    await office.deliver(made)

    assert delivered_ids(receiver)[-1:] == ids
    assert (await office.state(made))["disabled_reason"] is None


async def test_a_receiver_that_is_gone_is_left_alone(office: Office, receiver: Receiver) -> None:
    made = await office.subscribe(receiver.url)
    await office.send(statement())
    receiver.answering = answer(410)

    await office.deliver(made)

    state = await office.state(made)
    assert (state["enabled"], state["waiting"]) == (False, 1)


async def test_a_test_is_sent_at_once_and_once(office: Office, receiver: Receiver) -> None:
    made = await office.subscribe(receiver.url)
    await office.change(made, enabled=False)
    receiver.answering = answer(500)
    tests = []
    for _ in range(2):
        tests.append(ok(await office.admin.post(f"{SUBSCRIPTIONS}/{made['id']}/test"), 202)["delivery_id"])
        await office.deliver(made)
        receiver.answering = answer(200)

    assert [sent.json["type"] for sent in receiver.posts] == ["subscription.test"] * 2
    found = {item["id"]: item["state"] for item in await office.deliveries(made)}
    assert [found[one] for one in tests] == ["dead", "delivered"]


async def test_the_worker_hears_of_what_is_loaded(office: Office, receiver: Receiver) -> None:
    made = await office.subscribe(receiver.url)
    await Queue(office.records.queue_url).receive()
    for item in await office.queue.receive():
        await office.queue.delete([item.receipt_handle])
    (sent,) = await office.send(statement())

    assert (await announce_due(office.api.platform_of("maintenance").get(LrsServices)))["announced"] == 1
    received = await office.queue.receive()
    assert [item.record.body for item in received] == [delivery_message(made["id"])]
    event = {"Records": [{"messageId": "m", "body": item.record.body} for item in received]}
    assert await job_messages(event, modules(), office.worker.platform) == {"batchItemFailures": []}

    assert delivered_ids(receiver) == [sent]


async def test_loaders_announce_what_they_load_once_for_all_of_them(office: Office, receiver: Receiver) -> None:
    made = await office.subscribe(receiver.url)
    off = await office.subscribe(receiver.url)
    await office.change(off, enabled=False)
    own = Queue(url := office.aws.queue())
    ticks = iter(range(100))
    loaders = [Announcer(office.records.back.database, own, monotonic=lambda: next(ticks)) for _ in range(3)]

    async def on_their_way() -> int:
        names: list[Any] = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
        found = aws_client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(map(int, found.values()))

    for loader in loaders:
        await loader.statements_loaded()
    assert await on_their_way() == 1
    # What is loaded now would be found too early by that message.
    late = timedelta(seconds=COVERED_SECONDS - 0.1)
    await office.records.change(
        "UPDATE lrs.subscriptions SET announced_for = now() + CAST(:late AS interval)", late=late
    )
    for loader in loaders:
        await loader.statements_loaded()

    assert await on_their_way() == 2
    row = (
        await office.records.rows(
            "SELECT announced_for - now() AS left FROM lrs.subscriptions WHERE id = :id", id=made["id"]
        )
    )[0]
    assert timedelta(seconds=COVERED_SECONDS) < row.left <= timedelta(seconds=AFTER_SECONDS)


async def test_a_secret_is_replaced_without_a_gap(office: Office, receiver: Receiver) -> None:
    made = await office.subscribe(receiver.url)
    await office.later(made, seconds=(datetime.now(UTC) - office.clock.now()).total_seconds())
    path = f"{SUBSCRIPTIONS}/{made['id']}/secret"

    other = ok(await office.admin.post(path))["secret"]
    await office.send(statement(), late=True)
    await office.deliver(made)

    (sent,) = receiver.posts
    for secret in (made["secret"], other):
        assert Webhook(secret).verify(sent.body, sent.headers) == sent.json
    await office.later(made, hours=24)
    ok(await office.admin.post(f"{SUBSCRIPTIONS}/{made['id']}/test"), 202)
    await office.deliver(made)
    assert " " not in receiver.posts[-1].headers["webhook-signature"]
    store = await office.forward(receiver.url)
    refused = await office.admin.post(f"{SUBSCRIPTIONS}/{store['id']}/secret")
    assert (refused.status_code, refused.json()["code"]) == (409, "secret_of_store")


async def test_what_is_wrong_with_a_subscription_is_said(office: Office) -> None:
    body = {"kind": "webhook", "name": "N", "url": "https://example.org/"}
    wrong = [
        {"url": "https://10.0.0.1/"},
        {"url": "ftp://example.org/"},
        {"kind": "lrs"},
        {"password": "x"},
        {"filter": {"verb": "done"}},
        {"filter": {"agent": {"name": "Ana"}}},
        {"filter": {"actor": {}}},
    ]

    answers = [await office.admin.post(SUBSCRIPTIONS, json={**body, **change}) for change in wrong]

    assert [item.status_code for item in answers] == [400] * len(wrong)
    assert "no public address" in answers[0].json()["detail"]


async def test_secrets_are_neither_shown_nor_stored_nor_audited(office: Office, receiver: Receiver) -> None:
    made = await office.forward(receiver.url)
    await office.change(made, password="another secret", name="Renamed")
    ok(await office.admin.delete(f"{SUBSCRIPTIONS}/{made['id']}", headers={"If-Match": "*"}), 204)

    audit = await office.records.rows(
        "SELECT action, before, after FROM platform.audit_log WHERE entity = 'subscription'"
    )
    assert [row.action for row in audit] == ["subscription.created", "subscription.changed", "subscription.deleted"]
    assert "secret" not in orjson.dumps([[row.before, row.after] for row in audit]).decode()
    assert made["secret"] is None
    assert "their secret" not in orjson.dumps(made).decode()


def bad_ones(*bad: str, status: int = 400) -> Any:
    """Refuses every batch with one of these, as a store does."""

    def answering(sent: Sent) -> Response:
        if sent.method == "GET":
            return Response(status_code=404)
        ids = [item["id"] for item in sent.json]
        return Response("bad", status_code=status) if set(ids) & set(bad) else Response(orjson.dumps(ids))

    return answering


async def test_a_store_gets_batches_with_ids_and_without_what_it_sets_itself(
    office: Office, receiver: Receiver
) -> None:
    made = await office.forward(f"{receiver.url}/xapi/", xapi_version="2.0.0")
    ids = await office.send(*(statement(object={"id": f"https://e.org/{n}"}) for n in range(60)))
    receiver.answering = answer(200, "[]")

    await office.deliver(made)

    first = receiver.posts[0]
    assert (first.path, first.headers["x-experience-api-version"]) == ("/xapi/statements", "2.0.0")
    assert first.headers["authorization"] == "Basic " + base64.b64encode(b"key:their secret").decode()
    assert [len(sent.json) for sent in receiver.posts] == [50, 10]
    assert [item["id"] for sent in receiver.posts for item in sent.json] == ids
    assert {name for item in first.json for name in item} == {"id", "actor", "verb", "object", "timestamp", "version"}


async def test_the_statement_that_a_store_refuses_is_found_and_all_others_are_delivered(
    office: Office, receiver: Receiver
) -> None:
    made = await office.forward(receiver.url)
    ids = await office.send(*(statement(object={"id": f"https://e.org/{n}"}) for n in range(20)))
    receiver.answering = bad_ones(ids[3], ids[17])

    await office.deliver(made)

    dead = await office.deliveries(made, state="dead")
    assert sorted(item["statement_ids"][0] for item in dead) == sorted([ids[3], ids[17]])
    assert {item["error"] for item in dead} == {"400: bad"}
    (delivered,) = await office.deliveries(made, state="delivered")
    assert delivered["statement_ids"] == [one for one in ids if one not in (ids[3], ids[17])]
    receiver.answering, receiver.requests[:] = answer(200, "[]"), []
    assert ok(await office.admin.post(f"{SUBSCRIPTIONS}/{made['id']}/redrive"))["redriven"] == 2
    await office.deliver(made)
    assert sorted(sent.json[0]["id"] for sent in receiver.posts) == sorted([ids[3], ids[17]])


async def test_a_conflict_is_a_delivery_if_the_store_has_the_same_and_dead_if_not(
    office: Office, receiver: Receiver
) -> None:
    made = await office.forward(receiver.url)
    same, other = await office.send(statement(), statement(verb={"id": VERB}))
    rows = await office.records.rows("SELECT payload FROM lrs.statements WHERE statement_id = :id", id=same)

    def answering(sent: Sent) -> Response:
        if sent.method == "POST":
            return Response("conflict", status_code=409)
        kept = rows[0].payload if same in sent.path else {**rows[0].payload, "id": other}
        return Response(orjson.dumps({**kept, "stored": "2026-01-01T00:00:00Z"}))

    receiver.answering = answering
    await office.deliver(made)

    assert [item["statement_ids"] for item in await office.deliveries(made, state="dead")] == [[other]]
    assert [item["statement_ids"] for item in await office.deliveries(made, state="delivered")] == [[same]]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_store_that_lets_us_not_in_pauses_until_somebody_sees_to_it(
    office: Office, receiver: Receiver, status: int
) -> None:
    made = await office.forward(receiver.url)
    ids = await office.send(statement())
    receiver.answering = answer(status, "who are you")

    await office.deliver(made)
    await office.later(made, days=1)

    state = await office.state(made)
    assert (state["enabled"], len(receiver.posts)) == (False, 1)
    assert str(status) in state["disabled_reason"]
    receiver.answering = answer(200, "[]")
    await office.change(made, password="the right one", enabled=True)
    await office.deliver(made)
    assert [item["id"] for item in receiver.posts[-1].json] == ids
    assert receiver.posts[-1].headers["authorization"].endswith(base64.b64encode(b"key:the right one").decode())


async def test_part_of_a_batch_is_not_sent_again_when_the_store_fails_in_between(
    office: Office, receiver: Receiver
) -> None:
    made = await office.forward(receiver.url)
    ids = await office.send(*(statement(object={"id": f"https://e.org/{n}"}) for n in range(4)))
    refusing = bad_ones(ids[3])

    def answering(sent: Sent) -> Response:
        return (
            Response(status_code=503)
            if ids[2] in [item["id"] for item in sent.json] and len(sent.json) < 4
            else refusing(sent)
        )

    receiver.answering = answering
    await office.deliver(made)
    (waiting,) = await office.deliveries(made, state="waiting")
    assert (waiting["statement_ids"], waiting["attempts"]) == (ids[2:], 1)
    receiver.answering = refusing
    await office.later(made, minutes=1)

    assert [item["statement_ids"] for item in await office.deliveries(made, state="dead")] == [[ids[3]]]


async def test_another_store_has_the_same_statements_and_their_attachments_afterwards(
    office: Office, emulator: EmulatedAws, postgres: PostgresServer, template_database: str
) -> None:
    name = f"other_{uuid4().hex[:8]}"
    url = postgres.create_database(name, template=template_database)
    async with opened(url, pool_size=5) as database, StoreUnderTest(emulator, database) as other:
        with ServedApp(xapi_app(other.front.platform)) as server:
            made = await office.forward(f"{server.url}/xapi")
            await office.change(made, username=other.key, password=other.secret)
            data = b"\x00\xff the data"
            sha2 = hashlib.sha256(data).hexdigest()
            named = {"usageType": "https://e.org/u", "display": {"en": "A"}, "contentType": "text/plain"}
            with_data = statement(attachments=[{**named, "length": len(data), "sha2": sha2}])
            part = f"X-Experience-API-Hash: {sha2}\r\nContent-Transfer-Encoding: binary\r\n\r\n"
            body = b"--f\r\nContent-Type: application/json\r\n\r\n" + orjson.dumps(with_data) + b"\r\n--f\r\n"
            body += part.encode() + data + b"\r\n--f--\r\n"
            head = {"X-Experience-API-Version": "1.0.3", "Content-Type": "multipart/mixed; boundary=f"}
            first = ok(await office.records.post(body, headers=head))
            ids = [*first, *await office.send(statement(verb={"id": VERB}))]

            await office.deliver(made)
            await office.records.change("UPDATE lrs.subscriptions SET position_at = '2020-01-01'")
            await office.deliver(made)
            await other.deliver()

            states = await office.deliveries(made)
            assert [item["state"] for item in states] == ["delivered", "delivered"], states
            found = await other.lms.get(
                "/xapi/statements",
                params={"attachments": "true", "ascending": "true"},
                headers={**head, "Content-Type": ""},
            )
        assert data in found.content
        rows = await other.rows("SELECT statement_id::text FROM records.statements_raw")
        assert sorted(row.statement_id for row in rows) == sorted(ids)
    postgres.drop_database(name)


async def test_the_audit_log_says_that_a_subscription_is_about_an_agent_and_not_whom(
    office: Office, receiver: Receiver
) -> None:
    made = await office.subscribe(receiver.url, filter={"agent": {"mbox": "mailto:ada@example.org"}, "verb": VERB})
    await office.change(made, filter={"agent": {"mbox": "mailto:bob@example.org"}})
    ok(await office.admin.delete(f"{SUBSCRIPTIONS}/{made['id']}", headers={"If-Match": "*"}), 204)

    query = "SELECT before, after FROM platform.audit_log WHERE entity = 'subscription' ORDER BY id"
    created, changed, _ = rows = await office.records.rows(query)
    agents = [item["filter"]["agent"] for item in (created.after, changed.before, changed.after)]
    assert agents == ["(an agent)", "(another agent)", "(an agent)"]
    assert "@example.org" not in orjson.dumps([[row.before, row.after] for row in rows]).decode()
