"""Students: holds, overrides, schedule, transcript, progress."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from starlette.responses import Response

from dataforge.contexts.academics.catalog.domain import Completion
from dataforge.contexts.academics.students import commands, queries, wire
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork as Work
from dataforge.contexts.academics.wire import Page
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.negotiation import preferred_media_type
from dataforge.http.paging import Cursor, Limit
from dataforge.http.versioned_rows import PROBLEMS, VERSIONED, changes_of, created, no_content, values_of, versioned
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT
from dataforge.platform.db.versioned_rows import Change, Create, Delete

router = context_router("academics")


STUDENTS = "/api/students"


def _json(value: object) -> Response:
    return json_response(value)


def _created(row: Any) -> Response:  # noqa: ANN401 - any row
    return json_response(row, status=201)


@router.get(STUDENTS, response_model=Page[wire.StudentOut])
async def list_students(
    call: Annotated[Call, require(Action.LIST, Kind.STUDENT)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    q: Annotated[str | None, Query(max_length=200, description="beginning of a name, number or e-mail address")] = None,
) -> Response:
    """Students by name."""
    page = await call.query(queries.list_students, after=call.after(cursor), limit=limit, q=q)
    return call.page_response(page, limit=limit)


@router.post(STUDENTS, status_code=201, response_model=wire.StudentOut, responses=PROBLEMS)
async def create_student(body: wire.StudentIn, call: Annotated[Call, require(Action.CREATE, Kind.STUDENT)]) -> Response:
    """Add a student."""
    command = Create(values_of(body))
    return await call.execute(Work, commands.create_student, command, lambda row: created(call, STUDENTS, row))


@router.get(STUDENTS + "/me", response_model=wire.StudentOut, responses=PROBLEMS)
async def get_own_student(call: Annotated[Call, require(Action.READ, Kind.STUDENT)]) -> Response:
    """The student the signed-in person is."""
    return versioned(await call.query(queries.get_own_student, call.user_id))


@router.get(STUDENTS + "/{student_id}", response_model=wire.StudentOut, responses=PROBLEMS)
async def get_student(student_id: UUID, call: Annotated[Call, require(Action.READ, Kind.STUDENT)]) -> Response:
    """One student: oneself, or (registrars) anybody."""
    return versioned(await call.query(queries.get_student, student_id, call.principal))


@router.put(STUDENTS + "/{student_id}", response_model=wire.StudentOut, responses=VERSIONED)
async def replace_student(
    student_id: UUID, body: wire.StudentIn, call: Annotated[Call, require(Action.CHANGE, Kind.STUDENT)]
) -> Response:
    """Replace a student; needs If-Match."""
    command = Change(student_id, call.expected_revision(), values_of(body))
    return await call.execute(Work, commands.change_student, command, versioned)


@router.patch(STUDENTS + "/{student_id}", response_model=wire.StudentOut, responses=VERSIONED)
async def change_student(
    student_id: UUID, body: wire.StudentPatch, call: Annotated[Call, require(Action.CHANGE, Kind.STUDENT)]
) -> Response:
    """Change a student; needs If-Match."""
    command = Change(student_id, call.expected_revision(), changes_of(body))
    return await call.execute(Work, commands.change_student, command, versioned)


@router.delete(STUDENTS + "/{student_id}", status_code=204, responses=VERSIONED)
async def delete_student(student_id: UUID, call: Annotated[Call, require(Action.DELETE, Kind.STUDENT)]) -> Response:
    """Delete a student of whom nothing else is known; needs If-Match."""
    command = Delete(student_id, call.expected_revision())
    return await call.execute(Work, commands.delete_student, command, no_content)


@router.get(STUDENTS + "/{student_id}/holds", response_model=list[wire.HoldOut], responses=PROBLEMS)
async def list_holds(student_id: UUID, call: Annotated[Call, require(Action.READ, Kind.HOLD)]) -> Response:
    """Holds, those in force first."""
    return json_response(await call.query(queries.list_holds, student_id, call.principal))


@router.post(STUDENTS + "/{student_id}/holds", status_code=201, response_model=wire.HoldOut, responses=PROBLEMS)
async def place_hold(
    student_id: UUID, body: wire.HoldIn, call: Annotated[Call, require(Action.CREATE, Kind.HOLD)]
) -> Response:
    """Stop a student from enrolling."""
    command = commands.PlaceHold(student_id, body.code, body.reason)
    return await call.execute(Work, commands.place_hold, command, _created)


@router.post(STUDENTS + "/{student_id}/holds/{hold_id}/release", response_model=wire.HoldOut, responses=PROBLEMS)
async def release_hold(
    student_id: UUID, hold_id: UUID, call: Annotated[Call, require(Action.CHANGE, Kind.HOLD)]
) -> Response:
    """Release a hold."""
    return await call.execute(Work, commands.release_hold, commands.ReleaseHold(student_id, hold_id), _json)


@router.get(STUDENTS + "/{student_id}/overrides", response_model=list[wire.OverrideOut], responses=PROBLEMS)
async def list_overrides(student_id: UUID, call: Annotated[Call, require(Action.READ, Kind.OVERRIDE)]) -> Response:
    """Overrides, those in force first."""
    return json_response(await call.query(queries.list_overrides, student_id, call.principal))


@router.post(STUDENTS + "/{student_id}/overrides", status_code=201, response_model=wire.OverrideOut, responses=PROBLEMS)
async def grant_override(
    student_id: UUID, body: wire.OverrideIn, call: Annotated[Call, require(Action.CREATE, Kind.OVERRIDE)]
) -> Response:
    """Lift named rules for a student in a section, with a reason."""
    command = commands.GrantOverride(student_id, body.section_id, frozenset(body.rules), body.reason, body.expires_at)
    return await call.execute(Work, commands.grant_override, command, _created)


@router.post(
    STUDENTS + "/{student_id}/overrides/{override_id}/revoke", response_model=wire.OverrideOut, responses=PROBLEMS
)
async def revoke_override(
    student_id: UUID, override_id: UUID, call: Annotated[Call, require(Action.CHANGE, Kind.OVERRIDE)]
) -> Response:
    """End an override now."""
    command = commands.RevokeOverride(student_id, override_id)
    return await call.execute(Work, commands.revoke_override, command, _json)


@router.post(
    STUDENTS + "/{student_id}/completions",
    status_code=201,
    response_model=wire.CourseCompletionOut,
    responses=PROBLEMS,
)
async def record_completion(
    student_id: UUID, body: wire.CompletionIn, call: Annotated[Call, require(Action.CHANGE, Kind.STUDENT)]
) -> Response:
    """Record evidence from outside, such as a transfer credit; the same reference again corrects it."""
    command = commands.RecordCompletion(student_id, body.course_id, body.score, body.completed_on, body.reference)

    def render(evidence: Completion) -> Response:
        shown = {"student_id": student_id, "source": evidence.source, **body.model_dump()}
        return json_response(shown, status=201)

    return await call.execute(Work, commands.record_completion, command, render)


@router.get(
    STUDENTS + "/{student_id}/schedule",
    response_model=wire.ScheduleOut,
    responses={**PROBLEMS, 200: {"content": {"text/calendar": {"schema": {"type": "string"}}}}},
)
async def get_schedule(
    student_id: UUID, call: Annotated[Call, require(Action.READ, Kind.STUDENT)], semester_id: UUID | None = None
) -> Response:
    """What a student is in or waits for; `Accept: text/calendar` gives it as iCalendar (RFC 5545)."""
    schedule = await call.query(queries.schedule, student_id, call.principal, semester_id=semester_id)
    offered = ("application/json", "text/calendar")
    if preferred_media_type(call.request.headers.get("accept", ""), offered) != "text/calendar":
        return json_response(schedule, headers={"Vary": "Accept"})
    from dataforge.contexts.academics.meetings.calendar import meetings_calendar
    from dataforge.platform.calendars import MEDIA_TYPE

    entries = await call.query(queries.schedule_dates, schedule["entries"])
    calendar = meetings_calendar(entries, stamp=call.platform.clock.now())
    headers = {"Vary": "Accept", "Content-Disposition": 'attachment; filename="schedule.ics"'}
    return Response(calendar, media_type=MEDIA_TYPE, headers=headers)


@router.get(STUDENTS + "/{student_id}/transcript", response_model=wire.TranscriptOut, responses=PROBLEMS)
async def get_transcript(student_id: UUID, call: Annotated[Call, require(Action.READ, Kind.STUDENT)]) -> Response:
    """What a student completed, with scores, evidence and credits."""
    return json_response(await call.query(queries.transcript, student_id, call.principal))


@router.get(STUDENTS + "/{student_id}/progress", response_model=wire.ProgressOut, responses=PROBLEMS)
async def get_progress(
    student_id: UUID,
    call: Annotated[Call, require(Action.READ, Kind.STUDENT)],
    course_id: Annotated[list[UUID], Query(min_length=1, max_length=500, description="the required courses")],
) -> Response:
    """How far a student is in a set of required courses."""
    return json_response(await call.query(queries.progress, student_id, call.principal, course_id))
