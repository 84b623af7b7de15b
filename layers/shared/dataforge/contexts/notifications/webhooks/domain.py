"""Rules of webhooks: what they hear of, what a delivery says, and how many there may be."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from dataforge.contexts.notifications.webhooks.events import TEST, TYPES, EventScope
from dataforge.kernel.errors import Conflict, NotFound, ValidationFailed, Violation
from dataforge.kernel.texts import Text
from dataforge.platform.deliveries.domain import DeliveryState, signing_secrets

MOST_WEBHOOKS = 50
"""Of one workspace, and of the organisation."""
KEPT_EVENTS_DAYS = 14
"""For how long what has happened can be replayed, whether or not it was delivered."""
REPLAYED_AT_ONCE = 500
"""Events that are looked at for one step of a replay."""
MOST_WAITING = 1000
"""Deliveries that may wait before a replay goes on."""


class WebhookLimit(Conflict):
    """There are as many webhooks as there may be; delete one first."""

    code = "webhook_limit"
    title = "There are too many webhooks"


class DeliveryWaits(Conflict):
    """The delivery waits to be sent: there is nothing to repeat yet."""

    code = "delivery_waits"
    title = "The delivery is still on its way"


def webhook_missing(webhook_id: UUID) -> NotFound:
    """The refusal for a webhook that is not there, and for everybody who may not read it."""
    return NotFound(Text("There is no webhook {webhook_id}.", webhook_id=webhook_id))


def delivery_missing(delivery_id: UUID) -> NotFound:
    """The refusal for a delivery that the webhook does not have, or not any more."""
    return NotFound(Text("There is no delivery {delivery_id} of this webhook.", delivery_id=delivery_id))


@dataclass(frozen=True, slots=True)
class Webhook:
    """To whom events go; the secrets are encrypted. `replayed_through` is how far a replay has come."""

    id: UUID
    workspace_id: UUID | None
    name: str
    url: str
    event_types: Sequence[str]
    sealed_secret: bytes
    previous_secret: bytes | None
    previous_until: datetime | None
    enabled: bool
    replay_since: datetime | None
    replayed_through: UUID | None

    def sealed_secrets(self, now: datetime) -> list[bytes]:
        """What signs at this time, the newest first."""
        return signing_secrets(self.sealed_secret, self.previous_secret, self.previous_until, now)

    def hears(self, event_type: str, workspace_id: UUID | None) -> bool:
        """Whether an event of this workspace is for it."""
        in_reach = self.workspace_id is None or self.workspace_id == workspace_id
        return in_reach and (not self.event_types or event_type in self.event_types)


@dataclass(frozen=True, slots=True)
class EventDelivery:
    """One event on its way to one webhook; `leased_until` says which attempt this is the delivery of."""

    id: UUID
    webhook_id: UUID
    event_id: UUID
    event_type: str
    workspace_id: UUID | None
    occurred_at: datetime
    data: Mapping[str, Any]
    attempts: int
    is_test: bool
    leased_until: datetime | None

    @property
    def receiver_id(self) -> UUID:
        """To whom it goes."""
        return self.webhook_id


def delivery_id_of(webhook_id: UUID, event_id: UUID) -> UUID:
    """The id of the delivery of an event, and its `webhook-id`: the same whenever it is sent, so that it is known."""
    return uuid5(webhook_id, str(event_id))


def body_of(
    event_type: str, occurred_at: datetime, event_id: UUID, workspace_id: UUID | None, data: Mapping[str, Any]
) -> dict[str, Any]:
    """What is sent: type, timestamp and data as Standard Webhooks have them, and which event of which workspace."""
    return {
        "type": event_type,
        "timestamp": occurred_at.isoformat(),
        "event_id": str(event_id),
        "workspace_id": None if workspace_id is None else str(workspace_id),
        "data": dict(data),
    }


def encoded(body: Mapping[str, Any]) -> bytes:
    """The body as bytes, which are what is signed."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def readable(body: Mapping[str, Any]) -> str:
    """The same for people."""
    return json.dumps(body, ensure_ascii=False, indent=2)


def data_of_test(webhook_id: UUID) -> dict[str, Any]:
    """The data of a test."""
    return {"webhook_id": str(webhook_id)}


def check_event_types(types: Collection[str], workspace_id: UUID | None) -> None:
    """Raise ValidationFailed for a type that is not published, or that no webhook of a workspace hears of."""
    violations = []
    for position, name in enumerate(types):
        published = TYPES.get(name)
        if name == TEST:
            message = Text("{name} comes to every webhook that is tested and is not asked for.", name=name)
        elif published is None:
            message = Text("There is no event type {name!r}; GET /api/webhooks/event-types lists them.", name=name)
        elif workspace_id is not None and published.scope is EventScope.ORGANISATION:
            message = Text("{name} does not happen in workspaces, so that none of them hears of it.", name=name)
        else:
            continue
        violations.append(Violation(f"/event_types/{position}", message, "event_type"))
    if violations:
        raise ValidationFailed(violations[0].message, violations=violations)


def check_replayable(state: DeliveryState) -> None:
    """Raise DeliveryWaits for a delivery that has not ended."""
    if state is DeliveryState.WAITING:
        raise DeliveryWaits(Text("The delivery waits to be sent; it can be repeated when it has ended."))
