"""Lesson dates of the signed-in person as iCalendar objects."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from starlette.responses import Response

from dataforge.contexts.notifications.calendar import queries
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call
from dataforge.http.etag import etag
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.scopes import CALENDAR

router = context_router("notifications")
_ICS: dict[int | str, dict[str, Any]] = {200: {"content": {"text/calendar": {"schema": {"type": "string"}}}}}
_A_YEAR = timedelta(days=365)
CalendarCall = Annotated[Call, require(Action.READ, Kind.CALENDAR, address=CALENDAR)]
AddressToken = Annotated[
    str | None, Query(max_length=200, description="a personal access token with the scope `calendar`, and no other")
]


@router.get("/api/calendar.ics", response_class=Response, responses=_ICS)
async def get_calendar(call: CalendarCall, token: AddressToken = None) -> Response:  # noqa: ARG001 - read by the dependency
    """The dates of one's own lessons, from a year ago on, to subscribe to (RFC 5545); answers 304 to If-None-Match."""
    since = (call.platform.clock.now() - _A_YEAR).date()
    return _calendar(call, await call.query(queries.agenda_of, call.user_id, since), "lessons.ics")


@router.get("/api/calendar/lessons/{lesson_id}", response_class=Response, responses=_ICS)
async def get_lesson_date(lesson_id: UUID, call: Annotated[Call, require(Action.READ, Kind.CALENDAR)]) -> Response:
    """The date of one of one's own lessons, to put into a calendar; 404 for a lesson of others or without a date."""
    return _calendar(call, await call.query(queries.lesson_date_of, call.user_id, lesson_id), "lesson.ics")


def _calendar(call: Call, entries: Sequence[Any], name: str) -> Response:
    from dataforge.contexts.notifications.calendar.objects import agenda
    from dataforge.platform.calendars import MEDIA_TYPE

    content = agenda(call.user_id, entries)
    tag = etag(hashlib.sha256(content).hexdigest()[:32])
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=MEDIA_TYPE, headers={**headers, **disposition})
