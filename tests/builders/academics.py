"""A small campus in the database: courses, sections and students with the fields a test cares about."""

import asyncio
from collections.abc import Coroutine
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import insert, text

from dataforge.contexts.academics.catalog.commands import (
    SetPrerequisites,
    create_course,
    create_department,
    create_semester,
    set_prerequisites,
)
from dataforge.contexts.academics.catalog.domain import Requirement
from dataforge.contexts.academics.enrollment import commands as enrollment
from dataforge.contexts.academics.enrollment import commands as promotion
from dataforge.contexts.academics.enrollment.commands import EnrollStudent, Outcome
from dataforge.contexts.academics.sections.commands import ChangeSection, CreateSection, change_section, create_section
from dataforge.contexts.academics.sections.domain import Meeting
from dataforge.contexts.academics.students import commands as students
from dataforge.contexts.academics.tables import students as student_table
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork
from dataforge.kernel.clock import Clock, FixedClock
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import SYSTEM, Principal
from dataforge.platform.db.database import Database, row_dict
from dataforge.platform.db.versioned_rows import Create
from tests.builders.time import NOW

Result = TypeVar("Result")

# Around tests.builders.time.NOW, 1 September 2026: everything is possible on that day.
SEMESTER = {
    "starts_on": date(2026, 9, 7),
    "ends_on": date(2026, 12, 18),
    "add_by": date(2026, 9, 18),
    "drop_by": date(2026, 10, 2),
    "withdraw_by": date(2026, 11, 13),
    "max_credits": Decimal(18),
}


