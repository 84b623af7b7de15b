"""Enrol, drop, withdraw, complete, and promote those who wait.

Promotion goes in order of number and applies every rule again; whoever does not qualify is skipped. All students that
may be promoted are locked in one ordered pass (see repository.enrollments), so only so many are looked at in one
transaction; when more wait and seats are left, PromotionDue continues after the last one looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from dataforge.contexts.academics.access import may, missing
from dataforge.contexts.academics.catalog.domain import Completion, CourseState, EvidenceSource
from dataforge.contexts.academics.contract import EnrollmentChanged, PromotionDue
from dataforge.contexts.academics.enrollment.domain.enrollment import Decision, Enrollment, Transition
from dataforge.contexts.academics.enrollment.domain.refusals import NoOpenSection, NotOpen, RuleRefused, SectionRequired
from dataforge.contexts.academics.enrollment.domain.rules import Application, SectionTerms, StudentFile
from dataforge.contexts.academics.enrollment.domain.statuses import EnrollmentStatus, Rule
from dataforge.contexts.academics.enrollment.repository.changes import Changes
from dataforge.contexts.academics.enrollment.repository.enrollments import ClosedCourse, LockedSection
from dataforge.contexts.academics.sections.domain import Seats
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import invalid
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry


class Ledger:
    """The seats of one locked section as they change, and everything that happened to its enrolments."""

    def __init__(self, uow: AcademicsUnitOfWork, terms: SectionTerms, seats: Seats) -> None:
        self._uow = uow
        self._terms = terms
        self._before = seats
        self._enrollments: dict[UUID, Enrollment] = {}
        self._steps: list[Transition] = []
        self._events: list[EnrollmentChanged] = []
        self._audit: list[AuditEntry] = []
        self.seats = seats

    def open(self, enrollment: Enrollment) -> None:
        """Note that an enrolment was asked for."""
        reason = Text("requested by {value}", value=self._uow.principal.username or "the system")
        self._steps.append(Transition(enrollment.id, None, EnrollmentStatus.PENDING, reason))

    def add(self, decision: Decision, student: StudentFile) -> None:
        """Take over the seats after a decision, and note its steps for the log, the audit and the mail."""
        self.seats = decision.seats
        if not decision.transitions:
            return
        self._enrollments[decision.enrollment.id] = decision.enrollment
        self._steps.extend(decision.transitions)
        for step in decision.transitions:
            self._events.append(self._event(step, decision, student))
            self._audit.append(
                AuditEntry(
                    action=f"enrollment.{step.after.lower()}",
                    entity="enrollment",
                    entity_id=str(step.enrollment_id),
                    before=None if step.before is None else {"status": step.before.value},
                    after={"status": step.after.value, "reason": step.reason},
                )
            )

    async def save(self) -> None:
        """Write everything in one statement; nothing when nothing happened."""
        if not self._steps and self.seats == self._before:
            return
        if self.seats.capacity != self._before.capacity:
            self._audit.append(
                AuditEntry(
                    action="section.capacity_raised",
                    entity="section",
                    entity_id=str(self.seats.section_id),
                    before={"capacity": self._before.capacity},
                    after={"capacity": self.seats.capacity},
                )
            )
        await self._uow.enrollments.save(self.changes(), self.seats)

    def changes(self) -> Changes:
        """Everything so far."""
        return Changes(
            enrollments=list(self._enrollments.values()),
            steps=self._steps,
            events=self._events,
            audit=self._audit,
            actor=self._uow.principal.user_id,
            at=self._uow.now,
        )

    def _event(self, step: Transition, decision: Decision, student: StudentFile) -> EnrollmentChanged:
        return EnrollmentChanged(
            enrollment_id=step.enrollment_id,
            student_id=student.student_id,
            student_name=student.name,
            user_id=student.user_id,
            email=student.email,
            section_id=self._terms.section_id,
            section_code=self._terms.code,
            course_id=self._terms.course_id,
            course_code=self._terms.course_code,
            course_title=self._terms.course_title,
            semester_code=self._terms.semester.code,
            from_=None if step.before is None else step.before.value,
            to=step.after.value,
            wait_no=decision.enrollment.wait_no,
            reason=step.reason,
            rule=None if step.rule is None else step.rule.value,
            actor_id=self._uow.principal.user_id,
            at=self._uow.now,
        )


# How many more than there are seats are looked at in one transaction.
LOOKAHEAD = 50


@dataclass(frozen=True, slots=True)
class PromoteWaiting:
    """Give the free seats of a section to those who wait with a number above `after_wait_no`."""

    section_id: UUID
    after_wait_no: int = 0


async def promote_waiting(command: PromoteWaiting, uow: AcademicsUnitOfWork) -> Seats:
    """Promote whoever qualifies; returns the seats afterwards."""
    seats = await uow.enrollments.lock_section(command.section_id)
    return await fill_seats(uow, seats, after=command.after_wait_no)


async def fill_seats(
    uow: AcademicsUnitOfWork, seats: Seats, *, after: int = 0, ledger: Ledger | None = None, leaving: UUID | None = None
) -> Seats:
    """Promote in a section whose lock is held, and save; `ledger` holds what the caller decided before.

    `leaving` is a student the ledger is about: saving changes that row too, so it is locked in the same pass.
    """
    queue = await candidates(uow, seats, after)
    if queue:
        waiting = [item.student_id for item in queue]
        await uow.enrollments.lock_students(waiting if leaving is None else [leaving, *waiting])
        terms, files = await uow.enrollments.load(seats.section_id, waiting)
        ledger = ledger or Ledger(uow, terms, seats)
        promote_in_order(uow, ledger, terms, queue, files)
    if ledger is not None:
        await ledger.save()
        seats = ledger.seats
    return seats


async def candidates(uow: AcademicsUnitOfWork, seats: Seats, after: int = 0) -> list[Enrollment]:
    """Who is looked at for the free seats, in order of number."""
    if not seats.promotion_possible:
        return []
    return await uow.enrollments.waiting(seats.section_id, after, seats.free + LOOKAHEAD)


def promote_in_order(
    uow: AcademicsUnitOfWork,
    ledger: Ledger,
    terms: SectionTerms,
    queue: Sequence[Enrollment],
    files: Mapping[UUID, StudentFile],
) -> bool:
    """Promote until the seats or the queue are used up; returns whether everybody in the queue was looked at."""
    if not terms.takes_enrollments:
        return False
    for waiting in queue:
        if ledger.seats.free == 0:
            return False
        student = files[waiting.student_id]
        ledger.add(waiting.promote(Application(terms, student, uow.now), ledger.seats), student)
    if queue and ledger.seats.free > 0 and len(queue) > LOOKAHEAD:
        uow.publish(PromotionDue(terms.section_id, queue[-1].wait_no or 0))
        return False
    return True


def announce(uow: AcademicsUnitOfWork, section_ids: Sequence[UUID]) -> None:
    """Have the waitlists of sections looked at after this transaction."""
    for section_id in section_ids:
        uow.publish(PromotionDue(section_id, 0))


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

    What the rules look at is read before the locks and read again only when it has changed by then. When only counts
    are left to decide about, both outcomes are prepared and one statement locks, chooses and writes: a section that
    everybody wants is held for that statement and the commit.
    """
    section_id = command.section_id or await _only_open_section(command.course_id, uow)
    terms, files = await uow.enrollments.load(section_id, [command.student_id])
    student = _own_file(files, command.student_id, uow)
    request = Enrollment.request(uuid7(), command.student_id, section_id, uow.now)
    outcomes = request.open_outcomes(Application(terms, student, uow.now)) if terms.takes_enrollments else None
    if outcomes is None:
        return await decide_under_locks(request, uow, terms, student)
    seated, waiting = (_prepared(uow, terms, student, request, each) for each in outcomes)
    locked = await uow.enrollments.decide(seated, waiting, (terms.revision, student.facts_revision))
    if locked.written is None:
        return await decide_under_locks(request, uow, terms, student, locked)
    decision = request.confirm(Application(terms, student, uow.now), locked.seats)
    if (decision.enrollment.status, decision.enrollment.wait_no) != (locked.written, locked.wait_no):
        message = f"the rules give {decision.enrollment.status}, the statement wrote {locked.written}"
        raise RuntimeError(message)  # nothing is committed
    return Outcome(decision.enrollment)


