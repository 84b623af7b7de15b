"""The enrolment: a state machine whose every step gives the enrolment after it, the seats after it, and what happened.

PENDING → ENROLLED | WAITLISTED | FAILED_…      confirm
WAITLISTED → ENROLLED                           promote (or skipped, and stays)
ENROLLED | WAITLISTED → DROPPED                 drop
ENROLLED → WITHDRAWN                            withdraw
ENROLLED → COMPLETED, COMPLETED → COMPLETED     complete, correct the score
FAILED_… → FAILED_…                             refuse_again, by the same rule
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from dataforge.contexts.academics.catalog.domain import Semester
from dataforge.contexts.academics.enrollment.domain.refusals import (
    CapacityRefused,
    DropDeadlineRefused,
    RuleRefused,
    WithdrawDeadlineRefused,
)
from dataforge.contexts.academics.enrollment.domain.rules import Application, judge
from dataforge.contexts.academics.enrollment.domain.statuses import EnrollmentStatus, Rule
from dataforge.contexts.academics.sections.domain import Seats
from dataforge.kernel.errors import InvalidTransition
from dataforge.kernel.texts import Text

_S = EnrollmentStatus


@dataclass(frozen=True, slots=True)
class Transition:
    """One step of one enrolment: from where to where, why, and by which rule."""

    enrollment_id: UUID
    before: EnrollmentStatus | None
    after: EnrollmentStatus
    reason: str
    rule: Rule | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a step came to; `refusal` is set when a rule said no."""

    enrollment: "Enrollment"
    seats: Seats
    transitions: tuple[Transition, ...]
    refusal: RuleRefused | None = None


