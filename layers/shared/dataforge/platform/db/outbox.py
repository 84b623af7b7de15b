"""The outbox relay: events written with a change reach their subscribers at least once, in order of occurrence."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from psycopg import AsyncConnection as Driver
from psycopg.types.json import Jsonb
from pydantic import TypeAdapter
from sqlalchemy import Row, select, update

from dataforge.kernel.clock import Clock
from dataforge.kernel.events import Event, members
from dataforge.platform.db.database import Database
from dataforge.platform.db.tables import outbox
from dataforge.platform.observability import logger

MAX_ATTEMPTS = 10
_WRITE = (
    "INSERT INTO platform.outbox (id, name, key, payload, occurred_at, next_attempt_at) VALUES (%s, %s, %s, %s, %s, %s)"
)

Subscriber = Callable[[Any], Awaitable[None]]
Kind = TypeVar("Kind", bound=Event)


def stored_event(kind: type[Kind], row: Row[Any]) -> Kind:
    """The event of an outbox row; members that the class does not have are passed over.

    Raises pydantic's ValidationError for a payload without a member that the class needs.
    """
    return event_of(kind, row.id, row.payload)


def event_of(kind: type[Kind], event_id: UUID, payload: Mapping[str, Any]) -> Kind:
    """The event that was written as this payload; raises as `stored_event`."""
    values = {field: payload[name] for name, field in members(kind).items() if name in payload}
    return TypeAdapter(kind).validate_python({**values, "event_id": event_id})


async def write_event(connection: "Driver[Any]", event: Event, now: datetime) -> None:
    """Write an event with a driver's own connection, in its transaction: for what has no unit of work."""
    values = (event.event_id, event.name, event.key, Jsonb(event.payload()), now, now)
    await connection.execute(_WRITE, values)


async def relay(
    database: Database, subscribers: Mapping[type[Event], Sequence[Subscriber]], *, clock: Clock, limit: int = 500
) -> dict[str, int]:
    """Deliver waiting events one by one; a failing one is retried with back-off and given up after ten attempts.

    Safe beside other relays: rows are taken with FOR UPDATE SKIP LOCKED. Returns counts: relayed, failed, dead.
    """
    counts = {"relayed": 0, "failed": 0, "dead": 0}
    kinds = {kind.name: kind for kind in subscribers}
    for _ in range(limit):
        async with database.transaction() as connection:
            now = clock.now()
            row = (
                await connection.execute(
                    select(outbox)
                    .where(outbox.c.relayed_at.is_(None), outbox.c.dead_at.is_(None), outbox.c.next_attempt_at <= now)
                    .order_by(outbox.c.next_attempt_at, outbox.c.id)
                    .limit(1)
                    .with_for_update(skip_locked=True)
                )
            ).one_or_none()
            if row is None:
                break
            changes: dict[str, object] = {"attempts": row.attempts + 1}
            try:
                if (kind := kinds.get(row.name)) is not None:
                    event = stored_event(kind, row)
                    for subscriber in subscribers[kind]:
                        await subscriber(event)
                changes["relayed_at"] = now
                counts["relayed"] += 1
            except Exception as error:  # noqa: BLE001 - one event that fails must not stop the others
                logger.warning("outbox delivery failed", event_name=row.name, event_id=str(row.id), exc_info=True)
                changes["last_error"] = f"{type(error).__name__}: {error}"[:500]
                changes["next_attempt_at"] = now + timedelta(seconds=2 ** min(row.attempts + 1, 12))
                dead = row.attempts + 1 >= MAX_ATTEMPTS
                counts["dead" if dead else "failed"] += 1
                if dead:
                    changes["dead_at"] = now
            await connection.execute(update(outbox).where(outbox.c.id == row.id).values(**changes))
    return counts
