"""One section: when and where, its seats, and for those who run it who is in and who waits; enrolling in it."""

from collections.abc import Mapping
from datetime import date, time
from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.academics.access import may, missing, sees_drafts
from dataforge.contexts.academics.enrollment.commands import EnrollStudent, enroll_student
from dataforge.contexts.academics.enrollment.domain.statuses import EnrollmentStatus
from dataforge.contexts.academics.enrollment.queries import active_by_section
from dataforge.contexts.academics.meetings.commands import (
    ChangeMeeting,
    RestoreMeeting,
    change_meeting,
    restore_meeting,
)
from dataforge.contexts.academics.meetings.domain import Slot
from dataforge.contexts.academics.meetings.queries import list_meeting_changes, section_dates
from dataforge.contexts.academics.sections import queries
from dataforge.contexts.academics.sections.domain import WEEKDAYS
from dataforge.contexts.academics.sections.queries import section_roster
from dataforge.contexts.academics.students.queries import find_own_student
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork as Work
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import Conflict, DataForgeError
from dataforge.kernel.paging import Page
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run
from dataforge.web.calls import PageCall, require_page
from dataforge.web.routing import page_router

router = page_router("academics")


SECTIONS = "/ui/sections"
_PRESENT = [EnrollmentStatus.ENROLLED, EnrollmentStatus.COMPLETED, EnrollmentStatus.WAITLISTED]
_PEOPLE, _CHANGES = 100, 1_000


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


@router.get(SECTIONS + "/{section_id}/dates")
async def dates(section_id: UUID, call: Annotated[PageCall, require_page(Action.READ, Kind.SECTION)]) -> Response:
    """Every meeting of a section, day by day; its instructor and registrars cancel, move and restore single ones."""
    return await _dates(call, section_id)


@router.post(SECTIONS + "/{section_id}/dates")
async def change_date(
    section_id: UUID, call: Annotated[PageCall, require_page(Action.CHANGE, Kind.MEETING)]
) -> Response:
    """Cancel, move or restore one meeting."""
    work = call.unit_of_work(Work)
    try:
        if "change_id" in call.form:
            await run(work, restore_meeting, RestoreMeeting(section_id, UUID(call.form["change_id"])))
        else:
            await run(work, change_meeting, _meeting_change(section_id, call.form))
    except ValueError:
        return await _dates(call, section_id, Text("A meeting is moved to a day, with a time from and a time to."))
    except DataForgeError as error:
        return await _dates(call, section_id, error.detail, error.status)
    return call.go_on("success", Text("The dates are kept."), SECTIONS, section_id, "dates")


def _meeting_change(section_id: UUID, form: Mapping[str, str]) -> ChangeMeeting:
    """What a form wants; raises ValueError for what is no day or no time."""
    on, starts, slot = date.fromisoformat(form.get("on", "")), time.fromisoformat(form.get("starts", "")), None
    if form.get("what") == "move":
        new = {name: form.get(f"new_{name}", "") for name in ("on", "starts", "ends", "room")}
        times = time.fromisoformat(new["starts"]), time.fromisoformat(new["ends"])
        slot = Slot(date.fromisoformat(new["on"]), *times, new["room"].strip()[:100])
    return ChangeMeeting(section_id, on, starts, slot, form.get("note", "").strip()[:1000])


async def _dates(call: PageCall, section_id: UUID, error: str | None = None, status: int = 400) -> Response:
    drafts = sees_drafts(call.principal)
    section = await call.query(queries.get_section, section_id, drafts=drafts)
    found = await call.query(section_dates, section_id, drafts=drafts, first=None, last=None)
    changes = await call.query(list_meeting_changes, section_id, drafts=drafts, after=None, limit=_CHANGES)
    return call.page(
        "academics/dates.html",
        status=status if error else 200,
        section=section,
        dates={"time_zone": found["time_zone"], "items_": found["items"]},
        changes={(row["on"], row["starts"]): row["id"] for row in changes.rows},
        keeps=may(call.principal, Action.CHANGE, Kind.MEETING, teacher=section["instructor_id"]),
        weekdays=WEEKDAYS,
        error=error,
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
