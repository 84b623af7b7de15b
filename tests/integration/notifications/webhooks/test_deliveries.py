"""Events on their way to webhooks: each at least once, in order, signed, whatever receivers and workers do."""

import socket
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

import jsonschema
import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from starlette.responses import Response

from dataforge.bootstrap import modules
from dataforge.contexts.academics.contract import EnrollmentChanged
from dataforge.contexts.datasets.contract import DatasetImportEnded, ReviewRequested
from dataforge.contexts.identity.contract import PasswordChanged, PasswordResetRequested
from dataforge.contexts.learning.contract import LessonCompleted
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.contexts.notifications.webhooks import commands
from dataforge.contexts.notifications.webhooks import deliverer as delivering
from dataforge.contexts.notifications.webhooks.announcements import webhook_message
from dataforge.contexts.notifications.webhooks.consumers import end_webhooks
from dataforge.contexts.workspaces.contract import WorkspaceDeleted
from dataforge.events.worker import job_messages
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role
from dataforge.platform import outgoing
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.deliveries.domain import PAUSES, Attempt, Verdict, new_secret
from tests.builders.datasets import ok
from tests.builders.receivers import Receiver, Sent, answer
from tests.builders.webhooks import WEBHOOKS, WebhookDesk


class Killed(BaseException):
    """The process ends here."""


def completed(workspace_id: UUID | None = None, *, user_id: UUID | None = None) -> LessonCompleted:
    at = datetime(2026, 11, 30, 12, tzinfo=UTC)
    return LessonCompleted(user_id or uuid7(), uuid7(), None, uuid7(), Decimal("0.85"), at, workspace_id)


def enrolled() -> EnrollmentChanged:
    values: dict[str, Any] = {
        **{name: uuid7() for name in ("enrollment_id", "section_id", "student_id", "course_id")}, "from_": None,
        "to": "ENROLLED", "reason": "asked by Ada's mother", "wait_no": None, "student_name": "Ada Lovelace",
        "user_id": None, "email": "ada@example.org", "course_code": "CS1", "course_title": "Logic", "rule": None,
        "section_code": "A", "semester_code": "2026F", "actor_id": None, "at": datetime(2026, 5, 4, tzinfo=UTC),
    }  # fmt: skip
    return EnrollmentChanged(**values)


def types_of(receiver: Receiver) -> list[str]:
    return [sent.json["type"] for sent in receiver.posts]


def ids_of(receiver: Receiver) -> list[str]:
    return [sent.json["event_id"] for sent in receiver.posts]


async def test_an_event_arrives_signed_as_standard_webhooks_say_and_says_what_its_schema_says(
    desk: WebhookDesk, receiver: Receiver
) -> None:
    made = await desk.subscribe(f"{receiver.url}/hook?x=1")
    event = completed(desk.workspace_id)
    await desk.publish(event, enrolled())

    await desk.deliver(made)

    sent, second = receiver.posts
    assert (sent.path, sent.headers["content-type"]) == ("/hook?x=1", "application/json")
    assert made["secret"].startswith("whsec_")
    assert Webhook(made["secret"]).verify(sent.body, sent.headers) == sent.json
    for secret, body in ((new_secret(), sent.body), (made["secret"], sent.body + b" ")):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, sent.headers)
    assert (sent.json["event_id"], sent.json["workspace_id"]) == (str(event.event_id), desk.space.id)
    assert sent.json["data"]["score"] == 0.85
    types = {item["type"]: item for item in ok(await desk.admin.get(f"{WEBHOOKS}/event-types"))["items"]}
    for post in (sent, second):
        schema = types[post.json["type"]]["body_schema"]
        jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(post.json)
    newest, first = await desk.log(made)
    assert (first["id"], first["state"], first["status"]) == (sent.headers["webhook-id"], "delivered", 204)
    assert newest["event_type"] == second.json["type"] == "academics.enrollment_changed"


