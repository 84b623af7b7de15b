"""Webhooks and deliveries as they are read, whom an event is for, and what a replay is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.notifications.webhooks.domain import (
    Webhook,
    body_of,
    delivery_missing,
    webhook_missing,
)
from dataforge.contexts.notifications.webhooks.events import TYPES
from dataforge.contexts.notifications.webhooks.repository import Happened
from dataforge.kernel.access import Reach
from dataforge.kernel.paging import Page
from dataforge.platform.db.database import row_dict
from dataforge.platform.db.keyset_lists import keyset
from dataforge.platform.db.outbox import event_of
from dataforge.platform.db.reach import reach_values, within_sql
from dataforge.platform.deliveries.domain import DeliveryState

_OF = "FROM notifications.webhook_deliveries d WHERE d.webhook_id = w.id AND"
_SHOWN = (
    "w.id, w.workspace_id, w.name, w.url, w.event_types, w.enabled, w.disabled_reason, w.replay_since, "
    "w.failing_since, w.last_error, w.last_delivered_at, w.revision, w.created_at, w.updated_at, "
    f"(SELECT count(*) {_OF} d.state = 'waiting' AND NOT d.is_test) AS waiting, "
    f"(SELECT count(*) {_OF} d.state = 'dead' AND NOT d.is_test) AS dead, "
    f"(SELECT min(d.next_attempt_at) {_OF} d.state = 'waiting') AS next_attempt_at"
)
_DELIVERY = (
    "d.id, d.event_id, d.event_type, d.workspace_id, d.occurred_at, d.is_test, d.state, d.attempts, d.created_at, "
    "d.next_attempt_at, d.last_attempt_at, d.status, d.error, d.ended_at"
)
# Webhooks of workspaces that were deleted, for good or not, hear of nothing.
_THERE = "(w.workspace_id IS NULL OR EXISTS (SELECT FROM workspaces.directory s WHERE s.workspace_id = w.workspace_id))"
_LISTENING = text(
    "SELECT w.id FROM notifications.webhooks w WHERE w.enabled AND (cardinality(w.event_types) = 0 "
    "OR CAST(:event_type AS text) = ANY (w.event_types)) "
    f"AND (w.workspace_id IS NULL OR w.workspace_id = CAST(:workspace_id AS uuid)) AND {_THERE} ORDER BY w.id"
)
_DUE = text(
    "SELECT w.id FROM notifications.webhooks w WHERE (w.enabled AND w.replay_since IS NOT NULL "
    f"OR EXISTS (SELECT {_OF} d.state = 'waiting' AND d.next_attempt_at <= :now AND (w.enabled OR d.is_test) "
    f"AND (d.leased_until IS NULL OR d.leased_until < :now))) AND {_THERE} ORDER BY w.id"
)
_IS_THERE = text("SELECT EXISTS (SELECT FROM workspaces.directory WHERE workspace_id = :workspace_id)")
_KEEPERS = text(
    "SELECT user_id FROM workspaces.memberships WHERE workspace_id = :workspace_id AND role IN ('owner', 'admin') "
    "ORDER BY user_id LIMIT 100"
)
_ADMINISTRATORS = text(
    "SELECT user_id FROM identity.directory WHERE role = 'admin' AND suspended_at IS NULL ORDER BY user_id LIMIT 100"
)
_KEPT = text(
    "SELECT d.workspace_id, d.name FROM workspaces.directory d JOIN workspaces.memberships m "
    "ON m.workspace_id = d.workspace_id WHERE m.user_id = :user_id AND m.role IN ('owner', 'admin') "
    "AND d.archived_at IS NULL ORDER BY d.name, d.workspace_id LIMIT 200"
)
_NAMES = text("SELECT workspace_id, name FROM workspaces.directory WHERE workspace_id = ANY (CAST(:ids AS uuid[]))")
_OCCURRED = text("SELECT occurred_at FROM platform.outbox WHERE id = :event_id")
# Ids of events are ordered by time.
_SINCE = text(
    "SELECT id, name, payload, occurred_at FROM platform.outbox WHERE id > :after AND occurred_at >= :since "
    "AND relayed_at IS NOT NULL AND name = ANY (CAST(:names AS text[])) ORDER BY id LIMIT :limit"
)
_ENDED = text(
    "SELECT id FROM notifications.webhook_deliveries WHERE webhook_id = :webhook_id AND NOT is_test "
    "AND state = :state ORDER BY number"
)


@dataclass(frozen=True, slots=True)
class Past:
    """Events of one step of a replay, and the last that was looked at; None if there was none left."""

    events: Sequence[Happened]
    through: UUID | None


async def listening(connection: AsyncConnection, event_type: str, workspace_id: UUID | None) -> list[UUID]:
    """The webhooks that hear of an event."""
    values = {"event_type": event_type, "workspace_id": workspace_id}
    return list((await connection.execute(_LISTENING, values)).scalars())


async def due_webhooks(connection: AsyncConnection, now: datetime) -> list[UUID]:
    """Those for which there is something to do now."""
    return list((await connection.execute(_DUE, {"now": now})).scalars())


async def is_there(connection: AsyncConnection, workspace_id: UUID | None) -> bool:
    """Whether the workspace of a webhook was not deleted; the organisation never is."""
    if workspace_id is None:
        return True
    return bool((await connection.execute(_IS_THERE, {"workspace_id": workspace_id})).scalar_one())


async def keepers_of(connection: AsyncConnection, workspace_id: UUID | None) -> tuple[UUID, ...]:
    """Who looks after the webhooks of a workspace, or of the organisation: a hundred people at most."""
    query = _ADMINISTRATORS if workspace_id is None else _KEEPERS
    values = {} if workspace_id is None else {"workspace_id": workspace_id}
    return tuple((await connection.execute(query, values)).scalars())


async def occurred_at(connection: AsyncConnection, event_id: UUID) -> datetime | None:
    """When an event happened; None for one that the outbox does not have."""
    instant: datetime | None = (await connection.execute(_OCCURRED, {"event_id": event_id})).scalar_one_or_none()
    return instant


async def past_events(connection: AsyncConnection, webhook: Webhook, since: datetime, limit: int) -> Past:
    """What happened behind the event that a replay has come to, as far as the webhook hears of it."""
    after = webhook.replayed_through or UUID(int=0)
    names = list(webhook.event_types or TYPES)
    values = {"after": after, "since": since, "names": names, "limit": limit}
    rows = (await connection.execute(_SINCE, values)).all()
    happened = [_happened(row.id, row.name, row.payload, row.occurred_at) for row in rows]
    heard = [item for item in happened if webhook.hears(item.event_type, item.workspace_id)]
    return Past(heard, rows[-1].id if len(rows) == limit else None)


def _happened(event_id: UUID, name: str, payload: Mapping[str, Any], at: datetime) -> Happened:
    published = TYPES[name]
    event = event_of(published.event, event_id, payload)
    return Happened(event_id, name, published.workspace_of(event), at, published.data_of(event))


async def dead_deliveries(connection: AsyncConnection, webhook_id: UUID) -> list[UUID]:
    """Deliveries that were given up, in order."""
    values = {"webhook_id": webhook_id, "state": DeliveryState.DEAD}
    return list((await connection.execute(_ENDED, values)).scalars())


async def workspace_of_webhook(connection: AsyncConnection, webhook_id: UUID) -> UUID | None:
    """The workspace that a webhook belongs to, None for one of the organisation; raises NotFound."""
    query = text("SELECT workspace_id FROM notifications.webhooks WHERE id = :id")
    row = (await connection.execute(query, {"id": webhook_id})).one_or_none()
    if row is None:
        raise webhook_missing(webhook_id)
    workspace_id: UUID | None = row.workspace_id
    return workspace_id


async def kept_workspaces(connection: AsyncConnection, user_id: UUID) -> list[tuple[str, str]]:
    """Ids and names of the workspaces whose webhooks a person may make, by name: two hundred at most."""
    rows = await connection.execute(_KEPT, {"user_id": user_id})
    return [(str(row.workspace_id), row.name) for row in rows]


async def workspace_names(connection: AsyncConnection, ids: Sequence[UUID | None]) -> dict[UUID, str]:
    """What workspaces are called."""
    wanted = [item for item in ids if item is not None]
    if not wanted:
        return {}
    rows = await connection.execute(_NAMES, {"ids": wanted})
    return {row.workspace_id: row.name for row in rows}


async def list_webhooks(
    connection: AsyncConnection,
    reach: Reach,
    *,
    after: tuple[Any, ...] | None,
    limit: int,
    workspace_id: UUID | None = None,
) -> Page[dict[str, Any]]:
    """Webhooks within reach, oldest first, of one workspace if it is given."""
    values = {"after": after[0] if after else UUID(int=0), "workspace_id": workspace_id, **reach_values(reach)}
    sql = (
        f"SELECT {_SHOWN} FROM notifications.webhooks w WHERE w.id > CAST(:after AS uuid) "
        f"AND {within_sql('w.workspace_id')} AND {_THERE} AND (CAST(:workspace_id AS uuid) IS NULL "
        "OR w.workspace_id = CAST(:workspace_id AS uuid)) ORDER BY w.id"
    )
    return await keyset(connection, sql, values, key=("id",), limit=limit)


async def get_webhook(connection: AsyncConnection, webhook_id: UUID) -> dict[str, Any]:
    """One webhook with what waits; raises NotFound."""
    query = text(f"SELECT {_SHOWN} FROM notifications.webhooks w WHERE w.id = :id")
    row = (await connection.execute(query, {"id": webhook_id})).one_or_none()
    if row is None:
        raise webhook_missing(webhook_id)
    return row_dict(row)


async def list_event_deliveries(
    connection: AsyncConnection,
    webhook_id: UUID,
    *,
    after: tuple[Any, ...] | None,
    limit: int,
    state: DeliveryState | None = None,
    event_type: str | None = None,
) -> Page[dict[str, Any]]:
    """Deliveries, newest first."""
    values = {"id": webhook_id, "after": int(after[0]) if after else 2**62, "state": state, "event_type": event_type}
    sql = (
        f"SELECT {_DELIVERY}, d.number AS _number FROM notifications.webhook_deliveries d WHERE d.webhook_id = :id "
        "AND d.number < :after AND (CAST(:state AS text) IS NULL OR d.state = :state) "
        "AND (CAST(:event_type AS text) IS NULL OR d.event_type = :event_type) ORDER BY d.number DESC"
    )
    return await keyset(connection, sql, values, key=("_number",), limit=limit)


async def get_event_delivery(connection: AsyncConnection, webhook_id: UUID, delivery_id: UUID) -> dict[str, Any]:
    """One delivery with the body that is sent; raises NotFound."""
    query = text(
        f"SELECT {_DELIVERY}, d.data FROM notifications.webhook_deliveries d "
        "WHERE d.webhook_id = :webhook_id AND d.id = :id"
    )
    row = (await connection.execute(query, {"webhook_id": webhook_id, "id": delivery_id})).one_or_none()
    if row is None:
        raise delivery_missing(delivery_id)
    shown = row_dict(row)
    data = shown.pop("data")
    return {**shown, "body": body_of(row.event_type, row.occurred_at, row.event_id, row.workspace_id, data)}
