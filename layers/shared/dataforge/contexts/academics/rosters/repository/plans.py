"""Writes of roster plans: COPY in, facts for the domain, its decisions back, set-based statements to apply."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, delete, exists, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.academics.access import missing
from dataforge.contexts.academics.catalog.domain import CourseState, Semester
from dataforge.contexts.academics.enrollment.domain.rules import SectionTerms, StudentFile
from dataforge.contexts.academics.enrollment.domain.statuses import EnrollmentStatus
from dataforge.contexts.academics.enrollment.repository.loading import (
    FILE_COLUMNS,
    TERMS_COLUMNS,
    file_of,
    overrides_of,
    requirements_of,
    terms_of,
)
from dataforge.contexts.academics.rosters.domain.absence import AbsentDecision, AbsentRow, UnusableRow
from dataforge.contexts.academics.rosters.domain.catalog import KnownCatalog, KnownCourse, KnownDepartment, KnownSection
from dataforge.contexts.academics.rosters.domain.enrollments import PairRow, Standing, TeacherRow, UnresolvedRow
from dataforge.contexts.academics.rosters.domain.people import UserRow
from dataforge.contexts.academics.rosters.domain.plans import STEP_REASONS
from dataforge.contexts.academics.rosters.domain.rows import PlannedRow, RowAction, StagedRow
from dataforge.contexts.academics.rosters.domain.seats import EnrollmentRow, Leaving, StudentRows
from dataforge.contexts.academics.rosters.repository import apply_sql, facts, fingerprint_sql, plan_sql
from dataforge.contexts.academics.rosters.repository.refusals import refused_by_constraint
from dataforge.contexts.academics.sections.domain import Seats, SectionState
from dataforge.contexts.academics.tables import roster_plans, roster_rows
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict

Reason = Mapping[str, object]
# Rows that are in memory at once, of those that stream.
_BATCH = 2_000
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
    (SELECT jsonb_agg(jsonb_build_array(d.row_no, d.entity_id, d.section_id, d.outcome, d.line IS NULL))
     FROM academics.roster_rows d
     WHERE d.plan_id = :plan AND d.student_id = batch.student_id AND d.action = 'drop') AS leaving
FROM batch CROSS JOIN t LEFT JOIN academics.students s ON s.id = batch.student_id
ORDER BY batch.first
""")