async def test_nothing_that_people_have_written_is_sent(desk: WebhookDesk, receiver: Receiver) -> None:
    made = await desk.subscribe(receiver.url)
    change = enrolled()
    review = ReviewRequested(uuid7(), "Grades", 1, "About Ada", "draft", "main", uuid7(), (uuid7(),))
    failed = DatasetImportEnded(uuid7(), uuid7(), uuid7(), "ada.csv", 0, 0, "Ada is no number.")
    await desk.publish(change, review, failed, PasswordResetRequested("ada@example.org"))

    await desk.deliver(made)

    assert types_of(receiver) == ["academics.enrollment_changed", "datasets.review_requested", "datasets.import_ended"]
    assert receiver.posts[2].json["data"]["succeeded"] is False
    assert all(b"Ada" not in sent.body and b"ada@" not in sent.body for sent in receiver.posts)


async def test_each_webhook_hears_of_what_it_has_chosen_and_of_its_workspace_alone(
    desk: WebhookDesk, receiver: Receiver
) -> None:
    everything = await desk.subscribe(f"{receiver.url}/all")
    chosen = await desk.subscribe(f"{receiver.url}/chosen", event_types=["identity.password_changed"])
    inside = await desk.subscribe(f"{receiver.url}/in", by=desk.space["admin"], workspace_id=desk.space.id)
    off = await desk.subscribe(f"{receiver.url}/off")
    await desk.change(off, enabled=False)
    await desk.publish(completed(desk.workspace_id), completed(uuid7()), completed(), PasswordChanged(uuid7()))

    for webhook in (everything, chosen, inside, off):
        await desk.deliver(webhook)

    counts = {path: sum(sent.path == path for sent in receiver.posts) for path in ("/all", "/chosen", "/in", "/off")}
    assert counts == {"/all": 4, "/chosen": 1, "/in": 1, "/off": 0}
    (heard,) = [sent.json for sent in receiver.posts if sent.path == "/in"]
    assert heard["workspace_id"] == desk.space.id


async def test_what_happens_in_a_workspace_says_so_itself(desk: WebhookDesk, receiver: Receiver) -> None:
    made = await desk.subscribe(receiver.url, by=desk.space["owner"], workspace_id=desk.space.id)

    await desk.space.post("/invitations", email="new@example.org", role="viewer")
    await desk.relay()
    await desk.deliver(made)

    assert types_of(receiver) == ["workspaces.invitation_sent"]
    assert b"new@example.org" not in receiver.posts[0].body


async def test_an_event_that_is_relayed_twice_is_delivered_once(desk: WebhookDesk, receiver: Receiver) -> None:
    made = await desk.subscribe(receiver.url)
    event = completed()
    await desk.publish(event)

    added = await run(desk.worker.unit_of_work(NotificationsUnitOfWork), commands.put_on_its_way, event)
    await desk.deliver(made)

    assert added == 0
    assert ids_of(receiver) == [str(event.event_id)]


async def test_a_failed_attempt_is_repeated_with_its_id_and_nothing_goes_past_it(
    desk: WebhookDesk, receiver: Receiver
) -> None:
    made = await desk.subscribe(receiver.url)
    first, second = completed(), completed()
    receiver.answering = answer(503, "busy", retry_after="60")
    await desk.publish(first, second)

    pause = await desk.deliver(made)
    await desk.later(made, seconds=30)
    assert len(receiver.posts) == 1
    receiver.answering = answer(204)
    await desk.later(made, seconds=60)

    assert pause is not None
    assert 60 <= pause <= 61
    assert ids_of(receiver) == [str(event.event_id) for event in (first, first, second)]
    assert receiver.posts[0].headers["webhook-id"] == receiver.posts[1].headers["webhook-id"]
    assert (await desk.state(made))["failing_since"] is None


async def test_a_receiver_that_answers_500_for_a_day_gets_everything_afterwards_in_order(
    desk: WebhookDesk, receiver: Receiver
) -> None:
    made = await desk.subscribe(receiver.url)
    events = [completed() for _ in range(5)]
    receiver.answering = answer(500, "broken")
    await desk.publish(*events)
    begun = desk.clock.now()
    while desk.clock.now() - begun < timedelta(hours=26):
        await desk.later(made, minutes=30)
    assert set(ids_of(receiver)) == {str(events[0].event_id)}
    assert (await desk.state(made))["enabled"]
    receiver.answering, receiver.requests[:] = answer(204), []

    await desk.later(made, hours=15)

    assert ids_of(receiver) == [str(event.event_id) for event in events]


