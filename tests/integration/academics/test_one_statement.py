"""What one statement decides is what the rules decide under locks: same rows, same events, same counts."""

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from dataforge.contexts.academics.enrollment.commands import EnrollStudent, Outcome, decide_under_locks
from dataforge.contexts.academics.enrollment.domain.enrollment import Enrollment
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.errors import InvalidTransition
from dataforge.kernel.ids import uuid7
from tests.builders.academics import Campus, Desk
from tests.builders.roles import opened

STUDENTS = 4
Step = tuple[str, int]


async def under_locks(command: EnrollStudent, uow: AcademicsUnitOfWork) -> Outcome:
    """Enrol without trying one statement first."""
    assert command.section_id
    terms, files = await uow.enrollments.load(command.section_id, [command.student_id])
    request = Enrollment.request(uuid7(), command.student_id, command.section_id, uow.now)
    return await decide_under_locks(request, uow, terms, files[command.student_id])


async def story(campus: Campus, limits: tuple[int, int], steps: list[Step], *, locked: bool) -> list[str]:
    """Let new students come and go in a new section; everything that is stored about it, without ids and codes."""
    section = await campus.section(capacity=limits[0], waitlist_capacity=limits[1])
    students = await campus.many_students(STUDENTS)
    last: dict[UUID, UUID] = {}
    for what, number in steps:
        student = students[number % STUDENTS]
        if what == "enroll" and locked:
            last[student] = (await campus.run(under_locks, EnrollStudent(student, section_id=section))).enrollment.id
        elif what == "enroll":
            last[student] = (await campus.enroll(student, section)).enrollment.id
        elif what == "drop" and student in last:
            await quietly(campus.drop, last[student])
        elif what == "hold":
            await campus.hold(student)
        elif what == "over-enrol":
            await campus.override(student, section, "capacity")
        elif what == "enlarge":
            [row] = await campus.rows("SELECT capacity FROM academics.sections WHERE id = :id", id=section)
            await campus.resize(section, capacity=row["capacity"] + 1)
    assert await campus.broken_invariants(section) == []
    return await stored(campus, section, students)


async def quietly(act: Callable[[UUID], Any], enrollment_id: UUID) -> None:
    """Drop, unless the enrolment is in no state for it."""
    with suppress(InvalidTransition):
        await act(enrollment_id)


async def stored(campus: Campus, section: UUID, students: list[UUID]) -> list[str]:
    """Rows of the section in their order, with places instead of ids."""
    places: dict[str, str] = {str(section): "section", **{str(item): f"student {n}" for n, item in enumerate(students)}}
    [codes] = await campus.rows(
        "SELECT s.code, c.id AS course_id, c.code AS course_code, c.title FROM academics.sections s"
        " JOIN academics.courses c ON c.id = s.course_id WHERE s.id = :id",
        id=section,
    )
    made = await campus.rows(
        "SELECT * FROM academics.enrollments WHERE section_id = :id ORDER BY requested_at, id", id=section
    )
    places |= {str(row["id"]): f"enrolment {n}" for n, row in enumerate(made)}
    places |= {str(codes["course_id"]): "course"}
    ids = [str(row["id"]) for row in made]
    tables = [
        await campus.rows("SELECT * FROM academics.sections WHERE id = :id", id=section),
        made,
        await campus.rows(
            "SELECT enrollment_id, from_status, to_status, reason, rule, facts, actor_id, at"
            " FROM academics.enrollment_events WHERE enrollment_id = ANY(CAST(:ids AS uuid[])) ORDER BY id",
            ids=ids,
        ),
        await campus.rows(
            "SELECT name, key, payload, occurred_at, next_attempt_at FROM platform.outbox WHERE key = ANY(:ids)"
            " ORDER BY key, payload::text",
            ids=ids,
        ),
        await campus.rows(
            "SELECT at, actor_id, action, entity, entity_id, before, after, request_id FROM platform.audit_log"
            " WHERE entity_id = ANY(:ids) ORDER BY id",
            ids=ids,
        ),
        await campus.rows("SELECT id, facts_revision FROM academics.students WHERE id = ANY(:ids)", ids=students),
    ]
    tables[3].sort(key=lambda row: (ids.index(row["key"]), str(row["payload"])))
    tables[-1].sort(key=lambda row: students.index(row["id"]))
    names = {codes["title"]: "title", codes["course_code"]: "course code", codes["code"]: "section code"}
    return [_renamed(repr(row), places | names) for rows in tables for row in rows]


def _renamed(written: str, names: dict[str, str]) -> str:
    for name, place in names.items():
        written = re.sub(rf"\b{re.escape(name)}\b", place, written)
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "another id", written)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["enroll"] * 5 + ["drop", "hold", "over-enrol", "enlarge"]), st.integers(0, STUDENTS - 1)
    ),
    min_size=1,
    max_size=10,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limits=st.tuples(st.integers(0, 3), st.integers(0, 3)), steps=STEPS)
def test_one_statement_stores_what_the_rules_decide_under_locks(
    desk: Desk, limits: tuple[int, int], steps: list[Step]
) -> None:
    async def both() -> tuple[list[str], list[str]]:
        return (
            await story(desk.campus, limits, steps, locked=False),
            await story(desk.campus, limits, steps, locked=True),
        )

    at_once, locked = desk.do(both())
    assert at_once == locked


async def test_what_changes_while_a_request_waits_for_the_section_is_looked_at_again(
    database_url: str, clock: FixedClock
) -> None:
    async with opened(database_url, pool_size=6) as database:
        campus = Campus(database, clock)
        section = await campus.section(capacity=1, waitlist_capacity=1)
        held, seated, waiting = await campus.many_students(3)
        async with campus.unit_of_work() as holder:
            await holder.enrollments.lock_section(section)
            asked = [asyncio.ensure_future(campus.enroll(held, section))]
            await until_waiting(campus, 1)
            await campus.hold(held)
            for count, student in enumerate((seated, waiting), 2):
                asked.append(asyncio.ensure_future(campus.enroll(student, section)))
                await until_waiting(campus, count)
            await holder.connection.execute(
                text("UPDATE academics.sections SET waitlist_capacity = 3, revision = revision + 1 WHERE id = :id"),
                {"id": section},
            )
            await holder.commit()

        outcomes = await asyncio.gather(*asked)

    assert [item.enrollment.status for item in outcomes] == ["FAILED_HOLD", "ENROLLED", "WAITLISTED"]


async def until_waiting(campus: Campus, number: int) -> None:
    """Until so many connections wait for a lock."""
    sql = (
        "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock' AND state = 'active'"
    )
    for _ in range(3000):
        if (await campus.rows(sql))[0]["n"] >= number:
            return
        await asyncio.sleep(0.01)
    message = f"fewer than {number} connections wait"
    raise TimeoutError(message)
