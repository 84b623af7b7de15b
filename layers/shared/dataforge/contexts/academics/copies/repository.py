"""Writes of copies: sections with their meetings, all at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.platform.db.versioned_rows import explained

_ADD_SECTIONS = text("""
INSERT INTO academics.sections (id, course_id, semester_id, code, state, instructor_id, capacity, waitlist_capacity,
    created_at, updated_at)
SELECT x.section_id, x.course_id, :semester, x.code, 'open', x.instructor_id, x.capacity, x.waitlist_capacity, :now,
    :now
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS x(section_id uuid, course_id uuid, code text, instructor_id uuid,
    capacity int, waitlist_capacity int)
""")
_ADD_MEETINGS = text("""
INSERT INTO academics.section_meetings (section_id, weekday, starts, ends, room)
SELECT x.section_id, m.weekday, m.starts, m.ends, m.room
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS x(section_id uuid, meetings jsonb),
    jsonb_to_recordset(x.meetings) AS m(weekday smallint, starts time, ends time, room text)
""")


class Copies:
    """Sections of copies, inside one transaction."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def add_sections(self, semester_id: UUID, sections: Sequence[Mapping[str, Any]]) -> None:
        """Add sections, as `SectionCopy.shown` has them; raises AlreadyExists for one that somebody made meanwhile."""
        rows = orjson.dumps(sections).decode()
        async with explained("section", "sections"):
            given = {"semester": semester_id, "now": self._now, "rows": rows}
            await self._connection.execute(_ADD_SECTIONS, given)
        await self._connection.execute(_ADD_MEETINGS, {"rows": rows})
