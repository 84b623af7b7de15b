"""Departments, courses, semesters."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.academics.commands import catalogue as commands
from dataforge.contexts.academics.commands.catalogue import Change, Create, Delete
from dataforge.contexts.academics.domain.access import is_registrar, missing, sees_drafts
from dataforge.contexts.academics.domain.prerequisites import Requirement
from dataforge.contexts.academics.domain.status import CourseState
from dataforge.contexts.academics.queries import catalogue as queries
from dataforge.contexts.academics.queries import enrollment as people
from dataforge.contexts.academics.queries.prerequisites import prerequisite_tree
from dataforge.contexts.academics.repository import SqlAcademicsUnitOfWork as Work
from dataforge.contexts.academics.routes.base import (
    PROBLEMS,
    VERSIONED,
    SearchText,
    changes_of,
    created,
    no_content,
    router,
    values_of,
    versioned,
)
from dataforge.contexts.academics.schemas import inputs, outputs
from dataforge.http.auth import AnyoneCall, RegistrarCall
from dataforge.http.call import json_response
from dataforge.http.etag import etag
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.paging import DEFAULT_LIMIT

DEPARTMENTS, COURSES, SEMESTERS = "/api/departments", "/api/courses", "/api/semesters"


@router.get(DEPARTMENTS, response_model=outputs.Page[outputs.DepartmentOut])
async def list_departments(call: AnyoneCall, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT) -> Response:
    """Departments by code."""
    page = await call.query(queries.list_departments, after=call.after(cursor), limit=limit)
    return call.page_response(page, limit=limit)


@router.post(DEPARTMENTS, status_code=201, response_model=outputs.DepartmentOut, responses=PROBLEMS)
async def create_department(body: inputs.DepartmentIn, call: RegistrarCall) -> Response:
    """Add a department."""
    command = Create(values_of(body))
    return await call.execute(Work, commands.create_department, command, lambda row: created(call, DEPARTMENTS, row))


@router.get(DEPARTMENTS + "/{department_id}", response_model=outputs.DepartmentOut, responses=PROBLEMS)
async def get_department(department_id: UUID, call: AnyoneCall) -> Response:
    """One department."""
    return versioned(await call.query(queries.get_department, department_id))


@router.put(DEPARTMENTS + "/{department_id}", response_model=outputs.DepartmentOut, responses=VERSIONED)
async def replace_department(department_id: UUID, body: inputs.DepartmentIn, call: RegistrarCall) -> Response:
    """Replace a department; needs If-Match."""
    command = Change(department_id, call.expected_revision(), values_of(body))
    return await call.execute(Work, commands.change_department, command, versioned)


@router.patch(DEPARTMENTS + "/{department_id}", response_model=outputs.DepartmentOut, responses=VERSIONED)
async def change_department(department_id: UUID, body: inputs.DepartmentPatch, call: RegistrarCall) -> Response:
    """Change a department; needs If-Match."""
    command = Change(department_id, call.expected_revision(), changes_of(body))
    return await call.execute(Work, commands.change_department, command, versioned)


@router.delete(DEPARTMENTS + "/{department_id}", status_code=204, responses=VERSIONED)
async def delete_department(department_id: UUID, call: RegistrarCall) -> Response:
    """Delete a department without courses; needs If-Match."""
    command = Delete(department_id, call.expected_revision())
    return await call.execute(Work, commands.delete_department, command, no_content)


@router.get(SEMESTERS, response_model=outputs.Page[outputs.SemesterOut])
async def list_semesters(call: AnyoneCall, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT) -> Response:
    """Semesters, the latest first."""
    page = await call.query(queries.list_semesters, after=call.after(cursor), limit=limit)
    return call.page_response(page, limit=limit)


@router.post(SEMESTERS, status_code=201, response_model=outputs.SemesterOut, responses=PROBLEMS)
async def create_semester(body: inputs.SemesterIn, call: RegistrarCall) -> Response:
    """Add a semester."""
    command = Create(values_of(body))
    return await call.execute(Work, commands.create_semester, command, lambda row: created(call, SEMESTERS, row))


@router.get(SEMESTERS + "/{semester_id}", response_model=outputs.SemesterOut, responses=PROBLEMS)
async def get_semester(semester_id: UUID, call: AnyoneCall) -> Response:
    """One semester."""
    return versioned(await call.query(queries.get_semester, semester_id))


@router.put(SEMESTERS + "/{semester_id}", response_model=outputs.SemesterOut, responses=VERSIONED)
async def replace_semester(semester_id: UUID, body: inputs.SemesterIn, call: RegistrarCall) -> Response:
    """Replace a semester; needs If-Match."""
    command = Change(semester_id, call.expected_revision(), values_of(body))
    return await call.execute(Work, commands.change_semester, command, versioned)


@router.patch(SEMESTERS + "/{semester_id}", response_model=outputs.SemesterOut, responses=VERSIONED)
async def change_semester(semester_id: UUID, body: inputs.SemesterPatch, call: RegistrarCall) -> Response:
    """Change a semester; needs If-Match."""
    command = Change(semester_id, call.expected_revision(), changes_of(body))
    return await call.execute(Work, commands.change_semester, command, versioned)


@router.delete(SEMESTERS + "/{semester_id}", status_code=204, responses=VERSIONED)
async def delete_semester(semester_id: UUID, call: RegistrarCall) -> Response:
    """Delete a semester without sections; needs If-Match."""
    command = Delete(semester_id, call.expected_revision())
    return await call.execute(Work, commands.delete_semester, command, no_content)


@router.get(COURSES, response_model=outputs.Page[outputs.CourseOut])
async def list_courses(
    call: AnyoneCall,
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


@router.post(COURSES, status_code=201, response_model=outputs.CourseOut, responses=PROBLEMS)
async def create_course(body: inputs.CourseIn, call: RegistrarCall) -> Response:
    """Add a course."""
    command = Create(values_of(body))
    return await call.execute(Work, commands.create_course, command, lambda row: created(call, COURSES, row))


@router.get(COURSES + "/{course_id}", response_model=outputs.CourseOut, responses=PROBLEMS)
async def get_course(course_id: UUID, call: AnyoneCall) -> Response:
    """One course."""
    return versioned(await call.query(queries.get_course, course_id, drafts=sees_drafts(call.principal)))


@router.put(COURSES + "/{course_id}", response_model=outputs.CourseOut, responses=VERSIONED)
async def replace_course(course_id: UUID, body: inputs.CourseIn, call: RegistrarCall) -> Response:
    """Replace a course; its state moves from draft to published to archived. Needs If-Match."""
    command = Change(course_id, call.expected_revision(), values_of(body))
    return await call.execute(Work, commands.change_course, command, versioned)


@router.patch(COURSES + "/{course_id}", response_model=outputs.CourseOut, responses=VERSIONED)
async def change_course(course_id: UUID, body: inputs.CoursePatch, call: RegistrarCall) -> Response:
    """Change a course: publish or archive it with `state`. Needs If-Match."""
    command = Change(course_id, call.expected_revision(), changes_of(body))
    return await call.execute(Work, commands.change_course, command, versioned)


@router.delete(COURSES + "/{course_id}", status_code=204, responses=VERSIONED)
async def delete_course(course_id: UUID, call: RegistrarCall) -> Response:
    """Delete a course that has no sections and that nothing refers to; needs If-Match."""
    command = Delete(course_id, call.expected_revision())
    return await call.execute(Work, commands.delete_course, command, no_content)


@router.get(COURSES + "/{course_id}/prerequisites", response_model=outputs.PrerequisitesOut, responses=PROBLEMS)
async def get_prerequisites(
    course_id: UUID, call: AnyoneCall, student_id: UUID | None = None, semester_id: UUID | None = None
) -> Response:
    """The tree of requirements; for a student also what is met, and by which evidence."""
    if student_id is not None:
        await call.query(people.get_student, student_id, call.principal)
    drafts = sees_drafts(call.principal)
    tree = await call.query(prerequisite_tree, course_id, student_id=student_id, semester_id=semester_id, drafts=drafts)
    return json_response(tree, headers={"ETag": etag(tree["revision"])})


@router.put(COURSES + "/{course_id}/prerequisites", response_model=outputs.PrerequisitesOut, responses=VERSIONED)
async def set_prerequisites(course_id: UUID, body: inputs.PrerequisitesIn, call: RegistrarCall) -> Response:
    """Replace the requirements; one option of each group must be met. Needs If-Match (the course's ETag)."""
    requirements = [
        Requirement(number, option.course_id, "", option.kind, option.min_score)
        for number, group in enumerate(body.groups, start=1)
        for option in group
    ]
    command = commands.SetPrerequisites(course_id, call.expected_revision(), requirements)
    await call.run(Work, commands.set_prerequisites, command)
    tree = await call.query(prerequisite_tree, course_id, student_id=None, semester_id=None, drafts=True)
    return json_response(tree, headers={"ETag": etag(tree["revision"])})


@router.get(COURSES + "/{course_id}/lessons", response_model=outputs.LessonsOut, responses=PROBLEMS)
async def get_lessons(course_id: UUID, call: AnyoneCall) -> Response:
    """The lessons whose completion, by an xAPI statement, counts as completing the course."""
    if not is_registrar(call.principal) and not sees_drafts(call.principal):
        raise missing("lessons of course", course_id)
    return json_response(await call.query(queries.lessons_of_course, course_id))


@router.put(COURSES + "/{course_id}/lessons", response_model=outputs.LessonsOut, responses=PROBLEMS)
async def set_lessons(course_id: UUID, body: inputs.LessonsIn, call: RegistrarCall) -> Response:
    """Replace them."""
    command = commands.SetLessons(course_id, body.lesson_ids)
    return await call.execute(
        Work, commands.set_lessons, command, lambda ids: json_response({"course_id": course_id, "lesson_ids": ids})
    )