class Campus:
    """Makes what it is asked for with the product's own commands, as the system."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self._numbers = count(1)
        self._department: UUID | None = None
        self._semester: UUID | None = None

    def unit_of_work(self, principal: Principal = SYSTEM) -> AcademicsUnitOfWork:
        return AcademicsUnitOfWork(self.database, principal=principal, clock=self.clock)

    async def run(self, handler: Any, command: Any, principal: Principal = SYSTEM) -> Any:
        async with self.unit_of_work(principal) as uow:
            result = await handler(command, uow)
            await uow.commit()
            return result

    async def department(self) -> UUID:
        if self._department is None:
            row = await self.run(create_department, Create({"code": "SCI", "name": "Science"}))
            self._department = row["id"]
        return self._department

    async def semester(self, **values: Any) -> UUID:
        if not values and self._semester is not None:
            return self._semester
        row = await self.run(
            create_semester,
            Create({"code": f"S{next(self._numbers)}", "time_zone": "UTC", **SEMESTER, **values}),
        )
        if not values:
            self._semester = row["id"]
        return UUID(str(row["id"]))

    async def course(self, code: str | None = None, **values: Any) -> UUID:
        number = next(self._numbers)
        given = {
            "code": code or f"C{number}",
            "title": f"Course {number}",
            "description": "",
            "credits": Decimal(3),
            "capacity": 10,
            "department_id": await self.department(),
            "state": "published",
            **values,
        }
        row = await self.run(create_course, Create(given))
        return UUID(str(row["id"]))

    async def section(self, *, course: UUID | None = None, meetings: tuple[Meeting, ...] = (), **values: Any) -> UUID:
        given = {
            "course_id": course or await self.course(),
            "semester_id": values.pop("semester_id", None) or await self.semester(),
            "code": f"{next(self._numbers):03}",
            "capacity": 10,
            "waitlist_capacity": 5,
            **values,
        }
        row = await self.run(create_section, CreateSection(given, meetings))
        return UUID(str(row["id"]))

    async def student(self, **values: Any) -> UUID:
        number = next(self._numbers)
        given = {"number": f"N{number:06}", "first_name": "Ada", "last_name": f"Lovelace {number}", **values}
        row = await self.run(students.create_student, Create(given))
        return UUID(str(row["id"]))

    async def many_students(self, number: int) -> list[UUID]:
        ids = [uuid7() for _ in range(number)]
        now = self.clock.now()
        rows = [
            {
                "id": student_id,
                "number": f"M{next(self._numbers):06}",
                "first_name": "Student",
                "last_name": f"Of many {index}",
                "created_at": now,
                "updated_at": now,
            }
            for index, student_id in enumerate(ids)
        ]
        async with self.database.transaction() as connection:
            await connection.execute(insert(student_table), rows)
        return ids

    async def requires(self, course: UUID, *requirements: Requirement) -> None:
        await self.run(set_prerequisites, SetPrerequisites(course, "*", requirements))

    async def enroll(self, student: UUID, section: UUID, principal: Principal = SYSTEM) -> Outcome:
        outcome: Outcome = await self.run(
            enrollment.enroll_student, EnrollStudent(student, section_id=section), principal
        )
        return outcome

    async def drop(self, enrollment_id: UUID) -> Outcome:
        outcome: Outcome = await self.run(enrollment.drop_enrollment, enrollment.DropEnrollment(enrollment_id))
        return outcome

    async def complete(self, enrollment_id: UUID, score: int | None = None) -> Outcome:
        command = enrollment.CompleteEnrollment(enrollment_id, None if score is None else Decimal(score))
        outcome: Outcome = await self.run(enrollment.complete_enrollment, command)
        return outcome

    async def resize(self, section: UUID, **limits: int | str) -> None:
        await self.run(change_section, ChangeSection(section, "*", limits))

    async def override(self, student: UUID, section: UUID, *rules: str, **values: Any) -> dict[str, Any]:
        from dataforge.contexts.academics.enrollment.domain.statuses import Rule

        command = students.GrantOverride(student, section, frozenset(map(Rule, rules)), "the dean agreed", **values)
        row: dict[str, Any] = await self.run(students.grant_override, command)
        return row

    async def hold(self, student: UUID) -> dict[str, Any]:
        row: dict[str, Any] = await self.run(
            students.place_hold, students.PlaceHold(student, "LIB", "books are missing")
        )
        return row

    async def release(self, student: UUID, hold: UUID) -> None:
        await self.run(students.release_hold, students.ReleaseHold(student, hold))

    async def promote(self, section: UUID, after: int = 0) -> None:
        await self.run(promotion.promote_waiting, promotion.PromoteWaiting(section, after))

    async def lesson(self, workspace_id: UUID | None = None) -> UUID:
        lesson_id = uuid7()
        statement = text(
            "INSERT INTO records.lessons (id, workspace_id, lesson_url, title, required, created_at, updated_at) "
            "VALUES (:id, :workspace_id, :url, 'Fire safety', false, now(), now())"
        )
        values = {"id": lesson_id, "workspace_id": workspace_id, "url": f"https://lms.example.org/{lesson_id}"}
        async with self.database.transaction() as connection:
            await connection.execute(statement, values)
        return lesson_id

    async def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        async with self.database.read_only() as connection:
            return [row_dict(row) for row in await connection.execute(text(sql), parameters)]

    async def statuses(self, section: UUID) -> dict[str, int]:
        """Number of enrolments of a section by status."""
        sql = "SELECT status, count(*) AS n FROM academics.enrollments WHERE section_id = :section GROUP BY status"
        return {row["status"]: row["n"] for row in await self.rows(sql, section=section)}

    async def broken_invariants(self, section: UUID) -> list[str]:
        """Which promises of a section do not hold; empty when all do."""
        [seats] = await self.rows("SELECT * FROM academics.sections WHERE id = :id", id=section)
        counts = await self.statuses(section)
        seated = counts.get("ENROLLED", 0) + counts.get("COMPLETED", 0)
        sql = (
            "SELECT wait_no FROM academics.enrollments WHERE section_id = :id AND wait_no IS NOT NULL ORDER BY wait_no"
        )
        waiting = [row["wait_no"] for row in await self.rows(sql, id=section)]
        doubled = await self.rows(
            "SELECT student_id FROM academics.enrollments WHERE section_id = :id"
            " AND status IN ('PENDING','ENROLLED','WAITLISTED') GROUP BY student_id HAVING count(*) > 1",
            id=section,
        )
        # Every row's last event leads to the state it is in, and each event starts where the one before it ended.
        torn = await self.rows(
            """
            WITH steps AS (
                SELECT v.*, lag(to_status) OVER w AS previous, row_number() OVER (PARTITION BY enrollment_id ORDER BY
                    v.id DESC) AS back
                FROM academics.enrollment_events v JOIN academics.enrollments e ON e.id = v.enrollment_id
                WHERE e.section_id = :id WINDOW w AS (PARTITION BY enrollment_id ORDER BY v.id)
            )
            SELECT e.id FROM academics.enrollments e LEFT JOIN steps s ON s.enrollment_id = e.id AND s.back = 1
            WHERE e.section_id = :id AND s.to_status IS DISTINCT FROM e.status
            UNION ALL SELECT enrollment_id FROM steps WHERE previous IS DISTINCT FROM from_status
            """,
            id=section,
        )
        checks = {
            "the count of seats taken equals the rows": seats["enrolled_count"] == seated,
            "seats are not oversold": seated <= seats["capacity"],
            "the count of those who wait equals the rows": seats["waitlisted_count"] == len(waiting),
            "waitlist numbers are given once and come from the sequence": all(n <= seats["wait_seq"] for n in waiting),
            "nobody is in twice": not doubled,
            "every transition has an event": not torn,
        }
        return [promise for promise, kept in checks.items() if not kept]


class Desk:
    """A campus and the loop its connections belong to."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner()
        self.database = Database(url, pool_size=2)
        self.campus = Campus(self.database, FixedClock(NOW))

    def do(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self._runner.run(work)

    def close(self) -> None:
        self.do(self.database.dispose())
        self._runner.close()
