"""From rows of the plan's queries to what the domain decides by, and back."""

from typing import Any
from uuid import UUID

import orjson

from dataforge.contexts.academics.enrollment.domain.statuses import EnrollmentStatus
from dataforge.contexts.academics.rosters.domain.absence import AbsentDecision, AbsentRow, UnusableRow
from dataforge.contexts.academics.rosters.domain.enrollments import PairRow, UnresolvedRow
from dataforge.contexts.academics.rosters.domain.people import KnownStudent, UserRow
from dataforge.contexts.academics.rosters.domain.rows import PlannedRow, RowAction, RowKind, StagedRow

# What a field of a line for COPY writes for these; JSON has no other control characters (RFC 8259, section 7).
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_NULL = r"\N"
_DIFFERING = {"first_name": "first_names", "last_name": "last_names", "email": "emails"}


def staged(row: Any) -> StagedRow:  # noqa: ANN401 - a row of CATALOG_ROWS or DOUBLED_ROWS
    """A row as it was staged."""
    conflict = row.reason if getattr(row, "action", None) == RowAction.CONFLICT else None
    return StagedRow(row.row_no, row.file, row.line, RowKind(row.kind), row.data, row.sourced_id, row.removed, conflict)


def staged_line(row: StagedRow) -> str:
    """A line of plan_sql.STAGE."""
    sourced_id = _NULL if row.sourced_id is None else row.sourced_id.translate(_ESCAPES)
    conflict = f"conflict\t{_json(row.conflict)}" if row.conflict else f"{_NULL}\t{_NULL}"
    return (
        f"{row.row_no}\t{row.file[-60:].translate(_ESCAPES)}\t{row.line}\t{row.kind}\t{sourced_id}\t"
        f"{'t' if row.removed else 'f'}\t{_json(row.data)}\t{conflict}\n"
    )


def decision_line(row: PlannedRow) -> str:
    """A line of plan_sql.COLLECT."""
    reason, data, changes = (_json(part) if part else _NULL for part in (row.reason, row.data, row.changes))
    wait_no = _NULL if row.wait_no is None else row.wait_no
    return (
        f"{row.row_no}\t{row.action}\t{reason}\t{row.entity_id or _NULL}\t{row.outcome or _NULL}\t{wait_no}\t"
        f"{data}\t{changes}\n"
    )


def _json(value: object) -> str:
    return orjson.dumps(value, default=str).decode().replace("\\", r"\\")


def user(row: Any, *, simple: bool) -> UserRow:  # noqa: ANN401 - a row of users()
    """A user row with whom it could mean."""
    differs = {field: row.data[key] for field, key in _DIFFERING.items() if key in row.data}
    return UserRow(
        row.row_no,
        row.line,
        row.sourced_id,
        row.data,
        simple,
        row.removed,
        tuple(row.twins or ()),
        differs or None,
        None if row.by_id is None else _student(row.by_id),
        tuple(map(_student, row.by_number or ())),
        tuple(map(_student, row.by_email or ())),
    )


def _student(part: list[Any]) -> KnownStudent:
    return KnownStudent(UUID(part[0]), *part[1:])


def unresolved(row: Any) -> UnresolvedRow:  # noqa: ANN401 - a row of UNRESOLVED
    """An enrolment row without a section or a student."""
    return UnresolvedRow(
        row.row_no,
        row.data,
        row.section_id,
        row.student_id,
        class_broken=bool(row.class_broken),
        class_removed=bool(row.class_removed),
        user_broken=bool(row.user_broken),
        user_removed=bool(row.user_removed),
        alike=tuple(row.alike or ()),
    )


def pair(row: Any) -> PairRow:  # noqa: ANN401 - a row of DOUBLED_PAIRS
    """One of several rows about one student in one section."""
    return PairRow(row.row_no, row.line, row.student_id, row.section_id, row.removed, row.broken)


def unusable(row: Any) -> UnusableRow:  # noqa: ANN401 - a row of UNUSABLE
    """A conflict and what it may be about."""
    return UnusableRow(
        row.line, RowKind(row.kind), row.sourced_id, row.data, tuple(row.students or ()), tuple(row.sections or ())
    )


def absent(row: Any) -> AbsentRow:  # noqa: ANN401 - a row of ABSENT
    """An enrolment that no line names."""
    data = {"number": row.number, "course_code": row.course_code, "section_code": row.section_code}
    return AbsentRow(row.id, row.student_id, row.section_id, EnrollmentStatus(row.status), row.by_themselves, data)


def absent_json(row_no: int, decided: AbsentDecision) -> dict[str, object]:
    """A row for ADD_ABSENT."""
    item = decided.absent
    return {
        "row_no": row_no,
        "data": item.data,
        "action": decided.action.value,
        "reason": decided.reason,
        "enrollment_id": item.enrollment_id,
        "student_id": item.student_id,
        "section_id": item.section_id,
        "outcome": item.status.value,
    }