def _prepared(
    uow: AcademicsUnitOfWork, terms: SectionTerms, student: StudentFile, request: Enrollment, decision: Decision
) -> Changes:
    ledger = Ledger(uow, terms, decision.seats)
    ledger.open(request)
    ledger.add(decision, student)
    return ledger.changes()


async def decide_under_locks(
    enrollment: Enrollment,
    uow: AcademicsUnitOfWork,
    terms: SectionTerms,
    student: StudentFile,
    locked: LockedSection | None = None,
) -> Outcome:
    """Decide about a request whatever is left to decide; `terms` and `student` were read before the locks."""
    section_id, student_id = enrollment.section_id, enrollment.student_id
    locked = locked or await uow.enrollments.lock(section_id, student_id)
    queue: list[Enrollment] = []
    if not locked.confirms(terms, student):
        queue = await candidates(uow, locked.seats)
        everyone = [student_id, *(item.student_id for item in queue)]
        await uow.enrollments.lock_students(everyone)
        terms, files = await uow.enrollments.load(section_id, everyone)
        student = _own_file(files, student_id, uow)
    _require_open(terms)
    ledger = Ledger(uow, terms, locked.seats)
    examined = bool(queue) and promote_in_order(uow, ledger, terms, queue, files)
    decision = enrollment.confirm(Application(terms, student, uow.now), ledger.seats, queue_examined=examined)
    earlier = await uow.enrollments.latest(section_id, student_id) if decision.refusal else None
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
    reason = command.reason or Text("dropped on request")
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
    reason = command.reason or Text("withdrawn on request")
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
    if not may(uow.principal, Action.COMPLETE, Kind.ENROLLMENT, teacher=terms.instructor_id):
        raise missing("enrolment", command.enrollment_id)
    decision = enrollment.complete(command.score, seats, uow.now, command.reason or "completed")
    ledger = Ledger(uow, terms, seats)
    ledger.add(decision, files[enrollment.student_id])
    await ledger.save()
    day = terms.semester.today(uow.now)
    evidence = Completion(terms.course_id, command.score, day, EvidenceSource.ENROLMENT, str(enrollment.id))
    await uow.students.add_completion(enrollment.student_id, evidence, uow.now)
    return Outcome(decision.enrollment)


