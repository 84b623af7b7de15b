"""Writes of roster plans: COPY in, set-based statements around the rules, set-based statements to apply."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.academics.domain.access import missing
from dataforge.contexts.academics.domain.catalogue import Semester
from dataforge.contexts.academics.domain.roster import EnrollmentRow, PlannedRow, RowAction, StagedRow, StudentRows
from dataforge.contexts.academics.domain.rules import SectionTerms, StudentFile
from dataforge.contexts.academics.domain.seats import Seats
from dataforge.contexts.academics.domain.status import CourseState, SectionState
from dataforge.contexts.academics.repository.loading import (
    FILE_COLUMNS,
    TERMS_COLUMNS,
    file_of,
    overrides_of,
    requirements_of,
    terms_of,
)
from dataforge.contexts.academics.repository.rosters import apply_sql, plan_sql
from dataforge.contexts.academics.tables import roster_plans, roster_rows
from dataforge.platform.db.database import row_dict

_COPY = """
COPY academics.roster_rows (plan_id, row_no, file, line, kind, sourced_id, removed, data, action, reason) FROM STDIN
"""

_SECTIONS = text(f"""
SELECT {TERMS_COLUMNS}, coalesce((r.data->>'capacity')::int, sec.capacity) AS capacity,
    coalesce((r.data->>'waitlist_capacity')::int, sec.waitlist_capacity) AS waitlist_capacity,
    sec.enrolled_count, sec.waitlisted_count, sec.wait_seq
FROM academics.sections sec
JOIN academics.courses c ON c.id = sec.course_id
JOIN academics.semesters sem ON sem.id = sec.semester_id
LEFT JOIN academics.roster_rows r ON r.plan_id = :plan AND r.kind = 'class' AND r.action = 'change'
    AND r.entity_id = sec.id
WHERE sec.semester_id = :semester
""")

_NEW_SECTIONS = text("""
SELECT r.entity_id, r.data, coalesce(c.id, (r.data->>'course_id')::uuid) AS course_id,
    coalesce(c.code, course.data->>'code') AS course_code, coalesce(c.title, course.data->>'title') AS course_title,
    coalesce(c.credits, (course.data->>'credits')::numeric, 0) AS credits,
    coalesce(c.state, 'published') AS course_state,
    (SELECT jsonb_agg(jsonb_build_array(p.group_no, p.required_course_id, rc.code, p.kind, p.min_score::text))
     FROM academics.prerequisites p JOIN academics.courses rc ON rc.id = p.required_course_id
     WHERE p.course_id = c.id) AS requirements
FROM academics.roster_rows r
LEFT JOIN academics.courses c ON c.id = (r.data->>'course_id')::uuid
LEFT JOIN academics.roster_rows course ON course.plan_id = :plan AND course.kind = 'course' AND course.action = 'create'
    AND course.entity_id = (r.data->>'course_id')::uuid
WHERE r.plan_id = :plan AND r.kind = 'class' AND r.action = 'create'
""")

# The next students in order of appearance: their rows as [row_no, section], what the plan drops of theirs, their file.
_STUDENTS = text(f"""
WITH t AS (SELECT starts_on, ends_on FROM academics.semesters WHERE id = :semester),
batch AS (
    SELECT student_id, min(row_no) AS first, jsonb_agg(jsonb_build_array(row_no, section_id) ORDER BY row_no) AS rows
    FROM academics.roster_rows WHERE plan_id = :plan AND kind = 'enrollment' AND action IS NULL
    GROUP BY student_id HAVING min(row_no) > :after ORDER BY first LIMIT :size
)
SELECT batch.student_id AS asked, batch.first, batch.rows, {FILE_COLUMNS},
    (SELECT jsonb_agg(jsonb_build_array(o.id, o.rules, o.reason, o.expires_at, o.section_id) ORDER BY o.id)
     FROM academics.overrides o WHERE o.student_id = s.id AND o.revoked_at IS NULL) AS overrides,
    (SELECT jsonb_agg(d.entity_id) FROM academics.roster_rows d
     WHERE d.plan_id = :plan AND d.student_id = batch.student_id AND d.action = 'drop') AS dropped
FROM batch CROSS JOIN t LEFT JOIN academics.students s ON s.id = batch.student_id
ORDER BY batch.first
""")

_DECIDE = text("""
UPDATE academics.roster_rows r SET action = x.action, reason = x.reason, entity_id = x.enrollment_id,
    outcome = x.outcome,
    wait_no = x.wait_no
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS x(
    row_no int, action text, reason jsonb, enrollment_id uuid, outcome text, wait_no int)
WHERE r.plan_id = :plan AND r.row_no = x.row_no
""")

_FREED = text("""
SELECT section_id, count(*) FILTER (WHERE outcome = 'ENROLLED') AS seats,
    count(*) FILTER (WHERE outcome = 'WAITLISTED') AS places
