"""Statements are sent on within seconds, and what was refused is replayed: through gateway, queues and functions."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.builders.deployed import told
from tests.builders.receivers import Receiver, answer
from tests.builders.statements import statement

pytestmark = pytest.mark.build
SUBSCRIPTIONS = "/api/xapi/subscriptions"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody else's endpoint."""
    with Receiver() as receiver:
        yield receiver


def test_a_webhook_hears_of_a_statement_within_seconds(
    admin: httpx.Client, lms: httpx.Client, receiver: Receiver, eventually: Callable[..., None]
) -> None:
    verb = f"https://e.org/verbs/{uuid4()}"
    body = {"kind": "webhook", "name": "Elsewhere", "url": receiver.url, "filter": {"verb": verb}}
    made = told(admin.post(SUBSCRIPTIONS, json=body), 201)
    told(admin.post(f"{SUBSCRIPTIONS}/{made['id']}/test"), 202)
    eventually(lambda: len(receiver.posts) == 1, "the test")

    begun = time.monotonic()
    (sent,) = told(lms.post("/statements", json=statement(verb={"id": verb})))
    eventually(lambda: len(receiver.posts) == 2, "the statement")

    assert time.monotonic() - begun < 30
    assert [item["id"] for item in receiver.posts[1].json["data"]["statements"]] == [sent]
    state = told(admin.get(f"{SUBSCRIPTIONS}/{made['id']}"))
    assert (state["enabled"], state["last_error"], state["dead"]) == (True, None, 0)
    told(admin.delete(f"{SUBSCRIPTIONS}/{made['id']}", headers={"If-Match": "*"}), 204)


def test_statements_are_forwarded_with_their_attachments_gone_round_failures(
    admin: httpx.Client, lms: httpx.Client, receiver: Receiver, eventually: Callable[..., None]
) -> None:
    verb = f"https://e.org/verbs/{uuid4()}"
    store = {"kind": "lrs", "username": "key", "password": "their secret"}
    receiver.answering = answer(503)
    body = {**store, "name": "Elsewhere", "url": f"{receiver.url}/xapi", "filter": {"verb": verb}}
    made = told(admin.post(SUBSCRIPTIONS, json=body), 201)

    ids = told(lms.post("/statements", json=[statement(verb={"id": verb}) for _ in range(3)]))
    eventually(lambda: len(receiver.posts) == 1, "the first attempt")
    receiver.answering = answer(200, "[]")
    eventually(lambda: len(receiver.posts) == 2, "the second attempt")

    assert [item["id"] for item in receiver.posts[1].json] == ids
    told(admin.delete(f"{SUBSCRIPTIONS}/{made['id']}", headers={"If-Match": "*"}), 204)


def test_a_refused_request_is_corrected_and_replayed(
    admin: httpx.Client, lms: httpx.Client, eventually: Callable[..., None]
) -> None:
    verb = f"https://e.org/verbs/{uuid4()}"
    good = statement(verb={"id": verb})
    assert lms.post("/statements", json=[{**good, "actor": {"mbox": verb}}]).status_code == 400

    def entries() -> list[dict[str, Any]]:
        listed = told(admin.get("/api/xapi/quarantine", params={"reason": "refused", "state": "waiting"}))["items"]
        return [told(admin.get(f"/api/xapi/quarantine/{item['id']}")) for item in listed]

    (entry,) = [item for item in entries() if verb in (item["body"] or "")]
    assert [item["pointer"] for item in entry["violations"]] == ["/0/actor/mbox"]
    done = told(admin.post(f"/api/xapi/quarantine/{entry['id']}/replay", json={"body": [good]}))

    (replayed,) = done["statement_ids"]
    eventually(lambda: lms.get("/statements", params={"verb": verb}).json()["statements"] != [], "the statement")
    assert lms.get("/statements", params={"verb": verb}).json()["statements"][0]["id"] == replayed
