"""Whoever is decided at once is decided as the rules do, one after the other."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import count
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from dataforge.contexts.academics.catalog.domain import CourseState, Requirement, RequirementKind, Semester
from dataforge.contexts.academics.enrollment.domain.rules import Commitment, Hold, Override, SectionTerms, StudentFile
from dataforge.contexts.academics.enrollment.domain.statuses import EnrollmentStatus, Rule
from dataforge.contexts.academics.rosters.domain.plain_students import PlainStudents
from dataforge.contexts.academics.rosters.domain.rows import PlannedRow, RowAction
from dataforge.contexts.academics.rosters.domain.seats import SeatMap
from dataforge.contexts.academics.rosters.domain.student_rows import EnrollmentRow, Leaving, StudentRows
from dataforge.contexts.academics.sections.domain import Meeting, Seats, SectionState

NOW = datetime(2026, 9, 7, 12, tzinfo=UTC)
COURSES = [UUID(int=100 + number) for number in range(4)]
ACTIVE = [EnrollmentStatus.PENDING, EnrollmentStatus.ENROLLED, EnrollmentStatus.WAITLISTED, EnrollmentStatus.COMPLETED]
Sections = dict[UUID, tuple[SectionTerms, Seats]]


def _semester(add_by: date, max_credits: int) -> Semester:
    first, last = date(2026, 9, 1), date(2026, 12, 18)
    return Semester(UUID(int=1), "FALL", first, last, add_by, last, last, Decimal(max_credits), "UTC")


meetings = st.sampled_from([
    (),
    (Meeting(1, time(9), time(10)),),
    (Meeting(1, time(9, 30), time(11)),),
    (Meeting(2, time(9), time(10)), Meeting(1, time(9), time(10))),
    (Meeting(7, time(23), time(9, 30)),),
])  # fmt: skip


@st.composite
def schools(draw: st.DrawFn) -> Sections:
    """Six sections of four courses, most of which take everybody."""
    add_by = draw(st.sampled_from([date(2026, 9, 30), date(2026, 9, 30), date(2026, 9, 6)]))
    semester = _semester(add_by, draw(st.sampled_from([6, 9, 30])))
    needed = Requirement(1, UUID(int=199), "BEFORE", RequirementKind.CO)
    sections = {}
    for number in range(6):
        section_id, course_id = UUID(int=number + 10), COURSES[number % len(COURSES)]
        terms = SectionTerms(
            section_id=section_id,
            code=f"{number}",
            state=draw(st.sampled_from([SectionState.OPEN] * 5 + [SectionState.CLOSED])),
            course_id=course_id,
            course_code=f"C{course_id.int}",
            course_title="Course",
            course_state=CourseState.PUBLISHED,
            credits=Decimal(draw(st.sampled_from(["0", "2.5", "3"]))),
            semester=semester,
            meetings=draw(meetings),
            requirements=draw(st.sampled_from([(), (), (), (needed,)])),
        )
        taken, waiting = draw(st.integers(0, 2)), draw(st.sampled_from([0, 0, 1]))
        sections[section_id] = (terms, Seats(section_id, draw(st.integers(2, 5)), 2, taken, waiting, waiting))
    return sections


@st.composite
def students(draw: st.DrawFn, sections: Sections, numbers: "count[int]") -> StudentRows:
    """A student with up to four rows and up to two enrolments."""
    ids = list(sections)
    student = UUID(int=1000 + next(numbers))
    held = draw(st.lists(st.sampled_from([*ids, UUID(int=77)]), max_size=2, unique=True))
    commitments = tuple(
        _commitment(UUID(int=5000 + next(numbers)), sections, section, draw(st.sampled_from(ACTIVE)))
        for section in held
    )
    rows = draw(st.lists(st.sampled_from(ids), min_size=1, max_size=4, unique=True))
    rare = st.sampled_from([False, False, False, True])
    holds = (Hold(UUID(int=9), "FEES", "unpaid"),) if draw(rare) else ()
    overrides = {}
    if draw(rare):
        rules = frozenset({draw(st.sampled_from(list(Rule)))})
        overrides = {rows[0]: (Override(UUID(int=8), rules, "granted"),)}
    leaving = tuple(
        Leaving(next(numbers) + 10_000, item.enrollment_id, item.section_id, item.status, draw(st.booleans()))
        for item in commitments
        if item.section_id in sections
        and item.status in (EnrollmentStatus.ENROLLED, EnrollmentStatus.WAITLISTED)
        and draw(rare)
    )
    file = StudentFile(student, None, "Ada", holds=holds, commitments=commitments)
    return StudentRows(file, tuple(EnrollmentRow(next(numbers), section) for section in rows), overrides, leaving)


def _commitment(enrollment: UUID, sections: Sections, section: UUID, status: EnrollmentStatus) -> Commitment:
    terms = sections[section][0] if section in sections else next(iter(sections.values()))[0]
    semester = terms.semester
    here = section in sections
    return Commitment(
        enrollment_id=enrollment,
        status=status,
        section_id=section,
        section_code=terms.code,
        course_id=terms.course_id if here else UUID(int=98),
        course_code=terms.course_code,
        credits=terms.credits,
        semester_id=semester.id if here else UUID(int=2),
        starts_on=semester.starts_on,
        ends_on=semester.ends_on,
        meetings=terms.meetings,
        time_zone=semester.time_zone if here else "Europe/Berlin",
    )


def _judged(seats: SeatMap, groups: Sequence[StudentRows], waived: frozenset[Rule]) -> list[PlannedRow]:
    """The decisions, without the ids that new enrolments get."""
    decided = [row for group in groups for row in seats.decide(group, NOW, waived)]
    return [replace(row, entity_id=None if row.entity_id is None else UUID(int=0)) for row in decided]


@settings(max_examples=300, deadline=None)
@given(data=st.data(), waived=st.frozensets(st.sampled_from(list(Rule)), max_size=1))
def test_at_once_and_one_after_the_other_decide_the_same(data: st.DataObject, waived: frozenset[Rule]) -> None:
    sections = data.draw(schools())
    numbers = count(1)
    groups = [data.draw(students(sections, numbers)) for _ in range(data.draw(st.integers(1, 6)))]
    terms = {section: item for section, (item, _) in sections.items()}
    refusals: dict[int, PlannedRow] = {}
    for _ in range(len(groups) + 1):
        asked = SeatMap(sections, {}, refusals)
        both = SeatMap(sections, {}, refusals, PlainStudents(terms, NOW))

        assert _judged(both, groups, waived) == _judged(asked, groups, waived)

        assert (both.kept, both.again, both.refusals) == (asked.kept, asked.again, asked.refusals)
        refusals = asked.refusals


def test_a_student_without_anything_special_gets_a_seat_for_each_row_at_once() -> None:
    semester = _semester(date(2026, 9, 30), 9)
    sections = {
        UUID(int=number): SectionTerms(
            section_id=UUID(int=number),
            code="1",
            state=SectionState.OPEN,
            course_id=UUID(int=100 + number),
            course_code=f"C{number}",
            course_title="Course",
            course_state=CourseState.PUBLISHED,
            credits=Decimal(3),
            semester=semester,
            meetings=(Meeting(number, time(9), time(10)),),
        )
        for number in (1, 2, 3)
    }
    seats = {section: Seats(section, 1, 0) for section in sections}
    rows = tuple(EnrollmentRow(number, UUID(int=number)) for number in (1, 2, 3))

    decided = PlainStudents(sections, NOW).decide(StudentRows(StudentFile(UUID(int=7), None, "Ada"), rows), seats)

    assert [(row.row_no, row.action, row.outcome) for row in decided or ()] == [
        (number, RowAction.CREATE, "ENROLLED") for number in (1, 2, 3)
    ]
