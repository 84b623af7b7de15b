"""Read models of the catalogue."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.academics.domain.access import missing
from dataforge.contexts.academics.domain.catalogue import search_words
from dataforge.contexts.academics.queries.lists import keyset, prefix_query, where
from dataforge.kernel.paging import Page
from dataforge.platform.db.database import row_dict

After = tuple[Any, ...] | None
Row = dict[str, Any]

_DEPARTMENT = "SELECT d.id, d.code, d.name, d.sourced_id, d.revision, d.created_at, d.updated_at"
_SEMESTER = """
SELECT s.id, s.code, s.starts_on, s.ends_on, s.add_by, s.drop_by, s.withdraw_by, s.max_credits, s.time_zone,
    s.sourced_id,
    s.revision, s.created_at, s.updated_at
"""
_COURSE = """
SELECT c.id, c.code, c.title, c.description, c.credits, c.capacity, c.department_id, c.state, c.sourced_id, c.revision,
    c.created_at, c.updated_at
"""
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


async def _one(connection: AsyncConnection, sql: str, entity: str, entity_id: UUID, **more: object) -> Row:
    row = (await connection.execute(text(sql), {"id": entity_id, **more})).one_or_none()
    if row is None:
        raise missing(entity, entity_id)
    return row_dict(row)


async def get_department(connection: AsyncConnection, department_id: UUID) -> Row:
    """One department."""
    return await _one(
        connection, f"{_DEPARTMENT} FROM academics.departments d WHERE d.id = :id", "department", department_id
    )


async def list_departments(connection: AsyncConnection, *, after: After, limit: int) -> Page[Row]:
    """Departments by code."""
    parameters: Row = {}
    conditions = []
    if after is not None:
        conditions.append("(lower(d.code), d.id) > (:code, CAST(:after AS uuid))")
        parameters = {"code": after[0], "after": after[1]}
    source = f"FROM academics.departments d {where(conditions)} ORDER BY lower(d.code), d.id"
    sql = f"{_DEPARTMENT}, lower(d.code) AS _code {source}"
    return await keyset(connection, sql, parameters, key=("_code", "id"), limit=limit)


async def get_semester(connection: AsyncConnection, semester_id: UUID) -> Row:
    """One semester."""
    return await _one(connection, f"{_SEMESTER} FROM academics.semesters s WHERE s.id = :id", "semester", semester_id)


async def list_semesters(connection: AsyncConnection, *, after: After, limit: int) -> Page[Row]:
    """Semesters, the latest first."""
    parameters: Row = {}
    conditions = []
    if after is not None:
        conditions.append("(s.starts_on, s.id) < (CAST(:starts_on AS date), CAST(:after AS uuid))")
        parameters = {"starts_on": after[0], "after": after[1]}
    sql = f"{_SEMESTER} FROM academics.semesters s {where(conditions)} ORDER BY s.starts_on DESC, s.id DESC"
    return await keyset(connection, sql, parameters, key=("starts_on", "id"), limit=limit)


async def get_course(connection: AsyncConnection, course_id: UUID, *, drafts: bool) -> Row:
    """One course; drafts only for those who may see them."""
    sql = f"{_COURSE} FROM academics.courses c WHERE c.id = :id AND (:drafts OR c.state <> 'draft')"
    return await _one(connection, sql, "course", course_id, drafts=drafts)


async def list_courses(
    connection: AsyncConnection,
    *,
    after: After,
    limit: int,
    drafts: bool,
    q: str | None = None,
    department_id: UUID | None = None,
    semester_id: UUID | None = None,
    open_seats: bool = False,
    state: str | None = None,
) -> Page[Row]:
    """Courses by code; with a semester those offered in it, with `open_seats` those with a seat anybody may take."""
    conditions, parameters = _course_filters(q=q, department_id=department_id, state=state, drafts=drafts)
    offered = []
    if semester_id is not None:
        offered.append("sec.semester_id = :semester_id")
        parameters["semester_id"] = semester_id
    if open_seats:
        offered.append("sec.state = 'open' AND sec.enrolled_count < sec.capacity AND sec.waitlisted_count = 0")
    if offered:
        inner = " AND ".join(["sec.course_id = c.id", *offered])
        conditions.append(f"EXISTS (SELECT FROM academics.sections sec WHERE {inner})")
    if after is not None:
        conditions.append("(lower(c.code), c.id) > (:code, CAST(:after AS uuid))")
        parameters |= {"code": after[0], "after": after[1]}
    sql = f"{_COURSE}, lower(c.code) AS _code FROM academics.courses c {where(conditions)} ORDER BY lower(c.code), c.id"
    return await keyset(connection, sql, parameters, key=("_code", "id"), limit=limit)


def _course_filters(
    *, q: str | None, department_id: UUID | None, state: str | None, drafts: bool
) -> tuple[list[str], Row]:
    conditions: list[str] = []
    parameters: Row = {}
    words = search_words(q or "")
    if words:
        conditions.append("c.search @@ to_tsquery('simple', :words)")
        parameters["words"] = prefix_query(words)
    if department_id is not None:
        conditions.append("c.department_id = :department_id")
        parameters["department_id"] = department_id
    if state is not None:
        conditions.append("c.state = :state")
        parameters["state"] = state
    if not drafts:
        conditions.append("c.state <> 'draft'")
    return conditions, parameters


async def get_section(connection: AsyncConnection, section_id: UUID, *, drafts: bool) -> Row:
    """One section with its meetings."""
    sql = f"{_SECTION} {_SECTION_FROM} WHERE sec.id = :id AND (:drafts OR c.state <> 'draft')"
    return await _one(connection, sql, "section", section_id, drafts=drafts)


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
    conditions, parameters = _course_filters(q=q, department_id=department_id, state=None, drafts=drafts)
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


async def lessons_of_course(connection: AsyncConnection, course_id: UUID) -> Row:
    """The lessons whose completion counts as completing the course."""
    sql = "SELECT lesson_id FROM academics.course_activities WHERE course_id = :id ORDER BY lesson_id"
    ids = await connection.scalars(text(sql), {"id": course_id})
    return {"course_id": course_id, "lesson_ids": list(ids.all())}
