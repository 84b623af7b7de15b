"""Changes of departments, courses, semesters and sections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dataforge.contexts.academics.commands.promotion import fill_seats
from dataforge.contexts.academics.domain.catalogue import Meeting, Semester, check_meetings, next_course_state
from dataforge.contexts.academics.domain.errors import invalid, require_revision
from dataforge.contexts.academics.domain.prerequisites import Requirement, refuse_cycle
from dataforge.contexts.academics.domain.seats import Seats
from dataforge.contexts.academics.domain.status import CourseState
from dataforge.contexts.academics.ports import AcademicsUnitOfWork, Row, RowStore
from dataforge.kernel.unit_of_work import AuditEntry


@dataclass(frozen=True, slots=True)
class Create:
    """Add one row of a kind."""

    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """Change some fields of a row whose revision the caller has read (`*`: any)."""

    id: UUID
    revision: str
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a row that nothing refers to."""

    id: UUID
    revision: str


def note(uow: AcademicsUnitOfWork, entity: str, action: str, row: Row, before: Row | None = None) -> None:
    """Audit a change of the catalogue (changed fields only)."""
    ignored = {"revision", "created_at", "updated_at", "search"}
    keys = [key for key in row if key not in ignored and (before is None or before.get(key) != row[key])]
    was = None if before is None else {key: _plain(before.get(key)) for key in keys}
    now = None if action == "deleted" else {key: _plain(row[key]) for key in keys}
    entity_id = str(row["id"])
    uow.audit(AuditEntry(f"{entity}.{action}", entity, entity_id, before=was, after=now))


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | str | list | dict) else str(value)


async def _create(entity: str, store: RowStore, values: Row, uow: AcademicsUnitOfWork) -> Row:
    row = await store.add(values)
    note(uow, entity, "created", row)
    return row


async def _change(entity: str, store: RowStore, command: Change, uow: AcademicsUnitOfWork) -> Row:
    before = await store.lock(command.id)
    require_revision(command.revision, before["revision"])
    row = await store.change(command.id, command.changes)
    note(uow, entity, "changed", row, before)
    return row


async def _delete(entity: str, store: RowStore, command: Delete, uow: AcademicsUnitOfWork) -> None:
    row = await store.lock(command.id)
    require_revision(command.revision, row["revision"])
    await store.remove(command.id)
    note(uow, entity, "deleted", row)


async def create_department(command: Create, uow: AcademicsUnitOfWork) -> Row:
    """Add a department."""
    return await _create("department", uow.catalogue.departments, command.values, uow)


async def change_department(command: Change, uow: AcademicsUnitOfWork) -> Row:
    """Change a department."""
    return await _change("department", uow.catalogue.departments, command, uow)


async def delete_department(command: Delete, uow: AcademicsUnitOfWork) -> None:
    """Delete a department without courses."""
    await _delete("department", uow.catalogue.departments, command, uow)


async def create_course(command: Create, uow: AcademicsUnitOfWork) -> Row:
    """Add a course, as a draft unless it is published at once."""
    wanted = CourseState(str(command.values.get("state", CourseState.DRAFT)))
    next_course_state(CourseState.DRAFT, wanted)
    return await _create("course", uow.catalogue.courses, {**command.values, "state": wanted.value}, uow)


async def change_course(command: Change, uow: AcademicsUnitOfWork) -> Row:
    """Change a course; its state moves from draft to published to archived only."""
    store = uow.catalogue.courses
    before = await store.lock(command.id)
    require_revision(command.revision, before["revision"])
    changes = {**{key: before[key] for key in ("code", "title", "description")}, **command.changes}
    changes["state"] = next_course_state(
        CourseState(before["state"]), CourseState(str(changes.get("state", before["state"])))
    ).value
    row = await store.change(command.id, changes)
    note(uow, "course", "changed", row, before)
    return row


async def delete_course(command: Delete, uow: AcademicsUnitOfWork) -> None:
    """Delete a course without sections, completions or courses that require it."""
    await _delete("course", uow.catalogue.courses, command, uow)


def _check_semester(row: Row, semester_id: UUID) -> None:
    Semester(
        semester_id, row["code"], row["starts_on"], row["ends_on"], row["add_by"], row["drop_by"], row["withdraw_by"],
        row["max_credits"], row.get("time_zone", "UTC"),
    ).check()  # fmt: skip


async def create_semester(command: Create, uow: AcademicsUnitOfWork) -> Row:
    """Add a semester whose dates are in order."""
    _check_semester(command.values, UUID(int=0))
    return await _create("semester", uow.catalogue.semesters, command.values, uow)


async def change_semester(command: Change, uow: AcademicsUnitOfWork) -> Row:
    """Change a semester; its dates stay in order."""
    before = await uow.catalogue.semesters.lock(command.id)
    _check_semester({**before, **command.changes}, command.id)
    return await _change("semester", uow.catalogue.semesters, command, uow)


