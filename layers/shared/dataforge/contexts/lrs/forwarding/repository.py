"""The write SQL of subscriptions and deliveries."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.forwarding.domain import (
    AFTER_SECONDS,
    COVERED_SECONDS,
    KEEP_DEAD,
    KEEP_DELIVERED,
    KEEP_SECRET,
    LEASE,
    Delivery,
    DeliveryState,
    Outcome,
)
from dataforge.contexts.lrs.forwarding.tables import deliveries, subscriptions
from dataforge.kernel.ids import uuid7
from dataforge.platform.db.versioned_rows import VersionedRows

_MOVE = text("UPDATE lrs.subscriptions SET position_at = :at, position_id = :position_id WHERE id = :id")
_ADD = text(
    "INSERT INTO lrs.deliveries (id, subscription_id, statement_ids, is_test, state, created_at, next_attempt_at, "
    "error, status, ended_at) VALUES (:id, :subscription_id, CAST(:statement_ids AS uuid[]), :is_test, :state, :now, "
    ":now, :error, :status, :ended_at)"
)
# Only the first that waits is tried, so that attempts keep the order; a test goes at once, whatever waits.
_LEASE = text(
    "UPDATE lrs.deliveries d SET leased_until = :now + CAST(:lease AS interval), last_attempt_at = :now "
    "FROM (SELECT f.id FROM lrs.deliveries f JOIN lrs.subscriptions s ON s.id = f.subscription_id "
    "WHERE f.subscription_id = :subscription_id AND f.state = 'waiting' AND (s.enabled OR f.is_test) "
    "ORDER BY f.is_test DESC, f.number LIMIT 1) AS first "
    "WHERE d.id = first.id AND d.state = 'waiting' AND d.next_attempt_at <= :now "
    "AND (d.leased_until IS NULL OR d.leased_until < :now) "
    "RETURNING d.id, d.subscription_id, d.statement_ids, d.attempts, d.created_at, d.is_test, d.leased_until"
)
_END = text(
    "UPDATE lrs.deliveries SET state = :state, statement_ids = CAST(:ids AS uuid[]), attempts = :attempts, "
    "status = :status, error = :error, leased_until = NULL, ended_at = :now WHERE id = :id AND state = 'waiting'"
)
_WAIT = text(
    "UPDATE lrs.deliveries SET statement_ids = CAST(:ids AS uuid[]), attempts = :attempts, status = :status, "
    "error = :error, leased_until = NULL, next_attempt_at = :next WHERE id = :id AND state = 'waiting'"
)
_SUCCEEDED = text(
    "UPDATE lrs.subscriptions SET failures = 0, failing_since = NULL, last_error = NULL, last_delivered_at = :now "
    "WHERE id = :id"
)
_FAILED = text(
    "UPDATE lrs.subscriptions SET failures = failures + 1, failing_since = coalesce(failing_since, :now), "
    "last_error = :error WHERE id = :id RETURNING failing_since"
)
_DISABLE = text(
    "UPDATE lrs.subscriptions SET enabled = false, disabled_reason = :reason, revision = revision + 1, "
    "updated_at = :now WHERE id = :id AND enabled"
)
_REDRIVE = text(
    "UPDATE lrs.deliveries SET state = 'waiting', attempts = 0, next_attempt_at = :now, ended_at = NULL "
    "WHERE subscription_id = :id AND state = 'dead' AND NOT is_test "
    "AND (CAST(:delivery AS uuid) IS NULL OR id = :delivery)"
)
_WAKE = text("UPDATE lrs.deliveries SET next_attempt_at = :now WHERE subscription_id = :id AND state = 'waiting'")
_COUNT = text("SELECT count(*) FROM lrs.deliveries WHERE subscription_id = :id AND state = 'waiting' AND NOT is_test")
_REPLACE_SECRET = text(
    "UPDATE lrs.subscriptions SET previous_secret = secret, previous_until = :until, secret = :secret, "
    "revision = revision + 1, updated_at = :now WHERE id = :id"
)
_CLAIM = text(
    "UPDATE lrs.subscriptions SET announced_for = clock_timestamp() + CAST(:after AS interval) "
    "WHERE enabled AND (announced_for IS NULL OR announced_for < clock_timestamp() + CAST(:covered AS interval)) "
    "RETURNING id"
)
_FORGET = text(
    "DELETE FROM lrs.deliveries WHERE id IN (SELECT id FROM lrs.deliveries WHERE ended_at < :delivered AND "
    "(state = 'delivered' OR ended_at < :dead) LIMIT 10000)"
)


class Subscriptions(VersionedRows):
    """Subscriptions inside one transaction; secrets are written and never given out."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        super().__init__(
            connection, subscriptions, "subscription", now, hidden=("secret", "previous_secret", "announced_for")
        )

    async def lock_whole(self, subscription_id: UUID) -> Any | None:  # noqa: ANN401 - a row of the table
        """The row with its secret, locked; None when there is none."""
        query = select(subscriptions).where(subscriptions.c.id == subscription_id)
        return (await self._connection.execute(query.with_for_update())).one_or_none()

    async def replace_secret(self, subscription_id: UUID, secret: bytes) -> None:
        """Sign with another secret; the one before signs too for KEEP_SECRET."""
        values = {"id": subscription_id, "secret": secret, "until": self._now + KEEP_SECRET, "now": self._now}
        await self._connection.execute(_REPLACE_SECRET, values)

    async def move(self, subscription_id: UUID, at: datetime, position_id: UUID) -> None:
        """Note how far statements have been planned."""
        await self._connection.execute(_MOVE, {"id": subscription_id, "at": at, "position_id": position_id})

    async def succeeded(self, subscription_id: UUID) -> None:
        """Note that something was delivered."""
        await self._connection.execute(_SUCCEEDED, {"id": subscription_id, "now": self._now})

    async def failed(self, subscription_id: UUID, error: str | None) -> datetime:
        """Note a failure; returns since when there was none but failures."""
        values = {"id": subscription_id, "now": self._now, "error": error}
        found: datetime = (await self._connection.execute(_FAILED, values)).scalar_one()
        return found

    async def disable(self, subscription_id: UUID, reason: str) -> bool:
        """Switch it off; False if it is already."""
        values = {"id": subscription_id, "reason": reason, "now": self._now}
        return (await self._connection.execute(_DISABLE, values)).rowcount == 1


