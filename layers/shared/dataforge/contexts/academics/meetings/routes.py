"""Holidays of semesters, and the dates of sections."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.academics.access import sees_drafts
from dataforge.contexts.academics.meetings import commands, queries, wire
from dataforge.contexts.academics.meetings.domain import Holiday, Slot
from dataforge.contexts.academics.routing import router
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork as Work
from dataforge.contexts.academics.wire import Page
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.paging import Cursor, Limit
from dataforge.http.versioned_rows import PROBLEMS, VERSIONED, no_content, versioned
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT

HOLIDAYS = "/api/semesters/{semester_id}/holidays"
SECTION = "/api/sections/{section_id}"
CHANGES = SECTION + "/meeting-changes"


@router.get(HOLIDAYS, response_model=wire.HolidaysOut, responses=PROBLEMS)
async def get_holidays(semester_id: UUID, call: Annotated[Call, require(Action.READ, Kind.SEMESTER)]) -> Response:
    """The holidays of a semester in order; the ETag is the semester's."""
    return versioned(await call.query(queries.list_holidays, semester_id))


@router.put(HOLIDAYS, response_model=wire.HolidaysOut, responses=VERSIONED)
async def set_holidays(
    semester_id: UUID, body: wire.HolidaysIn, call: Annotated[Call, require(Action.CHANGE, Kind.SEMESTER)]
) -> Response:
    """Replace the holidays of a semester, on which none of its sections meets. Needs If-Match (the semester's ETag)."""
    holidays = [Holiday(day.starts_on, day.ends_on, day.name) for day in body.holidays]

    async def read(connection: AsyncConnection, _semester: object) -> Response:
        return versioned(await queries.list_holidays(connection, semester_id))

    command = commands.SetHolidays(semester_id, call.expected_revision(), holidays)
    return await call.execute_and_read(Work, commands.set_holidays, command, read)


@router.get(SECTION + "/meetings", response_model=wire.MeetingDatesOut, responses=PROBLEMS)
async def list_meeting_dates(
    section_id: UUID,
    call: Annotated[Call, require(Action.READ, Kind.SECTION)],
    starts_on: Annotated[date | None, Query(description="the first day; the semester's if left out")] = None,
    ends_on: Annotated[date | None, Query(description="the last day; the semester's if left out")] = None,
) -> Response:
    """Every meeting of a section, day by day, with holidays and what is cancelled or moved; of ten years at most."""
    drafts = sees_drafts(call.principal)
    return json_response(
        await call.query(queries.section_dates, section_id, drafts=drafts, first=starts_on, last=ends_on)
    )


@router.get(CHANGES, response_model=Page[wire.MeetingChangeOut], responses=PROBLEMS)
async def list_meeting_changes(
    section_id: UUID,
    call: Annotated[Call, require(Action.READ, Kind.SECTION)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """What is cancelled or moved, by day."""
    page = await call.query(
        queries.list_meeting_changes,
        section_id,
        drafts=sees_drafts(call.principal),
        after=call.after(cursor),
        limit=limit,
    )
    return call.page_response(page, limit=limit)


@router.post(CHANGES, status_code=201, response_model=wire.MeetingChangeOut, responses=PROBLEMS)
async def change_meeting(
    section_id: UUID, body: wire.MeetingChangeIn, call: Annotated[Call, require(Action.CHANGE, Kind.MEETING)]
) -> Response:
    """Cancel or move one meeting, instead of what was said of it before; for the section's instructor and registrars.

    Subscribed calendars follow. Nobody is refused a seat because of a meeting that was moved.
    """
    slot = None if body.moved_to is None else Slot(**dict(body.moved_to))

    async def read(connection: AsyncConnection, row: Mapping[str, Any]) -> Response:
        return json_response(await queries.get_meeting_change(connection, row["id"]), status=201)

    command = commands.ChangeMeeting(section_id, body.on, body.starts, slot, body.note)
    return await call.execute_and_read(Work, commands.change_meeting, command, read)


@router.delete(CHANGES + "/{change_id}", status_code=204, responses=PROBLEMS)
async def restore_meeting(
    section_id: UUID, change_id: UUID, call: Annotated[Call, require(Action.CHANGE, Kind.MEETING)]
) -> Response:
    """Let the meeting take place as it was planned."""
    command = commands.RestoreMeeting(section_id, change_id)
    return await call.execute(Work, commands.restore_meeting, command, no_content)
