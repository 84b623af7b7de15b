"""Reads of enrolments."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.academics.access import may, missing
from dataforge.contexts.academics.enrollment.domain.statuses import ACTIVE
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import Page
from dataforge.kernel.principal import Principal
from dataforge.kernel.rules import RULES, may_any
from dataforge.platform.db.database import row_dict
from dataforge.platform.db.keyset_lists import After, Row, keyset, where

_ENROLLMENT = """
SELECT e.id, e.student_id, e.section_id, e.status, e.wait_no, e.failure, e.score, e.requested_at, e.decided_at,
    sec.code AS section_code, sec.course_id, c.code AS course_code, c.title AS course_title,
    sec.semester_id, sem.code AS semester_code, s.number AS student_number
FROM academics.enrollments e
JOIN academics.students s ON s.id = e.student_id
JOIN academics.sections sec ON sec.id = e.section_id
JOIN academics.courses c ON c.id = sec.course_id
JOIN academics.semesters sem ON sem.id = sec.semester_id
"""


async def get_enrollment(connection: AsyncConnection, enrollment_id: UUID, principal: Principal) -> Row:
    """One enrolment: for the student, the section's instructor and registrars."""
    columns = _ENROLLMENT.replace(
        "AS student_number", "AS student_number, s.user_id AS _user_id, sec.instructor_id AS _teacher"
    )
    row = (await connection.execute(text(f"{columns} WHERE e.id = :id"), {"id": enrollment_id})).one_or_none()
    if row is None:
        raise missing("enrolment", enrollment_id)
    enrollment = row_dict(row)
    user_id, teacher = enrollment.pop("_user_id"), enrollment.pop("_teacher")
    if not may(principal, Action.READ, Kind.ENROLLMENT, student=user_id, teacher=teacher):
        raise missing("enrolment", enrollment_id)
    return enrollment


async def list_enrollments(
    connection: AsyncConnection,
    principal: Principal,
    *,
    after: After,
    limit: int,
    student_id: UUID | None = None,
    section_id: UUID | None = None,
    semester_id: UUID | None = None,
    status: str | None = None,
) -> Page[Row]:
    """Enrolments, the newest first: one's own, those in sections one teaches, or (registrars) all."""
    conditions: list[str] = []
    parameters: Row = {}
    if not may_any(principal, Action.READ, Kind.ENROLLMENT):
        teaching = (
            " OR sec.instructor_id = :me" if principal.role in RULES[Kind.ENROLLMENT, Action.READ].teaching else ""
        )
        conditions.append(f"(s.user_id = :me{teaching})")
        parameters["me"] = principal.user_id
    filters = {
        "e.student_id": student_id,
        "e.section_id": section_id,
        "sec.semester_id": semester_id,
        "e.status": status,
    }
    for number, (column, value) in enumerate(filters.items()):
        if value is not None:
            conditions.append(f"{column} = :f{number}")
            parameters[f"f{number}"] = value
    if after is not None:
        conditions.append("e.id < CAST(:after AS uuid)")
        parameters["after"] = after[0]
    return await keyset(
        connection, f"{_ENROLLMENT} {where(conditions)} ORDER BY e.id DESC", parameters, key=("id",), limit=limit
    )


async def active_by_section(connection: AsyncConnection, student: Row | None) -> dict[UUID, Row]:
    """What a student is in or waits for, by section; nothing for who is no student."""
    if student is None:
        return {}
    sql = f"{_ENROLLMENT} WHERE e.student_id = :id AND e.status = ANY(:active)"
    rows = await connection.execute(text(sql), {"id": student["id"], "active": [status.value for status in ACTIVE]})
    return {row.section_id: row_dict(row) for row in rows}


async def list_events(
    connection: AsyncConnection, enrollment_id: UUID, principal: Principal, *, after: After, limit: int
) -> Page[Row]:
    """What happened to an enrolment, in order: from, to, reason, rule, facts, who and when."""
    await get_enrollment(connection, enrollment_id, principal)
    sql = """
    SELECT v.id, v.enrollment_id, v.from_status AS "from", v.to_status AS "to", v.reason, v.rule, v.facts, v.actor_id,
        (SELECT d.username FROM identity.directory d WHERE d.user_id = v.actor_id) AS actor, v.at
    FROM academics.enrollment_events v WHERE v.enrollment_id = :id AND v.id > :after ORDER BY v.id
    """
    parameters = {"id": enrollment_id, "after": 0 if after is None else after[0]}
    return await keyset(connection, sql, parameters, key=("id",), limit=limit)