class Deliveries:
    """Deliveries inside one transaction."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def waiting(self, subscription_id: UUID) -> int:
        """How many wait."""
        return int((await self._connection.execute(_COUNT, {"id": subscription_id})).scalar_one())

    async def add(
        self,
        subscription_id: UUID,
        statement_ids: Sequence[UUID],
        *,
        is_test: bool = False,
        refused: str | None = None,
        status: int | None = None,
    ) -> UUID:
        """Add a delivery; one that the receiver has `refused` for good is dead from the beginning."""
        values = {
            "id": uuid7(),
            "subscription_id": subscription_id,
            "statement_ids": list(statement_ids),
            "is_test": is_test,
            "state": DeliveryState.WAITING if refused is None else DeliveryState.DEAD,
            "now": self._now,
            "error": None if refused is None else refused[:500],
            "status": status,
            "ended_at": None if refused is None else self._now,
        }
        await self._connection.execute(_ADD, values)
        return UUID(str(values["id"]))

    async def lease(self, subscription_id: UUID) -> Delivery | None:
        """The first delivery, if it is due and nobody has it; it is ours for LEASE."""
        values = {"subscription_id": subscription_id, "now": self._now, "lease": LEASE}
        row = (await self._connection.execute(_LEASE, values)).one_or_none()
        if row is None:
            return None
        return Delivery(*row)

    async def hold(self, delivery: Delivery) -> bool:
        """Lock a leased delivery; False when the lease ran out and another worker has taken it over."""
        query = select(deliveries.c.id).where(
            deliveries.c.id == delivery.id,
            deliveries.c.state == DeliveryState.WAITING.value,
            deliveries.c.leased_until == delivery.leased_until,
        )
        return (await self._connection.execute(query.with_for_update())).one_or_none() is not None

    async def end(self, delivery: Delivery, state: DeliveryState, ids: Sequence[UUID], outcome: Outcome) -> None:
        """The delivery has ended with these statements; one that has ended already stays as it is."""
        values = {"id": delivery.id, "state": state, "ids": list(ids), "now": self._now}
        await self._connection.execute(_END, {**values, **_answered(outcome), "attempts": delivery.attempts + 1})

    async def wait(
        self, delivery: Delivery, ids: Sequence[UUID], outcome: Outcome, *, attempts: int, pause: timedelta
    ) -> None:
        """The delivery is tried again with these statements after a pause."""
        values = {"id": delivery.id, "ids": list(ids), "attempts": attempts, "next": self._now + pause}
        await self._connection.execute(_WAIT, {**values, **_answered(outcome)})

    async def redrive(self, subscription_id: UUID, delivery_id: UUID | None) -> int:
        """Let dead deliveries be tried again, one or all; returns how many."""
        values = {"id": subscription_id, "delivery": delivery_id, "now": self._now}
        return (await self._connection.execute(_REDRIVE, values)).rowcount

    async def wake(self, subscription_id: UUID) -> None:
        """Let what waits be tried at once."""
        await self._connection.execute(_WAKE, {"id": subscription_id, "now": self._now})

    async def forget(self) -> int:
        """Delete what ended long ago."""
        values = {"delivered": self._now - KEEP_DELIVERED, "dead": self._now - KEEP_DEAD}
        return (await self._connection.execute(_FORGET, values)).rowcount


async def claim_announcements(connection: AsyncConnection) -> list[UUID]:
    """Subscriptions that nobody has announced for what is loaded by now; they are announced with this transaction."""
    values = {"after": timedelta(seconds=AFTER_SECONDS), "covered": timedelta(seconds=COVERED_SECONDS)}
    return list((await connection.execute(_CLAIM, values)).scalars())


def _answered(outcome: Outcome) -> dict[str, object]:
    return {"status": outcome.status, "error": outcome.error and outcome.error[:500]}
