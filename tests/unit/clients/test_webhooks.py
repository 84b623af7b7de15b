"""Deliveries of webhooks, as a receiver checks them."""

import json
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


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (signed(), BODY + " "),
        (signed(secret="whsec_QkJCQkJCQkJCQkJCQkJCQkJCQkJC"), BODY),
        (signed(at=datetime.now(UTC) - timedelta(minutes=6)), BODY),
        (signed(at=datetime.now(UTC) + timedelta(minutes=6)), BODY),
        (signed() | {"Webhook-Id": "msg_2"}, BODY),
        (signed() | {"Webhook-Timestamp": "soon"}, BODY),
        (signed() | {"Webhook-Signature": ""}, BODY),
        (signed() | {"Webhook-Signature": "v2," + signed()["Webhook-Signature"][3:]}, BODY),
        ({}, BODY),
    ],
    ids=["body", "secret", "old", "future", "id", "time", "none", "version", "headers"],
)
def test_anything_else_is_not(headers: dict[str, str], body: str) -> None:
    with pytest.raises(NotGenuine):
        verify(SECRET, headers, body)


def test_a_secret_that_is_none_is_refused() -> None:
    with pytest.raises(NotGenuine):
        verify("whsec_not base64!", signed(), BODY)
