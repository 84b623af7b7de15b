"""Reads of sections, their rosters and their instructors."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.academics.access import may, missing
from dataforge.contexts.academics.catalog.queries import course_filters, one_row
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import Page
from dataforge.kernel.principal import Principal
from dataforge.platform.db.keyset_lists import After, Row, keyset, where

_SECTION = """
SELECT sec.id, sec.course_id, c.code AS course_code, c.title AS course_title, c.credits, c.department_id,
    sec.semester_id, sem.code AS semester_code, sec.code, sec.state, sec.instructor_id,
    sec.capacity, sec.waitlist_capacity, sec.enrolled_count, sec.waitlisted_count,
    CASE WHEN sec.waitlisted_count > 0 THEN 0 ELSE sec.capacity - sec.enrolled_count END AS open_seats,
    sec.sourced_id, sec.revision, sec.created_at, sec.updated_at,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('weekday', m.weekday, 'starts', to_char(m.starts, 'HH24:MI'),
        'ends', to_char(m.ends, 'HH24:MI'), 'room', m.room) ORDER BY m.weekday, m.starts), '[]')
     FROM academics.section_meetings m WHERE m.section_id = sec.id) AS meetings,
    (SELECT d.display_name FROM identity.directory d WHERE d.user_id = sec.instructor_id) AS instructor_name
"""
_SECTION_FROM = """
FROM academics.sections sec
JOIN academics.courses c ON c.id = sec.course_id
JOIN academics.semesters sem ON sem.id = sec.semester_id
"""


async def get_section(connection: AsyncConnection, section_id: UUID, *, drafts: bool) -> Row:
    """One section with its meetings."""
    sql = f"{_SECTION} {_SECTION_FROM} WHERE sec.id = :id AND (:drafts OR c.state <> 'draft')"
    return await one_row(connection, sql, "section", section_id, drafts=drafts)


async def list_sections(
    connection: AsyncConnection,
    *,
    after: After,
    limit: int,
    drafts: bool,
    q: str | None = None,
    department_id: UUID | None = None,
    semester_id: UUID | None = None,
    course_id: UUID | None = None,
    instructor_id: UUID | None = None,
    open_seats: bool = False,
) -> Page[Row]:
    """Sections by course code and section code."""
    conditions, parameters = course_filters(q=q, department_id=department_id, state=None, drafts=drafts)
    for column, value in (("semester_id", semester_id), ("course_id", course_id), ("instructor_id", instructor_id)):
        if value is not None:
            conditions.append(f"sec.{column} = :{column}")
            parameters[column] = value
    if open_seats:
        conditions.append("sec.state = 'open' AND sec.enrolled_count < sec.capacity AND sec.waitlisted_count = 0")
    if after is not None:
        # The first condition is implied by the second; it lets the index on the course's code be used.
        conditions.append("lower(c.code) >= :code")
        conditions.append("(lower(c.code), sec.code, sec.id) > (:code, :section_code, CAST(:after AS uuid))")
        parameters |= {"code": after[0], "section_code": after[1], "after": after[2]}
    order = "ORDER BY lower(c.code), sec.code, sec.id"
    sql = f"{_SECTION}, lower(c.code) AS _code {_SECTION_FROM} {where(conditions)} {order}"
    return await keyset(connection, sql, parameters, key=("_code", "code", "id"), limit=limit)


async def list_instructors(
    connection: AsyncConnection, *, after: After, limit: int, semester_id: UUID | None
) -> Page[Row]:
    """Who teaches, with the number of sections; by id."""
    conditions = ["sec.instructor_id IS NOT NULL"]
    parameters: Row = {}
    if semester_id is not None:
        conditions.append("sec.semester_id = :semester_id")
        parameters["semester_id"] = semester_id
    if after is not None:
        conditions.append("sec.instructor_id > CAST(:after AS uuid)")
        parameters["after"] = after[0]
    sql = f"""
    SELECT i.instructor_id, d.display_name, i.sections
    FROM (SELECT sec.instructor_id, count(*) AS sections FROM academics.sections sec {where(conditions)}
          GROUP BY sec.instructor_id) i
    LEFT JOIN identity.directory d ON d.user_id = i.instructor_id
    ORDER BY i.instructor_id
    """
    return await keyset(connection, sql, parameters, key=("instructor_id",), limit=limit)


async def section_roster(
    connection: AsyncConnection,
    section_id: UUID,
    principal: Principal,
    *,
    after: After,
    limit: int,
    statuses: Sequence[str],
) -> Page[Row]:
    """Who is in a section (instructor of it, registrars): students by name, the waitlist by number."""
    sql = "SELECT instructor_id FROM academics.sections WHERE id = :id"
    section = (await connection.execute(text(sql), {"id": section_id})).one_or_none()
    if section is None or not may(principal, Action.READ, Kind.ROSTER, teacher=section.instructor_id):
        raise missing("section", section_id)
    conditions = ["e.section_id = :id", "e.status = ANY(:statuses)"]
    parameters: Row = {"id": section_id, "statuses": list(statuses)}
    if after is not None:
        conditions.append(
            "(coalesce(e.wait_no, 0), lower(s.last_name), lower(s.first_name), e.id)"
            " > (:wait, :last, :first, CAST(:after AS uuid))"
        )
        parameters |= {"wait": after[0], "last": after[1], "first": after[2], "after": after[3]}
    listing = f"""
    SELECT e.id AS enrollment_id, e.status, e.wait_no, e.failure, e.score, e.requested_at, e.decided_at, s.id AS
        student_id,
        s.number, s.first_name, s.last_name, s.email, coalesce(e.wait_no, 0) AS _wait, lower(s.last_name) AS _last,
        lower(s.first_name) AS _first
    FROM academics.enrollments e JOIN academics.students s ON s.id = e.student_id {where(conditions)}
    ORDER BY coalesce(e.wait_no, 0), lower(s.last_name), lower(s.first_name), e.id
    """
    return await keyset(connection, listing, parameters, key=("_wait", "_last", "_first", "enrollment_id"), limit=limit)