FROM academics.roster_rows WHERE plan_id = :plan AND action = 'drop' GROUP BY section_id
""")


class SqlRosters:
    """Roster plans of PostgreSQL."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def stage(self, plan_id: UUID, rows: AsyncIterator[StagedRow]) -> int:
        """Copy rows into the staging table, one at a time: memory does not grow with the file."""
        await self._connection.execute(text("SET LOCAL jit = off"))
        driver: Any = (await self._connection.get_raw_connection()).driver_connection
        count = 0
        async with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
            async for row in rows:
                count += 1
                action = None if row.conflict is None else RowAction.CONFLICT.value
                reason = None if row.conflict is None else _json(row.conflict)
                await copy.write_row(
                    (
                        plan_id,
                        row.row_no,
                        row.file[-60:],
                        row.line,
                        row.kind.value,
                        row.sourced_id,
                        row.removed,
                        _json(row.data),
                        action,
                        reason,
                    )
                )
        return count

    async def resolve(self, plan_id: UUID, semester_id: UUID, fmt: str, options: Mapping[str, Any]) -> None:
        """Decide every row but the enrolments that the rules must judge."""
        if fmt == "simple":
            await self._run(plan_sql.DERIVE_USERS, plan_id, semester_id, base=await self._last_row(plan_id))
        await self._set_based()
        steps = plan_sql.SIMPLE_STEPS if fmt == "simple" else plan_sql.ONEROSTER_STEPS
        for step in steps:
            await self._run(step, plan_id, semester_id, default_capacity=options["default_capacity"])
        await self._connection.execute(text("SET LOCAL enable_nestloop = on"))

    async def matched_session(self, plan_id: UUID) -> bool:
        """Whether a session row is the plan's semester."""
        statement = select(func.count()).where(
            roster_rows.c.plan_id == plan_id, roster_rows.c.kind == "session", roster_rows.c.entity_id.is_not(None)
        )
        return bool(await self._connection.scalar(statement))

    async def plan_drops(
        self, plan_id: UUID, semester_id: UUID, now: datetime, *, implied: bool, late: bool
    ) -> dict[UUID, tuple[int, int]]:
        """Mark drops; returns seats and waitlist places freed by section."""
        if implied:
            await self._run(plan_sql.IMPLIED_DROPS, plan_id, semester_id, base=await self._last_row(plan_id))
        if not late:
            await self._run(plan_sql.LATE_DROPS, plan_id, semester_id, now=now)
        return {
            row.section_id: (row.seats, row.places) for row in await self._connection.execute(_FREED, {"plan": plan_id})
        }

    async def section_seats(self, plan_id: UUID, semester: Semester) -> dict[UUID, tuple[SectionTerms, Seats]]:
        """Terms and counts of the semester's sections, and of those the plan creates."""
        parameters = {"plan": plan_id, "semester": semester.id}
        found: dict[UUID, tuple[SectionTerms, Seats]] = {}
        for row in await self._connection.execute(_SECTIONS, parameters):
            seats = Seats(
                row.section_id,
                row.capacity,
                row.waitlist_capacity,
                row.enrolled_count,
                row.waitlisted_count,
                row.wait_seq,
            )
            found[row.section_id] = (terms_of(row), seats)
        for row in await self._connection.execute(_NEW_SECTIONS, {"plan": plan_id}):
            terms = SectionTerms(
                section_id=row.entity_id,
                code=row.data["code"],
                state=SectionState.OPEN,
                course_id=row.course_id,
                course_code=row.course_code,
                course_title=row.course_title,
                course_state=CourseState(row.course_state),
                credits=row.credits,
                semester=semester,
                requirements=requirements_of(row.requirements),
            )
            found[row.entity_id] = (terms, Seats(row.entity_id, row.data["capacity"], row.data["waitlist_capacity"]))
        return found

    async def students(
        self, plan_id: UUID, semester_id: UUID, *, after: int, size: int
    ) -> tuple[list[StudentRows], int]:
        """The next students with undecided enrolment rows, and where to go on; an empty list is the end."""
        parameters = {"plan": plan_id, "semester": semester_id, "after": after, "size": size}
        rows = (await self._connection.execute(_STUDENTS, parameters)).all()
        return [_student_rows(row) for row in rows], rows[-1].first if rows else after

    async def decide(self, plan_id: UUID, rows: Sequence[PlannedRow]) -> None:
        """Store the decisions on enrolment rows."""
        given = [
            {
                "row_no": row.row_no,
                "action": row.action.value,
                "reason": row.reason or None,
                "enrollment_id": row.enrollment_id,
                "outcome": row.outcome,
                "wait_no": row.wait_no,
            }
            for row in rows
        ]
        await self._connection.execute(_DECIDE, {"plan": plan_id, "rows": _json(given)})

    async def fingerprint(self, semester_id: UUID, now: datetime) -> str:
        """A hash over all the state a plan for the semester depends on."""
        return str(await self._connection.scalar(text(plan_sql.FINGERPRINT), {"semester": semester_id, "now": now}))

    async def summary(self, plan_id: UUID) -> tuple[dict[str, dict[str, int]], str]:
        """Counts by kind and action, and a hash over all decisions."""
        counts: dict[str, dict[str, int]] = {}
        for row in await self._connection.execute(text(plan_sql.COUNTS), {"plan": plan_id}):
            counts.setdefault(row.kind, {})[row.action] = row.n
        return counts, str(await self._connection.scalar(text(plan_sql.DECISIONS), {"plan": plan_id}))

    async def add_plan(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Store a plan."""
        statement = insert(roster_plans).values(**values).returning(roster_plans)
        return row_dict((await self._connection.execute(statement)).one())

    async def lock_plan(self, plan_id: UUID) -> dict[str, Any]:
        """The plan, locked; raises NotFound."""
        statement = select(roster_plans).where(roster_plans.c.id == plan_id).with_for_update()
        row = (await self._connection.execute(statement)).one_or_none()
        if row is None:
            raise missing("roster plan", plan_id)
        return row_dict(row)

    async def lock_semester(self, plan_id: UUID, semester_id: UUID) -> None:
        """Lock the semester's sections, then the students the plan is about, each in the order of their ids."""
        await self._set_based()
        for statement in (apply_sql.LOCK_SECTIONS, apply_sql.LOCK_STUDENTS):
            await self._run(statement, plan_id, semester_id)

    async def apply(self, plan: Mapping[str, Any], actor: UUID | None, now: datetime) -> list[UUID]:
        """Carry the plan out; returns the sections whose waitlists may move."""
        plan_id, semester_id = plan["id"], plan["semester_id"]
        for step in apply_sql.STEPS:
            await self._run(step, plan_id, semester_id, actor=actor, now=now)
        found = await self._connection.scalars(text(apply_sql.TO_PROMOTE), {"plan": plan_id, "semester": semester_id})
        return list(found.all())

    async def mark_applied(self, plan_id: UUID, actor: UUID | None, now: datetime) -> dict[str, Any]:
        """Note who applied the plan, and when."""
        statement = (
            update(roster_plans)
            .where(roster_plans.c.id == plan_id)
            .values(state="applied", applied_by=actor, applied_at=now)
            .returning(roster_plans)
        )
        return row_dict((await self._connection.execute(statement)).one())

    async def forget(self, before: datetime, limit: int) -> int:
        """Delete plans made before that time with their rows; of applied ones the plan stays, as history names it."""
        has_rows = exists().where(roster_rows.c.plan_id == roster_plans.c.id)
        due = (
            select(roster_plans.c.id)
            .where(roster_plans.c.created_at < before, or_(roster_plans.c.state == "planned", has_rows))
            .order_by(roster_plans.c.created_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        plans = list((await self._connection.scalars(due)).all())
        if plans:
            await self._connection.execute(delete(roster_rows).where(roster_rows.c.plan_id.in_(plans)))
            never_applied = delete(roster_plans).where(roster_plans.c.id.in_(plans), roster_plans.c.state == "planned")
            await self._connection.execute(never_applied)
        return len(plans)

    async def _set_based(self) -> None:
        """Fresh statistics and no nested loops: what was written in this transaction is otherwise taken for one row."""
        await self._connection.execute(text("ANALYZE academics.roster_rows"))
        await self._connection.execute(text("SET LOCAL jit = off"))
        await self._connection.execute(text("SET LOCAL enable_nestloop = off"))

    async def _last_row(self, plan_id: UUID) -> int:
        statement = select(func.coalesce(func.max(roster_rows.c.row_no), 0)).where(roster_rows.c.plan_id == plan_id)
        return int(await self._connection.scalar(statement) or 0)

    async def _run(self, sql: str, plan_id: UUID, semester_id: UUID, **more: object) -> None:
        statement = text(sql)
        given = {"plan": plan_id, "semester": semester_id, **more}
        used = statement.compile().params.keys()
        await self._connection.execute(statement, {name: value for name, value in given.items() if name in used})


def _json(value: object) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)


def _student_rows(row: Any) -> StudentRows:  # noqa: ANN401 - a row of _STUDENTS
    rows = tuple(EnrollmentRow(item[0], UUID(item[1])) for item in row.rows)
    if row.student_id is None:
        return StudentRows(StudentFile(row.asked, None, ""), rows, {}, frozenset())
    by_section: dict[UUID, list[Any]] = {}
    for override in row.overrides or ():
        by_section.setdefault(UUID(override[4]), []).append(override)
    overrides = {section: overrides_of(items) for section, items in by_section.items()}
    dropped = frozenset(UUID(item) for item in row.dropped or ())
    # Overrides count for their own section only, so they are handed out with it and not with the file.
    return StudentRows(replace(file_of(row), overrides=()), rows, overrides, dropped)