async def _only_open_section(course_id: UUID | None, uow: AcademicsUnitOfWork) -> UUID:
    if course_id is None:
        raise invalid("/section_id", Text("Name a section_id or a course_id."), "missing")
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
        Text("Several sections of the course are open; send the section_id of one."), facts={"sections": sections}
    )


def _nothing_open(course: ClosedCourse) -> NoOpenSection:
    states = ", ".join(f"{count} {state}" for state, count in sorted(course.sections.items()))
    facts: dict[str, object] = {"course_id": str(course.course_id), "course_state": course.state.value}
    facts["sections_by_state"] = dict(course.sections)
    if course.state is not CourseState.PUBLISHED:
        message = Text(
            "The course {code} is {state}, so that nobody can enrol in it.", code=course.code, state=course.state.value
        )
    elif states:
        message = Text(
            "The course {code} has no open section; its sections: {states}.", code=course.code, states=states
        )
    else:
        message = Text("The course {code} has no section yet.", code=course.code)
    return NoOpenSection(message, facts=facts)


def _require_open(terms: SectionTerms) -> None:
    if not terms.takes_enrollments:
        message = Text(
            "{course_code} {code} takes no enrolments: the course's state is {course_state}, the section's {state}.",
            course_code=terms.course_code,
            code=terms.code,
            course_state=terms.course_state,
            state=terms.state,
        )
        raise NotOpen(message, facts={"course_state": terms.course_state.value, "section_state": terms.state.value})


def _own_file(files: dict[UUID, StudentFile], student_id: UUID, uow: AcademicsUnitOfWork) -> StudentFile:
    student = files.get(student_id)
    if student is None or not may(uow.principal, Action.CREATE, Kind.ENROLLMENT, student=student.user_id):
        raise missing("student", student_id)
    return student


async def _lock(enrollment_id: UUID, uow: AcademicsUnitOfWork) -> tuple[Enrollment, Seats, SectionTerms, StudentFile]:
    enrollment, seats = await uow.enrollments.lock_enrollment(enrollment_id)
    terms, files = await uow.enrollments.load(enrollment.section_id, [enrollment.student_id])
    student = files[enrollment.student_id]
    if not may(uow.principal, Action.CHANGE, Kind.ENROLLMENT, student=student.user_id):
        raise missing("enrolment", enrollment_id)
    return enrollment, seats, terms, student
