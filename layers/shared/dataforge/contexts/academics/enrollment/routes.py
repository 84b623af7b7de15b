"""Enrolments."""

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.academics.enrollment import commands, queries, wire
from dataforge.contexts.academics.enrollment.domain.statuses import EnrollmentStatus
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork as Work
from dataforge.contexts.academics.wire import Page
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.paging import Cursor, Limit
from dataforge.http.versioned_rows import PROBLEMS
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT

router = context_router("academics")


ENROLLMENTS = "/api/enrollments"


def _created(call: Call, outcome: commands.Outcome) -> Response:
    shown = asdict(outcome.enrollment)
    if outcome.refusal is None:
        headers = {"Location": call.address(ENROLLMENTS, outcome.enrollment.id)}
        return json_response(shown, status=201, headers=headers)
    # The refusal is kept as a row; its problem document names it.
    outcome.refusal.facts.update(enrollment_id=str(outcome.enrollment.id), enrollment_status=outcome.enrollment.status)
    return call.problem(outcome.refusal)


def _shown(outcome: commands.Outcome) -> Response:
    return json_response(asdict(outcome.enrollment))


@router.post(ENROLLMENTS, status_code=201, response_model=wire.EnrollmentOut, responses=PROBLEMS)
async def enroll_student(
    body: wire.EnrollmentIn, call: Annotated[Call, require(Action.CREATE, Kind.ENROLLMENT)]
) -> Response:
    """Enrol: 201 for ENROLLED and WAITLISTED; 409 with the rule as `code` when refused, which is kept as FAILED_…"""
    command = commands.EnrollStudent(body.student_id, body.course_id, body.section_id)
    return await call.execute(Work, commands.enroll_student, command, lambda outcome: _created(call, outcome))


@router.get(ENROLLMENTS, response_model=Page[wire.EnrollmentDetail])
async def list_enrollments(
    call: Annotated[Call, require(Action.READ, Kind.ENROLLMENT)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    student_id: UUID | None = None,
    section_id: UUID | None = None,
    semester_id: UUID | None = None,
    status: EnrollmentStatus | None = None,
) -> Response:
    """Enrolments, the newest first: one's own, those in sections one teaches, or (registrars) all."""
    page = await call.query(
        queries.list_enrollments,
        call.principal,
        after=call.after(cursor),
        limit=limit,
        student_id=student_id,
        section_id=section_id,
        semester_id=semester_id,
        status=None if status is None else status.value,
    )
    return call.page_response(page, limit=limit)


@router.get(ENROLLMENTS + "/{enrollment_id}", response_model=wire.EnrollmentDetail, responses=PROBLEMS)
async def get_enrollment(enrollment_id: UUID, call: Annotated[Call, require(Action.READ, Kind.ENROLLMENT)]) -> Response:
    """One enrolment."""
    return json_response(await call.query(queries.get_enrollment, enrollment_id, call.principal))


@router.get(ENROLLMENTS + "/{enrollment_id}/events", response_model=Page[wire.EventOut], responses=PROBLEMS)
async def list_events(
    enrollment_id: UUID,
    call: Annotated[Call, require(Action.READ, Kind.ENROLLMENT)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """What happened to an enrolment: from, to, why, by which rule, who, when."""
    page = await call.query(queries.list_events, enrollment_id, call.principal, after=call.after(cursor), limit=limit)
    return call.page_response(page, limit=limit)


@router.post(ENROLLMENTS + "/{enrollment_id}/drop", response_model=wire.EnrollmentOut, responses=PROBLEMS)
async def drop_enrollment(
    enrollment_id: UUID,
    call: Annotated[Call, require(Action.CHANGE, Kind.ENROLLMENT)],
    body: wire.ReasonIn | None = None,
) -> Response:
    """Leave a seat (until drop_by) or the waitlist; the next who waits is promoted at once."""
    command = commands.DropEnrollment(enrollment_id, body.reason if body else "")
    return await call.execute(Work, commands.drop_enrollment, command, _shown)


@router.post(ENROLLMENTS + "/{enrollment_id}/withdraw", response_model=wire.EnrollmentOut, responses=PROBLEMS)
async def withdraw_enrollment(
    enrollment_id: UUID,
    call: Annotated[Call, require(Action.CHANGE, Kind.ENROLLMENT)],
    body: wire.ReasonIn | None = None,
) -> Response:
    """Leave a seat late (until withdraw_by), which the transcript shows."""
    command = commands.WithdrawEnrollment(enrollment_id, body.reason if body else "")
    return await call.execute(Work, commands.withdraw_enrollment, command, _shown)


@router.post(ENROLLMENTS + "/{enrollment_id}/complete", response_model=wire.EnrollmentOut, responses=PROBLEMS)
async def complete_enrollment(
    enrollment_id: UUID,
    call: Annotated[Call, require(Action.COMPLETE, Kind.ENROLLMENT)],
    body: wire.CompleteIn | None = None,
) -> Response:
    """Finish with a score, which becomes evidence for prerequisites; for the section's instructor and registrars."""
    given = body or wire.CompleteIn()
    command = commands.CompleteEnrollment(enrollment_id, given.score, given.reason)
    return await call.execute(Work, commands.complete_enrollment, command, _shown)