@dataclass(frozen=True, slots=True)
class Enrollment:
    """A student in a section."""

    id: UUID
    student_id: UUID
    section_id: UUID
    status: EnrollmentStatus
    requested_at: datetime
    wait_no: int | None = None
    failure: Mapping[str, object] | None = None
    score: Decimal | None = None
    decided_at: datetime | None = None

    @classmethod
    def request(cls, enrollment_id: UUID, student_id: UUID, section_id: UUID, at: datetime) -> "Enrollment":
        """A new enrolment that waits for its decision."""
        return cls(enrollment_id, student_id, section_id, _S.PENDING, at)

    def confirm(self, application: Application, seats: Seats, *, queue_examined: bool = False) -> Decision:
        """Apply every rule and then capacity: a seat, a place on the waitlist, or a refusal that is kept.

        A free seat goes to a newcomer when nobody waits, or when everybody who waits was just refused
        (`queue_examined`).
        """
        self._only_from(_S.PENDING, step="confirmed")
        refusal, lifted = judge(application)
        facts: dict[str, object] = {"lifted": [rule.value for rule in lifted]} if lifted else {}
        if refusal is not None:
            return self._refused(refusal, seats, application.now)
        if seats.free > 0 and (queue_examined or seats.waitlisted_count == 0):
            return self._seated(seats.take(), application.now, Text("a seat was free"), facts)
        if application.lifted(Rule.CAPACITY):
            facts = {"lifted": [*(rule.value for rule in lifted), Rule.CAPACITY.value], "capacity_raised_by": 1}
            return self._seated(
                seats.raise_capacity().take(), application.now, Text("over-enrolled by override"), facts
            )
        if seats.waitlist_has_room:
            return self._waiting(seats.wait(), application.now, facts)
        message = Text(
            "{course_code} {code} is full: "
            "{enrolled_count} of {capacity} seats are taken and "
            "{waitlisted_count} of {waitlist_capacity} places on the waitlist.",
            course_code=application.terms.course_code,
            code=application.terms.code,
            enrolled_count=seats.enrolled_count,
            capacity=seats.capacity,
            waitlisted_count=seats.waitlisted_count,
            waitlist_capacity=seats.waitlist_capacity,
        )
        counts: dict[str, object] = {
            "capacity": seats.capacity,
            "enrolled_count": seats.enrolled_count,
            "waitlist_capacity": seats.waitlist_capacity,
            "waitlisted_count": seats.waitlisted_count,
        }
        return self._refused(CapacityRefused(message, facts=counts), seats, application.now)

    def refuse_again(self, refusal: RuleRefused, seats: Seats, now: datetime) -> Decision:
        """The attempt that failed before, refused by the same rule; what the rule saw is stored when it has changed."""
        self._only_from(refusal.outcome, step="refused again")
        failure = refusal.as_failure()
        if self.failure == failure:
            return Decision(self, seats, (), refusal)
        after = replace(self, failure=failure, decided_at=now)
        reason = Text("refused again: {detail}", detail=refusal.detail)
        step = Transition(self.id, self.status, self.status, reason, refusal.rule, refusal.facts)
        return Decision(after, seats, (step,), refusal)

    def promote(self, application: Application, seats: Seats) -> Decision:
        """Give a free seat to one who waits; if a rule refuses by now, the place is kept and the reason stored.

        The same reason twice in a row is stored once.
        """
        self._only_from(_S.WAITLISTED, step="promoted")
        refusal, lifted = judge(application.without(self.id))
        if refusal is None:
            facts: dict[str, object] = {"wait_no": self.wait_no}
            if lifted:
                facts["lifted"] = [rule.value for rule in lifted]
            return self._seated(seats.stop_waiting().take(), application.now, Text("promoted from the waitlist"), facts)
        failure = refusal.as_failure()
        if self.failure == failure:
            return Decision(self, seats, (), refusal)
        reason = Text("skipped for promotion: {detail}", detail=refusal.detail)
        after = replace(self, failure=failure)
        step = Transition(self.id, self.status, self.status, reason, refusal.rule, {"wait_no": self.wait_no})
        return Decision(after, seats, (step,), refusal)

    def open_outcomes(self, application: Application) -> tuple[Decision, Decision] | None:
        """A seat and a place on the waitlist (number 1), when every rule is passed and only counts decide which.

        None when a rule refuses, or capacity is lifted: then counts are not all that is left to look at.
        """
        seated = self.confirm(application, Seats(self.section_id, capacity=1, waitlist_capacity=0))
        waiting = self.confirm(application, Seats(self.section_id, capacity=0, waitlist_capacity=1))
        if seated.enrollment.status is _S.ENROLLED and waiting.enrollment.status is _S.WAITLISTED:
            return seated, waiting
        return None

    def drop(self, semester: Semester, seats: Seats, now: datetime, reason: str, *, lifted: bool = False) -> Decision:
        """Leave a seat (until the last day to drop) or the waitlist (at any time)."""
        self._only_from(_S.ENROLLED, _S.WAITLISTED, step="dropped")
        if self.status is _S.WAITLISTED:
            return self._left(_S.DROPPED, seats.stop_waiting(), now, reason)
        today = semester.today(now)
        if today > semester.drop_by and not lifted:
            message = Text(
                "The last day to drop in {code} was {drop_by}; ask to withdraw instead.",
                code=semester.code,
                drop_by=semester.drop_by,
            )
            facts = {"drop_by": semester.drop_by.isoformat(), "withdraw_by": semester.withdraw_by.isoformat()}
            raise DropDeadlineRefused(message, facts=facts)
        return self._left(_S.DROPPED, seats.release(), now, reason)

    def withdraw(
        self, semester: Semester, seats: Seats, now: datetime, reason: str, *, lifted: bool = False
    ) -> Decision:
        """Leave a seat with a note on the transcript, until the last day to withdraw."""
        self._only_from(_S.ENROLLED, step="withdrawn")
        today = semester.today(now)
        if today > semester.withdraw_by and not lifted:
            message = Text(
                "The last day to withdraw in {code} was {withdraw_by}.",
                code=semester.code,
                withdraw_by=semester.withdraw_by,
            )
            raise WithdrawDeadlineRefused(message, facts={"withdraw_by": semester.withdraw_by.isoformat()})
        return self._left(_S.WITHDRAWN, seats.release(), now, reason)

    def complete(self, score: Decimal | None, seats: Seats, now: datetime, reason: str) -> Decision:
        """Finish with a score (0 to 100, None: passed without one); again with another score corrects it."""
        self._only_from(_S.ENROLLED, _S.COMPLETED, step="completed")
        if self.status is _S.COMPLETED and self.score == score:
            return Decision(self, seats, ())
        after = replace(self, status=_S.COMPLETED, score=score, decided_at=now)
        facts = {"score": None if score is None else float(score)}
        return Decision(after, seats, (Transition(self.id, self.status, _S.COMPLETED, reason, None, facts),))

    def _only_from(self, *allowed: EnrollmentStatus, step: str) -> None:
        if self.status not in allowed:
            message = Text(
                "An enrolment that is {status} cannot be {step}; it must be {allowed}.",
                status=self.status,
                step=step,
                allowed=" or ".join(allowed),
            )
            raise InvalidTransition(
                message, facts={"status": self.status.value, "allowed": [item.value for item in allowed]}
            )

    def _seated(self, seats: Seats, now: datetime, reason: str, facts: Mapping[str, object]) -> Decision:
        after = replace(self, status=_S.ENROLLED, wait_no=None, failure=None, decided_at=now)
        return Decision(after, seats, (Transition(self.id, self.status, _S.ENROLLED, reason, None, facts),))

    def _waiting(self, seats: Seats, now: datetime, facts: Mapping[str, object]) -> Decision:
        number = seats.wait_seq
        after = replace(self, status=_S.WAITLISTED, wait_no=number, decided_at=now)
        reason = Text("no seat was free; number {number} on the waitlist", number=number)
        step = Transition(self.id, self.status, _S.WAITLISTED, reason, Rule.CAPACITY, {**facts, "wait_no": number})
        return Decision(after, seats, (step,))

    def _refused(self, refusal: RuleRefused, seats: Seats, now: datetime) -> Decision:
        after = replace(self, status=refusal.outcome, failure=refusal.as_failure(), decided_at=now)
        step = Transition(self.id, self.status, refusal.outcome, refusal.detail, refusal.rule, refusal.facts)
        return Decision(after, seats, (step,), refusal)

    def _left(self, status: EnrollmentStatus, seats: Seats, now: datetime, reason: str) -> Decision:
        facts = {} if self.wait_no is None else {"wait_no": self.wait_no}
        after = replace(self, status=status, wait_no=None, failure=None, decided_at=now)
        return Decision(after, seats, (Transition(self.id, self.status, status, reason, None, facts),))
