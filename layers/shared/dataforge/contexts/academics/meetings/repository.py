"""Writes of holidays and of changes to single meetings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.academics.access import missing
from dataforge.contexts.academics.meetings.domain import Holiday, MeetingChange, Slot
from dataforge.contexts.academics.sections.domain import Meeting, Timetable
from dataforge.contexts.academics.tables import holidays as holiday_table
from dataforge.contexts.academics.tables import meeting_changes
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict

_SECTION = text("""
SELECT sec.id, sec.instructor_id, sem.starts_on, sem.ends_on, sem.time_zone,
    (SELECT coalesce(jsonb_agg(jsonb_build_array(m.weekday, m.starts, m.ends, m.room)), '[]')
        FROM academics.section_meetings m WHERE m.section_id = sec.id) AS meetings
FROM academics.sections sec JOIN academics.semesters sem ON sem.id = sec.semester_id
WHERE sec.id = :id FOR KEY SHARE OF sec
""")

_SEATED = text("""
SELECT sec.code, c.code AS course_code, c.title AS course_title,
    array_remove(array_agg(DISTINCT s.user_id), NULL) AS people,
    array_remove(array_agg(DISTINCT s.email) FILTER (WHERE s.user_id IS NULL), NULL) AS addresses
FROM academics.sections sec JOIN academics.courses c ON c.id = sec.course_id
LEFT JOIN academics.enrollments e ON e.section_id = sec.id AND e.status = 'ENROLLED'
LEFT JOIN academics.students s ON s.id = e.student_id
WHERE sec.id = :id GROUP BY sec.id, c.id
""")


@dataclass(frozen=True, slots=True)
class Seated:
    """What a section is called, and who has a seat in it: accounts, and addresses of students without one."""

    code: str
    course_code: str
    course_title: str
    people: tuple[UUID, ...]
    addresses: tuple[str, ...]


class Meetings:
    """Holidays of semesters and changes of meetings, inside one transaction."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def holidays(self, semester_id: UUID) -> list[Holiday]:
        """The holidays of a semester, in order."""
        columns = (holiday_table.c.starts_on, holiday_table.c.ends_on, holiday_table.c.name)
        query = select(*columns).where(holiday_table.c.semester_id == semester_id).order_by(holiday_table.c.starts_on)
        return [Holiday(*row) for row in await self._connection.execute(query)]

    async def set_holidays(self, semester_id: UUID, holidays: Sequence[Holiday]) -> None:
        """Replace the holidays of a semester."""
        await self._connection.execute(delete(holiday_table).where(holiday_table.c.semester_id == semester_id))
        if holidays:
            rows = [
                {"semester_id": semester_id, "starts_on": day.starts_on, "ends_on": day.ends_on, "name": day.name}
                for day in holidays
            ]
            await self._connection.execute(insert(holiday_table), rows)

    async def section(self, section_id: UUID) -> tuple[UUID | None, Timetable]:
        """The instructor and the timetable of a section, which is not deleted meanwhile; raises NotFound."""
        row = (await self._connection.execute(_SECTION, {"id": section_id})).one_or_none()
        if row is None:
            raise missing(Text("section"), section_id)
        meetings = tuple(
            Meeting(weekday, time.fromisoformat(starts), time.fromisoformat(ends), room)
            for weekday, starts, ends, room in row.meetings
        )
        return row.instructor_id, Timetable(meetings, row.starts_on, row.ends_on, row.time_zone)

    async def keep_change(self, section_id: UUID, change: MeetingChange, person: UUID | None) -> Mapping[str, Any]:
        """Keep what becomes of a meeting, instead of what was said of it before; the row as it is kept."""
        slot = change.moved_to
        values = {
            "new_on": slot and slot.on,
            "new_starts": slot and slot.starts,
            "new_ends": slot and slot.ends,
            "new_room": slot.room if slot else "",
            "note": change.note,
            "changed_by": person,
            "changed_at": self._now,
        }
        named = {"id": uuid7(), "section_id": section_id, "held_on": change.on, "starts": change.starts}
        statement = (
            upsert(meeting_changes)
            .values(**named, **values)
            .on_conflict_do_update(index_elements=["section_id", "held_on", "starts"], set_=values)
            .returning(meeting_changes)
        )
        return row_dict((await self._connection.execute(statement)).one())

    async def known_change(self, section_id: UUID, on: date, starts: time) -> MeetingChange | None:
        """What was said of a meeting before; None if nothing was."""
        mine = (meeting_changes.c.section_id == section_id, meeting_changes.c.held_on == on)
        query = select(meeting_changes).where(*mine, meeting_changes.c.starts == starts)
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            return None
        slot = None if row.new_on is None else Slot(row.new_on, row.new_starts, row.new_ends, row.new_room)
        return MeetingChange(on, starts, slot, row.note)

    async def seated(self, section_id: UUID) -> Seated:
        """Who has a seat in a section that is there."""
        row = (await self._connection.execute(_SEATED, {"id": section_id})).one()
        return Seated(row.code, row.course_code, row.course_title, tuple(row.people), tuple(row.addresses or ()))

    async def remove_change(self, section_id: UUID, change_id: UUID) -> tuple[date, time]:
        """Forget a change; the day and time of the meeting. Raises NotFound."""
        mine = (meeting_changes.c.id == change_id, meeting_changes.c.section_id == section_id)
        statement = delete(meeting_changes).where(*mine).returning(meeting_changes.c.held_on, meeting_changes.c.starts)
        row = (await self._connection.execute(statement)).one_or_none()
        if row is None:
            raise missing(Text("meeting change"), change_id)
        return row.held_on, row.starts
