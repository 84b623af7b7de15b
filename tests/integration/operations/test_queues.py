"""Queues as operators see them: what was given up, its way back, and its end."""

import json

import httpx
import pytest

from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.aws.clients import client
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.browser import browser_of, csrf_of, post_form
from tests.builders.emulator import EmulatedAws

PATH = "/api/queues/statements"


class Queues:
    """A queue with its dead letters, and an administrator."""

    def __init__(self, aws: EmulatedAws) -> None:
        self.queue, self.dead = aws.queue(), aws.queue()

    def give_up(self, *bodies: str) -> list[str]:
        """Dead letters; their ids."""
        sent = [client("sqs").send_message(QueueUrl=self.dead, MessageBody=body) for body in bodies]
        return [str(answer["MessageId"]) for answer in sent]

    def bodies(self, url: str) -> list[str]:
        """What can be received from a queue now; taken out."""
        found: list[str] = []
        while messages := client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                found.append(message["Body"])
                client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return sorted(found)


@pytest.fixture
def queues(emulator: EmulatedAws) -> Queues:
    return Queues(emulator)


@pytest.fixture
async def world(database: Database, clock: FixedClock, queues: Queues) -> ApiUnderTest:
    return ApiUnderTest(database, clock, statements_queue_url=queues.queue, statements_dlq_url=queues.dead)


@pytest.fixture
async def admin(world: ApiUnderTest) -> httpx.AsyncClient:
    await world.__aenter__()
    return await world.as_role(Role.ADMIN)


async def test_depths_and_dead_letters_are_shown_and_stay(admin: httpx.AsyncClient, queues: Queues) -> None:
    client("sqs").send_message(QueueUrl=queues.queue, MessageBody="waits")
    ids = queues.give_up(json.dumps({"kind": "statements"}), "x" * 5_000)

    [queue] = (await admin.get("/api/queues")).json()["items"]
    letters = (await admin.get(f"{PATH}/dead-letters")).json()

    assert (queue["waiting"], queue["dead_letters"]) == (1, 2)
    assert (letters["total"], [item["message_id"] for item in letters["items"]]) == (2, ids)
    assert letters["items"][0]["body"] == '{"kind": "statements"}'
    assert (len(letters["items"][1]["body"]), letters["items"][1]["body_bytes"]) == (4_000, 5_000)
    assert len((await admin.get(f"{PATH}/dead-letters?most=1")).json()["items"]) == 1
    assert len(queues.bodies(queues.dead)) == 2


async def test_one_some_and_all_are_tried_again_and_that_is_in_the_audit_log(
    admin: httpx.AsyncClient, queues: Queues
) -> None:
    ids = queues.give_up(*"abcdefghijklmnopqrstuvwxyz")

    one = (await admin.post(f"{PATH}/redrive", json={"messages": [ids[2], "unknown"]})).json()
    some = (await admin.post(f"{PATH}/redrive", json={"most": 5})).json()
    rest = (await admin.post(f"{PATH}/redrive")).json()
    entries = (await admin.get("/api/audit?entity=queue&entity_id=statements")).json()["items"]

    assert (one["message_ids"], one["not_found"], some["moved"], rest["moved"]) == ([ids[2]], ["unknown"], 5, 20)
    assert queues.bodies(queues.queue) == list("abcdefghijklmnopqrstuvwxyz")
    assert [entry["after"] for entry in entries] == [{"moved": 20}, {"moved": 5}, {"moved": 1}]
    assert all(entry["actor_id"] for entry in entries)


async def test_a_dead_letter_is_deleted_on_purpose_once(admin: httpx.AsyncClient, queues: Queues) -> None:
    ids = queues.give_up("poison", "good")

    first = await admin.delete(f"{PATH}/dead-letters/{ids[0]}")
    again = await admin.delete(f"{PATH}/dead-letters/{ids[0]}")

    assert (first.status_code, again.status_code, again.json()["code"]) == (204, 404, "dead_letter_not_found")
    assert queues.bodies(queues.dead) == ["good"]
    [entry] = (await admin.get(f"/api/audit?entity=dead_letter&entity_id={ids[0]}")).json()["items"]
    assert (entry["action"], entry["before"]) == ("discarded", {"queue": "statements"})


@pytest.mark.parametrize(
    ("body", "status"), [({"most": 0}, 400), ({"messages": []}, 400), ({"x": 1}, 400), ({"messages": [1]}, 400)]
)
async def test_what_cannot_be_carried_out_is_refused(
    admin: httpx.AsyncClient, queues: Queues, body: dict[str, object], status: int
) -> None:
    queues.give_up("stays")

    assert (await admin.post(f"{PATH}/redrive", json=body)).status_code == status
    assert queues.bodies(queues.dead) == ["stays"]


async def test_there_are_no_other_queues(admin: httpx.AsyncClient) -> None:
    assert (await admin.get("/api/queues/failed-invocations/dead-letters")).status_code == 400
    for answer in (
        await admin.get("/api/queues/imports/dead-letters"),
        await admin.post("/api/queues/imports/redrive"),
        await admin.delete("/api/queues/imports/dead-letters/x"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "queue_not_found")


async def test_people_try_again_and_delete_at_a_page(world: ApiUnderTest, queues: Queues) -> None:
    await world.__aenter__()
    ids = queues.give_up("<b>poison</b>", "good", "other")
    operator = await browser_of(world, Role.ADMIN)
    page = await operator.get("/ui/operations/queues/statements")
    token = csrf_of(page)

    deleted = await post_form(operator, "/ui/operations/queues/statements/discard", {"csrf": token, "message": ids[0]})
    chosen = await post_form(operator, "/ui/operations/queues/statements/redrive", {"csrf": token, "message": ids[1]})
    rest = await post_form(operator, "/ui/operations/queues/statements/redrive", {"csrf": token})

    assert "&lt;b&gt;poison&lt;/b&gt;" in page.text
    assert [answer.status_code for answer in (deleted, chosen, rest)] == [303, 303, 303]
    assert queues.bodies(queues.queue) == ["good", "other"]
    assert queues.bodies(queues.dead) == []
