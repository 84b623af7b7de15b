"""Subscribers of outbox events, each of which may get an event more than once, and the minute's clean-up."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from dataforge.contexts.academics.commands import promotion, students
from dataforge.contexts.academics.domain.status import EnrollmentStatus
from dataforge.contexts.academics.queries.enrollment import mail_address
from dataforge.contexts.academics.repository import SqlAcademicsUnitOfWork
from dataforge.kernel.clock import Clock
from dataforge.platform.aws.ses import Mail, MailSender
from dataforge.platform.db.database import Database
from dataforge.platform.db.outbox import RelayedEvent

COURSE_COMPLETED = "records.course_completed"
KEEP = timedelta(days=30)
PLANS_PER_TICK = 5
_S = EnrollmentStatus


class ConsumerServices(Protocol):
    """What these subscribers use of the composition root."""

    @property
    def database(self) -> Database: ...
    @property
    def clock(self) -> Clock: ...


class MailServices(ConsumerServices, Protocol):
    """With mail."""

    @property
    def mailer(self) -> MailSender: ...


async def forget_old(services: ConsumerServices) -> dict[str, int]:
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


async def promote_waiting(event: RelayedEvent, services: ConsumerServices) -> None:
    """`academics.promotion_due`: give free seats of a section to those who wait. Doing it twice changes nothing."""
    command = promotion.PromoteWaiting(UUID(str(event.payload["section_id"])), int(str(event.payload["after_wait_no"])))
    async with SqlAcademicsUnitOfWork(services.database, clock=services.clock) as uow:
        await promotion.promote_waiting(command, uow)
        await uow.commit()


async def record_xapi_completion(event: RelayedEvent, services: ConsumerServices) -> None:
    """`records.lesson_completed`, `records.course_completed`: a statement as evidence, once per statement.

    Payload: {user_id, lesson_id?, section_id?, statement_id, score (scaled, −1 to 1) or null, occurred_at (ISO 8601)}.
    A lesson counts for the courses that name it, a course_completed for the course of its section.
    """
    payload = event.payload
    if payload.get("user_id") is None:
        return
    section = payload.get("section_id") if event.name == COURSE_COMPLETED else None
    command = students.RecordXapiCompletion(
        user_id=UUID(str(payload["user_id"])),
        lesson_id=_uuid(payload.get("lesson_id")),
        section_id=_uuid(section),
        statement_id=str(payload["statement_id"]),
        score=_percent(payload.get("score")),
        completed_on=datetime.fromisoformat(str(payload["occurred_at"])).date(),
    )
    async with SqlAcademicsUnitOfWork(services.database, clock=services.clock) as uow:
        await students.record_xapi_completion(command, uow)
        await uow.commit()


def _uuid(value: object) -> UUID | None:
    return None if value is None else UUID(str(value))


def _percent(scaled: object) -> Decimal | None:
    if scaled is None:
        return None
    return max(Decimal(0), min(Decimal(1), Decimal(str(scaled)))) * 100


async def mail_enrollment_change(event: RelayedEvent, services: MailServices) -> None:
    """`academics.enrollment_changed`: tell the student, once per event; refusals were answered to whoever asked.

    The event is registered in a transaction that commits after SES took the mail: a crash in between sends it again.
    """
    text = _sentence(event.payload)
    if text is None:
        return
    async with SqlAcademicsUnitOfWork(services.database, clock=services.clock) as uow:
        if not await uow.consumed.first_time("mail_enrollment_change", event.id, uow.now):
            return
        address = await mail_address(uow.connection, event.payload)
        if address is not None:
            course = f"{event.payload['course_code']} {event.payload['course_title']}"
            name = event.payload["student_name"]
            subject = f"{course}: {str(event.payload['to']).lower()}"
            await services.mailer.send(Mail(address, subject, f"Hello {name},\n\n{text}\n"))
        await uow.commit()


def _sentence(payload: Mapping[str, Any]) -> str | None:
    course = f"{payload['course_code']} {payload['course_title']}, section {payload['section_code']}"
    before, after = payload["from"], payload["to"]
    if after == _S.ENROLLED and before == _S.WAITLISTED:
        return f"a seat became free: you moved up from the waitlist and are enrolled in {course}."
    if after == _S.WAITLISTED and before == _S.WAITLISTED:
        return (
            f"a seat became free in {course}, but you could not have it: {payload['reason']}\n"
            f"You keep number {payload['wait_no']} on the waitlist."
        )
    sentences = {
        _S.ENROLLED: f"you are enrolled in {course}.",
        _S.WAITLISTED: f"{course} is full: you are number {payload['wait_no']} on the waitlist.",
        _S.DROPPED: f"you are no longer in {course} ({payload['reason']}).",
        _S.WITHDRAWN: f"you withdrew from {course} ({payload['reason']}).",
        _S.COMPLETED: f"you completed {course}.",
    }
    return sentences.get(_S(after))
