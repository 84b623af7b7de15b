"""Where a roster plan is made: COPY in, facts for the domain, its decisions back, and all of it kept as a plan.

The draft is a temporary table that ends with the transaction: what is changed there is neither logged nor indexed.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

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
from dataforge.contexts.academics.rosters.domain.rows import PlannedRow, StagedRow
from dataforge.contexts.academics.rosters.domain.student_rows import EnrollmentRow, Leaving, StudentRows
from dataforge.contexts.academics.rosters.repository import facts, plan_sql
from dataforge.contexts.academics.sections.domain import Seats, SectionState

Reason = Mapping[str, object]
# Rows that are in memory at once, of those that stream.
_BATCH = 2_000
# For joins of all rows of a plan, which would go through files otherwise.
_WORK_MEM = "32MB"
_SECTIONS = text(f"""
SELECT {TERMS_COLUMNS}, coalesce((r.data->>'capacity')::int, sec.capacity) AS capacity,
    coalesce((r.data->>'waitlist_capacity')::int, sec.waitlist_capacity) AS waitlist_capacity,
    sec.enrolled_count, sec.waitlisted_count, sec.wait_seq
FROM academics.sections sec
JOIN academics.courses c ON c.id = sec.course_id
JOIN academics.semesters sem ON sem.id = sec.semester_id
LEFT JOIN pg_temp.roster_draft r ON r.kind = 'class' AND r.action = 'change' AND r.entity_id = sec.id
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
FROM pg_temp.roster_draft r
LEFT JOIN academics.courses c ON c.id = (r.data->>'course_id')::uuid
LEFT JOIN pg_temp.roster_draft course ON course.kind = 'course' AND course.action = 'create'
    AND course.entity_id = (r.data->>'course_id')::uuid
WHERE r.kind = 'class' AND r.action = 'create'
""")

# Students in order of appearance: their rows and the sections of these, what the plan drops of theirs, their file.
_STUDENTS = f"""
WITH t AS (SELECT starts_on, ends_on FROM academics.semesters WHERE id = :semester),
groups AS MATERIALIZED (
    SELECT student_id, min(row_no) AS first, array_agg(row_no ORDER BY row_no) AS row_nos,
        array_agg(section_id::text ORDER BY row_no) AS section_ids
    FROM pg_temp.roster_draft WHERE kind = 'enrollment' AND action IS NULL GROUP BY student_id
), leaving AS MATERIALIZED (
    SELECT student_id,
        jsonb_agg(jsonb_build_array(row_no, entity_id, section_id, outcome, line IS NULL) ORDER BY row_no) AS rows
    FROM pg_temp.roster_draft WHERE action = 'drop' GROUP BY student_id
)
SELECT groups.student_id AS asked, groups.row_nos, groups.section_ids, {FILE_COLUMNS},
    (SELECT jsonb_agg(jsonb_build_array(o.id, o.rules, o.reason, o.expires_at, o.section_id) ORDER BY o.id)
     FROM academics.overrides o WHERE o.student_id = s.id AND o.revoked_at IS NULL) AS overrides,
    leaving.rows AS leaving
