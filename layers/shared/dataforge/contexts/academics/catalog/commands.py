"""Changes of departments, courses, semesters and prerequisites."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from dataforge.contexts.academics.catalog.domain import (
    CourseState,
    Requirement,
    Semester,
    next_course_state,
    refuse_cycle,
    refuse_lessons,
)
from dataforge.contexts.academics.catalog.queries import countable_lessons
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork
from dataforge.kernel.errors import invalid
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.versioned_rows import (
    Change,
    Create,
    Delete,
    Row,
    audit_change,
    change_row,
    create_row,
    delete_row,
    require_revision,
)


async def create_department(command: Create, uow: AcademicsUnitOfWork) -> Row:
    """Add a department."""
    return await create_row(uow.catalog.departments, command.values, uow)


async def change_department(command: Change, uow: AcademicsUnitOfWork) -> Row:
    """Change a department."""
    return await change_row(uow.catalog.departments, command, uow)


async def delete_department(command: Delete, uow: AcademicsUnitOfWork) -> None:
    """Delete a department without courses."""
    await delete_row(uow.catalog.departments, command, uow)


async def create_course(command: Create, uow: AcademicsUnitOfWork) -> Row:
    """Add a course, as a draft unless it is published at once."""
    wanted = CourseState(str(command.values.get("state", CourseState.DRAFT)))
    next_course_state(CourseState.DRAFT, wanted)
    return await create_row(uow.catalog.courses, {**command.values, "state": wanted.value}, uow)


async def change_course(command: Change, uow: AcademicsUnitOfWork) -> Row:
    """Change a course; its state moves from draft to published to archived only."""
    store = uow.catalog.courses
    before = await store.lock(command.id)
    require_revision(command.revision, before["revision"])
    changes = {**{key: before[key] for key in ("code", "title", "description")}, **command.changes}
    changes["state"] = next_course_state(
        CourseState(before["state"]), CourseState(str(changes.get("state", before["state"])))
    ).value
    row = await store.change(before, changes)
    audit_change(uow, "course", "changed", row, before)
    return row


async def delete_course(command: Delete, uow: AcademicsUnitOfWork) -> None:
    """Delete a course without sections, completions or courses that require it."""
    await delete_row(uow.catalog.courses, command, uow)


def _check_semester(row: Row, semester_id: UUID) -> None:
    Semester(
        semester_id, row["code"], row["starts_on"], row["ends_on"], row["add_by"], row["drop_by"], row["withdraw_by"],
        row["max_credits"], row.get("time_zone", "UTC"),
    ).check()  # fmt: skip


async def create_semester(command: Create, uow: AcademicsUnitOfWork) -> Row:
    """Add a semester whose dates are in order."""
    _check_semester(command.values, UUID(int=0))
    return await create_row(uow.catalog.semesters, command.values, uow)


async def change_semester(command: Change, uow: AcademicsUnitOfWork) -> Row:
    """Change a semester; its dates stay in order."""
    before = await uow.catalog.semesters.lock(command.id)
    _check_semester({**before, **command.changes}, command.id)
    return await change_row(uow.catalog.semesters, command, uow)


async def delete_semester(command: Delete, uow: AcademicsUnitOfWork) -> None:
    """Delete a semester without sections."""
    await delete_row(uow.catalog.semesters, command, uow)


@dataclass(frozen=True, slots=True)
class SetPrerequisites:
    """Replace the requirements of a course."""

    course_id: UUID
    revision: str
    requirements: Sequence[Requirement]


async def set_prerequisites(command: SetPrerequisites, uow: AcademicsUnitOfWork) -> Row:
    """Store requirements that close no cycle; checked under a lock that lets one change in at a time."""
    await uow.catalog.lock_prerequisites()
    course = await uow.catalog.courses.lock(command.course_id)
    require_revision(command.revision, course["revision"])
    required = [item.course_id for item in command.requirements]
    named = {(item.group_no, item.course_id) for item in command.requirements}
    if len(named) < len(required):
        raise invalid("/groups", Text("A group names the same course twice."), "duplicate")
    edges, codes = await uow.catalog.requirement_edges(required)
    edges.pop(command.course_id, None)
    refuse_cycle(command.course_id, required, edges, {**codes, command.course_id: course["code"]})
    await uow.catalog.set_prerequisites(command.course_id, command.requirements)
    row = await uow.catalog.courses.change(course, {})
    spelled = [f"{item.group_no}: {codes.get(item.course_id, item.course_id)}" for item in command.requirements]
    uow.audit(AuditEntry("course.prerequisites_set", "course", str(command.course_id), after={"requirements": spelled}))
    return row


@dataclass(frozen=True, slots=True)
class SetLessons:
    """Name the lessons whose completion, by an xAPI statement, counts as completing the course."""

    course_id: UUID
    lesson_ids: Sequence[UUID]


async def set_lessons(command: SetLessons, uow: AcademicsUnitOfWork) -> list[UUID]:
    """Replace the lessons of a course; returns them. Raises ValidationFailed for what is no lesson of ours."""
    await uow.catalog.courses.lock(command.course_id)
    lessons = sorted(set(command.lesson_ids))
    refuse_lessons(command.lesson_ids, await countable_lessons(uow.connection, lessons))
    await uow.catalog.set_lessons(command.course_id, lessons)
    after = {"lesson_ids": [str(item) for item in lessons]}
    uow.audit(AuditEntry("course.lessons_set", "course", str(command.course_id), after=after))
    return lessons
