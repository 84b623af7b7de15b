"""One section: when and where, its seats, and for those who run it who is in and who waits; enrolling in it."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.academics.access import may, missing, sees_drafts
from dataforge.contexts.academics.enrollment.commands import EnrollStudent, enroll_student
from dataforge.contexts.academics.enrollment.domain.statuses import EnrollmentStatus
from dataforge.contexts.academics.enrollment.queries import active_by_section
from dataforge.contexts.academics.sections import queries
from dataforge.contexts.academics.sections.domain import WEEKDAYS
from dataforge.contexts.academics.sections.queries import section_roster
from dataforge.contexts.academics.students.queries import find_own_student
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork as Work
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import Conflict
from dataforge.kernel.paging import Page
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run
from dataforge.web.calls import PageCall, require_page
from dataforge.web.routing import page_router

router = page_router("academics")


SECTIONS = "/ui/sections"
_PRESENT = [EnrollmentStatus.ENROLLED, EnrollmentStatus.COMPLETED, EnrollmentStatus.WAITLISTED]
_PEOPLE = 100


@router.get(SECTIONS + "/{section_id}")
async def section(
    section_id: UUID, call: Annotated[PageCall, require_page(Action.READ, Kind.SECTION)], cursor: Cursor = None
) -> Response:
    """A section; its roster by name and its waitlist by number for its instructor and registrars."""
    section = await call.query(queries.get_section, section_id, drafts=sees_drafts(call.principal))
    student, staff = (
        await call.query(find_own_student, call.user_id),
        may(call.principal, Action.READ, Kind.ROSTER, teacher=section["instructor_id"]),
    )
    people: Page[dict[str, object]] = Page([])
    if staff:
        people = await call.query(
            section_roster,
            section_id,
            call.principal,
            after=call.after(cursor),
            limit=_PEOPLE,
            statuses=[status.value for status in _PRESENT],
        )
    waiting = EnrollmentStatus.WAITLISTED
    return call.page(
        "academics/section.html",
        section=section,
        weekdays=WEEKDAYS,
        student=student,
        mine=await call.query(active_by_section, student),
        staff=staff,
        roster=[row for row in people.rows if row["status"] != waiting],
        waitlist=[row for row in people.rows if row["status"] == waiting],
        following=call.following(people.next_key),
        first=cursor is None,
    )


@router.post(SECTIONS + "/{section_id}/enroll")
async def enroll(section_id: UUID, call: Annotated[PageCall, require_page(Action.CREATE, Kind.ENROLLMENT)]) -> Response:
    """Enrol the signed-in person; a rule that refuses is shown where the form was."""
    student = await call.query(find_own_student, call.user_id)
    if student is None:
        raise missing(Text("student record of user"), call.user_id)
    try:
        outcome = await run(
            call.unit_of_work(Work), enroll_student, EnrollStudent(student["id"], section_id=section_id)
        )
    except Conflict as refusal:
        return call.go_on("error", refusal.detail, SECTIONS, section_id)
    if outcome.refusal is not None:
        return call.go_on("error", f"{outcome.refusal.title}. {outcome.refusal.detail}", SECTIONS, section_id)
    section = await call.query(queries.get_section, section_id, drafts=True)
    name = f"{section['course_code']} {section['code']}"
    if outcome.enrollment.status is EnrollmentStatus.WAITLISTED:
        text = Text(
            "{name} is full. You are number {wait_no} on the waitlist.", name=name, wait_no=outcome.enrollment.wait_no
        )
        return call.go_on("info", text, SECTIONS, section_id)
    return call.go_on("success", Text("You are enrolled in {name}.", name=name), SECTIONS, section_id)
