"""Reads of holidays, of what is changed about single meetings, and of the dates that follow from both."""

from collections.abc import Mapping, Sequence
from datetime import date, time
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.academics.access import missing
from dataforge.contexts.academics.meetings.domain import (
    MOST_DATES,
    Holiday,
    MeetingChange,
    Occurrence,
    Slot,
    occurrences,
)
from dataforge.contexts.academics.sections.domain import Meeting, Timetable
from dataforge.kernel.errors import invalid
from dataforge.kernel.paging import Page
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict
from dataforge.platform.db.keyset_lists import After, Row, keyset, where

_CHANGE = """
SELECT ch.id, ch.section_id, ch.held_on AS "on", to_char(ch.starts, 'HH24:MI') AS starts,
    CASE WHEN ch.new_on IS NULL THEN 'cancelled' ELSE 'moved' END AS state, ch.note,
    CASE WHEN ch.new_on IS NOT NULL THEN jsonb_build_object('on', ch.new_on, 'starts', to_char(ch.new_starts,
        'HH24:MI'), 'ends', to_char(ch.new_ends, 'HH24:MI'), 'room', ch.new_room) END AS moved_to,
    ch.changed_by, ch.changed_at,
    ch.held_on BETWEEN sem.starts_on AND sem.ends_on AND EXISTS (SELECT FROM academics.section_meetings m
        WHERE m.section_id = ch.section_id AND m.weekday = extract(isodow FROM ch.held_on) AND m.starts = ch.starts)
        AS applies
FROM academics.meeting_changes ch
JOIN academics.sections sec ON sec.id = ch.section_id
JOIN academics.semesters sem ON sem.id = sec.semester_id
JOIN academics.courses c ON c.id = sec.course_id
"""
# What an event of a calendar says of a section, and what its dates are made of.
_ENTRIES = text("""
SELECT sec.id AS section_id, sec.code AS section_code, c.code AS course_code, c.title AS course_title,
    sem.id AS semester_id, sem.code AS semester_code, sem.starts_on, sem.ends_on, sem.time_zone,
    (SELECT coalesce(jsonb_agg(jsonb_build_array(m.weekday, m.starts, m.ends, m.room) ORDER BY m.weekday, m.starts),
        '[]') FROM academics.section_meetings m WHERE m.section_id = sec.id) AS meetings,
    (SELECT coalesce(jsonb_agg(jsonb_build_array(h.starts_on, h.ends_on, h.name) ORDER BY h.starts_on), '[]')
        FROM academics.holidays h WHERE h.semester_id = sem.id) AS holidays,
    (SELECT coalesce(jsonb_agg(jsonb_build_array(ch.held_on, ch.starts, ch.new_on, ch.new_starts, ch.new_ends,
        ch.new_room, ch.note) ORDER BY ch.held_on, ch.starts), '[]')
        FROM academics.meeting_changes ch WHERE ch.section_id = sec.id) AS changes,
    greatest(sec.updated_at, c.updated_at, sem.updated_at, (SELECT max(ch.changed_at)
        FROM academics.meeting_changes ch WHERE ch.section_id = sec.id)) AS changed_at
FROM academics.sections sec
JOIN academics.courses c ON c.id = sec.course_id
JOIN academics.semesters sem ON sem.id = sec.semester_id
WHERE sec.id = ANY(:sections) AND (:drafts OR c.state <> 'draft')
ORDER BY sem.starts_on, c.code, sec.code, sec.id
""")


async def calendar_entries(connection: AsyncConnection, sections: Sequence[UUID], *, drafts: bool) -> list[Row]:
    """The sections with their weekly meetings, holidays and changes: what `dates_of` reads."""
    rows = await connection.execute(_ENTRIES, {"sections": list(sections), "drafts": drafts})
    return [row_dict(row) for row in rows]


