"""The catalog: search, and one course with its sections."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.academics.access import sees_drafts
from dataforge.contexts.academics.catalog import queries
from dataforge.contexts.academics.catalog.queries import prerequisite_tree
from dataforge.contexts.academics.enrollment.queries import active_by_section
from dataforge.contexts.academics.sections.domain import WEEKDAYS
from dataforge.contexts.academics.sections.queries import list_sections
from dataforge.contexts.academics.students.queries import find_own_student
from dataforge.contexts.academics.wire import SearchText
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import MAX_LIMIT
from dataforge.web.calls import ChosenId, PageCall, require_page
from dataforge.web.routing import page_router

router = page_router("academics")


COURSES = "/ui/courses"
ROWS = 25


@router.get(COURSES)
async def catalog(
    call: Annotated[PageCall, require_page(Action.READ, Kind.COURSE)],
    cursor: Cursor = None,
    q: Annotated[str, SearchText] = "",
    department_id: ChosenId = None,
    semester_id: ChosenId = None,
    *,
    open_seats: bool = False,
) -> Response:
    """Courses by code: by words, department, semester, seats anybody may take."""
    found = await call.query(
        queries.list_courses,
        after=call.after(cursor),
        limit=ROWS,
        drafts=sees_drafts(call.principal),
        q=q,
        department_id=department_id,
        semester_id=semester_id,
        open_seats=open_seats,
    )
    departments = await call.query(queries.list_departments, after=None, limit=MAX_LIMIT)
    semesters = await call.query(queries.list_semesters, after=None, limit=MAX_LIMIT)
    return call.page(
        "academics/catalog.html",
        courses=found.rows,
        following=call.following(found.next_key),
        first=cursor is None,
        departments=departments.rows,
        semesters=semesters.rows,
        names={row["id"]: row["name"] for row in departments.rows},
        chosen={"q": q, "department_id": department_id, "semester_id": semester_id, "open_seats": open_seats},
    )


@router.get(COURSES + "/{course_id}")
async def course(
    course_id: UUID, call: Annotated[PageCall, require_page(Action.READ, Kind.COURSE)], cursor: Cursor = None
) -> Response:
    """One course: what it is about, what it requires, and its sections."""
    drafts, student = sees_drafts(call.principal), await call.query(find_own_student, call.user_id)
    tree = await call.query(
        prerequisite_tree,
        course_id,
        student_id=None if student is None else student["id"],
        semester_id=None,
        drafts=drafts,
    )
    found = await call.query(list_sections, after=call.after(cursor), limit=ROWS, drafts=drafts, course_id=course_id)
    return call.page(
        "academics/course.html",
        course=await call.query(queries.get_course, course_id, drafts=drafts),
        requirements=tree["groups"],
        sections=found.rows,
        following=call.following(found.next_key),
        weekdays=WEEKDAYS,
        student=student,
        mine=await call.query(active_by_section, student),
    )
