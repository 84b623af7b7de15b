"""Make, change and end webhooks; put events on their way to them, and note what became of that."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from dataforge.contexts.notifications.contract import WebhookDisabled
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.contexts.notifications.webhooks.domain import (
    KEPT_EVENTS_DAYS,
    MOST_WAITING,
    MOST_WEBHOOKS,
    REPLAYED_AT_ONCE,
    EventDelivery,
    Webhook,
    WebhookLimit,
    check_event_types,
    check_replayable,
    data_of_test,
    delivery_id_of,
)
from dataforge.contexts.notifications.webhooks.events import PUBLISHED, TEST
from dataforge.contexts.notifications.webhooks.queries import (
    dead_deliveries,
    get_event_delivery,
    is_there,
    keepers_of,
    listening,
    occurred_at,
    past_events,
)
from dataforge.contexts.notifications.webhooks.repository import Happened
from dataforge.kernel.errors import ValidationFailed, Violation
from dataforge.kernel.events import Event
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.versioned_rows import Change, Delete, audit_change, require_revision
from dataforge.platform.deliveries.domain import Attempt, DeliveryState, new_secret
from dataforge.platform.deliveries.recording import Record
from dataforge.platform.deliveries.sending import check_receiver
from dataforge.platform.sealing import SecretBox


@dataclass(frozen=True, slots=True)
class CreateWebhook:
    """Send events to an address from now on, signed with a secret that is made here."""

    name: str
    url: str
    event_types: tuple[str, ...]
    workspace_id: UUID | None
    box: SecretBox
    private: bool


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """The only time the secret is known."""

    id: UUID
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChangeWebhook:
    """Change some fields at the revision that was read."""

    change: Change
    private: bool


@dataclass(frozen=True, slots=True)
class ReplaceSecret:
    """Sign with another secret; for a day the one before signs, too."""

    webhook_id: UUID
    box: SecretBox


@dataclass(frozen=True, slots=True)
class TestWebhook:
    """Send something that is no event, to see whether it arrives."""

    webhook_id: UUID


@dataclass(frozen=True, slots=True)
class Replay:
    """Send again: one delivery, all that were given up, or all that has happened `since`; one of them is given."""

    webhook_id: UUID
    delivery_id: UUID | None = None
    failed: bool = False
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordAttempt:
    """What came of an attempt."""

    webhook: Webhook
    delivery: EventDelivery
    attempt: Attempt
    random: Random


async def create_webhook(command: CreateWebhook, uow: NotificationsUnitOfWork) -> NewWebhook:
    """Add a webhook; raises ValidationFailed, WebhookLimit."""
    check_receiver(command.url, private=command.private)
    check_event_types(command.event_types, command.workspace_id)
    if await uow.webhooks.count(command.workspace_id) >= MOST_WEBHOOKS:
        raise WebhookLimit(Text("There are {most} webhooks already; delete one first.", most=MOST_WEBHOOKS))
    webhook_id, secret = uuid7(), new_secret()
    row = await uow.webhooks.add(
        {
            "id": webhook_id,
            "workspace_id": command.workspace_id,
            "name": command.name,
            "url": command.url,
            "event_types": list(command.event_types),
            "secret": command.box.seal(secret, str(webhook_id)),
            "created_by": uow.principal.user_id,
        }
    )
    audit_change(uow, "webhook", "created", row)
    return NewWebhook(webhook_id, secret)


async def change_webhook(command: ChangeWebhook, uow: NotificationsUnitOfWork) -> UUID:
    """Change a webhook; switched on again, or with another address, it goes on with what waits at once.

    Raises NotFound, PreconditionFailed.
    """
    changes = dict(command.change.changes)
    before = await uow.webhooks.lock(command.change.id)
    require_revision(command.change.revision, before["revision"])
    check_receiver(str(changes.get("url", before["url"])), private=command.private)
    check_event_types(changes.get("event_types", ()), before["workspace_id"])
    if changes.get("enabled") and not before["enabled"]:
        changes |= {"disabled_reason": None, "failing_since": None, "failures": 0}
    row = await uow.webhooks.change(before, changes)
    # Pauses grow to half a day; whoever has mended the address does not wait for their end.
    if row["enabled"] and not (before["enabled"] and row["url"] == before["url"]):
        await uow.event_deliveries.wake(command.change.id)
    audit_change(uow, "webhook", "changed", row, before)
    return command.change.id


async def delete_webhook(command: Delete, uow: NotificationsUnitOfWork) -> None:
    """End a webhook, with all that waits and with its log; raises NotFound, PreconditionFailed."""
    row = await uow.webhooks.lock(command.id)
    require_revision(command.revision, row["revision"])
    await uow.webhooks.remove(row)
    audit_change(uow, "webhook", "deleted", row)


async def replace_secret(command: ReplaceSecret, uow: NotificationsUnitOfWork) -> str:
    """Make another signing secret, which is shown this once; raises NotFound."""
    row = await uow.webhooks.lock(command.webhook_id)
    secret = new_secret()
    await uow.webhooks.replace_secret(command.webhook_id, command.box.seal(secret, str(command.webhook_id)))
    uow.audit(_entry("webhook.secret_replaced", row))
    return secret


async def test_webhook(command: TestWebhook, uow: NotificationsUnitOfWork) -> UUID:
    """Add a test, which is sent at once and once; the id of its delivery. Raises NotFound."""
    row = await uow.webhooks.lock(command.webhook_id)
    test = Happened(uuid7(), TEST, row["workspace_id"], uow.now, data_of_test(command.webhook_id))
    await uow.event_deliveries.add([command.webhook_id], [test], is_test=True)
    return delivery_id_of(command.webhook_id, test.event_id)


async def replay(command: Replay, uow: NotificationsUnitOfWork) -> int | None:
    """Send again; how many deliveries that are, None for what is looked for by the worker.

    Raises NotFound, DeliveryWaits, ValidationFailed for a time of which nothing is kept any more.
    """
    row = await uow.webhooks.lock(command.webhook_id)
    number = await _replay(command, uow)
    asked = {"delivery_id": command.delivery_id, "failed": command.failed, "since": command.since}
    after = {name: str(value) for name, value in asked.items() if value}
    uow.audit(_entry("webhook.replayed", row, after | {"deliveries": number}))
    return number


async def _replay(command: Replay, uow: NotificationsUnitOfWork) -> int | None:
    if command.since is not None:
        if not uow.now - timedelta(days=KEPT_EVENTS_DAYS) <= command.since <= uow.now:
            message = Text("since must be within the last {days} days.", days=KEPT_EVENTS_DAYS)
            raise ValidationFailed(message, violations=[Violation("/since", message, "range")])
        await uow.webhooks.replay(command.webhook_id, command.since)
        return None
    if command.delivery_id is None:
        return await uow.event_deliveries.repeat(await dead_deliveries(uow.connection, command.webhook_id))
    delivery = await get_event_delivery(uow.connection, command.webhook_id, command.delivery_id)
    check_replayable(DeliveryState(delivery["state"]))
    return await uow.event_deliveries.repeat([command.delivery_id])


async def put_on_its_way(event: Event, uow: NotificationsUnitOfWork) -> int:
    """Add the deliveries of an event; returns how many are new, which an event that comes again has none of."""
    published = PUBLISHED[type(event)]
    workspace_id = published.workspace_of(event)
    hearing = await listening(uow.connection, published.type, workspace_id)
    if not hearing:
        return 0
    at = await occurred_at(uow.connection, event.event_id) or uow.now
    happened = Happened(event.event_id, published.type, workspace_id, at, published.data_of(event))
    return await uow.event_deliveries.add(hearing, [happened])


async def plan_replay(webhook_id: UUID, uow: NotificationsUnitOfWork) -> bool:
    """Do the next step of a replay: make its deliveries and move on, both or neither. Whether there is more to do."""
    webhook = await uow.webhooks.whole(webhook_id)
    if webhook is None or webhook.replay_since is None or not webhook.enabled:
        return False
    if await uow.event_deliveries.waiting(webhook_id) >= MOST_WAITING:
        return False
    past = await past_events(uow.connection, webhook, webhook.replay_since, REPLAYED_AT_ONCE)
    await uow.event_deliveries.add([webhook_id], past.events)
    await uow.event_deliveries.repeat([delivery_id_of(webhook_id, item.event_id) for item in past.events])
    await uow.webhooks.replay(webhook_id, None if past.through is None else webhook.replay_since, past.through)
    return past.through is not None


async def lease_delivery(webhook_id: UUID, uow: NotificationsUnitOfWork) -> tuple[Webhook, EventDelivery] | None:
    """The first delivery with its webhook, if it is due and nobody has it."""
    webhook = await uow.webhooks.whole(webhook_id)
    if webhook is None or not await is_there(uow.connection, webhook.workspace_id):
        return None
    delivery = await uow.event_deliveries.lease(webhook_id)
    return None if delivery is None else (webhook, delivery)


async def record_attempt(command: RecordAttempt, uow: NotificationsUnitOfWork) -> float | None:
    """Note what came of an attempt; returns the seconds to the next one, None if there is none to wait for.

    What a worker says whose lease ran out is passed over. A webhook that is switched off is announced to its keepers.
    """
    webhook, delivery = command.webhook, command.delivery
    if not await uow.event_deliveries.hold(delivery):
        return None
    record = Record(uow.webhooks, uow.event_deliveries, uow.now, command.random)
    recorded = await record.outcome(delivery, command.attempt)
    if recorded.disabled is not None:
        after = {"enabled": False, "disabled_reason": recorded.disabled}
        about = {"id": webhook.id, "workspace_id": webhook.workspace_id}
        uow.audit(_entry("webhook.changed", about, after, before={"enabled": True}))
        keepers = await keepers_of(uow.connection, webhook.workspace_id)
        uow.publish(WebhookDisabled(webhook.id, webhook.name, webhook.workspace_id, recorded.disabled, keepers))
    return recorded.seconds


async def forget_webhooks(workspace_id: UUID, uow: NotificationsUnitOfWork) -> int:
    """Delete the webhooks of a workspace that is no more; returns how many."""
    return await uow.webhooks.delete_of_workspace(workspace_id)


def _entry(
    action: str,
    row: Mapping[str, Any],
    after: Mapping[str, Any] | None = None,
    *,
    before: Mapping[str, Any] | None = None,
) -> AuditEntry:
    return AuditEntry(action, "webhook", str(row["id"]), before, after, row["workspace_id"])
