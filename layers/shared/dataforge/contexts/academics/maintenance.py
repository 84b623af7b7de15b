"""The minute's maintenance of academics."""

from datetime import timedelta
from typing import TYPE_CHECKING

from dataforge.contexts.academics.feeds.domain import KEPT_FOR
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork

if TYPE_CHECKING:
    from dataforge.contexts.academics.module import AcademicsServices

KEEP = timedelta(days=30)
PLANS_PER_TICK = 5


async def forget_old(services: "AcademicsServices") -> dict[str, int]:
    """Delete roster plans and announced uploads that are older than 30 days, and feeds that were revoked long ago.

    A job of `maintenance`. Returns counts: roster_plans (a few at a time, each may have 500,000 rows), roster_uploads,
    calendar_feeds.
    """
    async with AcademicsUnitOfWork(services.database, clock=services.clock) as uow:
        before = uow.now - KEEP
        plans = await uow.rosters.forget(before, PLANS_PER_TICK)
        uploads = await uow.roster_uploads.forget(before)
        feeds = await uow.calendar_feeds.forget(uow.now - KEPT_FOR)
        await uow.commit()
    return {"roster_plans": plans, "roster_uploads": uploads, "calendar_feeds": feeds}
