"""The enrolment's state machine and the seats of a section."""

from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.academics.catalog.domain import CourseState, Semester, next_course_state, search_words
from dataforge.contexts.academics.enrollment.domain.enrollment import Enrollment
from dataforge.contexts.academics.enrollment.domain.rules import Application, Hold, SectionTerms, StudentFile, judge
from dataforge.contexts.academics.enrollment.domain.statuses import EnrollmentStatus, Rule
from dataforge.contexts.academics.sections.domain import CapacityBelowEnrolled, Meeting, Seats, SectionState
from dataforge.kernel.errors import InvalidTransition
from tests.builders.time import NOW

ID = UUID(int=1)
SEMESTER = Semester(
    UUID(int=2),
    "S",
    date(2026, 9, 7),
    date(2026, 12, 18),
    date(2026, 9, 18),
    date(2026, 10, 2),
    date(2026, 11, 13),
    Decimal(18),
)
TERMS = SectionTerms(
    ID, "001", SectionState.OPEN, UUID(int=3), "CS1", "Computing", CourseState.PUBLISHED, Decimal(3), SEMESTER
)
FILE = StudentFile(UUID(int=4), None, "Ada Lovelace")


def asked(*, waived: frozenset[Rule] = frozenset()) -> Application:
    return Application(TERMS, FILE, NOW, waived)


def pending() -> Enrollment:
    return Enrollment.request(UUID(int=5), FILE.student_id, ID, NOW)


@pytest.mark.parametrize("status", [status for status in EnrollmentStatus if status is not EnrollmentStatus.PENDING])
def test_only_a_pending_enrolment_is_confirmed(status: EnrollmentStatus) -> None:
    with pytest.raises(InvalidTransition):
        replace(pending(), status=status).confirm(asked(), Seats(ID, 1, 0))


@pytest.mark.parametrize(
    "status",
    [item for item in EnrollmentStatus if item not in (EnrollmentStatus.ENROLLED, EnrollmentStatus.WAITLISTED)],
)
def test_only_who_is_in_or_waits_can_drop(status: EnrollmentStatus) -> None:
    with pytest.raises(InvalidTransition):
        replace(pending(), status=status).drop(SEMESTER, Seats(ID, 1, 0), NOW, "why not")


def test_a_free_seat_is_not_given_past_those_who_wait() -> None:
    seats = Seats(ID, capacity=2, waitlist_capacity=5, enrolled_count=1, waitlisted_count=1, wait_seq=1)

    decision = pending().confirm(asked(), seats)
    examined = pending().confirm(asked(), seats, queue_examined=True)

    assert (decision.enrollment.status, decision.enrollment.wait_no) == ("WAITLISTED", 2)
    assert examined.enrollment.status == "ENROLLED"


def test_rules_are_asked_in_order_and_lifted_ones_are_named() -> None:
    held = replace(asked(), student=replace(FILE, holds=(Hold(ID, "LIB", "books"),)), now=NOW + timedelta(days=30))

    refusal, _ = judge(held)
    later, lifted = judge(replace(held, waived=frozenset({Rule.HOLD})))

    assert refusal is not None
    assert refusal.rule is Rule.HOLD
    assert later is not None
    assert (later.rule, lifted) == (Rule.WINDOW, (Rule.HOLD,))


def test_a_capacity_below_what_is_taken_is_refused() -> None:
    with pytest.raises(CapacityBelowEnrolled, match="3 seats are taken"):
        Seats(ID, 5, 5, enrolled_count=3).resize(2, 5)


@given(st.integers(0, 5), st.integers(0, 5), st.lists(st.booleans(), max_size=30))
def test_seats_are_never_oversold_by_any_order_of_coming_and_going(
    capacity: int, waitlist: int, coming: list[bool]
) -> None:
    seats = Seats(ID, capacity, waitlist)
    present: list[Enrollment] = []
    numbers: list[int] = []
    for comes in coming:
        if comes or not present:
            decision = pending().confirm(asked(), seats)
            if decision.refusal is None:
                present.append(decision.enrollment)
                numbers += [decision.enrollment.wait_no] if decision.enrollment.wait_no else []
        else:
            decision = present.pop(0).drop(SEMESTER, seats, NOW, "leaves")
        seats = decision.seats
        assert 0 <= seats.enrolled_count <= capacity
        assert 0 <= seats.waitlisted_count <= waitlist
        assert seats.enrolled_count + seats.waitlisted_count == len(present)
    assert numbers == list(range(1, len(numbers) + 1))


@given(st.times(), st.times(), st.times(), st.times(), st.integers(1, 7), st.integers(1, 7))
def test_overlap_is_symmetric_and_means_a_shared_minute(a: time, b: time, c: time, d: time, x: int, y: int) -> None:
    one, two = Meeting(x, min(a, b), max(a, b)), Meeting(y, min(c, d), max(c, d))

    assert one.overlaps(two) == two.overlaps(one)
    shared = x == y and max(one.starts, two.starts) < min(one.ends, two.ends)
    nonempty = one.starts < one.ends and two.starts < two.ends
    assert not nonempty or one.overlaps(two) == shared


@given(st.sampled_from(CourseState), st.sampled_from(CourseState))
def test_a_course_never_goes_back(now: CourseState, wanted: CourseState) -> None:
    order = list(CourseState)

    if order.index(wanted) - order.index(now) in (0, 1):
        assert next_course_state(now, wanted) is wanted
    else:
        with pytest.raises(InvalidTransition):
            next_course_state(now, wanted)


@given(st.text())
def test_search_words_hold_letters_and_digits_only(text: str) -> None:
    assert all(word.isalnum() or not word.isascii() for word in search_words(text).split())
