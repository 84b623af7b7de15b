"""What one command changes about the enrolments of a section."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dataforge.contexts.academics.contract import EnrollmentChanged
from dataforge.contexts.academics.enrollment.domain.enrollment import Enrollment, Transition
from dataforge.kernel.unit_of_work import AuditEntry


@dataclass(frozen=True, slots=True)
class Changes:
    """Enrolments as they are now, the steps that led there, and what is published and audited of it."""

    enrollments: Sequence[Enrollment]
    steps: Sequence[Transition]
    events: Sequence[EnrollmentChanged]
    audit: Sequence[AuditEntry]
    actor: UUID | None
    at: datetime