class RosterPlans:
    """Roster plans of PostgreSQL."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def stage(self, plan_id: UUID, rows: AsyncIterator[StagedRow]) -> int:
        """Copy rows into the staging table, one at a time: memory does not grow with the file."""
        # Plans are made for all rows of a query, also of one that is read in batches.
        for setting in ("SET LOCAL jit = off", "SET LOCAL cursor_tuple_fraction = 1"):
            await self._connection.execute(text(setting))
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
        await self._connection.execute(text("ANALYZE academics.roster_rows"))
        return count

    async def catalog_rows(self, plan_id: UUID) -> list[StagedRow]:
        """The rows of sessions, orgs, courses and classes, those that cannot be used included."""
        rows = await self._connection.execute(text(plan_sql.CATALOG_ROWS), {"plan": plan_id})
        return [facts.staged(row) for row in rows]

    async def catalog(self, plan_id: UUID, semester: Semester) -> KnownCatalog:
        """What those rows can mean."""
        given = {"plan": plan_id, "semester": semester.id}
        semesters = (await self._connection.execute(text(plan_sql.CATALOG_SEMESTERS), {"plan": plan_id})).all()
        departments = await self._connection.execute(text(plan_sql.CATALOG_DEPARTMENTS), {"plan": plan_id})
        courses = await self._connection.execute(text(plan_sql.CATALOG_COURSES), {"plan": plan_id})
        sections = await self._connection.execute(text(plan_sql.CATALOG_SECTIONS), given)
        return KnownCatalog(
            semester,
            next((row.sourced_id for row in semesters if row.id == semester.id), None),
            {row.sourced_id: row.code for row in semesters if row.id != semester.id},
            [KnownDepartment(*row) for row in departments],
            [KnownCourse(*row) for row in courses],
            [KnownSection(*row) for row in sections],
        )

    async def doubled_rows(self, plan_id: UUID) -> list[StagedRow]:
        """User and enrolment rows whose sourcedId is on several rows of their kind."""
        rows = await self._connection.execute(text(plan_sql.DOUBLED_ROWS), {"plan": plan_id})
        return [facts.staged(row) for row in rows]

    async def derive_users(self, plan_id: UUID) -> None:
        """Make user rows of the lines of a simple roster."""
        base = await self.last_row(plan_id)
        await self._connection.execute(text(plan_sql.DERIVE_USERS), {"plan": plan_id, "base": base})

    async def skip(self, plan_id: UUID, enrollments: Reason, users: Reason) -> None:
        """Ignore enrolments of classes that are ignored, and then users who are in no class as students."""
        async with self._bulk():
            for sql, reason in ((plan_sql.SKIP_ENROLLMENTS, enrollments), (plan_sql.SKIP_USERS, users)):
                await self._connection.execute(text(sql), {"plan": plan_id, "reason": _json(reason)})

    async def users(self, plan_id: UUID, *, simple: bool) -> AsyncIterator[list[UserRow]]:
        """The open user rows with whom they could mean, in the order of the file."""
        sql = plan_sql.users(simple=simple)
        async for rows in self._stream(sql, {"plan": plan_id}):
            yield [facts.user(row, simple=simple) for row in rows]

    async def link_enrollments(self, plan_id: UUID, semester_id: UUID, *, simple: bool) -> None:
        """Note the section and the student of every enrolment row that has them."""
        async with self._bulk():
            for step in plan_sql.SIMPLE_LINKS if simple else plan_sql.ONEROSTER_LINKS:
                await self._run(step, plan_id, semester_id)

    async def teachers(self, plan_id: UUID) -> list[TeacherRow]:
        """The open enrolment rows of those who are no students."""
        async with self._bulk():
            return [
                TeacherRow(*row) for row in await self._connection.execute(text(plan_sql.TEACHERS), {"plan": plan_id})
            ]

    async def unresolved(self, plan_id: UUID, semester_id: UUID) -> AsyncIterator[list[UnresolvedRow]]:
        """The open enrolment rows without a section or without a student."""
        async for rows in self._stream(plan_sql.UNRESOLVED, {"plan": plan_id, "semester": semester_id}):
            yield [facts.unresolved(row) for row in rows]

    async def doubled_pairs(self, plan_id: UUID) -> AsyncIterator[list[PairRow]]:
        """Enrolment rows of one student and section that are not alone, unusable ones included."""
        async for rows in self._stream(plan_sql.DOUBLED_PAIRS, {"plan": plan_id}):
            yield [facts.pair(row) for row in rows]

    async def set_standings(self, plan_id: UUID, standings: Sequence[Standing], nothing: Reason) -> None:
        """Decide the rows of students who are in the section by their status, and drops of those who are not."""
        given = [
            {"removed": item.removed, "status": item.status, "action": item.action, "reason": item.reason}
            for item in standings
        ]
        async with self._bulk():
            for sql, more in (
                (plan_sql.STANDING, {"standings": _json(given)}),
                (plan_sql.NOTHING_TO_DROP, {"reason": _json(nothing)}),
            ):
                await self._connection.execute(text(sql), {"plan": plan_id, **more})

    async def unusable(self, plan_id: UUID, semester_id: UUID) -> AsyncIterator[list[UnusableRow]]:
        """All conflicts so far with whom and what they may be about; users before enrolments."""
        async for rows in self._stream(plan_sql.UNUSABLE, {"plan": plan_id, "semester": semester_id}):
            yield [facts.unusable(row) for row in rows]

    async def absent(self, plan_id: UUID, semester_id: UUID) -> AsyncIterator[list[AbsentRow]]:
        """Enrolments of the semester that no row names, whether or not it can be used."""
        async for rows in self._stream(plan_sql.ABSENT, {"plan": plan_id, "semester": semester_id}):
            yield [facts.absent(row) for row in rows]

    async def add_absent(self, plan_id: UUID, base: int, decided: Sequence[AbsentDecision]) -> None:
        """Store rows for enrolments that no line names, numbered after `base`."""
        rows = [facts.absent_json(number, item) for number, item in enumerate(decided, base + 1)]
        await self._connection.execute(text(plan_sql.ADD_ABSENT), {"plan": plan_id, "rows": _json(rows)})

    async def keep_absent(self, plan_id: UUID, rows: Sequence[int], reason: Reason) -> None:
        """Keep enrolments after all that were to be dropped for being left out."""
        given = {"plan": plan_id, "rows": list(rows), "reason": _json(reason)}
        await self._connection.execute(text(plan_sql.KEEP_ABSENT), given)

    async def reopen(self, plan_id: UUID, rows: Sequence[int]) -> None:
        """Forget what the rules decided."""
        await self._connection.execute(text(plan_sql.JUDGE_AGAIN), {"plan": plan_id, "rows": list(rows)})

    async def freed(self, plan_id: UUID) -> dict[UUID, tuple[int, int]]:
        """Seats and waitlist places that the plan frees, by section."""
        rows = await self._connection.execute(text(plan_sql.FREED), {"plan": plan_id})
        return {row.section_id: (row.seats, row.places) for row in rows}

    async def section_seats(self, plan_id: UUID, semester: Semester) -> dict[UUID, tuple[SectionTerms, Seats]]:
        """Terms and counts of the semester's sections, and of those the plan creates."""
        parameters = {"plan": plan_id, "semester": semester.id}
        sections: dict[UUID, tuple[SectionTerms, Seats]] = {}
        for row in await self._connection.execute(_SECTIONS, parameters):
            seats = Seats(
                row.section_id,
                row.capacity,
                row.waitlist_capacity,
                row.enrolled_count,
                row.waitlisted_count,
                row.wait_seq,
            )
            sections[row.section_id] = (terms_of(row), seats)
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
            sections[row.entity_id] = (terms, Seats(row.entity_id, row.data["capacity"], row.data["waitlist_capacity"]))
        return sections

    async def students(
        self, plan_id: UUID, semester_id: UUID, *, after: int, size: int
    ) -> tuple[list[StudentRows], int]:
        """A batch of students with undecided enrolment rows, and where to go on; an empty list is the end."""
        parameters = {"plan": plan_id, "semester": semester_id, "after": after, "size": size}
        rows = (await self._connection.execute(_STUDENTS, parameters)).all()
        return [_student_rows(row) for row in rows], rows[-1].first if rows else after

    async def decide(self, plan_id: UUID, rows: Sequence[PlannedRow]) -> None:
        """Store decisions."""
        for begin in range(0, len(rows), _BATCH):
            given = [
                {
                    "row_no": row.row_no,
                    "action": row.action.value,
                    "reason": row.reason or None,
                    "entity_id": row.entity_id,
                    "outcome": row.outcome,
                    "wait_no": row.wait_no,
                    "data": row.data or None,
                    "changes": row.changes or None,
                }
                for row in rows[begin : begin + _BATCH]
            ]
            await self._connection.execute(text(plan_sql.DECIDE), {"plan": plan_id, "rows": _json(given)})

    async def fingerprint(self, semester: Semester, now: datetime) -> str:
        """A hash over all the state a plan for the semester depends on."""
        given = {"semester": semester.id, "today": semester.today(now), "now": now}
        return str(await self._connection.scalar(text(fingerprint_sql.FINGERPRINT), given))

    async def summary(self, plan_id: UUID) -> tuple[dict[str, dict[str, int]], int, str]:
        """Counts by kind and action, the number of implied drops, and a hash over all decisions."""
        counts: dict[str, dict[str, int]] = {}
        implied = 0
        for row in await self._connection.execute(text(fingerprint_sql.COUNTS), {"plan": plan_id}):
            counts.setdefault(row.kind, {})[row.action] = row.n
            implied += row.implied if row.action == RowAction.DROP else 0
        return counts, implied, str(await self._connection.scalar(text(fingerprint_sql.DECISIONS), {"plan": plan_id}))

    async def add_plan(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Store a plan."""
        statement = insert(roster_plans).values(**values).returning(roster_plans)
        return row_dict((await self._connection.execute(statement)).one())

    async def lock_plan(self, plan_id: UUID) -> dict[str, Any]:
        """The plan, locked; raises NotFound."""
        statement = select(roster_plans).where(roster_plans.c.id == plan_id).with_for_update()
        row = (await self._connection.execute(statement)).one_or_none()
        if row is None:
            raise missing(Text("roster plan"), plan_id)
        return row_dict(row)

    async def lock_semester(self, plan_id: UUID, semester_id: UUID) -> None:
        """Lock the semester's sections, then the students the plan is about, each in the order of their ids."""
        # Fresh statistics and no nested loops: what a transaction wrote itself is otherwise taken for one row.
        for setting in ("ANALYZE academics.roster_rows", "SET LOCAL jit = off", "SET LOCAL enable_nestloop = off"):
            await self._connection.execute(text(setting))
        for statement in (apply_sql.LOCK_SECTIONS, apply_sql.LOCK_STUDENTS):
            await self._run(statement, plan_id, semester_id)

    async def apply(self, plan: Mapping[str, Any], actor: UUID | None, now: datetime) -> list[UUID]:
        """Carry the plan out; returns the sections whose waitlists may move."""
        plan_id, semester_id = plan["id"], plan["semester_id"]
        async with refused_by_constraint():
            for step in apply_sql.STEPS:
                await self._run(step, plan_id, semester_id, actor=actor, now=now, **STEP_REASONS)
        section_ids = await self._connection.scalars(
            text(apply_sql.TO_PROMOTE), {"plan": plan_id, "semester": semester_id}
        )
        return list(section_ids.all())

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

    @asynccontextmanager
    async def _bulk(self) -> AsyncIterator[None]:
        """Statements over all rows, each in one pass."""
        await self._connection.execute(text("SET LOCAL enable_nestloop = off"))
        yield
        await self._connection.execute(text("SET LOCAL enable_nestloop = on"))

    async def _stream(self, sql: str, given: Mapping[str, Any]) -> AsyncIterator[Sequence[Row[Any]]]:
        """The rows of a query in batches: memory does not grow with their number."""
        async with self._bulk():
            found = await self._connection.stream(text(sql), given)
        async for rows in found.partitions(_BATCH):
            yield rows

    async def last_row(self, plan_id: UUID) -> int:
        """The number of the last row there is."""
        statement = select(func.coalesce(func.max(roster_rows.c.row_no), 0)).where(roster_rows.c.plan_id == plan_id)
        return int(await self._connection.scalar(statement) or 0)

    async def _run(self, sql: str, plan_id: UUID, semester_id: UUID, **more: object) -> None:
        statement = text(sql)
        given = {"plan": plan_id, "semester": semester_id, **more}
        used = statement.compile().params.keys()
        await self._connection.execute(statement, {name: value for name, value in given.items() if name in used})


def _json(value: object) -> str:
    return orjson.dumps(value, default=str).decode()


def _student_rows(row: Any) -> StudentRows:  # noqa: ANN401 - a row of _STUDENTS
    rows = tuple(EnrollmentRow(item[0], UUID(item[1])) for item in row.rows)
    if row.student_id is None:
        return StudentRows(StudentFile(row.asked, None, ""), rows)
    by_section: dict[UUID, list[Any]] = {}
    for override in row.overrides or ():
        by_section.setdefault(UUID(override[4]), []).append(override)
    overrides = {section: overrides_of(items) for section, items in by_section.items()}
    leaving = tuple(
        Leaving(row_no, UUID(enrollment), UUID(section), EnrollmentStatus(status), implied)
        for row_no, enrollment, section, status, implied in row.leaving or ()
    )
    # Overrides count for their own section only, so they are handed out with it and not with the file.
    return StudentRows(replace(file_of(row), overrides=()), rows, overrides, leaving)
