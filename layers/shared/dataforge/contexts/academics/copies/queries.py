"""What a copy of a semester is made of."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.academics.access import missing
from dataforge.contexts.academics.catalog.domain import CourseState, Semester
from dataforge.contexts.academics.copies.domain import MOST_SECTIONS, SourceSection, TooManySections
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict
from dataforge.platform.db.keyset_lists import Row

_SEMESTER = """
SELECT id, code, starts_on, ends_on, add_by, drop_by, withdraw_by, max_credits, time_zone FROM academics.semesters
"""
_SECTIONS = text("""
SELECT sec.id, sec.course_id, c.code AS course_code, c.state AS course_state, sec.code, sec.capacity,
    sec.waitlist_capacity, sec.instructor_id, d.display_name AS instructor_name,
    d.user_id IS NOT NULL AND d.suspended_at IS NULL AND d.role IN ('instructor','registrar','admin') AS teaches,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('weekday', m.weekday, 'starts', to_char(m.starts, 'HH24:MI:SS'),
        'ends', to_char(m.ends, 'HH24:MI:SS'), 'room', m.room) ORDER BY m.weekday, m.starts), '[]')
     FROM academics.section_meetings m WHERE m.section_id = sec.id) AS meetings
FROM academics.sections sec
JOIN academics.courses c ON c.id = sec.course_id
LEFT JOIN identity.directory d ON d.user_id = sec.instructor_id
WHERE sec.semester_id = :id ORDER BY lower(c.code), sec.code, sec.id LIMIT :most
""")
_TAKEN = text("SELECT course_id, code FROM academics.sections WHERE semester_id = :id")


async def source_semester(connection: AsyncConnection, semester_id: UUID) -> Semester:
    """The semester that is copied; raises NotFound."""
    row = (await connection.execute(text(f"{_SEMESTER} WHERE id = :id"), {"id": semester_id})).one_or_none()
    if row is None:
        raise missing(Text("semester"), semester_id)
    return Semester(*row)


async def semester_of_code(connection: AsyncConnection, code: str) -> Semester | None:
    """The semester with a code, in whatever capitals; None if there is none yet."""
    sql = text(f"{_SEMESTER} WHERE lower(code) = lower(:code)")
    row = (await connection.execute(sql, {"code": code})).one_or_none()
    return None if row is None else Semester(*row)


async def sections_to_copy(connection: AsyncConnection, semester_id: UUID) -> list[SourceSection]:
    """The sections of a semester by course and code; raises TooManySections."""
    rows = (await connection.execute(_SECTIONS, {"id": semester_id, "most": MOST_SECTIONS + 1})).all()
    if len(rows) > MOST_SECTIONS:
        message = Text("A semester is copied with at most {most:,} sections.", most=MOST_SECTIONS)
        raise TooManySections(message)
    return [SourceSection(**{**row_dict(row), "course_state": CourseState(row.course_state)}) for row in rows]


async def sections_taken(connection: AsyncConnection, semester_id: UUID) -> set[tuple[UUID, str]]:
    """Courses and codes of the sections that a semester has."""
    return {(row.course_id, row.code) for row in await connection.execute(_TAKEN, {"id": semester_id})}


async def copy_is_there(connection: AsyncConnection, semester_id: UUID, section_ids: list[str]) -> bool:
    """Whether what a plan would make was made: its semester, or any of its sections."""
    sql = text("SELECT 1 FROM academics.sections WHERE id = ANY(CAST(:ids AS uuid[])) LIMIT 1")
    if section_ids:
        return await connection.scalar(sql, {"ids": section_ids}) is not None
    known = text("SELECT 1 FROM academics.semesters WHERE id = :id")
    return await connection.scalar(known, {"id": semester_id}) is not None


def shown_semester(semester: Semester, *, exists: bool) -> Row:
    """A semester of a plan, for a program and for a page."""
    shown: dict[str, Any] = {
        name: str(getattr(semester, name))
        for name in ("id", "code", "starts_on", "ends_on", "add_by", "drop_by", "withdraw_by", "time_zone")
    }
    return {**shown, "max_credits": float(semester.max_credits), "exists": exists}
