"""What is in the outbox."""

from typing import TypeVar
from uuid import UUID, uuid4

from sqlalchemy import select, text

from dataforge.kernel.events import Event
from dataforge.platform.db.database import Database
from dataforge.platform.db.outbox import stored_event
from dataforge.platform.db.tables import outbox

Kind = TypeVar("Kind", bound=Event)


async def published(database: Database, kind: type[Kind]) -> list[Kind]:
    """Events of a kind, in order, as subscribers get them."""
    query = select(outbox).where(outbox.c.name == kind.name).order_by(outbox.c.occurred_at, outbox.c.id)
    async with database.read_only() as connection:
        return [stored_event(kind, row) for row in await connection.execute(query)]


async def give_up(database: Database, name: str = "academics.seat_taken") -> UUID:
    """An event that all tries have failed for."""
    event_id = uuid4()
    insert = (
        "INSERT INTO platform.outbox (id, name, key, payload, occurred_at, attempts, next_attempt_at, dead_at, "
        "last_error) VALUES (:id, :name, 'k', '{}', now(), 10, now(), now(), 'KeyError: x')"
    )
    async with database.transaction() as connection:
        await connection.execute(text(insert), {"id": event_id, "name": name})
    return event_id
