"""A full roster drops whoever no line speaks of, and nobody because of a line that cannot be used."""

from typing import Any
from uuid import UUID

import pytest

from dataforge.contexts.academics.rosters.domain.plans import DropsUnconfirmed
from dataforge.kernel.principal import Principal, Role
from tests.builders.academics import Campus
from tests.builders.api import ApiUnderTest
from tests.builders.rosters import apply, changes, oneroster_zip, plan, rows, school, simple_csv


def line(number: str, course: str = "CS1", section: str = "A", **more: Any) -> dict[str, Any]:
    return {"student_number": number, "course_code": course, "section_code": section, **more}


async def kept(campus: Campus, made: dict[str, Any]) -> list[tuple[str, str]]:
    """Who is left out and kept: number and rule."""
    found = [row for row in await rows(campus, made) if row["action"] == "kept"]
    return [(row["data"]["number"], row["reason"]["rule"]) for row in found]


@pytest.fixture
async def section(campus: Campus) -> UUID:
    """CS1 A with the students 1, 2 and 3 in it."""
    section = await campus.section(course=await campus.course("CS1"), code="A", capacity=5, waitlist_capacity=2)
    for number in ("1", "2", "3"):
        await campus.enroll(await campus.student(number=number), section)
    return section


@pytest.mark.parametrize(
    "broken",
    [
        line("1", status="gone"),
        line("1", email="notmail"),
        line("1", section="Z"),
        line("1", course="CS9"),
        line("1", first_name="x" * 256),
        line("1", course=""),
    ],
)
async def test_a_line_that_cannot_be_used_keeps_its_student(
    campus: Campus, section: UUID, broken: dict[str, Any]
) -> None:
    made = await plan(campus, simple_csv(broken, line("2")), mode="full")

    assert made["counts"]["enrollment"]["conflict"] == 1
    dropped = [row["data"]["number"] for row in await rows(campus, made) if row["action"] == "drop"]
    assert dropped == ["3"]


@pytest.mark.parametrize("number", ["9", ""])
async def test_a_line_of_nobody_known_keeps_its_class(campus: Campus, section: UUID, number: str) -> None:
    made = await plan(campus, simple_csv(line(number), line("2")), mode="full")

    assert changes(made) == {}
    assert await kept(campus, made) == [("1", "unusable_line"), ("3", "unusable_line")]


@pytest.mark.parametrize("broken", [b"1,2\n", b"9,,,,CS9,Z,\n", b",N,N,,,,\n", b"\x00,,,,CS1,A,\n"])
async def test_a_line_about_nobody_and_nothing_that_is_known_keeps_everybody(
    campus: Campus, section: UUID, broken: bytes
) -> None:
    made = await plan(campus, simple_csv(line("2")) + broken, mode="full")

    assert changes(made) == {}
    assert len(await kept(campus, made)) == 2


async def test_capitals_of_codes_and_numbers_drop_nobody(campus: Campus) -> None:
    section = await campus.section(course=await campus.course("Cs1"), code="Aa")
    await campus.enroll(await campus.student(number="n1"), section)

    made = await plan(campus, simple_csv(line("N1", "cS1", "aA")), mode="full")

    assert made["counts"]["enrollment"] == {"unchanged": 1}


async def test_capitals_count_where_two_sections_differ_in_nothing_else(campus: Campus) -> None:
    course = await campus.course("CS1")
    upper, lower = await campus.section(course=course, code="AB"), await campus.section(course=course, code="ab")
    for number, section in (("1", upper), ("2", lower)):
        await campus.enroll(await campus.student(number=number), section)

    exact = await plan(campus, simple_csv(line("1", section="AB"), line("2", section="ab")), mode="full")
    unclear = await plan(campus, simple_csv(line("1", section="AB"), line("2", section="Ab")), mode="full")

    assert exact["counts"]["enrollment"] == {"unchanged": 2}
    assert changes(unclear) == {}
    [conflict] = [row for row in await rows(campus, unclear) if row["action"] == "conflict"]
    assert conflict["reason"]["message"].endswith("but CS1 AB and CS1 ab, in other capitals.")


async def test_one_implied_drop_must_be_confirmed_and_one_that_is_asked_for_need_not(
    campus: Campus, section: UUID
) -> None:
    asked = await plan(campus, simple_csv(line("1", status="drop")))
    implied = await plan(campus, simple_csv(line("1"), line("2")), mode="full")

    for wrong in (None, 0, 2):
        with pytest.raises(DropsUnconfirmed, match="send confirm_drops: 1"):
            await apply(campus, implied, confirm_drops=wrong)
    await apply(campus, asked, confirm_drops=None)

    assert (asked["implied_drops"], implied["implied_drops"]) == (0, 1)
    assert await campus.statuses(section) == {"ENROLLED": 2, "DROPPED": 1}


