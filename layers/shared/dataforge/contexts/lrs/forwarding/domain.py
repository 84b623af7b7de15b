"""Rules of subscriptions and of their deliveries: what is chosen, how it is signed, and what an answer means."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Any
from uuid import UUID

from dataforge.contexts.lrs.consistency import MARGIN_SECONDS
from dataforge.contexts.lrs.search.domain import Kind, activity_keys, agent_keys, key_of
from dataforge.contexts.lrs.statements.domain import actor_key, format_timestamp, to_json, validate_agent
from dataforge.kernel.errors import Conflict, ValidationFailed, Violation
from dataforge.kernel.texts import Text

MAX_STATEMENTS = 50
"""Statements of one delivery."""
MAX_DELIVERY_BYTES = 2 * 1024 * 1024
MAX_WAITING = 20
"""Deliveries that are planned ahead; behind them the position stays, however much there is."""
SCANNED = 20_000
"""Statements that are looked at for one plan."""
GIVES_UP_AFTER = timedelta(days=5)
"""A subscription that has failed for that long without a success is switched off."""
LEASE = timedelta(minutes=2)
ASKING_SECONDS = 1.0
"""How often a loader asks whether what it has loaded is to be announced."""
COVERED_SECONDS = MARGIN_SECONDS + ASKING_SECONDS
"""A message that comes so much later finds what is loaded until the loader asks again, behind the bound."""
AFTER_SECONDS = COVERED_SECONDS + 2
"""How much later a message comes; so there is one in two seconds at most, whatever number of loaders there is."""
KEEP_SECRET = timedelta(hours=24)
"""How long the secret before the last one signs, too."""
KEEP_DELIVERED = timedelta(days=7)
KEEP_DEAD = timedelta(days=30)
# Seconds from one attempt to the next; after the last the delivery is dead and the next one has its turn.
PAUSES = (5, 30, 120, 300, 900, 1800, 3600, 7200, 14_400, 28_800, 43_200, 43_200)
_LONGEST_PAUSE = 86_400
_JITTER = 0.2
_WHSEC = "whsec_"


class SubscriptionKind(StrEnum):
    """To whom statements go."""

    WEBHOOK = "webhook"
    LRS = "lrs"


class DeliveryState(StrEnum):
    """Where a delivery is: dead ones wait for somebody to try them again."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


class SecretOfStore(Conflict):
    """A store's secret is made there; enter it with PATCH as `password`."""

    code = "secret_of_store"
    title = "The secret is made by the other store"


@dataclass(frozen=True, slots=True)
class StatementChoice:
    """Which statements are sent: those that meet all that is given. `related` is for agent and activity."""

    agent: Mapping[str, Any] | None = None
    verb: str | None = None
    activity: str | None = None
    registration: UUID | None = None
    related: bool = False

    def keys(self) -> list[tuple[UUID, ...]]:
        """What is looked for in the index, one choice of keys for each that is given."""
        found: list[tuple[UUID, ...]] = []
        if self.agent is not None:
            found.append(agent_keys(actor_key(self.agent), related=self.related))
        if self.verb is not None:
            found.append((key_of(Kind.VERB, self.verb),))
        if self.activity is not None:
            found.append(activity_keys(self.activity, related=self.related))
        if self.registration is not None:
            found.append((key_of(Kind.REGISTRATION, str(self.registration)),))
        return found


def check_choice(choice: StatementChoice) -> None:
    """Raise ValidationFailed unless the agent is a valid one with an identifier."""
    if choice.agent is None:
        return
    found = validate_agent(dict(choice.agent), path="/filter/agent", group_allowed=True)
    if not found and actor_key(choice.agent).startswith(("name:", "group:")):
        found = [
            Violation("/filter/agent", Text("must have one identifier: mbox, mbox_sha1sum, openid or account"), "agent")
        ]
    if found:
        message = Text("The filter's agent is no valid Agent. {message}", message=found[0].message)
        raise ValidationFailed(message, violations=found)


@dataclass(frozen=True, slots=True)
class Subscription:
    """To whom, where and what; `secret` is encrypted, `position` is how far statements have been planned."""

    id: UUID
    kind: SubscriptionKind
    url: str
    choice: StatementChoice
    sealed_secret: bytes
    username: str | None
    xapi_version: str
    enabled: bool
    position_at: datetime
    position_id: UUID
    failing_since: datetime | None
    failures: int
    previous_secret: bytes | None = None
    previous_until: datetime | None = None

    def sealed_secrets(self, now: datetime) -> list[bytes]:
        """What signs at this time, the newest first."""
        previous = self.previous_secret if self.previous_until and now < self.previous_until else None
        return [self.sealed_secret, *([previous] if previous else [])]


@dataclass(frozen=True, slots=True)
class Delivery:
    """Statements of one request; a test has none. Its id is the same in every attempt.

    `leased_until` says which attempt this is the delivery of.
    """

    id: UUID
    subscription_id: UUID
    statement_ids: Sequence[UUID]
    attempts: int
    created_at: datetime
    is_test: bool = False
    leased_until: datetime | None = None


class Verdict(StrEnum):
    """What comes of an attempt."""

    DELIVERED = "delivered"
    RETRY = "retry"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Refused:
    """A statement that the other store will never take, and why."""

    statement_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt went: what is left to be sent, what was refused for good, and what was answered."""

    verdict: Verdict
    left: Sequence[UUID] = ()
    refused: Sequence[Refused] = ()
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


def new_secret() -> str:
    """A secret in the form of Standard Webhooks: 192 random bits."""
    return _WHSEC + base64.b64encode(secrets.token_bytes(24)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`webhook-signature` of Standard Webhooks: v1 and HMAC-SHA256 over id, timestamp and body."""
    key = base64.b64decode(secret.removeprefix(_WHSEC))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def webhook_headers(keys: Sequence[str], delivery: Delivery, now: datetime, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks; the id stays, so that the receiver knows what it has already.

    There is a signature for each secret, so that a receiver may know the one before the last.
    """
    timestamp = int(now.timestamp())
    return {
        "Content-Type": "application/json",
        "webhook-id": str(delivery.id),
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(item, str(delivery.id), timestamp, body) for item in keys),
    }


def webhook_body(delivery: Delivery, statements: Sequence[Mapping[str, Any]]) -> bytes:
    """The payload of Standard Webhooks: type, timestamp and data."""
    kind = "subscription.test" if delivery.is_test else "statements.stored"
    data = {"subscription_id": str(delivery.subscription_id), "statements": list(statements)}
    return to_json({"type": kind, "timestamp": format_timestamp(delivery.created_at), "data": data})


def as_sent(statement: Mapping[str, Any]) -> dict[str, Any]:
    """A stored statement as another store takes it: what that one sets itself is left out (Data 2.4.8, 2.4.9)."""
    return {name: value for name, value in statement.items() if name not in ("stored", "authority")}


def basic(username: str, secret: str) -> str:
    """The Authorization header of HTTP Basic (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{username}:{secret}".encode()).decode()
