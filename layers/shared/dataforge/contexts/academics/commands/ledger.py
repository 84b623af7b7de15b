"""Collects the decisions of one command about one section, and writes them with their events."""

from uuid import UUID

from dataforge.contexts.academics.contract import EnrollmentChanged
from dataforge.contexts.academics.domain.enrollment import Decision, Enrollment, Transition
from dataforge.contexts.academics.domain.rules import SectionTerms, StudentFile
from dataforge.contexts.academics.domain.seats import Seats
from dataforge.contexts.academics.domain.status import EnrollmentStatus
from dataforge.contexts.academics.ports import AcademicsUnitOfWork, Changes
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
        reason = f"requested by {self._uow.principal.username or 'the system'}"
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
        changes = Changes(
            enrollments=list(self._enrollments.values()),
            steps=self._steps,
            events=self._events,
            audit=self._audit,
            actor=self._uow.principal.user_id,
            at=self._uow.now,
        )
        await self._uow.enrollments.save(changes, self.seats)

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
