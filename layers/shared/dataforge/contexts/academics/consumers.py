"""Subscribers of outbox events, each of which may get an event more than once, and the minute's clean-up."""

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from dataforge.contexts.academics.commands import promotion, students
from dataforge.contexts.academics.contract import EnrollmentChanged, PromotionDue
from dataforge.contexts.academics.domain.status import EnrollmentStatus
from dataforge.contexts.academics.queries.enrollment import mail_address
from dataforge.contexts.academics.repository import SqlAcademicsUnitOfWork
from dataforge.contexts.learning.contract import LessonCompleted
from dataforge.platform.mail.message import Mail

if TYPE_CHECKING:
    from dataforge.contexts.academics.module import AcademicsServices

KEEP = timedelta(days=30)
PLANS_PER_TICK = 5
_S = EnrollmentStatus


async def forget_old(services: "AcademicsServices") -> dict[str, int]:
    """Delete roster plans, announced uploads and notes of events that are older than 30 days; a job of `maintenance`.

    Returns counts: roster_plans (a few at a time, each may have 500,000 rows), roster_uploads, consumed_events.
    """
    async with SqlAcademicsUnitOfWork(services.database, clock=services.clock) as uow:
        before = uow.now - KEEP
        plans = await uow.rosters.forget(before, PLANS_PER_TICK)
        uploads = await uow.roster_uploads.forget(before)
        events = await uow.consumed.forget(before)
        await uow.commit()
    return {"roster_plans": plans, "roster_uploads": uploads, "consumed_events": events}


async def promote_waiting(event: PromotionDue, services: "AcademicsServices") -> None:
    """Give free seats of a section to those who wait. Doing it twice changes nothing."""
    command = promotion.PromoteWaiting(event.section_id, event.after_wait_no)
    async with SqlAcademicsUnitOfWork(services.database, clock=services.clock) as uow:
        await promotion.promote_waiting(command, uow)
        await uow.commit()


async def record_xapi_completion(event: LessonCompleted, services: "AcademicsServices") -> None:
    """Take a statement as evidence, once per statement; a lesson counts for the courses that name it."""
    command = students.RecordXapiCompletion(
        user_id=event.user_id,
        lesson_id=event.lesson_id,
        statement_id=str(event.statement_id),
        score=_percent(event.score),
        completed_on=event.occurred_at.date(),
    )
    async with SqlAcademicsUnitOfWork(services.database, clock=services.clock) as uow:
        await students.record_xapi_completion(command, uow)
        await uow.commit()


def _percent(scaled: Decimal | None) -> Decimal | None:
    return None if scaled is None else max(Decimal(0), min(Decimal(1), scaled)) * 100


async def mail_enrollment_change(event: EnrollmentChanged, services: "AcademicsServices") -> None:
    """Tell the student, once per event; refusals were answered to whoever asked.

    The event is registered in a transaction that commits after SES took the mail: a crash in between sends it again.
    """
    text = _sentence(event)
    if text is None:
        return
    async with SqlAcademicsUnitOfWork(services.database, clock=services.clock) as uow:
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
