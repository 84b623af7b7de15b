"""The subscriber of events about seats, which may get one more than once."""

from typing import TYPE_CHECKING

from dataforge.contexts.academics.contract import PromotionDue
from dataforge.contexts.academics.enrollment import commands
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from dataforge.contexts.academics.module import AcademicsServices


async def promote_waiting(event: PromotionDue, services: "AcademicsServices") -> None:
    """Give free seats of a section to those who wait. Doing it twice changes nothing."""
    command = commands.PromoteWaiting(event.section_id, event.after_wait_no)
    await run(AcademicsUnitOfWork(services.database, clock=services.clock), commands.promote_waiting, command)