async def test_what_waits_is_sent_at_once_to_an_address_that_was_mended(desk: WebhookDesk, receiver: Receiver) -> None:
    made = await desk.subscribe(f"{receiver.url}/wrong")
    event = completed()
    receiver.answering = lambda sent: answer(404 if sent.path == "/wrong" else 204)(sent)
    await desk.publish(event)
    for _ in range(9):
        await desk.later(made, hours=5)
    [waiting] = await desk.log(made, state="waiting")
    receiver.requests.clear()

    await desk.change(made, name="Elsewhere, mended")
    await desk.deliver(made)
    assert receiver.requests == []
    await desk.change(made, url=receiver.url)
    await desk.deliver(made)

    assert waiting["next_attempt_at"] > desk.clock.now().isoformat()
    assert ids_of(receiver) == [str(event.event_id)]


async def test_what_always_fails_is_dead_and_is_replayed_when_somebody_asks(
    desk: WebhookDesk, receiver: Receiver
) -> None:
    made = await desk.subscribe(receiver.url)
    poison, good = completed(), completed()
    await desk.publish(poison, good)

    def answering(sent: Sent) -> Response:
        return Response("no", status_code=400 if sent.json["event_id"] == str(poison.event_id) else 204)

    receiver.answering = answering
    for number in range(len(PAUSES)):
        await desk.later(made, hours=5 if number < 9 else 15)
    (dead,) = await desk.log(made, state="dead")
    assert (dead["attempts"], dead["status"], dead["error"]) == (len(PAUSES), 400, "400: no")
    assert ids_of(receiver)[-1] == str(good.event_id)
    receiver.answering, receiver.requests[:] = answer(204), []

    numbers = [await desk.replay(made, failed=True) for _ in range(2)]
    await desk.deliver(made)
    again = await desk.replay(made, delivery_id=dead["id"])
    await desk.deliver(made)

    assert (numbers, again) == ([1, 0], 1)
    assert [sent.headers["webhook-id"] for sent in receiver.posts] == [dead["id"], dead["id"]]


async def test_what_waits_cannot_be_replayed_and_nothing_of_others_can(desk: WebhookDesk, receiver: Receiver) -> None:
    made, elsewhere = [await desk.subscribe(receiver.url) for _ in range(2)]
    await desk.publish(completed())
    (waiting,) = await desk.log(made)
    (foreign,) = await desk.log(elsewhere)
    path = f"{WEBHOOKS}/{made['id']}/replays"

    answers = [
        await desk.admin.post(path, json=body)
        for body in (
            {"delivery_id": waiting["id"]}, {"delivery_id": foreign["id"]}, {},
            {"failed": True, "since": "2026-11-30T00:00:00Z"},
            {"since": (desk.clock.now() - timedelta(days=15)).isoformat()}, {"since": "2026-11-30T00:00:00"},
        )
    ]  # fmt: skip

    assert [item.status_code for item in answers] == [409, 404, 400, 400, 400, 400]
    assert answers[0].json()["code"] == "delivery_waits"


async def test_everything_since_a_time_is_replayed_also_what_came_while_the_webhook_was_off(
    desk: WebhookDesk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "REPLAYED_AT_ONCE", 2)
    made = await desk.subscribe(receiver.url, event_types=["records.lesson_completed"])
    early, late = completed(), [completed() for _ in range(5)]
    await desk.publish(early)
    await desk.deliver(made)
    desk.clock.advance(timedelta(hours=1))
    since = desk.clock.now()
    await desk.publish(late[0])
    await desk.deliver(made)
    await desk.change(made, enabled=False)
    await desk.publish(*late[1:], PasswordChanged(uuid7()))
    await desk.change(made, enabled=True)
    assert ids_of(receiver) == [str(event.event_id) for event in (early, late[0])]
    known, receiver.requests[:] = receiver.posts[1].headers["webhook-id"], []

    assert await desk.replay(made, since=since.isoformat()) is None
    assert (await desk.state(made))["replay_since"] is not None
    assert await desk.announced() == 1
    await desk.deliver(made)

    assert ids_of(receiver) == [str(event.event_id) for event in late]
    assert receiver.posts[0].headers["webhook-id"] == known
    assert (await desk.state(made))["replay_since"] is None


