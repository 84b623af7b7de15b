"""The write SQL of subscriptions and deliveries."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.forwarding.domain import AFTER_SECONDS, COVERED_SECONDS, Delivery
from dataforge.contexts.lrs.forwarding.tables import deliveries, subscriptions
from dataforge.kernel.ids import uuid7
from dataforge.platform.deliveries.domain import DeliveryState
from dataforge.platform.deliveries.repository import DeliveryRows, DeliveryTables, ReceiverRows

_TABLES = DeliveryTables(subscriptions, deliveries, "subscription_id")
_MOVE = text("UPDATE lrs.subscriptions SET position_at = :at, position_id = :position_id WHERE id = :id")
_ADD = text(
    "INSERT INTO lrs.deliveries (id, subscription_id, statement_ids, is_test, state, created_at, next_attempt_at, "
    "error, status, ended_at) VALUES (:id, :subscription_id, CAST(:statement_ids AS uuid[]), :is_test, :state, :now, "
    ":now, :error, :status, :ended_at)"
)
_KEEP = text("UPDATE lrs.deliveries SET statement_ids = CAST(:ids AS uuid[]) WHERE id = :id AND state = 'waiting'")
_CLAIM = text(
    "UPDATE lrs.subscriptions SET announced_for = clock_timestamp() + CAST(:after AS interval) "
    "WHERE enabled AND (announced_for IS NULL OR announced_for < clock_timestamp() + CAST(:covered AS interval)) "
    "RETURNING id"
)


class Subscriptions(ReceiverRows):
    """Subscriptions inside one transaction; secrets are written and never given out."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        super().__init__(connection, _TABLES, "subscription", now, hidden=("announced_for",))

    async def move(self, subscription_id: UUID, at: datetime, position_id: UUID) -> None:
        """Note how far statements have been planned."""
        await self._connection.execute(_MOVE, {"id": subscription_id, "at": at, "position_id": position_id})


class Deliveries(DeliveryRows):
    """Deliveries inside one transaction."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        super().__init__(connection, _TABLES, now)

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
        row = await self.lease_row(subscription_id)
        if row is None:
            return None
        return Delivery(
            row.id, row.subscription_id, row.statement_ids, row.attempts, row.created_at, row.is_test, row.leased_until
        )

    async def keep(self, delivery: Delivery, statement_ids: Sequence[UUID]) -> None:
        """Let a delivery that waits have these statements only."""
        await self._connection.execute(_KEEP, {"id": delivery.id, "ids": list(statement_ids)})


async def claim_announcements(connection: AsyncConnection) -> list[UUID]:
    """Subscriptions that nobody has announced for what is loaded by now; they are announced with this transaction."""
    values = {"after": timedelta(seconds=AFTER_SECONDS), "covered": timedelta(seconds=COVERED_SECONDS)}
    return list((await connection.execute(_CLAIM, values)).scalars())
