"""Rules of subscriptions and of their deliveries: what is chosen, how it is signed, and what an answer means."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from dataforge.contexts.lrs.consistency import MARGIN_SECONDS
from dataforge.contexts.lrs.search.domain import Kind, activity_keys, agent_keys, key_of
from dataforge.contexts.lrs.statements.domain import actor_key, format_timestamp, to_json, validate_agent
from dataforge.kernel.errors import Conflict, ValidationFailed, Violation
from dataforge.kernel.texts import Text
from dataforge.platform.deliveries.domain import Verdict, signing_secrets

MAX_STATEMENTS = 50
"""Statements of one delivery."""
MAX_DELIVERY_BYTES = 2 * 1024 * 1024
MAX_WAITING = 20
"""Deliveries that are planned ahead; behind them the position stays, however much there is."""
SCANNED = 20_000
"""Statements that are looked at for one plan."""
ASKING_SECONDS = 1.0
"""How often a loader asks whether what it has loaded is to be announced."""
COVERED_SECONDS = MARGIN_SECONDS + ASKING_SECONDS
"""A message that comes so much later finds what is loaded until the loader asks again, behind the bound."""
AFTER_SECONDS = COVERED_SECONDS + 2
"""How much later a message comes; so there is one in two seconds at most, whatever number of loaders there is."""


class SubscriptionKind(StrEnum):
    """To whom statements go."""

    WEBHOOK = "webhook"
    LRS = "lrs"


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
    name: str
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
        return signing_secrets(self.sealed_secret, self.previous_secret, self.previous_until, now)


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

    @property
    def receiver_id(self) -> UUID:
        """To whom it goes."""
        return self.subscription_id


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
