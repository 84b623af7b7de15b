"""Sections, their rosters, instructors."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Query
from starlette.responses import Response

from dataforge.contexts.academics.commands import catalogue as commands
from dataforge.contexts.academics.commands.catalogue import ChangeSection, CreateSection, Delete
from dataforge.contexts.academics.domain.access import sees_drafts
from dataforge.contexts.academics.domain.catalogue import Meeting
from dataforge.contexts.academics.domain.status import EnrollmentStatus
from dataforge.contexts.academics.queries import catalogue as queries
from dataforge.contexts.academics.queries.enrollment import section_roster
from dataforge.contexts.academics.repository import SqlAcademicsUnitOfWork as Work
from dataforge.contexts.academics.routes.base import (
    PROBLEMS,
    VERSIONED,
    SearchText,
    changes_of,
    created,
    no_content,
    router,
    values_of,
    versioned,
)
from dataforge.contexts.academics.schemas import inputs, outputs
from dataforge.http.auth import AnyoneCall, InstructorCall, RegistrarCall
from dataforge.http.call import Call
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.paging import DEFAULT_LIMIT

SECTIONS = "/api/sections"
_PRESENT = (EnrollmentStatus.ENROLLED, EnrollmentStatus.WAITLISTED, EnrollmentStatus.COMPLETED)


def _meetings(given: Sequence[inputs.MeetingIn]) -> list[Meeting]:
    return [Meeting(item.weekday, item.starts, item.ends, item.room) for item in given]


async def _shown(call: Call, section_id: UUID) -> Response:
    return versioned(await call.query(queries.get_section, section_id, drafts=True))


@router.get(SECTIONS, response_model=outputs.Page[outputs.SectionOut])
async def list_sections(
    call: AnyoneCall,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    q: Annotated[str | None, SearchText] = None,
    department_id: UUID | None = None,
    semester_id: UUID | None = None,
    course_id: UUID | None = None,
    instructor_id: UUID | None = None,
    open_seats: bool = False,  # noqa: FBT001, FBT002 - a query parameter
) -> Response:
    """Sections by course code: by words, department, semester, course, instructor, seats anybody may take."""
    page = await call.query(
        queries.list_sections,
        after=call.after(cursor),
        limit=limit,
        drafts=sees_drafts(call.principal),
        q=q,
        department_id=department_id,
        semester_id=semester_id,
        course_id=course_id,
        instructor_id=instructor_id,
        open_seats=open_seats,
    )
    return call.page_response(page, limit=limit)


@router.post(SECTIONS, status_code=201, response_model=outputs.SectionOut, responses=PROBLEMS)
async def create_section(body: inputs.SectionIn, call: RegistrarCall) -> Response:
    """Offer a course in a semester."""
    values = values_of(body)
    del values["meetings"]

    async def create(command: CreateSection, work: Work) -> Response:
        row = await commands.create_section(command, work)
        return created(call, SECTIONS, await queries.get_section(work.connection, row["id"], drafts=True))

    return await call.answer(Work, create, CreateSection(values, _meetings(body.meetings)))


@router.get(SECTIONS + "/{section_id}", response_model=outputs.SectionOut, responses=PROBLEMS)
async def get_section(section_id: UUID, call: AnyoneCall) -> Response:
    """One section with its meetings and seats."""
    return versioned(await call.query(queries.get_section, section_id, drafts=sees_drafts(call.principal)))


@router.put(SECTIONS + "/{section_id}", response_model=outputs.SectionOut, responses=VERSIONED)
async def replace_section(section_id: UUID, body: inputs.SectionPut, call: RegistrarCall) -> Response:
    """Replace a section; seats that become free go to the waitlist. Needs If-Match."""
    values = values_of(body)
    del values["meetings"]
    command = ChangeSection(section_id, call.expected_revision(), values, _meetings(body.meetings))
    await call.run(Work, commands.change_section, command)
    return await _shown(call, section_id)


@router.patch(SECTIONS + "/{section_id}", response_model=outputs.SectionOut, responses=VERSIONED)
async def change_section(section_id: UUID, body: inputs.SectionPatch, call: RegistrarCall) -> Response:
    """Change a section; seats that a higher capacity frees go to the waitlist. Needs If-Match."""
    changes = changes_of(body)
    meetings = _meetings(body.meetings) if changes.pop("meetings", None) is not None else None
    command = ChangeSection(section_id, call.expected_revision(), changes, meetings)
    await call.run(Work, commands.change_section, command)
    return await _shown(call, section_id)


@router.delete(SECTIONS + "/{section_id}", status_code=204, responses=VERSIONED)
async def delete_section(section_id: UUID, call: RegistrarCall) -> Response:
    """Delete a section that nobody ever asked for; close it otherwise. Needs If-Match."""
    command = Delete(section_id, call.expected_revision())
    return await call.execute(Work, commands.delete_section, command, no_content)


@router.get(SECTIONS + "/{section_id}/roster", response_model=outputs.Page[outputs.RosterEntry], responses=PROBLEMS)
async def get_section_roster(
    section_id: UUID,
    call: InstructorCall,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    status: Annotated[list[EnrollmentStatus] | None, Query()] = None,
) -> Response:
    """Who is in a section, by name, then the waitlist by number; for its instructor and registrars."""
    page = await call.query(
        section_roster,
        section_id,
        call.principal,
        after=call.after(cursor),
        limit=limit,
        statuses=[item.value for item in status or _PRESENT],
    )
    return call.page_response(page, limit=limit)


@router.get("/api/instructors", response_model=outputs.Page[outputs.InstructorOut])
async def list_instructors(
    call: AnyoneCall, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT, semester_id: UUID | None = None
) -> Response:
    """Who teaches; their sections are at /api/sections?instructor_id=…"""
    page = await call.query(queries.list_instructors, after=call.after(cursor), limit=limit, semester_id=semester_id)
    return call.page_response(page, limit=limit)
