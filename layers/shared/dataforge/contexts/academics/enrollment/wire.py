"""Requests and answers about enrolments."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from dataforge.contexts.academics.enrollment.domain.statuses import EnrollmentStatus
from dataforge.contexts.academics.wire import In, Number, Score
from dataforge.kernel.texts import Text


class EnrollmentIn(In):
    """Who wants to be enrolled, in a section or in the one open section of a course."""

    student_id: UUID
    course_id: UUID | None = None
    section_id: UUID | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "EnrollmentIn":
        if (self.course_id is None) == (self.section_id is None):
            message = Text("send either course_id or section_id")
            raise ValueError(message)
        return self


class ReasonIn(In):
    """Why, for the log."""

    reason: Annotated[str, Field(max_length=1_000)] = ""


class CompleteIn(ReasonIn):
    """The score from 0 to 100; none for a pass without one."""

    score: Score | None = None


class EnrollmentOut(BaseModel):
    """An enrolment as a command left it."""

    id: UUID
    student_id: UUID
    section_id: UUID
    status: EnrollmentStatus
    wait_no: int | None
    failure: dict[str, Any] | None
    score: Number | None
    requested_at: datetime
    decided_at: datetime | None


class EnrollmentDetail(EnrollmentOut):
    """An enrolment with the names of what it refers to."""

    section_code: str
    course_id: UUID
    course_code: str
    course_title: str
    semester_id: UUID
    semester_code: str
    student_number: str


class EventOut(BaseModel):
    """One step of an enrolment."""

    id: int
    enrollment_id: UUID
    from_: str | None = Field(alias="from")
    to: str
    reason: str
    rule: str | None
    facts: dict[str, Any]
    actor_id: UUID | None
    actor: str | None
    at: datetime
