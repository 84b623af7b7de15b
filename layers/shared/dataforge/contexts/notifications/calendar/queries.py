"""Dates of lessons as learners have them, and which of them their calendars have not heard of."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.notifications.calendar.domain import (
    KIND,
    AgendaEntry,
    Change,
    LessonDate,
    NoLessonDate,
    SentEvent,
    invitation_to,
    without_zone,
)
from dataforge.kernel.texts import Text

MOST_ENTRIES = 2_000
_DATE = (
    "d.user_id, d.lesson_id, d.title, d.lesson_url, d.lesson_date, d.start_time, d.duration_minutes, "
    "CASE WHEN d.start_time IS NOT NULL THEN coalesce(d.time_zone, p.time_zone) END AS zone"
)
_SENT = (
    "e.sequence, e.state, e.title AS sent_title, e.lesson_url AS sent_url, e.lesson_date AS sent_date, "
    "e.start_time AS sent_start, e.duration_minutes AS sent_minutes, e.zone AS sent_zone"
)
_WANTED = (
    "p.suspended_at IS NULL AND NOT EXISTS (SELECT FROM notifications.preferences x "
    "WHERE x.user_id = p.user_id AND x.kind = :kind AND NOT x.wanted)"
)
_NEWS = text(
    f"WITH dates AS (SELECT {_DATE} FROM learning.lesson_dates d JOIN identity.directory p ON p.user_id = d.user_id "
    f"WHERE d.lesson_date >= :since AND {_WANTED}) "
    f"SELECT d.*, {_SENT} FROM dates d LEFT JOIN notifications.calendar_events e "
    "ON e.user_id = d.user_id AND e.lesson_id = d.lesson_id "
    "WHERE e.user_id IS NULL OR e.state = 'cancelled' "
    "OR (e.title, e.lesson_url, e.lesson_date, e.start_time, e.duration_minutes, e.zone) IS DISTINCT FROM "
    "(d.title, d.lesson_url, d.lesson_date, d.start_time, d.duration_minutes, d.zone) "
    "ORDER BY d.user_id, d.lesson_date, d.lesson_id LIMIT :limit"
)
_GONE = text(
    f"SELECT e.user_id, e.lesson_id, {_SENT} FROM notifications.calendar_events e "
    "JOIN identity.directory p ON p.user_id = e.user_id "
    f"WHERE e.state = 'invited' AND e.lesson_date >= :since AND {_WANTED} "
    "AND NOT EXISTS (SELECT FROM learning.lesson_dates d WHERE d.user_id = e.user_id AND d.lesson_id = e.lesson_id "
    "AND d.lesson_date >= :since) ORDER BY e.user_id, e.lesson_date, e.lesson_id LIMIT :limit"
)
_AGENDA = text(
    f"SELECT {_DATE}, d.updated_at, coalesce(e.sequence, 0) AS sequence FROM learning.lesson_dates d "
    "JOIN identity.directory p ON p.user_id = d.user_id LEFT JOIN notifications.calendar_events e "
    "ON e.user_id = d.user_id AND e.lesson_id = d.lesson_id WHERE d.user_id = :user_id AND d.lesson_date >= :since "
    "AND (CAST(:lesson_id AS uuid) IS NULL OR d.lesson_id = :lesson_id) "
    "ORDER BY d.lesson_date, d.lesson_id LIMIT :limit"
)


async def unannounced(connection: AsyncConnection, since: date, limit: int) -> Sequence[Change]:
    """Dates from a day on that are new, changed or gone since calendars were sent them, at most so many of each."""
    values = {"since": since, "limit": limit, "kind": KIND}
    news = [
        Change(row.user_id, invitation)
        for row in await connection.execute(_NEWS, values)
        if (invitation := invitation_to(_lesson(row), _sent(row)))
    ]
    gone = [
        Change(row.user_id, sent.cancellation)
        for row in await connection.execute(_GONE, values)
        if (sent := _sent(row))
    ]
    return [*news, *gone]


async def agenda_of(connection: AsyncConnection, user_id: UUID, since: date) -> Sequence[AgendaEntry]:
    """The lesson dates of a person from a day on, earliest first."""
    return await _entries(connection, user_id, since, None)


async def lesson_date_of(connection: AsyncConnection, user_id: UUID, lesson_id: UUID) -> Sequence[AgendaEntry]:
    """The one date of a lesson as a person has it; raises NoLessonDate."""
    found = await _entries(connection, user_id, date.min, lesson_id)
    if not found:
        message = Text("You have no lesson {lesson_id} with a date.", lesson_id=lesson_id)
        raise NoLessonDate(message)
    return found


async def _entries(
    connection: AsyncConnection, user_id: UUID, since: date, lesson_id: UUID | None
) -> Sequence[AgendaEntry]:
    values = {"user_id": user_id, "since": since, "lesson_id": lesson_id, "limit": MOST_ENTRIES}
    rows = await connection.execute(_AGENDA, values)
    return [AgendaEntry(_lesson(row), row.sequence, _whole_second(row.updated_at)) for row in rows]


def _lesson(row: Any) -> LessonDate:  # noqa: ANN401 - a row of the query
    return without_zone(
        LessonDate(
            row.lesson_id, row.title, row.lesson_url, row.lesson_date, row.start_time, row.duration_minutes, row.zone
        )
    )


def _sent(row: Any) -> SentEvent | None:  # noqa: ANN401 - a row of the query
    if row.sequence is None:
        return None
    lesson = LessonDate(
        row.lesson_id,
        row.sent_title,
        row.sent_url,
        row.sent_date,
        row.sent_start,
        row.sent_minutes,
        row.sent_zone,
    )
    return SentEvent(lesson, row.sequence, row.state == "cancelled")


def _whole_second(at: datetime) -> datetime:
    return at.replace(microsecond=0)
