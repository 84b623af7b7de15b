"""Rules of deliveries."""

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.lrs.forwarding.domain import (
    PAUSES,
    Delivery,
    StatementChoice,
    check_choice,
    is_last,
    pause_before,
    retry_after_of,
    signature,
    webhook_headers,
)
from dataforge.kernel.errors import ValidationFailed
from dataforge.platform.sealing import SecretBox, SecretUnreadable

AN_ID = UUID("00000000-0000-4000-8000-000000000001")


def test_the_signature_is_that_of_the_published_example() -> None:
    secret, message_id, timestamp = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330

    found = signature(secret, message_id, timestamp, b'{"test": 2432232314}')

    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_id_of_a_delivery_stays_and_its_time_goes_on() -> None:
    first = datetime(2026, 5, 4, tzinfo=UTC)
    delivery = Delivery(AN_ID, AN_ID, (), 0, first)

    heads = [webhook_headers(["whsec_AAAA"], delivery, first + timedelta(minutes=n), b"{}") for n in range(2)]

    assert heads[0]["webhook-id"] == heads[1]["webhook-id"]
    assert int(heads[1]["webhook-timestamp"]) - int(heads[0]["webhook-timestamp"]) == 60
    assert heads[0]["webhook-signature"] != heads[1]["webhook-signature"]


@given(attempt=st.integers(1, 40), asked=st.none() | st.integers(0, 10**9), seed=st.integers())
def test_pauses_grow_and_are_what_the_receiver_asks_for_at_least(attempt: int, asked: int | None, seed: int) -> None:
    base = PAUSES[min(attempt, len(PAUSES)) - 1]

    seconds = pause_before(attempt, asked, Random(seed)).total_seconds()

    assert min(max(base * 0.8, asked or 0), 86_400) <= seconds <= max(base * 1.2, min(asked or 0, 86_400))


def test_a_delivery_is_given_up_in_the_end() -> None:
    assert [is_last(attempt) for attempt in (1, len(PAUSES) - 1, len(PAUSES))] == [False, False, True]


@pytest.mark.parametrize(
    ("given_", "seconds"),
    [
        ("120", 120),
        ("999999999", 86_400),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("-1", None),
        ("", None),
        ("²", None),
    ],
)
def test_retry_after_is_read_in_seconds(given_: str, seconds: int | None) -> None:
    assert retry_after_of({"retry-after": given_}) == seconds


def test_the_agent_of_a_filter_has_an_identifier() -> None:
    check_choice(StatementChoice(agent={"mbox": "mailto:ana@example.org"}))
    for wrong in ({"name": "Ana"}, {"mbox": "ana"}, {"objectType": "Group", "member": []}):
        with pytest.raises(ValidationFailed):
            check_choice(StatementChoice(agent=wrong))


@given(secret=st.text(), about=st.text(max_size=20))
def test_a_secret_is_read_for_what_it_was_sealed_for(secret: str, about: str) -> None:
    try:
        secret.encode()
        about.encode()
    except UnicodeEncodeError:
        return
    box = SecretBox(b"key", "tests")
    sealed = box.seal(secret, about)

    assert box.open(sealed, about) == secret
    for other, what in ((box, about + "x"), (SecretBox(b"other", "tests"), about), (SecretBox(b"key", "else"), about)):
        with pytest.raises(SecretUnreadable):
            other.open(sealed, what)
