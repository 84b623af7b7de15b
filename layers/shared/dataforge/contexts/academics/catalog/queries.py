"""Reads of departments, semesters, courses and prerequisites."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.academics.access import missing
from dataforge.contexts.academics.catalog.domain import (
    Completion,
    Evidence,
    EvidenceSource,
    Requirement,
    RequirementKind,
    best_evidence,
    search_words,
)
from dataforge.kernel.paging import Page
from dataforge.platform.db.database import row_dict
from dataforge.platform.db.keyset_lists import After, Row, keyset, prefix_query, where

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


async def one_row(connection: AsyncConnection, sql: str, entity: str, entity_id: UUID, **more: object) -> Row:
    row = (await connection.execute(text(sql), {"id": entity_id, **more})).one_or_none()
    if row is None:
        raise missing(entity, entity_id)
    return row_dict(row)


async def get_department(connection: AsyncConnection, department_id: UUID) -> Row:
    """One department."""
    return await one_row(
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
    return await one_row(
        connection, f"{_SEMESTER} FROM academics.semesters s WHERE s.id = :id", "semester", semester_id
    )


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
    return await one_row(connection, sql, "course", course_id, drafts=drafts)


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
    conditions, parameters = course_filters(q=q, department_id=department_id, state=state, drafts=drafts)
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


def course_filters(
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


async def countable_lessons(connection: AsyncConnection, lesson_ids: Collection[UUID]) -> set[UUID]:
    """Those of the lessons that can count for a course: lessons of the organisation, not of a workspace (ADR 49)."""
    sql = "SELECT lesson_id FROM learning.lessons WHERE workspace_id IS NULL AND lesson_id = ANY(:ids)"
    return set((await connection.scalars(text(sql), {"ids": list(lesson_ids)})).all())


async def lessons_of_course(connection: AsyncConnection, course_id: UUID) -> Row:
    """The lessons whose completion counts as completing the course."""
    sql = "SELECT lesson_id FROM academics.course_activities WHERE course_id = :id ORDER BY lesson_id"
    ids = await connection.scalars(text(sql), {"id": course_id})
    return {"course_id": course_id, "lesson_ids": list(ids.all())}


_TREE = text("""
WITH RECURSIVE reached(course_id) AS (
    SELECT CAST(:course_id AS uuid)
    UNION
    SELECT p.required_course_id FROM academics.prerequisites p JOIN reached r ON p.course_id = r.course_id
)
SELECT p.course_id, p.group_no, p.required_course_id, c.code, c.title, p.kind, p.min_score
FROM reached r
JOIN academics.prerequisites p ON p.course_id = r.course_id
JOIN academics.courses c ON c.id = p.required_course_id
ORDER BY p.course_id, p.group_no, c.code
""")
_COMPLETIONS = text("""
SELECT course_id, score, completed_on, source, reference FROM academics.course_completions
WHERE student_id = :student_id AND course_id = ANY(:courses)
""")
_CONCURRENT = text("""
SELECT sec.course_id, e.id FROM academics.enrollments e JOIN academics.sections sec ON sec.id = e.section_id
WHERE e.student_id = :student_id AND e.status IN ('ENROLLED','COMPLETED') AND sec.semester_id = :semester_id
""")

Known = tuple[list[Completion], dict[UUID, UUID]]


async def prerequisite_tree(
    connection: AsyncConnection, course_id: UUID, *, student_id: UUID | None, semester_id: UUID | None, drafts: bool
) -> dict[str, Any]:
    """`{course, met, groups: [{group_no, met, options: [{course, kind, min_score, met, evidence, groups}]}]}`.

    `met` and `evidence` are there for a student only. A course that occurs twice is expanded once (`expanded` false
    after).
    """
    sql = "SELECT id, code, title, revision FROM academics.courses WHERE id = :id AND (:drafts OR state <> 'draft')"
    course = (await connection.execute(text(sql), {"id": course_id, "drafts": drafts})).one_or_none()
    if course is None:
        raise missing("course", course_id)
    rows = (await connection.execute(_TREE, {"course_id": course_id})).all()
    known = None
    if student_id is not None:
        known = await _known(connection, student_id, semester_id, {row.required_course_id for row in rows})
    by_course: dict[UUID, list[Any]] = {}
    for row in rows:
        by_course.setdefault(row.course_id, []).append(row)
    groups = _groups(course_id, by_course, known, set())
    tree: dict[str, Any] = {
        "course": {"id": course.id, "code": course.code, "title": course.title},
        "revision": course.revision,
        "groups": groups,
    }
    if known is not None:
        tree |= {"student_id": student_id, "met": all(group["met"] for group in groups)}
    return tree


async def _known(connection: AsyncConnection, student_id: UUID, semester_id: UUID | None, courses: set[UUID]) -> Known:
    rows = await connection.execute(_COMPLETIONS, {"student_id": student_id, "courses": list(courses)})
    completions = [
        Completion(row.course_id, row.score, row.completed_on, EvidenceSource(row.source), row.reference)
        for row in rows
    ]
    if semester_id is None:
        return completions, {}
    beside = await connection.execute(_CONCURRENT, {"student_id": student_id, "semester_id": semester_id})
    return completions, {row.course_id: row.id for row in beside}


def _groups(
    course_id: UUID, by_course: dict[UUID, list[Any]], known: Known | None, expanded: set[UUID]
) -> list[dict[str, Any]]:
    expanded.add(course_id)
    groups: dict[int, list[dict[str, Any]]] = {}
    for row in by_course.get(course_id, []):
        option: dict[str, Any] = {
            "course": {"id": row.required_course_id, "code": row.code, "title": row.title},
            "kind": row.kind,
            "min_score": row.min_score,
        }
        if known is not None:
            requirement = Requirement(
                row.group_no, row.required_course_id, row.code, RequirementKind(row.kind), row.min_score
            )
            evidence = best_evidence(requirement, *known)
            option |= {"met": evidence is not None, "evidence": None if evidence is None else _shown(evidence)}
        again = row.required_course_id in expanded
        option["expanded"] = not again
        option["groups"] = [] if again else _groups(row.required_course_id, by_course, known, expanded)
        groups.setdefault(row.group_no, []).append(option)
    return [
        {"group_no": number, "options": options}
        | ({} if known is None else {"met": any(option["met"] for option in options)})
        for number, options in sorted(groups.items())
    ]


def _shown(evidence: Evidence) -> dict[str, Any]:
    if evidence.completion is None:
        return {"source": "concurrent", "reference": str(evidence.concurrent_enrollment)}
    item = evidence.completion
    score: Decimal | None = item.score
    return {
        "source": item.source.value,
        "reference": item.reference,
        "score": score,
        "completed_on": item.completed_on.isoformat(),
    }
