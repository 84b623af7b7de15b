"""One section: when and where, its seats, and for those who run it who is in and who waits."""

from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.academics.domain.access import may_teach, sees_drafts
from dataforge.contexts.academics.domain.status import EnrollmentStatus
from dataforge.contexts.academics.pages.base import WEEKDAYS, own_enrollments, own_student, router
from dataforge.contexts.academics.queries import catalogue as queries
from dataforge.contexts.academics.queries.enrollment import section_roster
from dataforge.http.paging import Cursor
from dataforge.kernel.paging import Page
from dataforge.web.calls import AnyonePage

SECTIONS = "/ui/sections"
_PRESENT = [EnrollmentStatus.ENROLLED, EnrollmentStatus.COMPLETED, EnrollmentStatus.WAITLISTED]
_PEOPLE = 100


@router.get(SECTIONS + "/{section_id}")
async def section(section_id: UUID, call: AnyonePage, cursor: Cursor = None) -> Response:
    """A section; its roster by name and its waitlist by number for its instructor and registrars."""
    section = await call.query(queries.get_section, section_id, drafts=sees_drafts(call.principal))
    student, staff = await own_student(call), may_teach(call.principal, section["instructor_id"])
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
        mine=await own_enrollments(call, student),
        staff=staff,
        roster=[row for row in people.rows if row["status"] != waiting],
        waitlist=[row for row in people.rows if row["status"] == waiting],
        following=call.following(people.next_key),
        first=cursor is None,
    )
