"""Refusals of academics.

Conflict
├── RuleRefused             one class per enrolment rule; the code is the rule's name
│   ├── HoldRefused         hold
│   ├── WindowRefused       window
│   ├── DuplicateRefused    duplicate
│   ├── PrerequisitesRefused prerequisites
│   ├── TimeConflictRefused time_conflict
│   ├── CreditLimitRefused  credit_limit
│   ├── CapacityRefused     capacity
│   ├── DropDeadlineRefused drop_deadline
│   └── WithdrawDeadlineRefused withdraw_deadline
├── InvalidTransition       invalid_transition
├── SectionRequired         section_required
├── NoOpenSection           no_open_section
├── NotOpen                 not_open
├── CapacityBelowEnrolled   capacity_below_enrolled
├── InUse                   in_use
├── PrerequisiteCycle       prerequisite_cycle
├── DropsUnconfirmed        drops_unconfirmed
├── PlanRefused             plan_refused
└── PlanHashMismatch        plan_hash_mismatch
"""

from typing import ClassVar

from dataforge.contexts.academics.domain.status import EnrollmentStatus, Rule
from dataforge.kernel.errors import Conflict, PreconditionFailed, ValidationFailed, Violation


class RuleRefused(Conflict):
    """An enrolment rule says no; `facts` hold what the rule saw."""

    code = "enrollment_refused"
    title = "The enrolment is refused"
    rule: ClassVar[Rule]
    outcome: ClassVar[EnrollmentStatus]

    def as_failure(self) -> dict[str, object]:
        """What is stored with the refused enrolment."""
        return {"rule": self.rule.value, "message": self.detail, **self.facts}


class HoldRefused(RuleRefused):
    """The student has a hold."""

    code = "hold"
    title = "A hold stops the enrolment"
    rule = Rule.HOLD
    outcome = EnrollmentStatus.FAILED_HOLD


class WindowRefused(RuleRefused):
    """The last day to add has passed."""

    code = "window"
    title = "The enrolment window is closed"
    rule = Rule.WINDOW
    outcome = EnrollmentStatus.FAILED_WINDOW


class DuplicateRefused(RuleRefused):
    """The student is in this course already."""

    code = "duplicate"
    title = "The student is already enrolled"
    rule = Rule.DUPLICATE
    outcome = EnrollmentStatus.FAILED_DUPLICATE


class PrerequisitesRefused(RuleRefused):
    """A prerequisite or corequisite is not met."""

    code = "prerequisites"
    title = "Prerequisites are not met"
    rule = Rule.PREREQUISITES
    outcome = EnrollmentStatus.FAILED_PREREQUISITES


class TimeConflictRefused(RuleRefused):
    """Two sections meet at the same time."""

    code = "time_conflict"
    title = "It meets at the same time as another section"
    rule = Rule.TIME_CONFLICT
    outcome = EnrollmentStatus.FAILED_TIME_CONFLICT


class CreditLimitRefused(RuleRefused):
    """The semester's credit limit would be exceeded."""

    code = "credit_limit"
    title = "The credit limit would be exceeded"
    rule = Rule.CREDIT_LIMIT
    outcome = EnrollmentStatus.FAILED_CREDIT_LIMIT


class CapacityRefused(RuleRefused):
    """No seat and no place on the waitlist."""

    code = "capacity"
    title = "The section and its waitlist are full"
    rule = Rule.CAPACITY
    outcome = EnrollmentStatus.FAILED_CAPACITY


class DropDeadlineRefused(RuleRefused):
    """The last day to drop has passed."""

    code = "drop_deadline"
    title = "The last day to drop has passed"
    rule = Rule.DROP_DEADLINE


class WithdrawDeadlineRefused(RuleRefused):
    """The last day to withdraw has passed."""

    code = "withdraw_deadline"
    title = "The last day to withdraw has passed"
    rule = Rule.WITHDRAW_DEADLINE


class InvalidTransition(Conflict):
    """The state machine has no such step."""

    code = "invalid_transition"
    title = "This step is not possible from the present state"


class SectionRequired(Conflict):
    """Several sections of the course are open: the caller must name one."""

    code = "section_required"
    title = "Name the section"


class NoOpenSection(Conflict):
    """The course has no section that takes enrolments."""

    code = "no_open_section"
    title = "No section is open"


class NotOpen(Conflict):
    """The section is closed or its course is not published."""

    code = "not_open"
    title = "The section does not take enrolments"


class CapacityBelowEnrolled(Conflict):
    """A capacity below the seats taken, or a waitlist below those who wait."""

    code = "capacity_below_enrolled"
    title = "More seats are taken than that"


class InUse(Conflict):
    """Something else refers to it, so it is kept."""

    code = "in_use"
    title = "It is in use and cannot be deleted"


class PrerequisiteCycle(Conflict):
    """A course would, in the end, require itself."""

    code = "prerequisite_cycle"
    title = "The prerequisites would form a cycle"


class DropsUnconfirmed(Conflict):
    """The plan drops somebody the file leaves out, or more than the threshold, and nobody confirmed the number."""

    code = "drops_unconfirmed"
    title = "The drops must be confirmed"


class PlanRefused(Conflict):
    """Something that the plan does not look at stands in the way; nothing was applied."""

    code = "plan_refused"
    title = "The plan cannot be applied"


class PlanHashMismatch(Conflict):
    """The hash sent is not the plan's."""

    code = "plan_hash_mismatch"
    title = "That is not the hash of this plan"


def require_revision(expected: str, current: int) -> None:
    """Raise PreconditionFailed (412) unless `expected` (from If-Match, `*` for any) is the row's revision."""
    if expected not in ("*", str(current)):
        tag = f'"{current}"'
        message = "It has been changed since you read it; read it again and repeat your change."
        raise PreconditionFailed(message, facts={"current": tag}, headers={"ETag": tag})


def invalid(pointer: str, message: str, rule: str = "invalid") -> ValidationFailed:
    """A refusal of one field."""
    return ValidationFailed(message, violations=[Violation(pointer, message, rule)])
