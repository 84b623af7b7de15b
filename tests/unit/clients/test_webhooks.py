"""Deliveries of webhooks, as a receiver checks them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from dataforge_client import NotGenuine, verify

SECRET = "whsec_" + "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"
BODY = json.dumps({"type": "dataset.committed", "data": {"id": 1}})


def signed(body: str = BODY, *, secret: str = SECRET, at: datetime | None = None) -> dict[str, str]:
    moment = at or datetime.now(UTC)
    return {
        "Webhook-Id": "msg_1",
        "Webhook-Timestamp": str(int(moment.timestamp())),
        "Webhook-Signature": Webhook(secret).sign("msg_1", moment, body),
    }


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none()))
def test_what_others_sign_is_genuine(event: dict[str, Any]) -> None:
    body = json.dumps(event)

    delivery = verify(SECRET, signed(body), body.encode())

    assert (delivery.id, delivery.body) == ("msg_1", event)
    assert datetime.now(UTC) - delivery.sent_at < timedelta(minutes=5)


def test_one_good_signature_of_several_is_enough() -> None:
    headers = signed()
    headers["Webhook-Signature"] = f"v1a,AAAA v1,AAAA {headers['Webhook-Signature']}"

    assert verify(SECRET, headers, BODY).body["type"] == "dataset.committed"


MINUTES = timedelta(minutes=1)
# Signed when the test runs: a delivery is genuine for five minutes.
WRONG: dict[str, Callable[[], tuple[dict[str, str], str]]] = {
    "body": lambda: (signed(), BODY + " "),
    "secret": lambda: (signed(secret="whsec_QkJCQkJCQkJCQkJCQkJCQkJCQkJC"), BODY),
    "old": lambda: (signed(at=datetime.now(UTC) - 6 * MINUTES), BODY),
    "future": lambda: (signed(at=datetime.now(UTC) + 6 * MINUTES), BODY),
    "id": lambda: (signed() | {"Webhook-Id": "msg_2"}, BODY),
    "time": lambda: (signed() | {"Webhook-Timestamp": "soon"}, BODY),
    "none": lambda: (signed() | {"Webhook-Signature": ""}, BODY),
    "version": lambda: (signed() | {"Webhook-Signature": "v2," + signed()["Webhook-Signature"][3:]}, BODY),
    "headers": lambda: ({}, BODY),
}


@pytest.mark.parametrize("case", WRONG)
def test_anything_else_is_not(case: str) -> None:
    headers, body = WRONG[case]()

    with pytest.raises(NotGenuine):
        verify(SECRET, headers, body)


def test_a_secret_that_is_none_is_refused() -> None:
    with pytest.raises(NotGenuine):
        verify("whsec_not base64!", signed(), BODY)
