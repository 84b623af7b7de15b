"""Make, change and end subscriptions; plan deliveries, and note what became of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

from dataforge.contexts.lrs.contract import SubscriptionDisabled
from dataforge.contexts.lrs.forwarding.domain import (
    MAX_DELIVERY_BYTES,
    MAX_STATEMENTS,
    MAX_WAITING,
    Delivery,
    Outcome,
    SecretOfStore,
    Subscription,
    SubscriptionKind,
    check_choice,
)
from dataforge.contexts.lrs.forwarding.queries import (
    MatchingStatement,
    administrators,
    choice_of,
    scan_statements,
    subscription_of,
)
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.versioned_rows import Change, Delete, audit_change, require_revision
from dataforge.platform.deliveries.domain import Verdict, new_secret
from dataforge.platform.deliveries.recording import Record
from dataforge.platform.deliveries.sending import check_receiver
from dataforge.platform.sealing import SecretBox

_NO_ID = UUID(int=0)
_AN_AGENT = "(an agent)"


@dataclass(frozen=True, slots=True)
class CreateSubscription:
    """Send statements somewhere: from now on, or from a `position_at` in `values`. A webhook's secret is made here."""

    values: Mapping[str, Any]
    box: SecretBox
    private: bool
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class NewSubscription:
    """The only time a webhook's secret is known."""

    row: Mapping[str, Any]
    secret: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChangeSubscription:
    """Change some fields at the revision that was read; `password` is another one for a store."""

    change: Change
    box: SecretBox
    private: bool
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ReplaceSecret:
    """Make another secret for a webhook."""

    subscription_id: UUID
    box: SecretBox


@dataclass(frozen=True, slots=True)
class TestSubscription:
    """Send something that is no statement, to see whether it arrives."""

    subscription_id: UUID


@dataclass(frozen=True, slots=True)
class RedriveDeliveries:
    """Try dead deliveries again: one, or all."""

    subscription_id: UUID
    delivery_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class PlanDeliveries:
    """Make deliveries of what has been stored since the last plan."""

    subscription_id: UUID


@dataclass(frozen=True, slots=True)
class LeaseDelivery:
    """Take the first delivery that is due."""

    subscription_id: UUID


@dataclass(frozen=True, slots=True)
class RecordOutcome:
    """What came of an attempt."""

    subscription: Subscription
    delivery: Delivery
    outcome: Outcome
    random: Random


async def create_subscription(command: CreateSubscription, uow: LrsUnitOfWork) -> NewSubscription:
    """Add a subscription; raises ValidationFailed."""
    _check(command.values, private=command.private)
    subscription_id, secret = uuid7(), command.password or new_secret()
    values = {
        "position_at": uow.now,
        **command.values,
        "id": subscription_id,
        "secret": command.box.seal(secret, str(subscription_id)),
        "position_id": _NO_ID,
        "created_by": uow.principal.user_id,
    }
    row = await uow.subscriptions.add(values)
    audit_change(uow, "subscription", "created", _audited(row))
    return NewSubscription(row, None if command.password else secret)


async def change_subscription(command: ChangeSubscription, uow: LrsUnitOfWork) -> UUID:
    """Change a subscription; switched on again, or with another way to the receiver, it begins where it stopped.

    Raises NotFound, PreconditionFailed.
    """
    changes = dict(command.change.changes)
    before = await uow.subscriptions.lock(command.change.id)
    require_revision(command.change.revision, before["revision"])
    _check({**before, **changes}, private=command.private)
    if changes.get("enabled") and not before["enabled"]:
        changes |= {"disabled_reason": None, "failing_since": None, "failures": 0}
    if command.password is not None:
        changes["secret"] = command.box.seal(command.password, str(command.change.id))
    row = await uow.subscriptions.change(before, changes)
    # Pauses grow to half a day; whoever has mended the address or the password does not wait for their end.
    ways = ("enabled", "url", "username", "xapi_version")
    if row["enabled"] and (command.password is not None or any(row[name] != before[name] for name in ways)):
        await uow.deliveries.wake(command.change.id)
    other = _agent_of(before) != _agent_of(row)
    was = _audited(before, "(another agent)" if other else _AN_AGENT)
    audit_change(uow, "subscription", "changed", _audited(row), was)
    return command.change.id


async def delete_subscription(command: Delete, uow: LrsUnitOfWork) -> None:
    """End a subscription, with all that waits; raises NotFound, PreconditionFailed."""
    row = await uow.subscriptions.lock(command.id)
    require_revision(command.revision, row["revision"])
    await uow.subscriptions.remove(row)
    audit_change(uow, "subscription", "deleted", _audited(row))


def _agent_of(row: Mapping[str, Any]) -> object:
    return (row.get("filter") or {}).get("agent")


def _audited(row: Mapping[str, Any], agent: str = _AN_AGENT) -> dict[str, Any]:
    """What the audit log says of a subscription: not whom it is about, whom an erasure could not take out of it."""
    return {**row, "filter": {**row["filter"], "agent": agent}} if _agent_of(row) is not None else dict(row)


