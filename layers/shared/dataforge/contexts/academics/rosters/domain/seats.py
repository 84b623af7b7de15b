"""The seats of a semester as they fill up while a roster is gone through, student by student."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from dataforge.contexts.academics.enrollment.domain.enrollment import Enrollment
from dataforge.contexts.academics.enrollment.domain.rules import (
    Application,
    Commitment,
    SectionTerms,
)
from dataforge.contexts.academics.enrollment.domain.statuses import EnrollmentStatus, Rule
from dataforge.contexts.academics.rosters.domain.plain_students import PlainStudents
from dataforge.contexts.academics.rosters.domain.rows import PlannedRow, RowAction, changes_between, conflict
from dataforge.contexts.academics.rosters.domain.student_rows import EnrollmentRow, Leaving, StudentRows
from dataforge.contexts.academics.sections.domain import Seats
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text


class SeatMap:
    """The sections of a semester with their seats; `freed` are the seats and waitlist places that the plan frees.

    A student of whom a row is refused is not dropped elsewhere for being left out: the file wanted them somewhere.
    Such enrolments are in `kept`. When a seat of theirs was given away before that was known, `again` is true, and all
    students must be judged again without freeing it; `refusals` hands over what was refused then. With `plain`,
    students whom no rule can refuse are not asked about one rule after the other.
    """

    def __init__(
        self,
        sections: Mapping[UUID, tuple[SectionTerms, Seats]],
        freed: Mapping[UUID, tuple[int, int]],
        refusals: Mapping[int, PlannedRow] | None = None,
        plain: PlainStudents | None = None,
    ) -> None:
        self._plain = plain
        self.kept: list[Leaving] = []
        self.refusals: dict[int, PlannedRow] = dict(refusals or {})
        self.again = False
        self._terms = {section: terms for section, (terms, _) in sections.items()}
        self._seats = {section: seats for section, (_, seats) in sections.items()}
        self._given: set[UUID] = set()
        for section, (seats, places) in freed.items():
            now = self._seats[section]
            self._seats[section] = replace(
                now, enrolled_count=now.enrolled_count - seats, waitlisted_count=now.waitlisted_count - places
            )

    def decide(self, group: StudentRows, now: datetime, waived: frozenset[Rule]) -> list[PlannedRow]:
        """What the rules of enrolment say to each row of a student, in the light of those before and of each other."""
        plain = self._decide_plainly(group)
        if plain is not None:
            return plain
        trial = _Trial(self._terms, self._seats, group, now, waived, self.refusals)
        refused = {row.row_no: row for row in trial.planned if row.action is RowAction.CONFLICT}
        implied = tuple(item for item in group.leaving if item.implied)
        if refused and implied:
            self._keep(implied, refused)
            stays = replace(group, leaving=tuple(item for item in group.leaving if not item.implied))
            trial = _Trial(self._terms, self._seats, stays, now, waived, self.refusals)
        self._seats.update(trial.seats)
        self._given.update(trial.seats)
        return trial.planned

    def _decide_plainly(self, group: StudentRows) -> list[PlannedRow] | None:
        if self._plain is None or (self.refusals and any(row.row_no in self.refusals for row in group.rows)):
            return None
        decided = self._plain.decide(group, self._seats)
        if decided is not None:
            for row in group.rows:
                self._seats[row.section_id] = self._seats[row.section_id].take()
                self._given.add(row.section_id)
        return decided

    def _keep(self, implied: tuple[Leaving, ...], refused: Mapping[int, PlannedRow]) -> None:
        self.kept += implied
        self.refusals.update(refused)
        for item in implied:
            if item.section_id in self._given:
                self.again = True
                continue
            seats = self._seats[item.section_id]
            back = seats.take() if item.status is EnrollmentStatus.ENROLLED else _wait_again(seats)
            self._seats[item.section_id] = back


def _wait_again(seats: Seats) -> Seats:
    return replace(seats, waitlisted_count=seats.waitlisted_count + 1)


class _Trial:
    """One student's rows against the seats there are; nothing is taken from the map."""

    def __init__(
        self,
        terms: Mapping[UUID, SectionTerms],
        seats: Mapping[UUID, Seats],
        group: StudentRows,
        now: datetime,
        waived: frozenset[Rule],
        refusals: Mapping[int, PlannedRow],
    ) -> None:
        self.seats: dict[UUID, Seats] = {}
        self._terms, self._before, self._group, self._now, self._waived = terms, seats, group, now, waived
        leaving = {item.enrollment_id for item in group.leaving}
        commitments = group.student.commitments
        self._left = {item.course_id: item for item in commitments if item.enrollment_id in leaving}
        self._student = group.student
        if leaving:
            staying = tuple(item for item in commitments if item.enrollment_id not in leaving)
            self._student = replace(group.student, commitments=staying)
        decided = {row.row_no: refusals[row.row_no] for row in group.rows if row.row_no in refusals}
        decided |= {row.row_no: row for row in self._contradicting(group.rows) if row.row_no not in decided}
        todo = [row for row in group.rows if row.row_no not in decided]
        # A row may need another one of the same file, as corequisites do: those refused are asked again after it.
        while todo:
            asked = {row.row_no: self._decide(row) for row in todo}
            decided |= asked
            refused = [row for row in todo if asked[row.row_no].action is RowAction.CONFLICT]
            todo = refused if len(refused) < len(todo) else []
        self.planned = [decided[row.row_no] for row in group.rows]

    def _contradicting(self, rows: tuple[EnrollmentRow, ...]) -> list[PlannedRow]:
        """Rows that put the student into several sections of one course: which of them is first means nothing."""
        courses: dict[UUID, list[tuple[EnrollmentRow, SectionTerms]]] = {}
        for row in rows:
            terms = self._terms[row.section_id]
            if terms.takes_enrollments:
                courses.setdefault(terms.course_id, []).append((row, terms))
        found: list[PlannedRow] = []
        for same in courses.values():
            sections = sorted({terms.code for _, terms in same})
            if len(sections) > 1:
                message = Text(
                    "The file has the student in the sections {sections} of {course_code}; "
                    "a student is in one section of a course.",
                    sections=", ".join(sections),
                    course_code=same[0][1].course_code,
                )
                found += [conflict(row.row_no, Rule.DUPLICATE.value, message, sections=sections) for row, _ in same]
        return found

    def _decide(self, row: EnrollmentRow) -> PlannedRow:
        terms, seats = self._terms[row.section_id], self.seats.get(row.section_id) or self._before[row.section_id]
        if not terms.takes_enrollments:
            message = Text(
                "The course is {course_state}, the section {state}.", course_state=terms.course_state, state=terms.state
            )
            return conflict(row.row_no, "not_open", message)
        student, overrides = self._student, self._group.overrides.get(row.section_id)
        if overrides is not None:
            student = replace(student, overrides=overrides)
        enrollment = Enrollment.request(uuid7(), student.student_id, row.section_id, self._now)
        decision = enrollment.confirm(Application(terms, student, self._now, self._waived), seats)
        if decision.refusal is not None:
            return PlannedRow(row.row_no, RowAction.CONFLICT, decision.refusal.as_failure())
        self.seats[row.section_id] = decision.seats
        after = decision.enrollment
        self._student = replace(self._student, commitments=(*self._student.commitments, _commitment(after, terms)))
        left = self._left.get(terms.course_id)
        why = _why(left, raised=decision.seats.capacity > seats.capacity)
        action = RowAction.CREATE if left is None else RowAction.CHANGE
        changes = {} if left is None else _moved(left, terms, after)
        return PlannedRow(row.row_no, action, why, after.id, after.status.value, after.wait_no, changes=changes)


def _why(moved_from: Commitment | None, *, raised: bool) -> dict[str, object]:
    reason: dict[str, object] = {"capacity_raised": True} if raised else {}
    if moved_from is not None:
        reason["message"] = Text("moved from section {section_code}", section_code=moved_from.section_code)
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


def _moved(left: Commitment, terms: SectionTerms, after: Enrollment) -> dict[str, dict[str, object]]:
    was = {"section_code": left.section_code, "status": left.status.value}
    return changes_between(was, {"section_code": terms.code, "status": after.status.value})
