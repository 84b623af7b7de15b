"""The job of sessions: abandon those that nobody has ended, and send what was decided and not sent."""

from datetime import timedelta
from typing import TYPE_CHECKING

from dataforge.contexts.lrs.sessions.commands import AbandonOverdue, abandon_overdue
from dataforge.contexts.lrs.sessions.repository import Sessions
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from dataforge.contexts.lrs.module import LrsServices

# Longer than a request takes, whose statement may yet come to nothing.
_AGE = timedelta(seconds=60)
_PAGE = 100


async def maintain_sessions(services: "LrsServices") -> dict[str, int]:
    """How many sessions were abandoned, and statements of the launching system sent."""
    gone = await run(services.unit_of_work(LrsUnitOfWork), abandon_overdue, AbandonOverdue(_PAGE))
    now = services.clock.now()
    async with services.database.read_only() as connection:
        waiting = await Sessions(connection, now).unsent(before=now - _AGE, limit=_PAGE)
    sent = [await services.players.send(statement) for statement in waiting]
    return {"abandoned": gone, "sent": sum(sent)}
