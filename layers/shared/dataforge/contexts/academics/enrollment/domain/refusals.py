"""Why an enrolment is refused: one class per rule, its code is the name of the rule."""

from typing import ClassVar

from dataforge.contexts.academics.enrollment.domain.statuses import EnrollmentStatus, Rule
from dataforge.kernel.errors import Conflict


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
