"""What the enrolment rows of a roster would do, before the rules of enrolment. Pure; the order of rows is no matter."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dataforge.contexts.academics.catalog.domain import Semester
from dataforge.contexts.academics.enrollment.domain.statuses import EnrollmentStatus, Rule
from dataforge.contexts.academics.rosters.domain.rows import (
    PlannedRow,
    RowAction,
    changes_between,
    conflict,
    ignored,
    spelled_lines,
)
from dataforge.kernel.texts import Text

OTHER_ROLE = Text("Only students, and primary teachers who are active instructors here, are taken over.")
OTHER_CLASS = Text("not a class of this semester")
NOT_ENROLLED = Text("not enrolled")


@dataclass(frozen=True, slots=True)
class UnresolvedRow:
    """A student's row without a section or without a student; `class_…` and `user_…` tell what became of their rows."""

    row_no: int
    data: Mapping[str, Any]
    section_id: UUID | None = None
    student_id: UUID | None = None
    class_broken: bool = False
    class_removed: bool = False
    user_broken: bool = False
    user_removed: bool = False
    alike: tuple[str, ...] = ()


def judge_unresolved(row: UnresolvedRow) -> PlannedRow:
    """Say which of both is missing, and why."""
    if row.section_id is None:
        return conflict(row.row_no, "unknown_section", _no_section(row))
    return conflict(row.row_no, "unknown_student", _no_student(row))


def _no_section(row: UnresolvedRow) -> str:
    if row.class_removed:
        return Text("The class {get} is marked as to be deleted; it takes nobody.", get=row.data.get("class"))
    if row.class_broken:
        return Text("The class {get} cannot be used; see the conflict of its row.", get=row.data.get("class"))
    name = row.data.get("class") or f"{row.data.get('course_code')} {row.data.get('section_code')}"
    if row.alike:
        return Text(
            "There is no section {name} in this semester, but {alike}, in other capitals.",
            name=name,
            alike=" and ".join(row.alike),
        )
    return Text("There is no section {name} in this semester.", name=name)


def _no_student(row: UnresolvedRow) -> str:
    name = row.data.get("number") or row.data.get("user")
    if row.user_removed:
        return Text("The user {name} is marked as to be deleted and is not enrolled.", name=name)
    if row.user_broken:
        return Text("The student {name} cannot be used; see the conflict of the user row.", name=name)
    return Text("There is no student {name} here or in the file.", name=name)


@dataclass(frozen=True, slots=True)
class TeacherRow:
    """A row of somebody who is no student; `user_id` is the instructor with the e-mail address of the user row."""

    row_no: int
    line: int
    role: str
    primary: str
    removed: bool
    section_id: UUID | None = None
    user_id: UUID | None = None
    instructor_id: UUID | None = None


def judge_teachers(rows: Iterable[TeacherRow]) -> list[PlannedRow]:
    """One instructor a section: the one primary teacher, or else the one teacher of whom the file does not say."""
    decided: list[PlannedRow] = []
    sections: dict[UUID, list[TeacherRow]] = {}
    for row in rows:
        teaches = row.role == "teacher" and row.primary in ("true", "") and not row.removed
        if teaches and row.section_id is not None and row.user_id is not None:
            sections.setdefault(row.section_id, []).append(row)
        else:
            decided.append(ignored(row.row_no, OTHER_ROLE))
    for teachers in sections.values():
        primary = [row for row in teachers if row.primary == "true"] or teachers
        decided += [ignored(row.row_no, OTHER_ROLE) for row in teachers if row not in primary]
        decided += _instructor(primary)
    return decided


def _instructor(rows: Sequence[TeacherRow]) -> list[PlannedRow]:
    first = min(rows, key=lambda row: row.row_no)
    if len({row.user_id for row in rows}) > 1:
        where = spelled_lines([row.line for row in rows])
        message = Text("The class has several primary teachers, on {where}; a section has one instructor.", where=where)
        return [conflict(row.row_no, "duplicate_in_file", message) for row in rows]
    action = RowAction.UNCHANGED if first.instructor_id == first.user_id else RowAction.CHANGE
    same = [row for row in rows if row is not first]
    repeated = [
        ignored(row.row_no, Text("Line {line} says the same.", line=first.line), rule="duplicate_in_file")
        for row in same
    ]
    was, now = ({"instructor_id": person and str(person)} for person in (first.instructor_id, first.user_id))
    changes = changes_between(was, now)
    return [PlannedRow(first.row_no, action, entity_id=first.user_id, changes=changes), *repeated]


@dataclass(frozen=True, slots=True)
class PairRow:
    """One of several rows about one student in one section; `broken` is one that cannot be used."""

    row_no: int
    line: int
    student_id: UUID
    section_id: UUID
    removed: bool
    broken: bool


def settle_pairs(rows: Iterable[PairRow]) -> list[PlannedRow]:
    """Decisions on rows that are not needed: a row that is there wins over one that drops, in any order.

    A drop beside a row that cannot be used is a conflict: that row may have wanted to keep the student.
    """
    pairs: dict[tuple[UUID, UUID], list[PairRow]] = {}
    for row in rows:
        pairs.setdefault((row.student_id, row.section_id), []).append(row)
    decided: list[PlannedRow] = []
    for same in pairs.values():
        usable = [row for row in same if not row.broken]
        living = [row for row in usable if not row.removed]
        broken = [row.line for row in same if row.broken]
        if not living and broken:
            message = Text(
                "The same student and section are on {broken}, which cannot be used.", broken=spelled_lines(broken)
            )
            decided += [conflict(row.row_no, "duplicate_in_file", message) for row in usable]
            continue
        first = min(living or usable, key=lambda row: row.row_no, default=None)
        for row in usable:
            if first is not None and row is not first:
                says = (
                    Text("says the same") if row.removed == first.removed else Text("keeps the student in the section")
                )
                decided.append(
                    ignored(
                        row.row_no, Text("Line {line} {says}.", line=first.line, says=says), rule="duplicate_in_file"
                    )
                )
    return decided


@dataclass(frozen=True, slots=True)
class Standing:
    """What a row comes to whose student is in the section already, with that status."""

    status: EnrollmentStatus
    action: RowAction
    reason: Mapping[str, object] | None = None
    removed: bool = False


def standings(semester: Semester, *, late: bool) -> tuple[Standing, ...]:
    """For every status that a row meets; `late`: the last day to drop has passed and is not waived."""
    kept = RowAction.UNCHANGED
    waits: dict[str, object] = {"message": Text("waits already")}
    leaves = Standing(EnrollmentStatus.ENROLLED, RowAction.DROP, removed=True)
    if late:
        leaves = Standing(EnrollmentStatus.ENROLLED, RowAction.CONFLICT, too_late(semester), removed=True)
    return (
        Standing(EnrollmentStatus.ENROLLED, kept),
        Standing(EnrollmentStatus.WAITLISTED, kept, waits),
        Standing(EnrollmentStatus.COMPLETED, kept),
        leaves,
        Standing(EnrollmentStatus.WAITLISTED, RowAction.DROP, removed=True),
        Standing(EnrollmentStatus.COMPLETED, kept, {"message": Text("has completed the section")}, removed=True),
    )


def too_late(semester: Semester) -> dict[str, object]:
    """Why nobody is dropped any more."""
    message = Text("The last day to drop was {drop_by}; waive drop_deadline to drop.", drop_by=semester.drop_by)
    return {"rule": Rule.DROP_DEADLINE.value, "message": message}
