"""A learner's own schedule, enrolling and dropping."""

from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.academics.commands import enrollment as commands
from dataforge.contexts.academics.domain.access import missing
from dataforge.contexts.academics.domain.status import EnrollmentStatus
from dataforge.contexts.academics.pages.base import WEEKDAYS, own_student, router
from dataforge.contexts.academics.pages.sections import SECTIONS
from dataforge.contexts.academics.queries import catalogue
from dataforge.contexts.academics.queries import enrollment as queries
from dataforge.contexts.academics.repository import SqlAcademicsUnitOfWork as Work
from dataforge.kernel.errors import Conflict
from dataforge.web.calls import AnyonePage


@router.get("/ui/schedule")
async def schedule(call: AnyonePage) -> Response:
    """What the signed-in person is in or waits for."""
    student = await own_student(call)
    schedule = None if student is None else await call.query(queries.schedule, student["id"], call.principal)
    return call.page("academics/schedule.html", schedule=schedule, weekdays=WEEKDAYS)


@router.post(SECTIONS + "/{section_id}/enroll")
async def enroll(section_id: UUID, call: AnyonePage) -> Response:
    """Enrol the signed-in person; a rule that refuses is shown where the form was."""
    student = await own_student(call)
    if student is None:
        raise missing("student record of user", call.user_id)
    try:
        outcome = await call.run(
            Work, commands.enroll_student, commands.EnrollStudent(student["id"], section_id=section_id)
        )
    except Conflict as refusal:
        return call.go_on("error", refusal.detail, SECTIONS, section_id)
    if outcome.refusal is not None:
        return call.go_on("error", f"{outcome.refusal.title}. {outcome.refusal.detail}", SECTIONS, section_id)
    section = await call.query(catalogue.get_section, section_id, drafts=True)
    name = f"{section['course_code']} {section['code']}"
    if outcome.enrollment.status is EnrollmentStatus.WAITLISTED:
        text = f"{name} is full. You are number {outcome.enrollment.wait_no} on the waitlist."
        return call.go_on("info", text, SECTIONS, section_id)
    return call.go_on("success", f"You are enrolled in {name}.", SECTIONS, section_id)


@router.post("/ui/enrollments/{enrollment_id}/drop")
async def drop(enrollment_id: UUID, call: AnyonePage) -> Response:
    """Leave a seat or the waitlist."""
    enrollment = await call.query(queries.get_enrollment, enrollment_id, call.principal)
    section_id = enrollment["section_id"]
    try:
        await call.run(Work, commands.drop_enrollment, commands.DropEnrollment(enrollment_id))
    except Conflict as refusal:
        return call.go_on("error", refusal.detail, SECTIONS, section_id)
    text = f"You have left {enrollment['course_code']} {enrollment['section_code']}."
    return call.go_on("success", text, SECTIONS, section_id)