FROM groups CROSS JOIN t
LEFT JOIN academics.students s ON s.id = groups.student_id
LEFT JOIN leaving ON leaving.student_id = groups.student_id
ORDER BY groups.first
"""


class RosterDraft:
    """The rows of one plan until they are kept."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._collected: list[str] = []
        self._unmerged = False
        # Sections are looked up for every row: one object is compared faster with itself than with an equal one.
        self._section_ids: dict[str, UUID] = {}

    async def stage(self, rows: AsyncIterator[StagedRow]) -> int:
        """Begin with the rows of a roster, some at a time: memory does not grow with the file."""
        # Plans are made for all rows of a query, also of one that is read in batches.
        for setting in ("jit = off", "cursor_tuple_fraction = 1", f"work_mem = '{_WORK_MEM}'"):
            await self._connection.execute(text(f"SET LOCAL {setting}"))
        for statement in plan_sql.MAKE_DRAFT:
            await self._connection.execute(text(statement))
        count = 0
        async with self._copy(plan_sql.STAGE) as copy:
            lines: list[str] = []
            async for row in rows:
                count += 1
                lines.append(facts.staged_line(row))
                if len(lines) == _BATCH:
                    await copy.write("".join(lines))
                    lines = []
            await copy.write("".join(lines))
        await self._connection.execute(text(plan_sql.ANALYZE_DRAFT))
        return count

    @asynccontextmanager
    async def _copy(self, statement: str) -> AsyncIterator[Any]:
        driver: Any = (await self._connection.get_raw_connection()).driver_connection
        async with driver.cursor() as cursor, cursor.copy(statement) as copy:
            yield copy

    async def catalog_rows(self) -> list[StagedRow]:
        """The rows of sessions, orgs, courses and classes, those that cannot be used included."""
        rows = await self._connection.execute(text(plan_sql.CATALOG_ROWS))
        return [facts.staged(row) for row in rows]

    async def catalog(self, semester: Semester) -> KnownCatalog:
        """What those rows can mean."""
        given = {"semester": semester.id}
        semesters = (await self._connection.execute(text(plan_sql.CATALOG_SEMESTERS))).all()
        departments = await self._connection.execute(text(plan_sql.CATALOG_DEPARTMENTS))
        courses = await self._connection.execute(text(plan_sql.CATALOG_COURSES))
        sections = await self._connection.execute(text(plan_sql.CATALOG_SECTIONS), given)
        return KnownCatalog(
            semester,
            next((row.sourced_id for row in semesters if row.id == semester.id), None),
            {row.sourced_id: row.code for row in semesters if row.id != semester.id},
            [KnownDepartment(*row) for row in departments],
            [KnownCourse(*row) for row in courses],
            [KnownSection(*row) for row in sections],
        )

    async def doubled_rows(self) -> list[StagedRow]:
        """User and enrolment rows whose sourcedId is on several rows of their kind."""
        rows = await self._connection.execute(text(plan_sql.DOUBLED_ROWS))
        return [facts.staged(row) for row in rows]

    async def derive_users(self) -> None:
        """Make user rows of the lines of a simple roster."""
        base = await self.last_row()
        await self._connection.execute(text(plan_sql.DERIVE_USERS), {"base": base})

    async def skip(self, enrollments: Reason, users: Reason) -> None:
        """Ignore enrolments of classes that are ignored, and then users who are in no class as students."""
        async with self._bulk():
            for sql, reason in ((plan_sql.SKIP_ENROLLMENTS, enrollments), (plan_sql.SKIP_USERS, users)):
                await self._connection.execute(text(sql), {"reason": _json(reason)})

    async def users(self, *, simple: bool) -> AsyncIterator[list[UserRow]]:
        """The open user rows with whom they could mean, in the order of the file."""
        sql = plan_sql.users(simple=simple)
        async for rows in self._stream(sql):
            yield [facts.user(row, simple=simple) for row in rows]

    async def link_enrollments(self, semester_id: UUID, *, simple: bool) -> None:
        """Note the section and the student of every enrolment row that has them."""
        statement = plan_sql.LINK_SIMPLE if simple else plan_sql.LINK_ONEROSTER
        async with self._bulk():
            await self._connection.execute(text(statement), {"semester": semester_id})

    async def teachers(self) -> list[TeacherRow]:
        """The open enrolment rows of those who are no students."""
        async with self._bulk():
            return [TeacherRow(*row) for row in await self._connection.execute(text(plan_sql.TEACHERS))]

    async def unresolved(self, semester_id: UUID) -> AsyncIterator[list[UnresolvedRow]]:
        """The open enrolment rows without a section or without a student."""
        async for rows in self._stream(plan_sql.UNRESOLVED, {"semester": semester_id}):
            yield [facts.unresolved(row) for row in rows]

    async def doubled_pairs(self) -> AsyncIterator[list[PairRow]]:
        """Enrolment rows of one student and section that are not alone, unusable ones included."""
        async for rows in self._stream(plan_sql.DOUBLED_PAIRS):
            yield [facts.pair(row) for row in rows]

    async def set_standings(self, standings: Sequence[Standing], nothing: Reason) -> None:
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
                await self._connection.execute(text(sql), more)

    async def unusable(self, semester_id: UUID) -> AsyncIterator[list[UnusableRow]]:
        """All conflicts so far with whom and what they may be about; users before enrolments."""
        async for rows in self._stream(plan_sql.UNUSABLE, {"semester": semester_id}):
            yield [facts.unusable(row) for row in rows]

    async def absent(self, semester_id: UUID) -> AsyncIterator[list[AbsentRow]]:
        """Enrolments of the semester that no row names, whether or not it can be used."""
        async for rows in self._stream(plan_sql.ABSENT, {"semester": semester_id}):
            yield [facts.absent(row) for row in rows]

    async def add_absent(self, base: int, decided: Sequence[AbsentDecision]) -> None:
        """Store rows for enrolments that no line names, numbered after `base`."""
        rows = [facts.absent_json(number, item) for number, item in enumerate(decided, base + 1)]
        await self._connection.execute(text(plan_sql.ADD_ABSENT), {"rows": _json(rows)})

    async def keep_absent(self, rows: Sequence[int], reason: Reason) -> None:
        """Keep enrolments after all that were to be dropped for being left out."""
        given = {"rows": list(rows), "reason": _json(reason)}
        await self._connection.execute(text(plan_sql.KEEP_ABSENT), given)

    async def freed(self) -> dict[UUID, tuple[int, int]]:
        """Seats and waitlist places that the plan frees, by section."""
        rows = await self._connection.execute(text(plan_sql.FREED))
        return {row.section_id: (row.seats, row.places) for row in rows}

    async def section_seats(self, semester: Semester) -> dict[UUID, tuple[SectionTerms, Seats]]:
        """Terms and counts of the semester's sections, and of those the plan creates."""
        parameters = {"semester": semester.id}
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
        for row in await self._connection.execute(_NEW_SECTIONS):
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
        self._section_ids = {str(section): section for section in sections}
        return sections

    async def students(self, semester_id: UUID) -> AsyncIterator[list[StudentRows]]:
        """Students with undecided enrolment rows, in the order of their first row; after `section_seats`."""
        async for rows in self._stream(_STUDENTS, {"semester": semester_id}):
            yield [_student_rows(row, self._section_ids) for row in rows]

    async def decide(self, rows: Iterable[PlannedRow]) -> None:
        """Store decisions; the next statement sees them."""
        await self.collect(rows)
        await self.merge()

    async def collect(self, rows: Iterable[PlannedRow]) -> None:
        """Take decisions that nothing but `merge` and `keep` sees; one for each row at most."""
        self._collected += map(facts.decision_line, rows)
        if len(self._collected) >= _BATCH:
            await self._write_collected()

    async def _write_collected(self) -> None:
        if self._collected:
            async with self._copy(plan_sql.COLLECT) as copy:
                await copy.write("".join(self._collected))
            self._collected, self._unmerged = [], True

    async def merge(self) -> None:
        """Make what was collected part of the draft."""
        await self._write_collected()
        if not self._unmerged:
            return
        self._unmerged = False
        async with self._bulk():
            for statement in (plan_sql.ANALYZE_DECISIONS, plan_sql.MERGE, plan_sql.DISCARD):
                await self._connection.execute(text(statement))

    async def discard(self) -> None:
        """Drop what was collected, to be decided again."""
        self._collected = []
        await self._connection.execute(text(plan_sql.DISCARD))

    async def keep(self, plan_id: UUID) -> None:
        """Make the draft with what was collected the rows of a plan."""
        await self._write_collected()
        async with self._bulk():
            await self._connection.execute(text(plan_sql.ANALYZE_DECISIONS))
            await self._connection.execute(text(plan_sql.KEEP), {"plan": plan_id})

    @asynccontextmanager
    async def _bulk(self) -> AsyncIterator[None]:
        """Statements over all rows, each in one pass."""
        await self._connection.execute(text("SET LOCAL enable_nestloop = off"))
        yield
        await self._connection.execute(text("SET LOCAL enable_nestloop = on"))

    async def _stream(self, sql: str, given: Mapping[str, Any] | None = None) -> AsyncIterator[Sequence[Row[Any]]]:
        """The rows of a query in batches: memory does not grow with their number."""
        async with self._bulk():
            found = await self._connection.stream(text(sql), given)
        try:
            async for rows in found.partitions(_BATCH):
                yield rows
        finally:
            # Whoever has seen enough leaves the rest, and a server's cursor must not be left open.
            await found.close()

    async def last_row(self) -> int:
        """The number of the last row there is."""
        return int(await self._connection.scalar(text(plan_sql.LAST_ROW)) or 0)


def _json(value: object) -> str:
    return orjson.dumps(value, default=str).decode()


def _student_rows(row: Any, sections: Mapping[str, UUID]) -> StudentRows:  # noqa: ANN401 - a row of _STUDENTS
    rows = tuple(map(EnrollmentRow, row.row_nos, map(sections.__getitem__, row.section_ids)))
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
