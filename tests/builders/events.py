"""What is in the outbox."""

from typing import TypeVar

from sqlalchemy import select

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