async def test_without_a_mode_only_what_is_named_is_dropped(campus: Campus, section: UUID) -> None:
    made = await plan(campus, simple_csv(line("1", status="drop")))

    assert made["counts"]["enrollment"] == {"drop": 1}


async def test_those_who_wait_and_are_left_out_leave_the_waitlist(campus: Campus) -> None:
    section = await campus.section(course=await campus.course("CS1"), code="A", capacity=1, waitlist_capacity=3)
    for number in ("1", "2", "3"):
        await campus.enroll(await campus.student(number=number), section)
    content = simple_csv(line("3"))

    made = await plan(campus, content, mode="full")
    await apply(campus, made)
    await campus.promote(section)
    again = await plan(campus, content, mode="full")

    assert changes(made) == {"enrollment": {"drop": 2}}
    assert changes(again) == {}
    assert await campus.statuses(section) == {"DROPPED": 2, "ENROLLED": 1}
    assert await campus.broken_invariants(section) == []


async def test_those_who_enrolled_themselves_are_dropped_only_when_the_caller_says_so(
    campus: Campus, api: ApiUnderTest
) -> None:
    section = await campus.section(course=await campus.course("CS1"), code="A")
    user = await api.add_user(Role.LEARNER)
    student = await campus.student(number="1", user_id=user)
    await campus.enroll(student, section, Principal(user, Role.LEARNER, "ada"))
    await campus.enroll(await campus.student(number="2"), section)

    usual = await plan(campus, simple_csv(line("9", status="drop"), line("2", status="drop")), mode="full")
    asked = await plan(campus, simple_csv(line("2")), mode="full", drop_self_enrolled=True)
    plain = await plan(campus, simple_csv(line("2")), mode="full")

    assert await kept(campus, usual) == [("1", "unusable_line")]
    assert await kept(campus, plain) == [("1", "self_enrolled")]
    assert (changes(plain), changes(asked)) == ({}, {"enrollment": {"drop": 1}})


async def test_a_student_who_is_refused_where_the_file_has_them_stays_where_they_are(campus: Campus) -> None:
    course = await campus.course("CS1")
    one = await campus.section(course=course, code="A", capacity=2)
    two = await campus.section(course=course, code="B", capacity=1, waitlist_capacity=0)
    await campus.enroll(await campus.student(number="1"), one)
    await campus.enroll(await campus.student(number="2"), two)
    content = simple_csv(line("1", section="B"), line("2", section="B"))

    made = await plan(campus, content, mode="full")

    assert changes(made) == {}
    assert await kept(campus, made) == [("1", "refused_elsewhere")]
    [conflict] = [row for row in await rows(campus, made) if row["action"] == "conflict"]
    assert conflict["reason"]["rule"] == "capacity"


async def test_a_seat_that_is_not_freed_after_all_is_given_to_nobody(campus: Campus) -> None:
    course = await campus.course("CS1")
    one = await campus.section(course=course, code="A", capacity=1, waitlist_capacity=0)
    two = await campus.section(course=course, code="B", capacity=1, waitlist_capacity=0)
    await campus.enroll(await campus.student(number="1"), one)
    await campus.enroll(await campus.student(number="2"), two)
    await campus.student(number="3")
    # 3 would get the seat that 1 leaves, but 1 does not get into B.
    content = simple_csv(line("3", section="A"), line("1", section="B"), line("2", section="B"))

    made = await plan(campus, content, mode="full")
    await apply(campus, made)

    assert changes(made) == {}
    assert await kept(campus, made) == [("1", "refused_elsewhere")]
    assert changes(await plan(campus, content, mode="full")) == {}


async def test_two_who_change_places_do(campus: Campus) -> None:
    course = await campus.course("CS1")
    sections = {
        code: await campus.section(course=course, code=code, capacity=1, waitlist_capacity=0) for code in ("A", "B")
    }
    await campus.enroll(await campus.student(number="1"), sections["A"])
    await campus.enroll(await campus.student(number="2"), sections["B"])
    content = simple_csv(line("1", section="B"), line("2", section="A"))

    made = await plan(campus, content, mode="full")
    await apply(campus, made)

    assert changes(made) == {"enrollment": {"change": 2, "drop": 2}}
    assert changes(await plan(campus, content, mode="full")) == {}
    for section in sections.values():
        assert await campus.broken_invariants(section) == []


async def linked(campus: Campus) -> UUID:
    """The school's FALL semester with everything of its archive applied."""
    await campus.semester(code="FALL")
    campus._semester = (await campus.rows("SELECT id FROM academics.semesters"))[0]["id"]
    await apply(campus, await plan(campus, oneroster_zip(**school()), "oneroster"))
    [section] = await campus.rows("SELECT id FROM academics.sections")
    return UUID(str(section["id"]))