async def replace_secret(command: ReplaceSecret, uow: LrsUnitOfWork) -> str:
    """Make another signing secret, which is shown this once; raises NotFound, SecretOfStore."""
    row = await uow.subscriptions.lock(command.subscription_id)
    if row["kind"] != SubscriptionKind.WEBHOOK.value:
        message = Text("The secret of a store is made there; enter it with PATCH as `password`.")
        raise SecretOfStore(message)
    secret = new_secret()
    await uow.subscriptions.replace_secret(
        command.subscription_id, command.box.seal(secret, str(command.subscription_id))
    )
    uow.audit(AuditEntry("subscription.secret_replaced", "subscription", str(command.subscription_id)))
    return secret


async def test_subscription(command: TestSubscription, uow: LrsUnitOfWork) -> UUID:
    """Add a test; raises NotFound."""
    await uow.subscriptions.lock(command.subscription_id)
    return await uow.deliveries.add(command.subscription_id, (), is_test=True)


async def redrive_deliveries(command: RedriveDeliveries, uow: LrsUnitOfWork) -> int:
    """Let dead deliveries be tried again; raises NotFound."""
    await uow.subscriptions.lock(command.subscription_id)
    number = await uow.deliveries.redrive(command.subscription_id, command.delivery_id)
    after = {"deliveries": number}
    uow.audit(AuditEntry("subscription.redriven", "subscription", str(command.subscription_id), after=after))
    return number


def _check(values: Mapping[str, Any], *, private: bool) -> None:
    check_receiver(str(values["url"]), private=private)
    check_choice(choice_of(values["filter"]))


async def find_subscription(subscription_id: UUID, uow: LrsUnitOfWork) -> Subscription | None:
    """The subscription with its secret, locked; None when it is gone."""
    row = await uow.subscriptions.lock_whole(subscription_id)
    return None if row is None else subscription_of(row)


async def plan_deliveries(command: PlanDeliveries, uow: LrsUnitOfWork) -> bool:
    """Plan what follows the position, and move it: both or neither. Returns whether there is more to be planned."""
    subscription = await find_subscription(command.subscription_id, uow)
    if subscription is None or not subscription.enabled:
        return False
    room = MAX_WAITING - await uow.deliveries.waiting(subscription.id)
    if room <= 0:
        return False
    scan = await scan_statements(uow.connection, subscription, limit=room * MAX_STATEMENTS)
    batches = list(_batches(scan.matching))
    for batch in batches[:room]:
        await uow.deliveries.add(subscription.id, [item.statement_id for item in batch])
    if len(batches) > room:
        last = batches[room - 1][-1]
        await uow.subscriptions.move(subscription.id, last.stored_at, last.statement_id)
        return True
    await uow.subscriptions.move(subscription.id, scan.through_at, scan.through_id)
    return scan.is_behind


def _batches(matching: Sequence[MatchingStatement]) -> Iterator[list[MatchingStatement]]:
    batch: list[MatchingStatement] = []
    size = 0
    for item in matching:
        if batch and (len(batch) == MAX_STATEMENTS or size + item.size > MAX_DELIVERY_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += item.size
    if batch:
        yield batch


async def lease_delivery(command: LeaseDelivery, uow: LrsUnitOfWork) -> tuple[Subscription, Delivery] | None:
    """The first delivery with its subscription, if it is due and nobody has it."""
    subscription = await find_subscription(command.subscription_id, uow)
    if subscription is None:
        return None
    delivery = await uow.deliveries.lease(subscription.id)
    return None if delivery is None else (subscription, delivery)


async def record_outcome(command: RecordOutcome, uow: LrsUnitOfWork) -> float | None:
    """Note what came of an attempt; returns the seconds to the next one, None if there is none to wait for.

    What a worker says whose lease ran out is passed over: another one tries, or has tried.
    """
    delivery, outcome = command.delivery, command.outcome
    if not await uow.deliveries.hold(delivery):
        return None
    refused = {item.statement_id for item in outcome.refused}
    for item in outcome.refused:
        await uow.deliveries.add(
            delivery.subscription_id, [item.statement_id], refused=item.reason, status=outcome.status
        )
    kept = [item for item in delivery.statement_ids if item not in refused]
    left = kept if outcome.verdict is Verdict.DELIVERED else outcome.left
    if not delivery.is_test and list(left) != list(delivery.statement_ids):
        await uow.deliveries.keep(delivery, left)
    got_on = len(outcome.left) < len(delivery.statement_ids)
    record = Record(uow.subscriptions, uow.deliveries, uow.now, command.random)
    recorded = await record.outcome(delivery, outcome, got_on=got_on)
    if recorded.disabled is not None:
        after = {"enabled": False, "disabled_reason": recorded.disabled}
        about = str(delivery.subscription_id)
        uow.audit(AuditEntry("subscription.changed", "subscription", about, {"enabled": True}, after))
        keepers = await administrators(uow.connection)
        uow.publish(
            SubscriptionDisabled(command.subscription.id, command.subscription.name, recorded.disabled, keepers)
        )
    return recorded.seconds
