"""What runs every minute behind linked identifiers."""

import time
from typing import TYPE_CHECKING

from dataforge.contexts.lrs.contract import LessonDirectory
from dataforge.contexts.lrs.identifiers.commands import PAGE, FollowLink, follow_link
from dataforge.contexts.lrs.identifiers.repository import Identifiers
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from dataforge.contexts.lrs.module import LrsServices

BUDGET_SECONDS = 20.0
_MOST = 500


async def follow_links(services: "LrsServices", *, page: int = PAGE) -> dict[str, int]:
    """Let stored statements follow the links that changed, a page in each transaction; what is left is done next time.

    A maintenance job: killed anywhere, it goes on where it was; run twice, it finds nothing to do.
    """
    deadline, lessons = time.monotonic() + BUDGET_SECONDS, services.platform.get(LessonDirectory)
    async with services.database.read_only() as connection:
        due = await Identifiers(connection).due(_MOST)
    moved = 0
    for link_id in due:
        changed, command = page, FollowLink(link_id, lessons, page)
        while changed == page and time.monotonic() < deadline:
            changed = await run(services.unit_of_work(LrsUnitOfWork), follow_link, command)
            moved += changed
    async with services.database.transaction() as connection:
        forgotten = await Identifiers(connection).forget()
    return {"due": len(due), "moved": moved, "forgotten": forgotten}
