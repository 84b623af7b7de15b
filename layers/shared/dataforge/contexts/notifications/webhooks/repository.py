"""The write SQL of webhooks and their deliveries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.notifications.webhooks.domain import EventDelivery, Webhook, delivery_id_of
from dataforge.contexts.notifications.webhooks.tables import webhook_deliveries, webhooks
from dataforge.platform.db.database import row_dict
from dataforge.platform.deliveries.repository import DeliveryRows, DeliveryTables, ReceiverRows

_TABLES = DeliveryTables(webhooks, webhook_deliveries, "webhook_id")
# The lock keeps two that are made at once from being one too many together.
_LOCK = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('webhooks ' || coalesce(CAST(:workspace_id AS text), ''), 0))"
)
_COUNT = text(
    "SELECT count(*) FROM notifications.webhooks WHERE workspace_id IS NOT DISTINCT FROM CAST(:workspace_id AS uuid)"
)
_ADD = text(
    "INSERT INTO notifications.webhook_deliveries (id, webhook_id, event_id, event_type, workspace_id, occurred_at, "
    "data, is_test, state, created_at, next_attempt_at) VALUES (:id, :webhook_id, :event_id, :event_type, "
    ":workspace_id, :occurred_at, :data, :is_test, 'waiting', :now, :now) ON CONFLICT (id) DO NOTHING"
)
# One that has ended is sent again, as what it was.
_REPEAT = text(
    "UPDATE notifications.webhook_deliveries SET state = 'waiting', attempts = 0, next_attempt_at = :now, "
    "ended_at = NULL, leased_until = NULL WHERE id = ANY(CAST(:ids AS uuid[])) AND state <> 'waiting'"
)
_REPLAY = text("UPDATE notifications.webhooks SET replay_since = :since, replayed_through = :through WHERE id = :id")
_OF_WORKSPACE = text("DELETE FROM notifications.webhooks WHERE workspace_id = :workspace_id")


@dataclass(frozen=True, slots=True)
class Happened:
    """An event as deliveries have it."""

    event_id: UUID
    event_type: str
    workspace_id: UUID | None
    occurred_at: datetime
    data: Mapping[str, Any]


class WebhookRows(ReceiverRows):
    """Webhooks inside one transaction; secrets are written and never given out."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        super().__init__(connection, _TABLES, "webhook", now, hidden=("replayed_through",))

    async def count(self, workspace_id: UUID | None) -> int:
        """How many a workspace or the organisation has; nobody makes another one until this transaction ends."""
        values = {"workspace_id": workspace_id}
        await self._connection.execute(_LOCK, values)
        return int((await self._connection.execute(_COUNT, values)).scalar_one())

    async def whole(self, webhook_id: UUID) -> Webhook | None:
        """The webhook with its secrets, locked; None when there is none."""
        row = await self.lock_whole(webhook_id)
        if row is None:
            return None
        return Webhook(
            row.id,
            row.workspace_id,
            row.name,
            row.url,
            row.event_types,
            bytes(row.secret),
            None if row.previous_secret is None else bytes(row.previous_secret),
            row.previous_until,
            row.enabled,
            row.replay_since,
            row.replayed_through,
        )

    async def replay(self, webhook_id: UUID, since: datetime | None, through: UUID | None = None) -> None:
        """Let a replay begin, go on behind an event, or (`since` None) end."""
        values = {"id": webhook_id, "since": since, "through": through}
        await self._connection.execute(_REPLAY, values)

    async def delete_of_workspace(self, workspace_id: UUID) -> int:
        """Delete those of a workspace that is no more; returns how many."""
        return (await self._connection.execute(_OF_WORKSPACE, {"workspace_id": workspace_id})).rowcount


class EventDeliveries(DeliveryRows):
    """Deliveries of events inside one transaction."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        super().__init__(connection, _TABLES, now)

    async def add(self, webhook_ids: Sequence[UUID], happened: Sequence[Happened], *, is_test: bool = False) -> int:
        """Add deliveries of these events to each of the webhooks; returns how many are new."""
        rows = [
            {
                "id": delivery_id_of(webhook_id, item.event_id),
                "webhook_id": webhook_id,
                "event_id": item.event_id,
                "event_type": item.event_type,
                "workspace_id": item.workspace_id,
                "occurred_at": item.occurred_at,
                "data": Jsonb(dict(item.data)),
                "is_test": is_test,
                "now": self._now,
            }
            for item in happened
            for webhook_id in webhook_ids
        ]
        return (await self._connection.execute(_ADD, rows)).rowcount if rows else 0

    async def repeat(self, ids: Sequence[UUID]) -> int:
        """Send what has ended again; returns how many."""
        return (await self._connection.execute(_REPEAT, {"ids": list(ids), "now": self._now})).rowcount

    async def lease(self, webhook_id: UUID) -> EventDelivery | None:
        """The first delivery, if it is due and nobody has it."""
        row = await self.lease_row(webhook_id)
        if row is None:
            return None
        names = EventDelivery.__slots__
        return EventDelivery(**{name: value for name, value in row_dict(row).items() if name in names})