async def delete_semester(command: Delete, uow: AcademicsUnitOfWork) -> None:
    """Delete a semester without sections."""
    await _delete("semester", uow.catalogue.semesters, command, uow)


@dataclass(frozen=True, slots=True)
class CreateSection:
    """Offer a course in a semester; without a capacity the course's own is taken."""

    values: Mapping[str, Any]
    meetings: Sequence[Meeting] = ()


@dataclass(frozen=True, slots=True)
class ChangeSection:
    """Change a section; `meetings` None leaves them as they are."""

    id: UUID
    revision: str
    changes: Mapping[str, Any]
    meetings: Sequence[Meeting] | None = None


async def create_section(command: CreateSection, uow: AcademicsUnitOfWork) -> Row:
    """Add a section with its meetings."""
    check_meetings(tuple(command.meetings))
    await _check_instructor(command.values, uow)
    values = dict(command.values)
    if values.get("capacity") is None:
        values["capacity"] = (await uow.catalogue.courses.lock(values["course_id"]))["capacity"]
    row = await _create("section", uow.catalogue.sections, values, uow)
    await uow.catalogue.set_meetings(row["id"], command.meetings)
    return {**row, "meetings": list(command.meetings)}


async def change_section(command: ChangeSection, uow: AcademicsUnitOfWork) -> Row:
    """Change a section; seats that a higher capacity frees go to those who wait, in the same transaction."""
    store = uow.catalogue.sections
    before = await store.lock(command.id)
    require_revision(command.revision, before["revision"])
    limits = {**before, **command.changes}
    await _check_instructor(command.changes, uow)
    seats = _seats(before).resize(limits["capacity"], limits["waitlist_capacity"])
    if command.meetings is not None:
        check_meetings(tuple(command.meetings))
        await uow.catalogue.set_meetings(command.id, command.meetings)
    row = await store.change(command.id, command.changes)
    note(uow, "section", "changed", row, before)
    seats = await fill_seats(uow, seats)
    return {**row, "enrolled_count": seats.enrolled_count, "waitlisted_count": seats.waitlisted_count}


async def delete_section(command: Delete, uow: AcademicsUnitOfWork) -> None:
    """Delete a section that nobody ever asked for."""
    await _delete("section", uow.catalogue.sections, command, uow)


async def _check_instructor(values: Row, uow: AcademicsUnitOfWork) -> None:
    instructor = values.get("instructor_id")
    if instructor is not None and not await uow.catalogue.is_instructor(instructor):
        raise invalid(
            "/instructor_id", "There is no active user with this id and the role instructor.", "unknown_reference"
        )


def _seats(row: Row) -> Seats:
    return Seats(
        row["id"],
        row["capacity"],
        row["waitlist_capacity"],
        row["enrolled_count"],
        row["waitlisted_count"],
        row["wait_seq"],
    )


@dataclass(frozen=True, slots=True)
class SetPrerequisites:
    """Replace the requirements of a course."""

    course_id: UUID
    revision: str
    requirements: Sequence[Requirement]


async def set_prerequisites(command: SetPrerequisites, uow: AcademicsUnitOfWork) -> Row:
    """Store requirements that close no cycle; checked under a lock that lets one change in at a time."""
    await uow.catalogue.lock_prerequisites()
    course = await uow.catalogue.courses.lock(command.course_id)
    require_revision(command.revision, course["revision"])
    required = [item.course_id for item in command.requirements]
    named = {(item.group_no, item.course_id) for item in command.requirements}
    if len(named) < len(required):
        raise invalid("/groups", "A group names the same course twice.", "duplicate")
    edges, codes = await uow.catalogue.requirement_edges(required)
    edges.pop(command.course_id, None)
    refuse_cycle(command.course_id, required, edges, {**codes, command.course_id: course["code"]})
    await uow.catalogue.set_prerequisites(command.course_id, command.requirements)
    row = await uow.catalogue.courses.change(command.course_id, {})
    spelled = [f"{item.group_no}: {codes.get(item.course_id, item.course_id)}" for item in command.requirements]
    uow.audit(AuditEntry("course.prerequisites_set", "course", str(command.course_id), after={"requirements": spelled}))
    return row


@dataclass(frozen=True, slots=True)
class SetLessons:
    """Name the lessons whose completion, by an xAPI statement, counts as completing the course."""

    course_id: UUID
    lesson_ids: Sequence[UUID]


async def set_lessons(command: SetLessons, uow: AcademicsUnitOfWork) -> list[UUID]:
    """Replace the lessons of a course; returns them."""
    await uow.catalogue.courses.lock(command.course_id)
    lessons = sorted(set(command.lesson_ids))
    await uow.catalogue.set_lessons(command.course_id, lessons)
    after = {"lesson_ids": [str(item) for item in lessons]}
    uow.audit(AuditEntry("course.lessons_set", "course", str(command.course_id), after=after))
    return lessons
