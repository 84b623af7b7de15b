"""Events go out to webhooks within seconds of what happened: through gateway, outbox, queues and functions."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from standardwebhooks import Webhook

from tests.builders.deployed import told
from tests.builders.receivers import Receiver, Sent, answer

pytestmark = pytest.mark.build
WEBHOOKS = "/api/webhooks"
CSV = b"id,mark\n1,90\n2,71\n"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody else's endpoint."""
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def webhook(admin: httpx.Client, receiver: Receiver) -> Iterator[dict[str, Any]]:
    """A webhook of the organisation that hears of datasets; ended when the test is."""
    body = {"name": "Elsewhere", "url": receiver.url, "event_types": ["datasets.branch_moved"]}
    made = told(admin.post(WEBHOOKS, json=body), 201)
    yield made
    told(admin.delete(f"{WEBHOOKS}/{made['id']}", headers={"If-Match": "*"}), 204)


def committed(admin: httpx.Client) -> tuple[str, str]:
    """A new dataset with one commit; ids of both."""
    dataset = told(admin.post("/api/datasets", json={"name": f"Marks {uuid4()}"}), 201)
    path = f"/api/datasets/{dataset['id']}/refs/main/file"
    done = told(admin.put(path, content=CSV, params={"key": "id"}, headers={"Content-Type": "text/csv"}), 201)
    return dataset["id"], done["new_commit_id"]


def verified(webhook: dict[str, Any], sent: Sent) -> Any:
    """What was sent, as a receiver reads it that trusts nobody."""
    return Webhook(webhook["secret"]).verify(sent.body, sent.headers)


def test_a_commit_is_told_to_a_webhook_within_seconds_and_the_signature_holds(
    admin: httpx.Client, webhook: dict[str, Any], receiver: Receiver, eventually: Callable[..., None]
) -> None:
    told(admin.post(f"{WEBHOOKS}/{webhook['id']}/test"), 202)
    eventually(lambda: len(receiver.posts) == 1, "the test")
    assert verified(webhook, receiver.posts[0])["type"] == "webhooks.test"

    began = time.monotonic()
    dataset_id, commit_id = committed(admin)
    eventually(lambda: len(receiver.posts) == 2, "the event")

    assert time.monotonic() - began < 60
    event = verified(webhook, receiver.posts[1])
    assert event["type"] == "datasets.branch_moved"
    assert (event["data"]["dataset_id"], event["data"]["commit_id"]) == (dataset_id, commit_id)
    log = told(admin.get(f"{WEBHOOKS}/{webhook['id']}/deliveries"))["items"]
    assert {(item["event_type"], item["state"]) for item in log} == {
        ("webhooks.test", "delivered"),
        ("datasets.branch_moved", "delivered"),
    }


def test_an_event_that_is_refused_is_sent_again_as_the_same_one_and_replayed_when_asked(
    admin: httpx.Client, webhook: dict[str, Any], receiver: Receiver, eventually: Callable[..., None]
) -> None:
    receiver.answering = answer(500)
    committed(admin)
    eventually(lambda: len(receiver.posts) == 1, "the first attempt")
    receiver.answering = answer(204)
    eventually(lambda: len(receiver.posts) == 2, "the second attempt")

    refused, taken = receiver.posts
    assert verified(webhook, refused) == verified(webhook, taken)
    assert refused.headers["webhook-id"] == taken.headers["webhook-id"]
    (delivery,) = told(admin.get(f"{WEBHOOKS}/{webhook['id']}/deliveries"))["items"]
    told(admin.post(f"{WEBHOOKS}/{webhook['id']}/replays", json={"delivery_id": delivery["id"]}), 202)
    eventually(lambda: len(receiver.posts) == 3, "the replay")
    assert receiver.posts[2].headers["webhook-id"] == taken.headers["webhook-id"]
