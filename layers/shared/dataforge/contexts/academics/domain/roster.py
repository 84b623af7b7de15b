"""Rosters: the rows of a file, and what a plan decides for each of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from dataforge.contexts.academics.domain.enrollment import Enrollment
from dataforge.contexts.academics.domain.rules import Application, Commitment, Override, SectionTerms, StudentFile
from dataforge.contexts.academics.domain.seats import Seats
from dataforge.contexts.academics.domain.status import EnrollmentStatus, Rule
from dataforge.kernel.ids import uuid7


class RowKind(StrEnum):
    """What a row of a roster describes; the OneRoster file names without their plural."""

    ORG = "org"
    SESSION = "session"
    COURSE = "course"
    CLASS = "class"
    USER = "user"
    ENROLLMENT = "enrollment"


class RowAction(StrEnum):
    """What applying a plan does with a row."""

    CREATE = "create"
    CHANGE = "change"
    DROP = "drop"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class StagedRow:
    """One line of a roster, in one shape for both formats; `line` counts from 1, the header included."""

    row_no: int
    file: str
    line: int
    kind: RowKind
    data: Mapping[str, object]
    sourced_id: str | None = None
    removed: bool = False
    conflict: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class EnrollmentRow:
    """An enrolment row whose student and section are known."""

    row_no: int
    section_id: UUID


@dataclass(frozen=True, slots=True)
class StudentRows:
    """All undecided enrolment rows of one student, in the order of the file.

    `overrides` are the student's by section; `dropped` the enrolments that the same plan ends.
    """

    student: StudentFile
    rows: tuple[EnrollmentRow, ...]
    overrides: Mapping[UUID, tuple[Override, ...]] = field(default_factory=dict)
    dropped: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """The decision on one enrolment row."""

    row_no: int
    action: RowAction
    reason: Mapping[str, object] = field(default_factory=dict)
    enrollment_id: UUID | None = None
    outcome: str | None = None
    wait_no: int | None = None


class SeatMap:
    """The sections of a semester with their seats, as they fill up while a roster is gone through in order."""

    def __init__(
        self, sections: Mapping[UUID, tuple[SectionTerms, Seats]], freed: Mapping[UUID, tuple[int, int]]
    ) -> None:
        self._terms = {section: terms for section, (terms, _) in sections.items()}
        self._seats = {section: seats for section, (_, seats) in sections.items()}
        for section, (seats, places) in freed.items():
            now = self._seats[section]
            self._seats[section] = replace(
                now, enrolled_count=now.enrolled_count - seats, waitlisted_count=now.waitlisted_count - places
            )

    def decide(self, group: StudentRows, now: datetime, waived: frozenset[Rule]) -> list[PlannedRow]:
        """What the rules of enrolment say to each row of a student, each in the light of those before it."""
        left = {item.course_id: item for item in group.student.commitments if item.enrollment_id in group.dropped}
        student = replace(
            group.student,
            commitments=tuple(item for item in group.student.commitments if item.enrollment_id not in group.dropped),
        )
        planned: list[PlannedRow] = []
        for row in group.rows:
            terms, seats = self._terms[row.section_id], self._seats[row.section_id]
            if not terms.takes_enrollments:
                reason = {
                    "rule": "not_open",
                    "message": f"The course is {terms.course_state}, the section {terms.state}.",
                }
                planned.append(PlannedRow(row.row_no, RowAction.CONFLICT, reason))
                continue
            with_overrides = replace(student, overrides=group.overrides.get(row.section_id, ()))
            asked = Enrollment.request(uuid7(), student.student_id, row.section_id, now)
            decision = asked.confirm(Application(terms, with_overrides, now, waived), seats)
            if decision.refusal is not None:
                planned.append(PlannedRow(row.row_no, RowAction.CONFLICT, decision.refusal.as_failure()))
                continue
            self._seats[row.section_id] = decision.seats
            after = decision.enrollment
            student = replace(student, commitments=(*student.commitments, _commitment(after, terms)))
            why = _why(decision.seats.capacity > seats.capacity, left.get(terms.course_id))
            action = RowAction.CHANGE if terms.course_id in left else RowAction.CREATE
            planned.append(PlannedRow(row.row_no, action, why, after.id, after.status.value, after.wait_no))
        return planned


def _why(raised: bool, moved_from: Commitment | None) -> dict[str, object]:  # noqa: FBT001 - one of two facts
    reason: dict[str, object] = {"capacity_raised": True} if raised else {}
    if moved_from is not None:
        reason["message"] = f"moved from section {moved_from.section_code}"
    return reason


def _commitment(enrollment: Enrollment, terms: SectionTerms) -> Commitment:
    return Commitment(
        enrollment_id=enrollment.id,
        status=EnrollmentStatus(enrollment.status),
        section_id=terms.section_id,
        section_code=terms.code,
        course_id=terms.course_id,
        course_code=terms.course_code,
        credits=terms.credits,
        semester_id=terms.semester.id,
        starts_on=terms.semester.starts_on,
        ends_on=terms.semester.ends_on,
        meetings=terms.meetings,
        time_zone=terms.semester.time_zone,
    )
