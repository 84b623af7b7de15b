"""Reads of students: holds, overrides, schedule, transcript, progress."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.academics.access import may, missing
from dataforge.contexts.academics.meetings.queries import calendar_entries
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import Page
from dataforge.kernel.principal import Principal
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict
from dataforge.platform.db.keyset_lists import After, Row, keyset, where

_STUDENT_COLUMNS = """
SELECT s.id, s.user_id, s.number, s.first_name, s.last_name, s.email, s.sourced_id, s.revision,
    s.created_at, s.updated_at
"""
_STUDENT = f"{_STUDENT_COLUMNS} FROM academics.students s"


async def get_student(connection: AsyncConnection, student_id: UUID, principal: Principal) -> Row:
    """One student: for that student and for registrars; raises NotFound for everybody else."""
    row = (await connection.execute(text(f"{_STUDENT} WHERE s.id = :id"), {"id": student_id})).one_or_none()
    if row is None or not may(principal, Action.READ, Kind.STUDENT, student=row.user_id):
        raise missing("student", student_id)
    return row_dict(row)


async def get_own_student(connection: AsyncConnection, user_id: UUID) -> Row:
    """The student a user is; raises NotFound."""
    student = await find_own_student(connection, user_id)
    if student is None:
        raise missing(Text("student record of user"), user_id)
    return student


async def find_own_student(connection: AsyncConnection, user_id: UUID) -> Row | None:
    """The student a user is; None for staff."""
    row = (await connection.execute(text(f"{_STUDENT} WHERE s.user_id = :id"), {"id": user_id})).one_or_none()
    return None if row is None else row_dict(row)


async def list_students(connection: AsyncConnection, *, after: After, limit: int, q: str | None) -> Page[Row]:
    """Students by name; `q` is the beginning of a name, number or e-mail address."""
    conditions: list[str] = []
    parameters: Row = {}
    if q:
        conditions.append(
            "(lower(s.last_name) LIKE :q OR lower(s.first_name) LIKE :q OR lower(s.number) LIKE :q"
            " OR lower(s.email) LIKE :q)"
        )
        escaped = q.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        parameters["q"] = f"{escaped}%"
    if after is not None:
        conditions.append("(lower(s.last_name), lower(s.first_name), s.id) > (:last, :first, CAST(:after AS uuid))")
        parameters |= {"last": after[0], "first": after[1], "after": after[2]}
    sql = f"""
    {_STUDENT_COLUMNS}, lower(s.last_name) AS _last, lower(s.first_name) AS _first
    FROM academics.students s {where(conditions)}
    ORDER BY lower(s.last_name), lower(s.first_name), s.id
    """
    return await keyset(connection, sql, parameters, key=("_last", "_first", "id"), limit=limit)


async def list_holds(connection: AsyncConnection, student_id: UUID, principal: Principal) -> list[Row]:
    """All holds of a student, those in force first."""
    await get_student(connection, student_id, principal)
    sql = """
    SELECT id, student_id, code, reason, placed_by, placed_at, released_by, released_at FROM academics.holds
    WHERE student_id = :id ORDER BY released_at NULLS FIRST, placed_at, id
    """
    return [row_dict(row) for row in await connection.execute(text(sql), {"id": student_id})]


async def list_overrides(connection: AsyncConnection, student_id: UUID, principal: Principal) -> list[Row]:
    """All overrides of a student, those in force first."""
    await get_student(connection, student_id, principal)
    sql = """
    SELECT id, student_id, section_id, rules, reason, granted_by, granted_at, expires_at, revoked_by, revoked_at
    FROM academics.overrides WHERE student_id = :id ORDER BY revoked_at NULLS FIRST, granted_at, id
    """
    return [row_dict(row) for row in await connection.execute(text(sql), {"id": student_id})]


async def schedule(
    connection: AsyncConnection, student_id: UUID, principal: Principal, *, semester_id: UUID | None = None
) -> Row:
    """`{student_id, credits, entries: [{enrollment, section, meetings}]}`: what a student is in or waits for."""
    await get_student(connection, student_id, principal)
    sql = """
    SELECT e.id AS enrollment_id, e.status, e.wait_no, e.failure, sec.id AS section_id, sec.code AS section_code,
        sec.instructor_id,
        (SELECT d.display_name FROM identity.directory d WHERE d.user_id = sec.instructor_id) AS instructor_name,
        c.id AS course_id, c.code AS course_code, c.title AS course_title, c.credits,
        sem.id AS semester_id, sem.code AS semester_code, sem.starts_on, sem.ends_on, sem.time_zone,
        (SELECT coalesce(jsonb_agg(jsonb_build_object('weekday', m.weekday, 'starts', to_char(m.starts, 'HH24:MI'),
            'ends', to_char(m.ends, 'HH24:MI'), 'room', m.room) ORDER BY m.weekday, m.starts), '[]')
         FROM academics.section_meetings m WHERE m.section_id = sec.id) AS meetings
    FROM academics.enrollments e
    JOIN academics.sections sec ON sec.id = e.section_id
    JOIN academics.courses c ON c.id = sec.course_id
    JOIN academics.semesters sem ON sem.id = sec.semester_id
    WHERE e.student_id = :id AND e.status IN ('ENROLLED','WAITLISTED')
      AND (CAST(:semester_id AS uuid) IS NULL OR sem.id = :semester_id)
    ORDER BY sem.starts_on, c.code, sec.code, e.id
    """
    rows = await connection.execute(text(sql), {"id": student_id, "semester_id": semester_id})
    entries = [row_dict(row) for row in rows]
    taken = sum(entry["credits"] for entry in entries if entry["status"] == "ENROLLED")
    return {"student_id": student_id, "semester_id": semester_id, "credits": taken, "entries": entries}


async def schedule_dates(connection: AsyncConnection, entries: Sequence[Row]) -> list[Row]:
    """The entries of a schedule with what their dates follow from."""
    dates = await calendar_entries(connection, [entry["section_id"] for entry in entries], drafts=True)
    by_section = {row["section_id"]: row for row in dates}
    return [{**entry, **by_section[entry["section_id"]]} for entry in entries]


async def transcript(connection: AsyncConnection, student_id: UUID, principal: Principal) -> Row:
    """`{student, completions, withdrawals, credits_earned}`; a course counts its credits once."""
    student = await get_student(connection, student_id, principal)
    completions = """
    SELECT cc.course_id, c.code AS course_code, c.title AS course_title, c.credits, cc.score, cc.completed_on,
        cc.source,
        cc.reference, sem.code AS semester_code
    FROM academics.course_completions cc
    JOIN academics.courses c ON c.id = cc.course_id
    LEFT JOIN academics.enrollments e ON cc.source = 'enrolment' AND e.id::text = cc.reference
    LEFT JOIN academics.sections sec ON sec.id = e.section_id
    LEFT JOIN academics.semesters sem ON sem.id = sec.semester_id
    WHERE cc.student_id = :id ORDER BY cc.completed_on, c.code, cc.id
    """
    withdrawals = """
    SELECT e.id AS enrollment_id, c.id AS course_id, c.code AS course_code, c.title AS course_title,
        sem.code AS semester_code, e.decided_at
    FROM academics.enrollments e
    JOIN academics.sections sec ON sec.id = e.section_id
    JOIN academics.courses c ON c.id = sec.course_id
    JOIN academics.semesters sem ON sem.id = sec.semester_id
    WHERE e.student_id = :id AND e.status = 'WITHDRAWN' ORDER BY e.decided_at, e.id
    """
    done = [row_dict(row) for row in await connection.execute(text(completions), {"id": student_id})]
    left = [row_dict(row) for row in await connection.execute(text(withdrawals), {"id": student_id})]
    earned = sum({row["course_id"]: row["credits"] for row in done}.values())
    shown = {key: student[key] for key in ("id", "number", "first_name", "last_name")}
    return {"student": shown, "completions": done, "withdrawals": left, "credits_earned": earned}


async def progress(
    connection: AsyncConnection, student_id: UUID, principal: Principal, course_ids: Sequence[UUID]
) -> Row:
    """How far a student is in required courses: completed, in_progress, waitlisted or missing, each with why."""
    await get_student(connection, student_id, principal)
    sql = """
    SELECT c.id AS course_id, c.code AS course_code, c.title AS course_title, c.credits,
        done.score, done.completed_on, done.source, done.reference, active.id AS enrollment_id, active.status AS _status
    FROM academics.courses c
    LEFT JOIN LATERAL (
        SELECT cc.score, cc.completed_on, cc.source, cc.reference FROM academics.course_completions cc
        WHERE cc.course_id = c.id AND cc.student_id = :id ORDER BY cc.score DESC NULLS LAST, cc.completed_on LIMIT 1
    ) done ON TRUE
    LEFT JOIN LATERAL (
        SELECT e.id, e.status FROM academics.enrollments e JOIN academics.sections sec ON sec.id = e.section_id
        WHERE e.student_id = :id AND sec.course_id = c.id AND e.status IN ('ENROLLED','WAITLISTED')
        ORDER BY e.status, e.id LIMIT 1
    ) active ON TRUE
    WHERE c.id = ANY(:courses) ORDER BY c.code, c.id
    """
    rows = [
        row_dict(row) for row in await connection.execute(text(sql), {"id": student_id, "courses": list(course_ids)})
    ]
    unknown = set(course_ids) - {row["course_id"] for row in rows}
    if unknown:
        raise missing("course", min(unknown))
    for row in rows:
        active = {"ENROLLED": "in_progress", "WAITLISTED": "waitlisted"}.get(row.pop("_status") or "", "missing")
        row["state"] = "completed" if row["completed_on"] is not None else active
    done = [row for row in rows if row["state"] == "completed"]
    credits_required = sum(row["credits"] for row in rows)
    credits_completed = sum(row["credits"] for row in done)
    return {
        "student_id": student_id,
        "required": len(rows),
        "completed": len(done),
        "credits_required": credits_required,
        "credits_completed": credits_completed,
        "percent": round(100 * len(done) / len(rows), 1) if rows else 100.0,
        "courses": rows,
    }
