"""A learner's own schedule, and dropping."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.academics.enrollment import commands, queries
from dataforge.contexts.academics.sections.domain import WEEKDAYS
from dataforge.contexts.academics.students.queries import find_own_student
from dataforge.contexts.academics.students.queries import schedule as read_schedule
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork as Work
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import Conflict
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run
from dataforge.web.calls import PageCall, require_page
from dataforge.web.routing import page_router

router = page_router("academics")

_SECTIONS = "/ui/sections"


@router.get("/ui/schedule")
async def schedule(call: Annotated[PageCall, require_page(Action.READ, Kind.ENROLLMENT)]) -> Response:
    """What the signed-in person is in or waits for."""
    student = await call.query(find_own_student, call.user_id)
    schedule = None if student is None else await call.query(read_schedule, student["id"], call.principal)
    return call.page("academics/schedule.html", schedule=schedule, weekdays=WEEKDAYS)


@router.post("/ui/enrollments/{enrollment_id}/drop")
async def drop(
    enrollment_id: UUID, call: Annotated[PageCall, require_page(Action.CHANGE, Kind.ENROLLMENT)]
) -> Response:
    """Leave a seat or the waitlist."""
    enrollment = await call.query(queries.get_enrollment, enrollment_id, call.principal)
    section_id = enrollment["section_id"]
    try:
        await run(call.unit_of_work(Work), commands.drop_enrollment, commands.DropEnrollment(enrollment_id))
    except Conflict as refusal:
        return call.go_on("error", refusal.detail, _SECTIONS, section_id)
    text = Text(
        "You have left {course_code} {section_code}.",
        course_code=enrollment["course_code"],
        section_code=enrollment["section_code"],
    )
    return call.go_on("success", text, _SECTIONS, section_id)
