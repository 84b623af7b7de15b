"""Sections, their rosters, instructors."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.academics.access import sees_drafts
from dataforge.contexts.academics.enrollment.domain.statuses import EnrollmentStatus
from dataforge.contexts.academics.routing import router
from dataforge.contexts.academics.sections import commands, queries, wire
from dataforge.contexts.academics.sections.commands import ChangeSection
from dataforge.contexts.academics.sections.domain import Meeting
from dataforge.contexts.academics.sections.queries import section_roster
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork as Work
from dataforge.contexts.academics.wire import Page, SearchText
from dataforge.http.auth import require
from dataforge.http.call import Call
from dataforge.http.paging import Cursor, Limit
from dataforge.http.versioned_rows import PROBLEMS, VERSIONED, changes_of, created, no_content, values_of, versioned
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT
from dataforge.platform.db.versioned_rows import Delete

SECTIONS = "/api/sections"
_PRESENT = (EnrollmentStatus.ENROLLED, EnrollmentStatus.WAITLISTED, EnrollmentStatus.COMPLETED)


def _meetings(given: Sequence[wire.MeetingIn]) -> list[Meeting]:
    return [Meeting(item.weekday, item.starts, item.ends, item.room) for item in given]


async def _read(connection: AsyncConnection, row: Mapping[str, Any]) -> Response:
    return versioned(await queries.get_section(connection, row["id"], drafts=True))


@router.get(SECTIONS, response_model=Page[wire.SectionOut])
async def list_sections(
    call: Annotated[Call, require(Action.READ, Kind.SECTION)],
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


@router.post(SECTIONS, status_code=201, response_model=wire.SectionOut, responses=PROBLEMS)
async def create_section(body: wire.SectionIn, call: Annotated[Call, require(Action.CREATE, Kind.SECTION)]) -> Response:
    """Offer a course in a semester."""
    values = values_of(body)
    del values["meetings"]

    async def read(connection: AsyncConnection, row: Mapping[str, Any]) -> Response:
        return created(call, SECTIONS, await queries.get_section(connection, row["id"], drafts=True))

    command = commands.CreateSection(values, _meetings(body.meetings))
    return await call.execute_and_read(Work, commands.create_section, command, read)


@router.get(SECTIONS + "/{section_id}", response_model=wire.SectionOut, responses=PROBLEMS)
async def get_section(section_id: UUID, call: Annotated[Call, require(Action.READ, Kind.SECTION)]) -> Response:
    """One section with its meetings and seats."""
    return versioned(await call.query(queries.get_section, section_id, drafts=sees_drafts(call.principal)))


@router.put(SECTIONS + "/{section_id}", response_model=wire.SectionOut, responses=VERSIONED)
async def replace_section(
    section_id: UUID, body: wire.SectionPut, call: Annotated[Call, require(Action.CHANGE, Kind.SECTION)]
) -> Response:
    """Replace a section; seats that become free go to the waitlist. Needs If-Match."""
    values = values_of(body)
    del values["meetings"]
    command = ChangeSection(section_id, call.expected_revision(), values, _meetings(body.meetings))
    return await call.execute_and_read(Work, commands.change_section, command, _read)


@router.patch(SECTIONS + "/{section_id}", response_model=wire.SectionOut, responses=VERSIONED)
async def change_section(
    section_id: UUID, body: wire.SectionPatch, call: Annotated[Call, require(Action.CHANGE, Kind.SECTION)]
) -> Response:
    """Change a section; seats that a higher capacity frees go to the waitlist. Needs If-Match."""
    changes = changes_of(body)
    meetings = _meetings(body.meetings) if changes.pop("meetings", None) is not None else None
    command = ChangeSection(section_id, call.expected_revision(), changes, meetings)
    return await call.execute_and_read(Work, commands.change_section, command, _read)


@router.delete(SECTIONS + "/{section_id}", status_code=204, responses=VERSIONED)
async def delete_section(section_id: UUID, call: Annotated[Call, require(Action.DELETE, Kind.SECTION)]) -> Response:
    """Delete a section that nobody ever asked for; close it otherwise. Needs If-Match."""
    command = Delete(section_id, call.expected_revision())
    return await call.execute(Work, commands.delete_section, command, no_content)


@router.get(SECTIONS + "/{section_id}/roster", response_model=Page[wire.RosterEntry], responses=PROBLEMS)
async def get_section_roster(
    section_id: UUID,
    call: Annotated[Call, require(Action.READ, Kind.ROSTER)],
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


@router.get("/api/instructors", response_model=Page[wire.InstructorOut])
async def list_instructors(
    call: Annotated[Call, require(Action.READ, Kind.INSTRUCTOR)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    semester_id: UUID | None = None,
) -> Response:
    """Who teaches; their sections are at /api/sections?instructor_id=…"""
    page = await call.query(queries.list_instructors, after=call.after(cursor), limit=limit, semester_id=semester_id)
    return call.page_response(page, limit=limit)
