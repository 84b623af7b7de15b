"""Rosters: the rows of a file, and what a plan decides for each of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from dataforge.contexts.academics.domain.rules import StudentFile


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
    """All undecided enrolment rows of one student, in the order of the file."""

    student: StudentFile
    rows: tuple[EnrollmentRow, ...]


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """The decision on one enrolment row."""

    row_no: int
    action: RowAction
    reason: Mapping[str, object] = field(default_factory=dict)
    enrollment_id: UUID | None = None
    outcome: str | None = None
    wait_no: int | None = None