async def test_a_worker_that_is_killed_between_any_two_steps_loses_nothing(
    desk: WebhookDesk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await desk.subscribe(receiver.url)
    event = completed()
    await desk.publish(event)

    async def kill(*_: object) -> None:
        raise Killed

    for step in ("plan_replay", "lease_delivery", "record_attempt"):
        with monkeypatch.context() as patched:
            patched.setattr(delivering, step, kill)
            with pytest.raises(Killed):
                await desk.later(made, minutes=5)
    await desk.deliver(made)  # somebody still seems to have it
    assert len(receiver.posts) == 1
    await desk.later(made, minutes=5)

    assert len({sent.headers["webhook-id"] for sent in receiver.posts}) == 1
    assert [item["state"] for item in await desk.log(made)] == ["delivered"]


async def test_a_worker_whose_lease_ran_out_has_nothing_to_say(desk: WebhookDesk, receiver: Receiver) -> None:
    made = await desk.subscribe(receiver.url)
    await desk.publish(completed())
    work = partial(NotificationsUnitOfWork, desk.worker.database, clock=desk.clock)
    leased = await run(work(), commands.lease_delivery, UUID(made["id"]))
    assert leased is not None

    await desk.later(made, minutes=5)
    late = commands.RecordAttempt(*leased, Attempt(Verdict.RETRY, error="too late"), Random(1))
    await run(work(), commands.record_attempt, late)

    assert [item["state"] for item in await desk.log(made)] == ["delivered"]


async def test_a_receiver_that_hangs_is_cut_off_and_holds_up_nobody_else(
    desk: WebhookDesk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setitem(outgoing.send.__kwdefaults__, "seconds", 0.5)
        hanging = await desk.subscribe(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        prompt = await desk.subscribe(receiver.url)
        await desk.publish(completed())

        pause = await desk.deliver(hanging)
        await desk.deliver(prompt)

    assert pause is not None
    assert (await desk.state(hanging))["last_error"] == "No answer within 0 seconds"
    assert len(receiver.posts) == 1


async def test_a_receiver_that_drops_the_connection_is_tried_again(desk: WebhookDesk, receiver: Receiver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    made = await desk.subscribe(address)
    await desk.publish(completed())

    await desk.deliver(made)
    await desk.change(made, url=receiver.url)
    await desk.later(made, minutes=1)

    assert len(receiver.posts) == 1
    assert [item["state"] for item in await desk.log(made)] == ["delivered"]


async def test_redirects_are_not_followed(desk: WebhookDesk, receiver: Receiver) -> None:
    with Receiver() as target:
        receiver.answering = answer(307, location=target.url)
        made = await desk.subscribe(receiver.url)
        await desk.publish(completed())

        await desk.deliver(made)

        assert (len(receiver.posts), len(target.requests)) == (1, 0)
    assert (await desk.log(made))[0]["status"] == 307


async def test_a_name_that_leads_inside_is_refused_whenever_it_does(
    desk: WebhookDesk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await desk.subscribe("https://hooks.example.org/in")
    await desk.publish(completed())

    def resolved(*_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.1.2.3", 443))]

    with monkeypatch.context() as patched:
        patched.setattr(outgoing.socket, "getaddrinfo", resolved)
        await desk.deliver(made)

    assert (await desk.state(made))["last_error"] == "The address leads to 10.1.2.3, which is no public address"
    assert receiver.requests == []


async def test_days_of_nothing_but_failure_switch_a_webhook_off_and_somebody_hears_of_it(
    desk: WebhookDesk, receiver: Receiver
) -> None:
    made = await desk.subscribe(receiver.url, by=desk.space["owner"], workspace_id=desk.space.id)
    other = await desk.subscribe(f"{receiver.url}/admins", event_types=["notifications.webhook_disabled"])
    receiver.answering = answer(500)
    await desk.publish(completed(desk.workspace_id))
    await desk.deliver(made)

    await desk.later(made, days=5, minutes=1)
    await desk.relay()
    receiver.answering = answer(204)
    await desk.deliver(other)

    state = await desk.state(made)
    assert (state["enabled"], state["waiting"]) == (False, 1)
    assert state["disabled_reason"].startswith("Nothing was delivered for 5 days.")
    assert receiver.posts[-1].json["data"] == {"webhook_id": made["id"], "webhook_name": "Elsewhere"}
    receiver.requests.clear()
    await desk.change(made, enabled=True)
    await desk.deliver(made)
    assert len(receiver.posts) == 1
    assert (await desk.state(made))["disabled_reason"] is None


async def test_a_receiver_that_is_gone_is_left_alone(desk: WebhookDesk, receiver: Receiver) -> None:
    made = await desk.subscribe(receiver.url)
    receiver.answering = answer(410)
    await desk.publish(completed())

    await desk.deliver(made)
    await desk.later(made, days=1)

    state = await desk.state(made)
    assert (state["enabled"], state["waiting"], len(receiver.posts)) == (False, 1, 1)


async def test_a_test_is_sent_at_once_and_once_also_while_the_webhook_is_off(
    desk: WebhookDesk, receiver: Receiver
) -> None:
    made = await desk.subscribe(receiver.url)
    await desk.change(made, enabled=False)
    receiver.answering = answer(500)
    tests = []
    for _ in range(2):
        tests.append(ok(await desk.admin.post(f"{WEBHOOKS}/{made['id']}/test"), 202)["delivery_id"])
        await desk.deliver(made)
        receiver.answering = answer(200)

    assert types_of(receiver) == ["webhooks.test"] * 2
    types = {item["type"]: item for item in ok(await desk.admin.get(f"{WEBHOOKS}/event-types"))["items"]}
    jsonschema.Draft202012Validator(types["webhooks.test"]["body_schema"]).validate(receiver.posts[0].json)
    states = {item["id"]: item["state"] for item in await desk.log(made)}
    assert [states[item] for item in tests] == ["dead", "delivered"]


async def test_a_secret_is_replaced_without_a_gap(desk: WebhookDesk, receiver: Receiver) -> None:
    made = await desk.subscribe(receiver.url)
    newer = ok(await desk.admin.post(f"{WEBHOOKS}/{made['id']}/secret"))["secret"]
    await desk.publish(completed())
    await desk.deliver(made)

    (sent,) = receiver.posts
    for secret in (made["secret"], newer):
        Webhook(secret).verify(sent.body, sent.headers)
    desk.clock.advance(timedelta(hours=25))
    await desk.publish(completed())
    await desk.deliver(made)
    assert len(receiver.posts[1].headers["webhook-signature"].split()) == 1


async def test_the_worker_hears_of_what_is_due(desk: WebhookDesk, receiver: Receiver) -> None:
    made = await desk.subscribe(receiver.url)
    await desk.publish(completed())

    assert await desk.announced() == 1
    received = await desk.queue.receive()
    assert [item.record.body for item in received] == [webhook_message(UUID(made["id"]))]
    event = {"Records": [{"messageId": "m", "body": item.record.body} for item in received]}
    assert await job_messages(event, modules(), desk.worker.platform) == {"batchItemFailures": []}

    assert len(receiver.posts) == 1
    assert await desk.announced() == 0


async def test_webhooks_of_a_deleted_workspace_wait_and_go_with_it(desk: WebhookDesk, receiver: Receiver) -> None:
    made = await desk.subscribe(receiver.url, by=desk.space["owner"], workspace_id=desk.space.id)
    await desk.publish(completed(desk.workspace_id))
    owner = desk.space["owner"]
    ok(await owner.post(f"{desk.space.path}/archive"))
    ok(await owner.delete(desk.space.path, headers={"If-Match": "*"}), 204)
    await desk.relay()

    await desk.deliver(made)
    assert (await desk.announced(), receiver.requests) == (0, [])
    ok(await owner.post(f"{desk.space.path}/restore"))
    await desk.deliver(made)
    assert types_of(receiver)[0] == "records.lesson_completed"

    ok(await owner.delete(desk.space.path, headers={"If-Match": "*"}), 204)
    for _ in range(2):
        await end_webhooks(WorkspaceDeleted(desk.workspace_id), desk.maintenance)

    assert (await desk.admin.get(f"{WEBHOOKS}/{made['id']}")).status_code == 404


async def test_what_was_delivered_long_ago_is_forgotten(desk: WebhookDesk, receiver: Receiver) -> None:
    made = await desk.subscribe(receiver.url)
    await desk.publish(completed())
    await desk.deliver(made)
    desk.clock.advance(timedelta(days=8))
    await desk.announced()
    desk.admin = await desk.api.as_user(desk.admin_id, Role.ADMIN)

    assert await desk.log(made) == []
