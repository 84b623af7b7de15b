"""Events on their way, for administrators."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.operations.outbox.domain import EventNotFound, EventState
from dataforge.kernel.paging import Page
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict
from dataforge.platform.db.keyset_lists import After, keyset, where

# What an event says may be about people; it is in the tables that it came from.
_SHOWN = (
    "o.id, o.name, o.key, o.occurred_at, o.attempts, o.next_attempt_at, o.relayed_at, o.dead_at, o.last_error, "
    "CASE WHEN o.dead_at IS NOT NULL THEN 'dead' WHEN o.relayed_at IS NOT NULL THEN 'relayed' ELSE 'waiting' END "
    "AS state"
)
_STATES = {
    EventState.WAITING: "o.relayed_at IS NULL AND o.dead_at IS NULL",
    EventState.RELAYED: "o.relayed_at IS NOT NULL",
    EventState.DEAD: "o.dead_at IS NOT NULL",
}


async def list_events(
    connection: AsyncConnection, state: EventState | None, name: str | None, *, after: After, limit: int
) -> Page[dict[str, Any]]:
    """Events, newest first."""
    conditions, values = [], dict[str, Any]()
    if state is not None:
        conditions.append(f"({_STATES[state]})")
    if name is not None:
        conditions.append("o.name = :name")
        values["name"] = name
    if after is not None:
        conditions.append("(o.occurred_at, o.id) < (CAST(:at AS timestamptz), CAST(:id AS uuid))")
        values |= {"at": datetime.fromisoformat(str(after[0])), "id": UUID(str(after[1]))}
    sql = f"SELECT {_SHOWN} FROM platform.outbox o {where(conditions)} ORDER BY o.occurred_at DESC, o.id DESC"
    return await keyset(connection, sql, values, key=("occurred_at", "id"), limit=limit)


async def get_event(connection: AsyncConnection, event_id: UUID) -> dict[str, Any]:
    """One event; raises EventNotFound."""
    query = text(f"SELECT {_SHOWN} FROM platform.outbox o WHERE o.id = :id")
    row = (await connection.execute(query, {"id": event_id})).one_or_none()
    if row is None:
        message = Text("There is no event {event_id}.", event_id=event_id)
        raise EventNotFound(message)
    return row_dict(row)
