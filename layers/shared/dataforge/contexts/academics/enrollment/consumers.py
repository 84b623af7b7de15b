"""Subscribers of events about enrolments, each of which may get an event more than once."""

from typing import TYPE_CHECKING

from dataforge.contexts.academics.contract import EnrollmentChanged, PromotionDue
from dataforge.contexts.academics.enrollment import commands
from dataforge.contexts.academics.enrollment.domain.statuses import EnrollmentStatus
from dataforge.contexts.academics.enrollment.queries import mail_address
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.mail.message import Mail

if TYPE_CHECKING:
    from dataforge.contexts.academics.module import AcademicsServices

_S = EnrollmentStatus


async def promote_waiting(event: PromotionDue, services: "AcademicsServices") -> None:
    """Give free seats of a section to those who wait. Doing it twice changes nothing."""
    command = commands.PromoteWaiting(event.section_id, event.after_wait_no)
    await run(AcademicsUnitOfWork(services.database, clock=services.clock), commands.promote_waiting, command)


async def mail_enrollment_change(event: EnrollmentChanged, services: "AcademicsServices") -> None:
    """Tell the student, once per event; refusals were answered to whoever asked.

    The event is registered in a transaction that commits after SES took the mail: a crash in between sends it again.
    """
    text = _sentence(event)
    if text is None:
        return
    async with AcademicsUnitOfWork(services.database, clock=services.clock) as uow:
        if not await uow.consumed.first_time("mail_enrollment_change", event.event_id, uow.now):
            return
        address = await mail_address(uow.connection, event.user_id, event.email)
        if address is not None:
            subject = f"{event.course_code} {event.course_title}: {event.to.lower()}"
            text = f"Hello {event.student_name},\n\n{text}\n"
            await services.platform.mailer.send(Mail(address, subject, text))
        await uow.commit()


def _sentence(event: EnrollmentChanged) -> str | None:
    course = f"{event.course_code} {event.course_title}, section {event.section_code}"
    before, after = event.from_, event.to
    if after == _S.ENROLLED and before == _S.WAITLISTED:
        return f"a seat became free: you moved up from the waitlist and are enrolled in {course}."
    if after == _S.WAITLISTED and before == _S.WAITLISTED:
        return (
            f"a seat became free in {course}, but you could not have it: {event.reason}\n"
            f"You keep number {event.wait_no} on the waitlist."
        )
    sentences = {
        _S.ENROLLED: f"you are enrolled in {course}.",
        _S.WAITLISTED: f"{course} is full: you are number {event.wait_no} on the waitlist.",
        _S.DROPPED: f"you are no longer in {course} ({event.reason}).",
        _S.WITHDRAWN: f"you withdrew from {course} ({event.reason}).",
        _S.COMPLETED: f"you completed {course}.",
    }
    return sentences.get(_S(after))