@pytest.mark.parametrize(
    ("file", "index", "field", "value"),
    [
        ("courses", 0, "courseCode", ""),
        ("courses", 0, "sourcedId", "c1x"),
        ("courses", 0, "sourcedId", ""),
        ("courses", 0, "status", "tobedeleted"),
        ("classes", 0, "metadata.capacity", "1"),
        ("classes", 0, "metadata.capacity", "many"),
        ("classes", 0, "courseSourcedId", "c9"),
        ("classes", 0, "termSourcedIds", "t2"),
        ("classes", 0, "termSourcedIds", "t1x"),
        ("classes", 0, "status", "perhaps"),
        ("classes", 0, "status", "tobedeleted"),
        ("classes", 0, "sourcedId", ""),
        ("classes", 0, "sourcedId", "k9"),
        ("users", 0, "givenName", ""),
        ("users", 0, "sourcedId", ""),
        ("users", 0, "sourcedId", "u1x"),
        ("users", 0, "email", "notmail"),
        ("users", 0, "status", "gone"),
        ("users", 0, "status", "tobedeleted"),
        ("enrollments", 0, "status", "perhaps"),
        ("enrollments", 0, "userSourcedId", "nobody"),
        ("enrollments", 0, "userSourcedId", ""),
        ("enrollments", 0, "classSourcedId", "k9"),
        ("enrollments", 0, "classSourcedId", ""),
        ("enrollments", 0, "sourcedId", ""),
        ("enrollments", 0, "sourcedId", "e2"),
        ("enrollments", 0, "role", "studnet"),
        ("enrollments", 0, "role", ""),
    ],
)
async def test_a_bad_line_of_an_archive_drops_nobody(
    campus: Campus, file: str, index: int, field: str, value: str
) -> None:
    section = await linked(campus)
    broken = school()
    broken[file][index][field] = value

    made = await plan(campus, oneroster_zip(**broken), "oneroster", mode="full")

    assert "drop" not in made["counts"]["enrollment"]
    await apply(campus, made)
    assert (await campus.statuses(section))["ENROLLED"] == 2
    assert changes(await plan(campus, oneroster_zip(**broken), "oneroster", mode="full")) == {}


@pytest.mark.parametrize("term", ["t1x", "T1"])
async def test_a_class_whose_session_is_misspelt_drops_nobody_from_a_section_of_its_code(
    campus: Campus, term: str
) -> None:
    campus._semester = await campus.semester(code="FALL")
    section = await campus.section(course=await campus.course("CS-1"), code="A")
    await campus.enroll(await campus.student(number="S1"), section)
    files = school()
    files["classes"][0]["termSourcedIds"] = term

    made = await plan(campus, oneroster_zip(**files), "oneroster", mode="full")

    assert "drop" not in made["counts"]["enrollment"]
    assert [(row["reason"] or {}).get("rule") for row in await rows(campus, made, "class")] == ["unknown_session", None]


async def test_an_archive_that_leaves_a_student_out_drops_them(campus: Campus) -> None:
    section = await linked(campus)
    shorter = school()
    del shorter["enrollments"][0]

    made = await plan(campus, oneroster_zip(**shorter), "oneroster", mode="full")
    await apply(campus, made)

    assert changes(made) == {"enrollment": {"drop": 1}}
    assert (await campus.statuses(section))["DROPPED"] == 1


async def test_a_class_that_is_too_small_drops_nobody_not_even_by_a_line_that_asks_for_it(campus: Campus) -> None:
    # Otherwise the drop would make it large enough, and the same file would say something else the next time.
    section = await linked(campus)
    smaller = school()
    smaller["classes"][0]["metadata.capacity"] = "1"
    smaller["enrollments"][0]["status"] = "tobedeleted"

    made = await plan(campus, oneroster_zip(**smaller), "oneroster", mode="full")
    await apply(campus, made)

    assert changes(made) == {}
    assert (await campus.statuses(section))["ENROLLED"] == 2


async def test_a_drop_in_a_class_that_the_file_deletes_is_done(campus: Campus) -> None:
    section = await linked(campus)
    closing = school()
    closing["classes"][0]["status"] = "tobedeleted"
    closing["enrollments"][0]["status"] = "tobedeleted"

    made = await plan(campus, oneroster_zip(**closing), "oneroster", mode="full")
    await apply(campus, made)

    assert changes(made) == {"enrollment": {"drop": 1}}
    assert (await campus.statuses(section))["DROPPED"] == 1
    assert changes(await plan(campus, oneroster_zip(**closing), "oneroster", mode="full")) == {}
