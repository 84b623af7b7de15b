"""What a roster asks for one student."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from dataforge.contexts.academics.enrollment.domain.rules import Override, StudentFile
from dataforge.contexts.academics.enrollment.domain.statuses import EnrollmentStatus


@dataclass(frozen=True, slots=True)
class EnrollmentRow:
    """An enrolment row whose student and section are known."""

    row_no: int
    section_id: UUID


@dataclass(frozen=True, slots=True)
class Leaving:
    """An enrolment that the plan ends; `implied`: because the file leaves it out."""

    row_no: int
    enrollment_id: UUID
    section_id: UUID
    status: EnrollmentStatus
    implied: bool


@dataclass(frozen=True, slots=True)
class StudentRows:
    """All undecided enrolment rows of one student, in the order of the file.

    `overrides` are the student's by section; `leaving` the enrolments that the same plan ends.
    """

    student: StudentFile
    rows: tuple[EnrollmentRow, ...]
    overrides: Mapping[UUID, tuple[Override, ...]] = field(default_factory=dict)
    leaving: tuple[Leaving, ...] = ()
