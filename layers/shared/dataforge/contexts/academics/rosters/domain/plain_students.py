"""Students of whom no rule of enrolment can refuse anything, decided at once: most of a roster.

Every rule is looked at, but for many rows together and without what a refusal would need: whoever is not plainly
through is asked one rule after the other, as everybody else is. So this may only say yes where the rules do.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from dataforge.contexts.academics.enrollment.domain.rules import SectionTerms
from dataforge.contexts.academics.enrollment.domain.statuses import EnrollmentStatus
from dataforge.contexts.academics.rosters.domain.rows import PlannedRow, RowAction
from dataforge.contexts.academics.rosters.domain.student_rows import StudentRows
from dataforge.contexts.academics.sections.domain import Seats
from dataforge.kernel.ids import uuid7

_ENROLLED = EnrollmentStatus.ENROLLED.value


class _Offer:
    """A section with what is asked of it for every row; two are the same only if they are one object."""

    __slots__ = ("asks_nothing", "clashes", "course_id", "credits", "meets", "terms")

    def __init__(self, terms: SectionTerms, now: datetime) -> None:
        semester = terms.semester
        in_time = semester.today(now) <= semester.add_by
        self.terms = terms
        self.course_id = terms.course_id
        self.credits = terms.credits
        self.meets = bool(terms.meetings)
        self.asks_nothing = terms.takes_enrollments and in_time and not terms.requirements
        self.clashes: dict[_Offer, bool] = {}

    def clashes_with(self, other: "_Offer") -> bool:
        """Whether both meet at some same minute; looked up once for each pair."""
        clash = self.clashes.get(other)
        if clash is None:
            clash = self.terms.timetable.clash(other.terms.timetable) is not None
            self.clashes[other] = other.clashes[self] = clash
        return clash


class PlainStudents:
    """Decides students against the seats of one semester's sections; `now` is the plan's instant."""

    def __init__(self, terms: Mapping[UUID, SectionTerms], now: datetime) -> None:
        self._offers = {section: _Offer(item, now) for section, item in terms.items()}

    def decide(self, group: StudentRows, seats: Mapping[UUID, Seats]) -> list[PlannedRow] | None:
        """A seat for each row, or None: the rules have to be asked."""
        student = group.student
        if student.holds or group.overrides or group.leaving:
            return None
        asked = [self._offers[row.section_id] for row in group.rows]
        offers = asked if not student.commitments else self._with_commitments(group, asked)
        if offers is None or not _fit(asked, offers):
            return None
        for row in group.rows:
            free = seats[row.section_id]
            if free.waitlisted_count or free.enrolled_count >= free.capacity:
                return None
        return [PlannedRow(row.row_no, RowAction.CREATE, {}, uuid7(), _ENROLLED) for row in group.rows]

    def _with_commitments(self, group: StudentRows, asked: list[_Offer]) -> list[_Offer] | None:
        """Also the sections that the student is in or waits for; None when one is not of this semester."""
        commitments = group.student.commitments
        held = [self._offers[item.section_id] for item in commitments if item.section_id in self._offers]
        return [*asked, *held] if len(held) == len(commitments) else None


def _fit(asked: list[_Offer], offers: list[_Offer]) -> bool:
    """Whether sections that ask for nothing are of one course each, meet at different times, within the credits."""
    if len({offer.course_id for offer in offers}) < len(offers):
        return False
    for offer in asked:
        if not offer.asks_nothing:
            return False
    semester = asked[0].terms.semester
    if sum((offer.credits for offer in offers), Decimal(0)) > semester.max_credits:
        return False
    meeting = [offer for offer in offers if offer.meets]
    return not any(one.clashes_with(other) for number, one in enumerate(meeting) for other in meeting[number + 1 :])
