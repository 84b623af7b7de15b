"""Rules of deliveries: when they are tried again, how they are signed, and what an answer means."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Protocol
from uuid import UUID

GIVES_UP_AFTER = timedelta(days=5)
"""A receiver that has failed for that long without a success is switched off."""
LEASE = timedelta(minutes=2)
KEEP_SECRET = timedelta(hours=24)
"""How long the secret before the last one signs, too."""
KEEP_DELIVERED = timedelta(days=7)
KEEP_DEAD = timedelta(days=30)
# Seconds from one attempt to the next, two days altogether; after the last the delivery is dead, and the next one has
# its turn.
PAUSES = (5, 30, 120, 300, 900, 1800, 3600, 7200, 14_400, 28_800, 43_200, 43_200, 43_200, 43_200)
_LONGEST_PAUSE = 86_400
_JITTER = 0.2
_WHSEC = "whsec_"


class DeliveryState(StrEnum):
    """Where a delivery is: dead ones wait for somebody to try them again."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


class Verdict(StrEnum):
    """What comes of an attempt."""

    DELIVERED = "delivered"
    RETRY = "retry"
    STOP = "stop"


class Attempted(Protocol):
    """A delivery that is leased for an attempt; `leased_until` says which attempt that is."""

    @property
    def id(self) -> UUID:
        """The same in every attempt."""
        ...

    @property
    def receiver_id(self) -> UUID:
        """To whom it goes."""
        ...

    @property
    def attempts(self) -> int:
        """How many have failed."""
        ...

    @property
    def is_test(self) -> bool:
        """Whether it is tried once, and counts for nothing."""
        ...

    @property
    def leased_until(self) -> datetime | None:
        """Until when nobody else takes it."""
        ...


class Judged(Protocol):
    """How an attempt went."""

    @property
    def verdict(self) -> Verdict:
        """What comes of it."""
        ...

    @property
    def status(self) -> int | None:
        """The status that was answered, None if nothing was."""
        ...

    @property
    def error(self) -> str | None:
        """What went wrong, for whoever looks after the receiver."""
        ...

    @property
    def retry_after(self) -> int | None:
        """The seconds that the receiver asks us to wait."""
        ...


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an attempt went that either delivers everything or nothing."""

    verdict: Verdict
    status: int | None = None
    error: str | None = None
    retry_after: int | None = None


def pause_before(attempt: int, retry_after: int | None, random: Random) -> timedelta:
    """How long to wait after this attempt (the first is 1): what the receiver asks for at least, and some jitter."""
    base = PAUSES[min(attempt, len(PAUSES)) - 1]
    jittered = base * (1 + random.uniform(-_JITTER, _JITTER))
    return timedelta(seconds=min(max(jittered, retry_after or 0), _LONGEST_PAUSE))


def is_last(attempt: int) -> bool:
    """Whether a delivery is given up when this attempt has failed."""
    return attempt >= len(PAUSES)


def retry_after_of(headers: Mapping[str, str]) -> int | None:
    """The seconds of a Retry-After header; a date is not read (RFC 9110 §10.2.3 has both)."""
    given = headers.get("retry-after", "")
    return min(int(given), _LONGEST_PAUSE) if given.isascii() and given.isdigit() and len(given) < 10 else None


def signing_secrets(
    secret: bytes, previous: bytes | None, previous_until: datetime | None, now: datetime
) -> list[bytes]:
    """The encrypted secrets that sign at this time, the newest first."""
    older = previous if previous_until is not None and now < previous_until else None
    return [secret] if older is None else [secret, older]


def new_secret() -> str:
    """A secret in the form of Standard Webhooks: 192 random bits."""
    return _WHSEC + base64.b64encode(secrets.token_bytes(24)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`webhook-signature` of Standard Webhooks: v1 and HMAC-SHA256 over id, timestamp and body."""
    key = base64.b64decode(secret.removeprefix(_WHSEC))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def webhook_headers(keys: Sequence[str], message_id: UUID, now: datetime, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks; the id stays, so that the receiver knows what it has already.

    There is a signature for each secret, so that a receiver may know the one before the last.
    """
    timestamp = int(now.timestamp())
    return {
        "Content-Type": "application/json",
        "webhook-id": str(message_id),
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(item, str(message_id), timestamp, body) for item in keys),
    }
