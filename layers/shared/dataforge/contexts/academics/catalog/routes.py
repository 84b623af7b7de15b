"""Departments, courses, semesters."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.academics.access import missing, sees_drafts
from dataforge.contexts.academics.catalog import commands, queries, wire
from dataforge.contexts.academics.catalog.domain import CourseState, Requirement
from dataforge.contexts.academics.catalog.queries import prerequisite_tree
from dataforge.contexts.academics.routing import router
from dataforge.contexts.academics.students.queries import get_student
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork as Work
from dataforge.contexts.academics.wire import Page, SearchText
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.etag import etag
from dataforge.http.paging import Cursor, Limit
from dataforge.http.versioned_rows import PROBLEMS, VERSIONED, changes_of, created, no_content, values_of, versioned
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT
from dataforge.kernel.texts import Text
from dataforge.platform.db.versioned_rows import Change, Create, Delete

DEPARTMENTS, COURSES, SEMESTERS = "/api/departments", "/api/courses", "/api/semesters"


def _tree(tree: Mapping[str, Any]) -> Response:
    return json_response(tree, headers={"ETag": etag(tree["revision"])})


@router.get(DEPARTMENTS, response_model=Page[wire.DepartmentOut])
async def list_departments(
    call: Annotated[Call, require(Action.READ, Kind.DEPARTMENT)], cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> Response:
    """Departments by code."""
    page = await call.query(queries.list_departments, after=call.after(cursor), limit=limit)
    return call.page_response(page, limit=limit)


@router.post(DEPARTMENTS, status_code=201, response_model=wire.DepartmentOut, responses=PROBLEMS)
async def create_department(
    body: wire.DepartmentIn, call: Annotated[Call, require(Action.CREATE, Kind.DEPARTMENT)]
) -> Response:
    """Add a department."""
    command = Create(values_of(body))
    return await call.execute(Work, commands.create_department, command, lambda row: created(call, DEPARTMENTS, row))


@router.get(DEPARTMENTS + "/{department_id}", response_model=wire.DepartmentOut, responses=PROBLEMS)
async def get_department(department_id: UUID, call: Annotated[Call, require(Action.READ, Kind.DEPARTMENT)]) -> Response:
    """One department."""
    return versioned(await call.query(queries.get_department, department_id))


@router.put(DEPARTMENTS + "/{department_id}", response_model=wire.DepartmentOut, responses=VERSIONED)
async def replace_department(
    department_id: UUID, body: wire.DepartmentIn, call: Annotated[Call, require(Action.CHANGE, Kind.DEPARTMENT)]
) -> Response:
    """Replace a department; needs If-Match."""
    command = Change(department_id, call.expected_revision(), values_of(body))
    return await call.execute(Work, commands.change_department, command, versioned)


@router.patch(DEPARTMENTS + "/{department_id}", response_model=wire.DepartmentOut, responses=VERSIONED)
async def change_department(
    department_id: UUID, body: wire.DepartmentPatch, call: Annotated[Call, require(Action.CHANGE, Kind.DEPARTMENT)]
) -> Response:
    """Change a department; needs If-Match."""
    command = Change(department_id, call.expected_revision(), changes_of(body))
    return await call.execute(Work, commands.change_department, command, versioned)


@router.delete(DEPARTMENTS + "/{department_id}", status_code=204, responses=VERSIONED)
async def delete_department(
    department_id: UUID, call: Annotated[Call, require(Action.DELETE, Kind.DEPARTMENT)]
) -> Response:
    """Delete a department without courses; needs If-Match."""
    command = Delete(department_id, call.expected_revision())
    return await call.execute(Work, commands.delete_department, command, no_content)


@router.get(SEMESTERS, response_model=Page[wire.SemesterOut])
async def list_semesters(
    call: Annotated[Call, require(Action.READ, Kind.SEMESTER)], cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> Response:
    """Semesters, the latest first."""
    page = await call.query(queries.list_semesters, after=call.after(cursor), limit=limit)
    return call.page_response(page, limit=limit)


@router.post(SEMESTERS, status_code=201, response_model=wire.SemesterOut, responses=PROBLEMS)
async def create_semester(
    body: wire.SemesterIn, call: Annotated[Call, require(Action.CREATE, Kind.SEMESTER)]
) -> Response:
    """Add a semester."""
    command = Create(values_of(body))
    return await call.execute(Work, commands.create_semester, command, lambda row: created(call, SEMESTERS, row))


@router.get(SEMESTERS + "/{semester_id}", response_model=wire.SemesterOut, responses=PROBLEMS)
async def get_semester(semester_id: UUID, call: Annotated[Call, require(Action.READ, Kind.SEMESTER)]) -> Response:
    """One semester."""
    return versioned(await call.query(queries.get_semester, semester_id))


@router.put(SEMESTERS + "/{semester_id}", response_model=wire.SemesterOut, responses=VERSIONED)
async def replace_semester(
    semester_id: UUID, body: wire.SemesterIn, call: Annotated[Call, require(Action.CHANGE, Kind.SEMESTER)]
) -> Response:
    """Replace a semester; needs If-Match."""
    command = Change(semester_id, call.expected_revision(), values_of(body))
    return await call.execute(Work, commands.change_semester, command, versioned)


@router.patch(SEMESTERS + "/{semester_id}", response_model=wire.SemesterOut, responses=VERSIONED)
async def change_semester(
    semester_id: UUID, body: wire.SemesterPatch, call: Annotated[Call, require(Action.CHANGE, Kind.SEMESTER)]
) -> Response:
    """Change a semester; needs If-Match."""
    command = Change(semester_id, call.expected_revision(), changes_of(body))
    return await call.execute(Work, commands.change_semester, command, versioned)


@router.delete(SEMESTERS + "/{semester_id}", status_code=204, responses=VERSIONED)
async def delete_semester(semester_id: UUID, call: Annotated[Call, require(Action.DELETE, Kind.SEMESTER)]) -> Response:
    """Delete a semester without sections; needs If-Match."""
    command = Delete(semester_id, call.expected_revision())
    return await call.execute(Work, commands.delete_semester, command, no_content)


@router.get(COURSES, response_model=Page[wire.CourseOut])
async def list_courses(
    call: Annotated[Call, require(Action.READ, Kind.COURSE)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    q: Annotated[str | None, SearchText] = None,
    department_id: UUID | None = None,
    semester_id: UUID | None = None,
    state: CourseState | None = None,
    open_seats: bool = False,  # noqa: FBT001, FBT002 - a query parameter
) -> Response:
    """Courses by code: by words, department, semester they are offered in, state, seats anybody may take."""
    page = await call.query(
        queries.list_courses,
        after=call.after(cursor),
        limit=limit,
        drafts=sees_drafts(call.principal),
        q=q,
        department_id=department_id,
        semester_id=semester_id,
        state=None if state is None else state.value,
        open_seats=open_seats,
    )
    return call.page_response(page, limit=limit)


@router.post(COURSES, status_code=201, response_model=wire.CourseOut, responses=PROBLEMS)
async def create_course(body: wire.CourseIn, call: Annotated[Call, require(Action.CREATE, Kind.COURSE)]) -> Response:
    """Add a course."""
    command = Create(values_of(body))
    return await call.execute(Work, commands.create_course, command, lambda row: created(call, COURSES, row))


@router.get(COURSES + "/{course_id}", response_model=wire.CourseOut, responses=PROBLEMS)
async def get_course(course_id: UUID, call: Annotated[Call, require(Action.READ, Kind.COURSE)]) -> Response:
    """One course."""
    return versioned(await call.query(queries.get_course, course_id, drafts=sees_drafts(call.principal)))


@router.put(COURSES + "/{course_id}", response_model=wire.CourseOut, responses=VERSIONED)
async def replace_course(
    course_id: UUID, body: wire.CourseIn, call: Annotated[Call, require(Action.CHANGE, Kind.COURSE)]
) -> Response:
    """Replace a course; its state moves from draft to published to archived. Needs If-Match."""
    command = Change(course_id, call.expected_revision(), values_of(body))
    return await call.execute(Work, commands.change_course, command, versioned)


@router.patch(COURSES + "/{course_id}", response_model=wire.CourseOut, responses=VERSIONED)
async def change_course(
    course_id: UUID, body: wire.CoursePatch, call: Annotated[Call, require(Action.CHANGE, Kind.COURSE)]
) -> Response:
    """Change a course: publish or archive it with `state`. Needs If-Match."""
    command = Change(course_id, call.expected_revision(), changes_of(body))
    return await call.execute(Work, commands.change_course, command, versioned)


@router.delete(COURSES + "/{course_id}", status_code=204, responses=VERSIONED)
async def delete_course(course_id: UUID, call: Annotated[Call, require(Action.DELETE, Kind.COURSE)]) -> Response:
    """Delete a course that has no sections and that nothing refers to; needs If-Match."""
    command = Delete(course_id, call.expected_revision())
    return await call.execute(Work, commands.delete_course, command, no_content)


@router.get(COURSES + "/{course_id}/prerequisites", response_model=wire.PrerequisitesOut, responses=PROBLEMS)
async def get_prerequisites(
    course_id: UUID,
    call: Annotated[Call, require(Action.READ, Kind.COURSE)],
    student_id: UUID | None = None,
    semester_id: UUID | None = None,
) -> Response:
    """The tree of requirements; for a student also what is met, and by which evidence."""
    if student_id is not None:
        await call.query(get_student, student_id, call.principal)
    drafts = sees_drafts(call.principal)
    tree = await call.query(prerequisite_tree, course_id, student_id=student_id, semester_id=semester_id, drafts=drafts)
    return _tree(tree)


@router.put(COURSES + "/{course_id}/prerequisites", response_model=wire.PrerequisitesOut, responses=VERSIONED)
async def set_prerequisites(
    course_id: UUID, body: wire.PrerequisitesIn, call: Annotated[Call, require(Action.CHANGE, Kind.COURSE)]
) -> Response:
    """Replace the requirements; one option of each group must be met. Needs If-Match (the course's ETag)."""
    requirements = [
        Requirement(number, option.course_id, "", option.kind, option.min_score)
        for number, group in enumerate(body.groups, start=1)
        for option in group
    ]
    command = commands.SetPrerequisites(course_id, call.expected_revision(), requirements)

    async def read(connection: AsyncConnection, _course: object) -> Response:
        return _tree(
            await queries.prerequisite_tree(connection, course_id, student_id=None, semester_id=None, drafts=True)
        )

    return await call.execute_and_read(Work, commands.set_prerequisites, command, read)


@router.get(COURSES + "/{course_id}/lessons", response_model=wire.LessonsOut, responses=PROBLEMS)
async def get_lessons(course_id: UUID, call: Annotated[Call, require(Action.READ, Kind.COURSE)]) -> Response:
    """The lessons whose completion, by an xAPI statement, counts as completing the course."""
    if not sees_drafts(call.principal):
        raise missing(Text("lessons of course"), course_id)
    return json_response(await call.query(queries.lessons_of_course, course_id))


@router.put(COURSES + "/{course_id}/lessons", response_model=wire.LessonsOut, responses=PROBLEMS)
async def set_lessons(
    course_id: UUID, body: wire.LessonsIn, call: Annotated[Call, require(Action.CHANGE, Kind.COURSE)]
) -> Response:
    """Replace them."""
    command = commands.SetLessons(course_id, body.lesson_ids)
    return await call.execute(
        Work, commands.set_lessons, command, lambda ids: json_response({"course_id": course_id, "lesson_ids": ids})
    )
