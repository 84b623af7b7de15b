"""Statuses of an enrolment and the rules that decide about it, as they are stored and shown."""

from enum import StrEnum
from typing import Final


class EnrollmentStatus(StrEnum):
    """Where an enrolment stands; each FAILED_… names the rule that refused it."""

    PENDING = "PENDING"
    ENROLLED = "ENROLLED"
    WAITLISTED = "WAITLISTED"
    DROPPED = "DROPPED"
    WITHDRAWN = "WITHDRAWN"
    COMPLETED = "COMPLETED"
    FAILED_HOLD = "FAILED_HOLD"
    FAILED_WINDOW = "FAILED_WINDOW"
    FAILED_DUPLICATE = "FAILED_DUPLICATE"
    FAILED_PREREQUISITES = "FAILED_PREREQUISITES"
    FAILED_TIME_CONFLICT = "FAILED_TIME_CONFLICT"
    FAILED_CREDIT_LIMIT = "FAILED_CREDIT_LIMIT"
    FAILED_CAPACITY = "FAILED_CAPACITY"


ACTIVE: Final = frozenset({EnrollmentStatus.PENDING, EnrollmentStatus.ENROLLED, EnrollmentStatus.WAITLISTED})
# Whoever completed a section keeps the seat: finishing early does not let somebody else in.
SEATED: Final = frozenset({EnrollmentStatus.ENROLLED, EnrollmentStatus.COMPLETED})


class Rule(StrEnum):
    """The rules of enrolment in the order they are checked; the value is the problem code of its refusal."""

    HOLD = "hold"
    WINDOW = "window"
    DUPLICATE = "duplicate"
    PREREQUISITES = "prerequisites"
    TIME_CONFLICT = "time_conflict"
    CREDIT_LIMIT = "credit_limit"
    CAPACITY = "capacity"
    DROP_DEADLINE = "drop_deadline"
    WITHDRAW_DEADLINE = "withdraw_deadline"


# Two active enrolments of one student in one section are impossible by constraint, so no override can allow them.
OVERRIDABLE: Final = frozenset(Rule) - {Rule.DUPLICATE}
