"""Enrol, drop, withdraw, complete."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from dataforge.contexts.academics.commands.ledger import Ledger
from dataforge.contexts.academics.commands.promotion import candidates, fill_seats, promote_in_order
from dataforge.contexts.academics.domain.access import may_act_for, may_teach, missing
from dataforge.contexts.academics.domain.enrollment import Enrollment
from dataforge.contexts.academics.domain.errors import NoOpenSection, NotOpen, RuleRefused, SectionRequired, invalid
from dataforge.contexts.academics.domain.prerequisites import Completion
from dataforge.contexts.academics.domain.rules import Application, SectionTerms, StudentFile
from dataforge.contexts.academics.domain.seats import Seats
from dataforge.contexts.academics.domain.status import CourseState, EvidenceSource, Rule
from dataforge.contexts.academics.ports import AcademicsUnitOfWork, ClosedCourse
from dataforge.kernel.ids import uuid7


@dataclass(frozen=True, slots=True)
class Outcome:
    """The enrolment after a command; with `refusal` it is kept as FAILED_… and the caller learns why."""

    enrollment: Enrollment
    refusal: RuleRefused | None = None


@dataclass(frozen=True, slots=True)
class EnrollStudent:
    """Enrol a student in a section, or in the one open section of a course."""

    student_id: UUID
    course_id: UUID | None = None
    section_id: UUID | None = None


async def enroll_student(command: EnrollStudent, uow: AcademicsUnitOfWork) -> Outcome:
    """Decide under the locks of section and student; a rule's refusal is kept and returned, not raised.

    The same rule refusing the same attempt again is kept once: the enrolment that failed before is returned.

    What the rules look at is read before the locks and read again only when it has changed by then, so that the lock
    on a section everybody wants is held for one statement and the commit.
    """
    section_id = command.section_id or await _only_open_section(command.course_id, uow)
    terms, files = await uow.enrollments.load(section_id, [command.student_id])
    student = _own_file(files, command.student_id, uow)
    locked = await uow.enrollments.lock(section_id, command.student_id)
    queue: list[Enrollment] = []
    if not locked.confirms(terms, student):
        queue = await candidates(uow, locked.seats)
        everyone = [command.student_id, *(item.student_id for item in queue)]
        await uow.enrollments.lock_students(everyone)
        terms, files = await uow.enrollments.load(section_id, everyone)
        student = _own_file(files, command.student_id, uow)
    _require_open(terms)
    ledger = Ledger(uow, terms, locked.seats)
    examined = bool(queue) and promote_in_order(uow, ledger, terms, queue, files)
    enrollment = Enrollment.request(uuid7(), command.student_id, section_id, uow.now)
    decision = enrollment.confirm(Application(terms, student, uow.now), ledger.seats, queue_examined=examined)
    earlier = await uow.enrollments.latest(section_id, command.student_id) if decision.refusal else None
    if decision.refusal and earlier and earlier.status is decision.refusal.outcome:
        decision = earlier.refuse_again(decision.refusal, ledger.seats, uow.now)
    else:
        ledger.open(enrollment)
    ledger.add(decision, student)
    await ledger.save()
    return Outcome(decision.enrollment, decision.refusal)


@dataclass(frozen=True, slots=True)
class DropEnrollment:
    """Leave a seat or the waitlist."""

    enrollment_id: UUID
    reason: str = ""


async def drop_enrollment(command: DropEnrollment, uow: AcademicsUnitOfWork) -> Outcome:
    """Drop, and give the seat to the next who waits in the same transaction."""
    enrollment, seats, terms, student = await _lock(command.enrollment_id, uow)
    lifted = Application(terms, student, uow.now).lifted(Rule.DROP_DEADLINE)
    reason = command.reason or "dropped on request"
    decision = enrollment.drop(terms.semester, seats, uow.now, reason, lifted=lifted)
    ledger = Ledger(uow, terms, seats)
    ledger.add(decision, student)
    await fill_seats(uow, ledger.seats, ledger=ledger, leaving=student.student_id)
    return Outcome(decision.enrollment)


@dataclass(frozen=True, slots=True)
class WithdrawEnrollment:
    """Leave a seat late, with a note on the transcript."""

    enrollment_id: UUID
    reason: str = ""


async def withdraw_enrollment(command: WithdrawEnrollment, uow: AcademicsUnitOfWork) -> Outcome:
    """Withdraw, and give the seat to the next who waits if they may still be added."""
    enrollment, seats, terms, student = await _lock(command.enrollment_id, uow)
    lifted = Application(terms, student, uow.now).lifted(Rule.WITHDRAW_DEADLINE)
    reason = command.reason or "withdrawn on request"
    decision = enrollment.withdraw(terms.semester, seats, uow.now, reason, lifted=lifted)
    ledger = Ledger(uow, terms, seats)
    ledger.add(decision, student)
    await fill_seats(uow, ledger.seats, ledger=ledger, leaving=student.student_id)
    return Outcome(decision.enrollment)


@dataclass(frozen=True, slots=True)
class CompleteEnrollment:
    """Finish a section with a score from 0 to 100, or without one."""

    enrollment_id: UUID
    score: Decimal | None = None
    reason: str = ""


async def complete_enrollment(command: CompleteEnrollment, uow: AcademicsUnitOfWork) -> Outcome:
    """Complete (instructor of the section or registrar), and note it as evidence for prerequisites."""
    enrollment, seats = await uow.enrollments.lock_enrollment(command.enrollment_id)
    terms, files = await uow.enrollments.load(enrollment.section_id, [enrollment.student_id])
    if not may_teach(uow.principal, terms.instructor_id):
        raise missing("enrolment", command.enrollment_id)
    decision = enrollment.complete(command.score, seats, uow.now, command.reason or "completed")
    ledger = Ledger(uow, terms, seats)
    ledger.add(decision, files[enrollment.student_id])
    await ledger.save()
    day = terms.semester.today(uow.now)
    evidence = Completion(terms.course_id, command.score, day, EvidenceSource.ENROLMENT, str(enrollment.id))
    await uow.people.add_completion(enrollment.student_id, evidence, uow.now)
    return Outcome(decision.enrollment)


async def _only_open_section(course_id: UUID | None, uow: AcademicsUnitOfWork) -> UUID:
    if course_id is None:
        raise invalid("/section_id", "Name a section_id or a course_id.", "missing")
    found = await uow.enrollments.open_sections(course_id, uow.now)
    # With none in its window, the only section there is gives the rule's own refusal, with its dates.
    offered = [item for item in found if item.in_window] or found
    if len(offered) == 1:
        return offered[0].section_id
    if not offered:
        raise _nothing_open(await uow.enrollments.why_closed(course_id))
    sections = [
        {"section_id": str(item.section_id), "code": item.code, "semester": item.semester_code} for item in offered
    ]
    raise SectionRequired(
        "Several sections of the course are open; send the section_id of one.", facts={"sections": sections}
    )


def _nothing_open(course: ClosedCourse) -> NoOpenSection:
    states = ", ".join(f"{count} {state}" for state, count in sorted(course.sections.items()))
    facts: dict[str, object] = {"course_id": str(course.course_id), "course_state": course.state.value}
    facts["sections_by_state"] = dict(course.sections)
    if course.state is not CourseState.PUBLISHED:
        message = f"The course {course.code} is {course.state.value}, so that nobody can enrol in it."
    elif states:
        message = f"The course {course.code} has no open section; its sections: {states}."
    else:
        message = f"The course {course.code} has no section yet."
    return NoOpenSection(message, facts=facts)


def _require_open(terms: SectionTerms) -> None:
    if not terms.takes_enrollments:
        message = (
            f"{terms.course_code} {terms.code} takes no enrolments: the course's state is {terms.course_state}, "
            f"the section's {terms.state}."
        )
        raise NotOpen(message, facts={"course_state": terms.course_state.value, "section_state": terms.state.value})


def _own_file(files: dict[UUID, StudentFile], student_id: UUID, uow: AcademicsUnitOfWork) -> StudentFile:
    student = files.get(student_id)
    if student is None or not may_act_for(uow.principal, student.user_id):
        raise missing("student", student_id)
    return student


async def _lock(enrollment_id: UUID, uow: AcademicsUnitOfWork) -> tuple[Enrollment, Seats, SectionTerms, StudentFile]:
    enrollment, seats = await uow.enrollments.lock_enrollment(enrollment_id)
    terms, files = await uow.enrollments.load(enrollment.section_id, [enrollment.student_id])
    student = files[enrollment.student_id]
    if not may_act_for(uow.principal, student.user_id):
        raise missing("enrolment", enrollment_id)
    return enrollment, seats, terms, student
