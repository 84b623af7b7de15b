"""Generated rosters and states: planned again, an applied roster is empty, and the order of its lines is no matter."""

from collections import Counter
from collections.abc import Sequence
from itertools import count
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders.academics import Campus, Desk
from tests.builders.rosters import apply, changes, plan, rows, simple_csv

KNOWN, NEW, GHOST = ("1", "2", "n3"), ("4",), "9"
SECTIONS = {"CS1": ("A", "Bb"), "CS2": ("A",)}
PAIRS = [(course, code) for course, codes in SECTIONS.items() for code in codes]

# A line as (number, course, section, status): known, new and unknown students, sections in other capitals or not there.
numbers = st.sampled_from([*KNOWN, "N3", *NEW, GHOST])
places = st.sampled_from([("CS1", "A"), ("cs1", "Bb"), ("CS1", "bB"), ("CS2", "A"), ("CS2", "a"), ("CS2", "Z")])
statuses = st.sampled_from(["", "", "active", "drop", "bad"])
lines = st.lists(st.tuples(numbers, places, statuses), max_size=7)
enrolled = st.lists(st.tuples(st.sampled_from(KNOWN), st.sampled_from(PAIRS)), max_size=6, unique=True)

Pair = tuple[str, str, str]
Line = tuple[str, tuple[str, str], str]
counter = count(1)
SETTINGS = settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))


class Term:
    """A semester of its own with students of its own, so that examples do not meet."""

    def __init__(self, campus: Campus, prefix: str) -> None:
        self.campus = campus
        self.prefix = prefix
        self.sections: dict[tuple[str, str], UUID] = {}

    @classmethod
    async def open(cls, campus: Campus, **limits: Any) -> "Term":
        term = cls(campus, f"P{next(counter)}-")
        campus._semester = await campus.semester(max_credits=99)
        for course, codes in SECTIONS.items():
            course_id = await campus.course(term.prefix + course)
            for code in codes:
                values = {"capacity": 20, **limits}
                term.sections[course, code] = await campus.section(course=course_id, code=code, **values)
        for number in KNOWN:
            await campus.student(number=term.prefix + number)
        return term

    async def enroll(self, number: str, place: tuple[str, str]) -> None:
        [student] = await self.campus.rows(
            "SELECT id FROM academics.students WHERE number = :number", number=self.prefix + number
        )
        await self.campus.enroll(student["id"], self.sections[place])

    def file(self, given: Sequence[Line]) -> bytes:
        return simple_csv(
            *(
                {
                    "student_number": self.prefix + number,
                    "course_code": self.prefix + course,
                    "section_code": code,
                    "status": status,
                    **({"first_name": "New", "last_name": number.upper()} if number in NEW else {}),
                }
                for number, (course, code), status in given
            )
        )

    async def members(self) -> set[Pair]:
        found = await self.campus.rows(
            "SELECT s.number, c.code AS course, sec.code FROM academics.enrollments e "
            "JOIN academics.students s ON s.id = e.student_id JOIN academics.sections sec ON sec.id = e.section_id "
            "JOIN academics.courses c ON c.id = sec.course_id "
            "WHERE sec.semester_id = :semester AND e.status = 'ENROLLED'",
            semester=await self.campus.semester(),
        )
        start = len(self.prefix)
        return {(row["number"][start:], row["course"][start:], row["code"]) for row in found}


