"""Who is absent from a full roster. Absent means that no line speaks of the student in the section.

A line that cannot be used still speaks of somebody: of its student, whatever the section; of everybody in its section,
when the student is unknown; and of anybody, when both are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dataforge.contexts.academics.catalog.domain import Semester
from dataforge.contexts.academics.enrollment.domain.statuses import EnrollmentStatus
from dataforge.contexts.academics.rosters.domain.enrollments import too_late
from dataforge.contexts.academics.rosters.domain.rows import RowAction, RowKind
from dataforge.kernel.texts import Text

NOT_IN_FILE = Text("not in the file")


@dataclass(frozen=True, slots=True)
class UnusableRow:
    """A conflict, and the students and sections that it may be about; `role` is empty where it cannot be read."""

    line: int
    kind: RowKind
    sourced_id: str | None
    data: Mapping[str, Any]
    students: tuple[UUID, ...] = ()
    sections: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class AbsentRow:
    """An enrolment that no line names; `by_themselves`: the student asked for it."""

    enrollment_id: UUID
    student_id: UUID
    section_id: UUID
    status: EnrollmentStatus
    by_themselves: bool
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AbsentDecision:
    """What a full roster does with an enrolment that it leaves out."""

    absent: AbsentRow
    action: RowAction
    reason: Mapping[str, object]


class Shields:
    """What the unusable lines of a file speak of. User rows come first: enrolment rows name them."""

    def __init__(self) -> None:
        self._students: dict[UUID, int] = {}
        self._sections: dict[UUID, int] = {}
        self._users: set[str] = set()
        self._anybody: int | None = None

    def add(self, row: UnusableRow) -> None:
        """Take one unusable line into account."""
        if row.kind is RowKind.ENROLLMENT:
            self._add_enrollment(row)
        elif row.sourced_id is None and not row.students:
            self._shield_anybody(row.line)
        elif row.kind is RowKind.USER:
            self._shield(self._students, row.students, row.line)
            if row.students and row.sourced_id is not None:
                self._users.add(row.sourced_id)
        elif row.kind is RowKind.CLASS:
            self._shield(self._sections, row.sections, row.line)

    def _add_enrollment(self, row: UnusableRow) -> None:
        if row.data.get("role", "student") != "student":
            return
        if row.students:
            self._shield(self._students, row.students, row.line)
        elif row.data.get("user") in self._users:
            return
        elif row.sections:
            self._shield(self._sections, row.sections, row.line)
        else:
            self._shield_anybody(row.line)

    def _shield(self, shields: dict[UUID, int], ids: tuple[UUID, ...], line: int) -> None:
        for item in ids:
            shields[item] = min(line, shields.get(item, line))

    def _shield_anybody(self, line: int) -> None:
        self._anybody = min(line, self._anybody if self._anybody is not None else line)

    def reason(self, absent: AbsentRow) -> dict[str, object] | None:
        """Why somebody who is absent may be the one that an unusable line speaks of; None: no line does."""
        if self._anybody is not None:
            whom, line = "anybody", self._anybody
        elif absent.student_id in self._students:
            whom, line = Text("this student"), self._students[absent.student_id]
        elif absent.section_id in self._sections:
            whom, line = Text("anybody in this section"), self._sections[absent.section_id]
        else:
            return None
        message = Text(
            "{not_in_file}, but line {line} cannot be used and may be about {whom}",
            not_in_file=NOT_IN_FILE,
            line=line,
            whom=whom,
        )
        return {"rule": "unusable_line", "message": message, "line": line}


def judge_absent(
    absent: AbsentRow, shields: Shields, semester: Semester, *, late: bool, drop_self_enrolled: bool
) -> AbsentDecision:
    """Drop, or keep and say why."""
    shielded = shields.reason(absent)
    if shielded is not None:
        return AbsentDecision(absent, RowAction.KEPT, shielded)
    if absent.by_themselves and not drop_self_enrolled:
        message = Text(
            "{not_in_file}, but enrolled by their own request; drop_self_enrolled drops them too",
            not_in_file=NOT_IN_FILE,
        )
        return AbsentDecision(absent, RowAction.KEPT, {"rule": "self_enrolled", "message": message})
    if late and absent.status is EnrollmentStatus.ENROLLED:
        return AbsentDecision(absent, RowAction.CONFLICT, too_late(semester))
    return AbsentDecision(absent, RowAction.DROP, {"message": NOT_IN_FILE})
