"""Subscribers of events about enrolments, each of which may get an event more than once."""

from typing import TYPE_CHECKING

from dataforge.contexts.academics.contract import EnrollmentChanged, PromotionDue
from dataforge.contexts.academics.enrollment import commands
from dataforge.contexts.academics.enrollment.domain.statuses import EnrollmentStatus
from dataforge.contexts.academics.enrollment.queries import mail_address
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.mail.templates import compose

if TYPE_CHECKING:
    from dataforge.contexts.academics.module import AcademicsServices

_S = EnrollmentStatus
_MAILED = {_S.ENROLLED, _S.WAITLISTED, _S.DROPPED, _S.WITHDRAWN, _S.COMPLETED}


async def promote_waiting(event: PromotionDue, services: "AcademicsServices") -> None:
    """Give free seats of a section to those who wait. Doing it twice changes nothing."""
    command = commands.PromoteWaiting(event.section_id, event.after_wait_no)
    await run(AcademicsUnitOfWork(services.database, clock=services.clock), commands.promote_waiting, command)


async def mail_enrollment_change(event: EnrollmentChanged, services: "AcademicsServices") -> None:
    """Tell the student, once per event; refusals were answered to whoever asked.

    The event is registered in a transaction that commits after SES took the mail: a crash in between sends it again.
    """
    if event.to not in _MAILED:
        return
    async with AcademicsUnitOfWork(services.database, clock=services.clock) as uow:
        if not await uow.inbox.first_time("mail_enrollment_change", event.event_id):
            return
        address = await mail_address(uow.connection, event.user_id, event.email)
        if address is not None:
            mail = compose("academics/enrollment_changed", address, {"event": event})
            await services.platform.mailer.send(mail)
        await uow.commit()