def expected(before: set[Pair], given: Sequence[Line], *, full: bool) -> set[Pair]:
    """Who is where afterwards by the words of the specification, with seats for everybody."""
    spelled = {(course.lower(), code.lower()): (course, code) for course, code in PAIRS}
    known = {number.lower(): number for number in KNOWN}
    new = {n for n, _, status in given if n in NEW and status in ("", "active")}
    known |= {number: number for number in new}
    living: list[Pair] = []
    dropped: set[Pair] = set()
    broken: list[tuple[str | None, tuple[str, str] | None]] = []
    for number, (course, code), status in given:
        student, place = known.get(number.lower()), spelled.get((course.lower(), code.lower()))
        if status == "bad" or student is None or place is None:
            broken.append((student, place))
        elif status == "drop":
            dropped.add((student, *place))
        else:
            living.append((student, *place))
    spoken = {(student, *place) for student, place in broken if student and place}
    after = {pair for pair in before if pair not in dropped or pair in living or pair in spoken}
    refused: set[str] = set()
    wanted = {pair for pair in living if pair not in before}
    for student, course, code in living:
        if (student, course, code) in wanted and sum(pair[:2] == (student, course) for pair in wanted) > 1:
            refused.add(student)
            continue
        elsewhere = {pair for pair in after if pair[:2] == (student, course)} - {(student, course, code)}
        leaves = {pair for pair in elsewhere if full and not _kept(pair, broken) and pair not in {*living, *dropped}}
        if elsewhere - leaves:
            refused.add(student)
        else:
            after.add((student, course, code))
    if full:
        named = {*living, *dropped, *spoken}
        after = {p for p in after if p in named or p[0] in refused or _kept(p, broken)}
    return after


def _kept(pair: Pair, broken: Sequence[tuple[str | None, tuple[str, str] | None]]) -> bool:
    return any(
        student == pair[0] or (student is None and place == pair[1:]) or (student is None and place is None)
        for student, place in broken
    )


@SETTINGS
@given(before=enrolled, given_lines=lines, full=st.booleans(), order=st.randoms(use_true_random=False))
def test_a_roster_does_what_its_lines_say_in_any_order_and_only_once(
    desk: Desk, before: list[tuple[str, tuple[str, str]]], given_lines: list[Line], full: bool, order: Any
) -> None:
    shuffled = list(given_lines)
    order.shuffle(shuffled)
    desk.do(_check(desk.campus, before, given_lines, shuffled, "full" if full else "additive"))


async def _check(
    campus: Campus,
    before: list[tuple[str, tuple[str, str]]],
    given_lines: list[Line],
    shuffled: list[Line],
    mode: str,
) -> None:
    term = await Term.open(campus)
    for number, place in before:
        await term.enroll(number, place)
    held = await term.members()

    first = await plan(campus, term.file(given_lines), mode=mode)
    other = await plan(campus, term.file(shuffled), mode=mode)

    assert _actions(await rows(campus, first)) == _actions(await rows(campus, other))
    await apply(campus, first)
    assert await term.members() == expected(held, given_lines, full=mode == "full")
    assert changes(await plan(campus, term.file(given_lines), mode=mode)) == {}


def _actions(found: list[dict[str, Any]]) -> Counter[tuple[Any, ...]]:
    """What happens to whom where, without the lines that say so."""
    return Counter(
        (str(row["data"].get("number")).lower(), row["section_id"], row["action"], row["outcome"]) for row in found
    )


@SETTINGS
@given(
    before=enrolled,
    given_lines=lines,
    capacity=st.integers(0, 2),
    waitlist=st.integers(0, 2),
)
def test_seats_are_kept_and_an_applied_full_roster_is_empty_also_after_promotions(
    desk: Desk, before: list[tuple[str, tuple[str, str]]], given_lines: list[Line], capacity: int, waitlist: int
) -> None:
    desk.do(_check_seats(desk.campus, before, given_lines, capacity, waitlist))


async def _check_seats(
    campus: Campus, before: list[tuple[str, tuple[str, str]]], given_lines: list[Line], capacity: int, waitlist: int
) -> None:
    term = await Term.open(campus, capacity=capacity, waitlist_capacity=waitlist)
    for number, place in before:
        await term.enroll(number, place)
    content = term.file(given_lines)

    await apply(campus, await plan(campus, content, mode="full"))

    assert changes(await plan(campus, content, mode="full")) == {}
    for section in term.sections.values():
        await campus.promote(section)
        assert await campus.broken_invariants(section) == []
    # A promotion frees a place on the waitlist, which somebody of the file may get; it makes nobody absent.
    later = changes(await plan(campus, content, mode="full")).get("enrollment", {})
    assert "drop" not in later
