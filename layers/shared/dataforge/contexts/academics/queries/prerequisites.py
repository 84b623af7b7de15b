"""The tree of what a course requires, and what of it a student has."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.academics.domain.access import missing
from dataforge.contexts.academics.domain.prerequisites import Completion, Evidence, Requirement, best_evidence
from dataforge.contexts.academics.domain.status import EvidenceSource, RequirementKind

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
