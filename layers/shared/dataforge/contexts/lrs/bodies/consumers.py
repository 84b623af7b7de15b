"""The minute's work for bodies: partitions are made ahead, and bodies from before there were any are moved to them."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from dataforge.contexts.lrs.bodies.domain import months_kept, months_needed, start_of
from dataforge.contexts.lrs.bodies.repository import make_partitions
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork

if TYPE_CHECKING:
    from dataforge.contexts.lrs.module import LrsServices

PAGE = 2_000
BUDGET_SECONDS = 15.0


async def keep_bodies(services: "LrsServices") -> dict[str, int]:
    """A maintenance job; returns counts: partitions, moved."""
    return await move_bodies(services)


async def move_bodies(
    services: "LrsServices",
    *,
    page: int = PAGE,
    budget_seconds: float = BUDGET_SECONDS,
    monotonic: Callable[[], float] = time.monotonic,
) -> dict[str, int]:
    """Make partitions that are needed soon, then move pages for a while; each page is a transaction of its own."""
    database, now, deadline = services.database, services.clock.now(), monotonic() + budget_seconds
    counts = {"partitions": await make_partitions(database, months_needed(now)), "moved": 0}
    more = True
    while more and monotonic() < deadline:
        async with services.unit_of_work(LrsUnitOfWork) as uow:
            months = await uow.bodies.months_to_move(page)
        counts["partitions"] += await make_partitions(database, months_kept(map(start_of, months), now))
        async with services.unit_of_work(LrsUnitOfWork) as uow:
            moved, more = await uow.bodies.move(page)
            await uow.commit()
        counts["moved"] += moved
    return counts