def dates_of(entry: Mapping[str, Any]) -> tuple[Timetable, list[Holiday], list[MeetingChange]]:
    """What the dates of an entry of `calendar_entries` follow from."""
    meetings = tuple(Meeting(day, _time(starts), _time(ends), room) for day, starts, ends, room in entry["meetings"])
    timetable = Timetable(meetings, entry["starts_on"], entry["ends_on"], entry["time_zone"])
    holidays = [Holiday(_date(first), _date(last), name) for first, last, name in entry["holidays"]]
    changes = [
        MeetingChange(
            _date(on),
            _time(starts),
            None if new_on is None else Slot(_date(new_on), _time(new_starts), _time(new_ends), new_room),
            note,
        )
        for on, starts, new_on, new_starts, new_ends, new_room, note in entry["changes"]
    ]
    return timetable, holidays, changes


async def section_dates(
    connection: AsyncConnection, section_id: UUID, *, drafts: bool, first: date | None, last: date | None
) -> Row:
    """`{section_id, time_zone, items}`: the dates that were planned or take place between two days, in that order."""
    entries = await calendar_entries(connection, [section_id], drafts=drafts)
    if not entries:
        raise missing(Text("section"), section_id)
    timetable, holidays, changes = dates_of(entries[0])
    first, last = first or date.min, last or date.max
    within = [
        item
        for item in occurrences(timetable, holidays, changes)
        if first <= item.planned_on <= last or first <= item.slot.on <= last
    ]
    if len(within) > MOST_DATES:
        message = Text("More than {most:,} meetings fit; ask for fewer days.", most=MOST_DATES)
        raise invalid("/ends_on", message, "too_many")
    items = [_shown(item) for item in sorted(within, key=lambda item: item.starts_at)]
    return {"section_id": section_id, "time_zone": timetable.time_zone, "items": items}


def _shown(item: Occurrence) -> Row:
    return {
        "on": item.slot.on,
        "starts": f"{item.slot.starts:%H:%M}",
        "ends": f"{item.slot.ends:%H:%M}",
        "room": item.slot.room,
        "state": item.state.value,
        "note": item.note,
        "planned_on": item.planned_on,
        "planned_starts": f"{item.planned.starts:%H:%M}",
        "starts_at": item.starts_at,
        "ends_at": item.ends_at,
    }


async def list_holidays(connection: AsyncConnection, semester_id: UUID) -> Row:
    """`{semester_id, revision, holidays}`: the holidays of a semester in order, with the semester's revision."""
    sql = "SELECT id AS semester_id, revision FROM academics.semesters WHERE id = :id"
    semester = (await connection.execute(text(sql), {"id": semester_id})).one_or_none()
    if semester is None:
        raise missing(Text("semester"), semester_id)
    days = "SELECT starts_on, ends_on, name FROM academics.holidays WHERE semester_id = :id ORDER BY starts_on"
    rows = await connection.execute(text(days), {"id": semester_id})
    return {**row_dict(semester), "holidays": [row_dict(row) for row in rows]}


async def list_meeting_changes(
    connection: AsyncConnection, section_id: UUID, *, drafts: bool, after: After, limit: int
) -> Page[Row]:
    """What is changed about single meetings of a section, by day; `applies` is false where there is no such meeting."""
    sql = """
    SELECT 1 FROM academics.sections sec JOIN academics.courses c ON c.id = sec.course_id
    WHERE sec.id = :id AND (:drafts OR c.state <> 'draft')
    """
    if await connection.scalar(text(sql), {"id": section_id, "drafts": drafts}) is None:
        raise missing(Text("section"), section_id)
    conditions, parameters = ["ch.section_id = :id"], {"id": section_id}
    if after is not None:
        conditions.append("(ch.held_on, ch.id) > (CAST(:on AS date), CAST(:after AS uuid))")
        parameters |= {"on": after[0], "after": after[1]}
    listing = f"{_CHANGE} {where(conditions)} ORDER BY ch.held_on, ch.id"
    return await keyset(connection, listing, parameters, key=("on", "id"), limit=limit)


async def get_meeting_change(connection: AsyncConnection, change_id: UUID) -> Row:
    """One change."""
    row = (await connection.execute(text(f"{_CHANGE} WHERE ch.id = :id"), {"id": change_id})).one_or_none()
    if row is None:
        raise missing(Text("meeting change"), change_id)
    return row_dict(row)


def _date(value: str) -> date:
    return date.fromisoformat(value)


def _time(value: str) -> time:
    return time.fromisoformat(value)
