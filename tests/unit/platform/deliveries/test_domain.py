"""Rules of deliveries."""

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.platform.deliveries.domain import (
    PAUSES,
    is_last,
    pause_before,
    retry_after_of,
    signature,
    signing_secrets,
    webhook_headers,
)

AN_ID = UUID("00000000-0000-4000-8000-000000000001")


def test_the_signature_is_that_of_the_published_example() -> None:
    secret, message_id, timestamp = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330

    found = signature(secret, message_id, timestamp, b'{"test": 2432232314}')

    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_id_of_a_delivery_stays_and_its_time_goes_on() -> None:
    first = datetime(2026, 5, 4, tzinfo=UTC)

    heads = [webhook_headers(["whsec_AAAA"], AN_ID, first + timedelta(minutes=n), b"{}") for n in range(2)]

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


def test_attempts_go_on_for_more_than_a_day_whatever_the_jitter() -> None:
    assert sum(PAUSES[:-1]) * 0.8 > 36 * 60 * 60


@pytest.mark.parametrize(("hours", "signing"), [(-1, [b"new", b"old"]), (0, [b"new"]), (1, [b"new"])])
def test_the_secret_before_the_last_one_signs_until_its_time_is_over(hours: int, signing: list[bytes]) -> None:
    until = datetime(2026, 5, 4, tzinfo=UTC)

    assert signing_secrets(b"new", b"old", until, until + timedelta(hours=hours)) == signing
    assert signing_secrets(b"new", None, None, until) == [b"new"]
