"""A plan checks what applying enforces, whatever the order of lines; what still stands in the way is a 409."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, update

from dataforge.contexts.academics.catalog.commands import create_course
from dataforge.contexts.academics.rosters.domain.enrollments import OTHER_ROLE
from dataforge.contexts.academics.rosters.domain.plans import PlanRefused
from dataforge.contexts.academics.rosters.repository.plans import RosterPlans
from dataforge.contexts.identity.tables import users
from dataforge.kernel.principal import Role
from dataforge.platform.db.versioned_rows import Create
from tests.builders.academics import Campus
from tests.builders.api import ApiUnderTest
from tests.builders.rosters import apply, changes, oneroster_zip, plan, rows, school, simple_csv


async def rules(campus: Campus, made: dict[str, Any], kind: str) -> list[str | None]:
    return [(row["reason"] or {}).get("rule") for row in await rows(campus, made, kind)]


async def planned(campus: Campus, files: dict[str, Any], **options: Any) -> dict[str, Any]:
    return await plan(campus, oneroster_zip(**files), "oneroster", **options)


def copied(files: dict[str, Any], file: str, index: int = 0, **changed: Any) -> None:
    """Add a row that is another one but for some fields."""
    files[file].append({**files[file][index], **changed})


@pytest.fixture
async def fall(campus: Campus) -> UUID:
    """The semester FALL, which is the campus's."""
    campus._semester = await campus.semester(code="FALL")
    return campus._semester


@pytest.mark.parametrize(
    ("file", "kind", "changed"),
    [
        ("classes", "class", {"sourcedId": "k3"}),
        ("courses", "course", {"sourcedId": "c3"}),
        ("courses", "course", {"sourcedId": "c3", "courseCode": "cs-1"}),
        ("orgs", "org", {"sourcedId": "o3"}),
        ("orgs", "org", {"sourcedId": "o3", "identifier": "cmp"}),
        ("users", "user", {"sourcedId": "u9"}),
        ("users", "user", {"sourcedId": "u9", "identifier": "s1"}),
    ],
)
async def test_two_rows_with_one_code_are_both_conflicts_and_the_plan_applies(
    campus: Campus, fall: UUID, file: str, kind: str, changed: dict[str, Any]
) -> None:
    files = school()
    copied(files, file, **changed)
    new = changed["sourcedId"]
    if file == "courses":
        copied(files, "classes", sourcedId="k3", courseSourcedId=new)
    if file == "orgs":
        copied(files, "courses", sourcedId="c3", courseCode="CS-3", orgSourcedId=new)
        copied(files, "classes", sourcedId="k3", courseSourcedId="c3")
    if file == "users":
        copied(files, "enrollments", sourcedId="e7", userSourcedId=new)

    made = await planned(campus, files)
    await apply(campus, made)

    found = [row for row in await rows(campus, made, kind) if row["sourced_id"] in (files[file][0]["sourcedId"], new)]
    assert [row["reason"]["rule"] for row in found] == ["duplicate_in_file"] * 2
    lines = sorted(row["line"] for row in found)
    assert all(f"lines {lines[0]} and {lines[1]}" in row["reason"]["message"] for row in found)
    assert changes(await planned(campus, files)) == {}


async def test_a_code_that_another_course_has_names_that_course(campus: Campus, fall: UUID) -> None:
    await campus.run(
        create_course,
        Create(
            {
                "code": "cs-1", "title": "Old", "description": "", "department_id": await campus.department(),
                "state": "published", "sourced_id": "other",
            }
        ),
    )  # fmt: skip

    made = await planned(campus, school())
    await apply(campus, made)

    [row] = [row for row in await rows(campus, made, "course") if row["sourced_id"] == "c1"]
    assert row["reason"]["rule"] == "code_taken"
    assert "the course cs-1 (Old)" in row["reason"]["message"]


async def test_a_class_of_another_semester_is_not_taken_for_one_of_this(campus: Campus, fall: UUID) -> None:
    await apply(campus, await planned(campus, school()))
    files = school()
    campus._semester = await campus.semester(code="SPRING")
    files["academicSessions"][1] |= {"startDate": "2026-09-07", "endDate": "2026-12-18"}
    files["classes"][0]["termSourcedIds"] = "t1,t2"

    made = await planned(campus, files)
    await apply(campus, made)

    assert (await rules(campus, made, "class"))[0] == "sourced_id_taken"


async def test_long_codes_and_numbers_stay_different(campus: Campus, fall: UUID) -> None:
    files, long = school(), "district-4711-school-0815-section-of-"
    files["classes"][0] |= {"sourcedId": long + "one", "classCode": ""}
    copied(files, "classes", sourcedId=long + "two")
    files["enrollments"] = []
    for number, sourced_id in enumerate((long * 2 + "ada", long * 2 + "bob")):
        copied(files, "users", sourcedId=sourced_id, identifier="", givenName=f"New {number}")
        student = {"sourcedId": f"n{number}", "userSourcedId": sourced_id, "role": "student"}
        files["enrollments"].append({**student, "classSourcedId": long + "one"})

    await apply(campus, await planned(campus, files))

    sections = await campus.rows("SELECT code FROM academics.sections")
    students = await campus.rows("SELECT number FROM academics.students")
    assert len({row["code"] for row in sections}) == 2
    assert len({row["number"] for row in students}) == 2
    assert changes(await planned(campus, files)) == {}


async def test_codes_and_numbers_are_passed_on_and_swapped(campus: Campus, fall: UUID) -> None:
    files = school()
    copied(files, "courses", sourcedId="c3", courseCode="CS-3")
    copied(files, "classes", sourcedId="k3", classCode="B")
    copied(files, "classes", sourcedId="k4", courseSourcedId="c3")
    await apply(campus, await planned(campus, files))
    files["courses"][0]["courseCode"], files["courses"][2]["courseCode"] = "CS-3", "CS-1"
    files["classes"][0]["classCode"], files["classes"][2]["classCode"] = "B", "A"
    files["users"][0]["identifier"], files["users"][1]["identifier"] = "S2", "S1"

    made = await planned(campus, files)
    await apply(campus, made)

    courses = await campus.rows("SELECT sourced_id, code FROM academics.courses")
    sections = await campus.rows("SELECT sourced_id, code FROM academics.sections WHERE sourced_id IN ('k1', 'k3')")
    students = await campus.rows("SELECT sourced_id, number FROM academics.students WHERE number IN ('S1', 'S2')")
    assert changes(made) == {"course": {"change": 2}, "class": {"change": 2}, "user": {"change": 2}}
    assert {row["sourced_id"]: row["code"] for row in courses} == {"c1": "CS-3", "c3": "CS-1"}
    assert {row["sourced_id"]: row["code"] for row in sections} == {"k1": "B", "k3": "A"}
    assert {row["sourced_id"]: row["number"] for row in students} == {"u1": "S2", "u2": "S1"}
    assert changes(await planned(campus, files)) == {}


async def test_a_record_is_not_overwritten_by_somebody_with_the_same_address_or_number(
    campus: Campus, fall: UUID
) -> None:
    files = school()
    files["users"][0]["email"] = "x@example.org"
    await apply(campus, await planned(campus, files))
    other = school()
    other["users"][0] = {"sourcedId": "u7", "givenName": "Alan", "familyName": "T", "identifier": "S7",
                         "email": "X@example.org"}  # fmt: skip
    other["users"][1] = {"sourcedId": "u8", "givenName": "Kurt", "familyName": "G", "identifier": "S2"}
    for index, sourced_id in enumerate(("u7", "u8")):
        other["enrollments"][index]["userSourcedId"] = sourced_id

    made = await planned(campus, other, mode="full")
    await apply(campus, made)

    found = {row["sourced_id"]: row for row in await rows(campus, made, "user")}
    assert [found[key]["reason"]["rule"] for key in ("u7", "u8")] == ["identity_conflict"] * 2
    assert "sourcedId u1, number S1" in found["u7"]["reason"]["message"]
    assert "sourcedId u2, number S2" in found["u8"]["reason"]["message"]
    assert "drop" not in made["counts"]["enrollment"]
    names = await campus.rows("SELECT first_name FROM academics.students")
    assert {row["first_name"] for row in names} == {"Ada"}


async def test_a_number_in_a_simple_roster_with_another_name_and_address_is_a_conflict(campus: Campus) -> None:
    await campus.section(course=await campus.course("CS1"), code="A")
    await campus.student(number="1", first_name="Ada", last_name="Lovelace", email="x@example.org")
    where = {"course_code": "CS1", "section_code": "A"}

    reused = await plan(
        campus, simple_csv({"student_number": "1", "first_name": "Grace", "last_name": "Hopper", **where})
    )
    married = await plan(
        campus, simple_csv({"student_number": "1", "first_name": "Ada", "last_name": "Byron", **where})
    )
    mistyped = await plan(
        campus,
        simple_csv({"student_number": "l", "first_name": "Ada", "last_name": "Lovelace", "email": "x@example.org",
                    **where}),
    )  # fmt: skip

    assert await rules(campus, reused, "user") == ["identity_conflict"]
    assert changes(married)["user"] == {"change": 1}
    assert await rules(campus, mistyped, "user") == ["identity_conflict"]


async def test_lines_that_give_one_student_two_names_are_told(campus: Campus) -> None:
    for course in ("CS1", "CS2"):
        await campus.section(course=await campus.course(course), code="A")
    given = [
        {"student_number": "5", "course_code": "CS1", "section_code": "A", "first_name": "Ada", "last_name": "L"},
        {"student_number": "5", "course_code": "CS2", "section_code": "A", "first_name": "Ada", "last_name": "B"},
    ]

    plans = [await plan(campus, simple_csv(*lines)) for lines in (given, given[::-1])]

    for made in plans:
        assert made["counts"] == {"enrollment": {"conflict": 2}, "user": {"conflict": 1}}
        [user] = await rows(campus, made, "user")
        assert user["reason"]["message"] == "The lines of the student 5 say different things: last names B, L."


@pytest.mark.parametrize("order", [1, -1])
async def test_a_living_row_wins_over_a_drop_in_any_order(campus: Campus, order: int) -> None:
    section = await campus.section(course=await campus.course("CS1"), code="A")
    await campus.enroll(await campus.student(number="1"), section)
    where = {"student_number": "1", "course_code": "CS1", "section_code": "A"}
    lines = [{**where, "status": "drop"}, {**where, "status": "active"}][::order]

    made = await plan(campus, simple_csv(*lines))

    assert made["counts"]["enrollment"] == {"unchanged": 1, "ignored": 1}


@pytest.mark.parametrize("mode", ["additive", "full"])
@pytest.mark.parametrize("order", [1, -1])
async def test_two_sections_of_one_course_are_conflicts_in_any_order(campus: Campus, order: int, mode: str) -> None:
    course = await campus.course("CS1")
    for code in ("A", "B", "C"):
        await campus.section(course=course, code=code, capacity=5)
    student = await campus.student(number="1")
    [third] = await campus.rows("SELECT id FROM academics.sections WHERE code = 'C'")
    await campus.enroll(student, third["id"])
    given = [
        {"student_number": number, "course_code": "CS1", "section_code": code, "first_name": name, "last_name": name}
        for number, name, code in (
            *(("1", "", "A"), ("1", "", "B")),
            *(("2", "New", "A"), ("2", "New", "B")),
            ("3", "Other", "B"),
        )
    ]

    made = await plan(campus, simple_csv(*given[::order]), mode=mode)
    await apply(campus, made)

    refused = [row for row in await rows(campus, made) if row["action"] == "conflict"]
    assert [row["data"]["number"] for row in refused] == ["1", "1", "2", "2"][::order]
    assert {row["reason"]["message"] for row in refused} == {
        "The file has the student in the sections A, B of CS1; a student is in one section of a course."
    }
    assert await campus.rows(
        "SELECT s.number, sec.code FROM academics.enrollments e JOIN academics.students s ON s.id = e.student_id "
        "JOIN academics.sections sec ON sec.id = e.section_id WHERE e.status = 'ENROLLED' ORDER BY 1"
    ) == [{"number": "1", "code": "C"}, {"number": "3", "code": "B"}]
    assert changes(await plan(campus, simple_csv(*given[::order]), mode=mode)) == {}


@pytest.mark.parametrize("order", [1, -1])
async def test_one_instructor_is_found_in_any_order(campus: Campus, api: ApiUnderTest, fall: UUID, order: int) -> None:
    grace = await api.add_user(Role.INSTRUCTOR, email="grace@example.org")
    await api.add_user(Role.INSTRUCTOR, email="alan@example.org")
    files = school()
    copied(files, "users", 4, sourcedId="p2", givenName="Alan", email="alan@example.org")
    copied(files, "enrollments", 4, sourcedId="e10", userSourcedId="p2", primary="")
    files["enrollments"] = files["enrollments"][::order]

    await apply(campus, await planned(campus, files))

    [section] = await campus.rows("SELECT instructor_id FROM academics.sections")
    assert section["instructor_id"] == grace
    assert changes(await planned(campus, files)) == {}


async def test_two_primary_teachers_of_one_class_are_conflicts(campus: Campus, api: ApiUnderTest, fall: UUID) -> None:
    for name in ("grace", "alan"):
        await api.add_user(Role.INSTRUCTOR, email=f"{name}@example.org")
    files = school()
    copied(files, "users", 4, sourcedId="p2", givenName="Alan", email="alan@example.org")
    copied(files, "enrollments", 4, sourcedId="e10", userSourcedId="p2")

    made = await planned(campus, files)
    await apply(campus, made)

    found = [row["reason"]["rule"] for row in await rows(campus, made) if row["data"]["role"] == "teacher"]
    [section] = await campus.rows("SELECT instructor_id FROM academics.sections")
    assert (found, section["instructor_id"]) == (["duplicate_in_file"] * 2, None)


async def test_a_teacher_who_is_suspended_is_not_taken_over(campus: Campus, api: ApiUnderTest, fall: UUID) -> None:
    now = api.platform.clock.now()
    await api.add_user(Role.INSTRUCTOR, email="grace@example.org", suspended_at=now)

    made = await planned(campus, school())
    await apply(campus, made)

    [section] = await campus.rows("SELECT instructor_id FROM academics.sections")
    [row] = [row for row in await rows(campus, made) if row["data"]["role"] == "teacher"]
    assert (row["action"], row["reason"]["message"]) == ("ignored", OTHER_ROLE)
    assert section["instructor_id"] is None
    assert changes(await planned(campus, school())) == {}


async def test_a_teacher_who_only_claims_the_address_is_not_taken_over(
    campus: Campus, api: ApiUnderTest, fall: UUID
) -> None:
    claimed = await api.add_user(Role.INSTRUCTOR, email="grace@example.org", email_confirmed_at=None)
    made = await planned(campus, school())
    await apply(campus, made)
    [before] = await campus.rows("SELECT instructor_id FROM academics.sections")

    async with api.database.transaction() as connection:
        await connection.execute(update(users).where(users.c.id == claimed).values(email_confirmed_at=func.now()))
    await apply(campus, await planned(campus, school()))
    [after] = await campus.rows("SELECT instructor_id FROM academics.sections")

    assert (before["instructor_id"], after["instructor_id"]) == (None, claimed)


async def test_the_same_sourced_id_with_other_content_is_nobodys(campus: Campus, fall: UUID) -> None:
    files = school()
    copied(files, "users", familyName="Byron")
    copied(files, "users", 1)

    made = await planned(campus, files)

    found = await rows(campus, made, "user")
    assert [row["reason"]["rule"] for row in found if row["sourced_id"] == "u1"] == ["duplicate_in_file"] * 2
    assert [row["action"] for row in found if row["sourced_id"] == "u2"] == ["create", "ignored"]


async def test_credits_that_would_be_rounded_are_refused(campus: Campus, fall: UUID) -> None:
    for worth in ("999.999", "1.005"):
        files = school()
        files["courses"][0]["metadata.credits"] = worth

        made = await planned(campus, files)
        await apply(campus, made)

        assert (await rules(campus, made, "course"))[0] == "unreadable"


async def test_what_no_plan_looked_at_and_the_database_refuses_is_a_conflict(
    campus: Campus, api: ApiUnderTest, fall: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await planned(campus, school())
    await campus.course("CS-1")

    async def as_it_was(*_: object) -> str:
        return str(made["state_fingerprint"])

    # As if the course had been created in the moment between the look and the insert.
    monkeypatch.setattr(RosterPlans, "fingerprint", as_it_was)
    with pytest.raises(PlanRefused) as caught:
        await apply(campus, made)
    registrar = await api.as_role(Role.REGISTRAR)
    answer = await registrar.post(f"/api/rosters/plans/{made['id']}/apply", json={"plan_hash": made["plan_hash"]})

    assert caught.value.facts == {"constraint": "uq_courses_code_ci"}
    assert (answer.status_code, answer.json()["code"]) == (409, "plan_refused")
    assert await campus.rows("SELECT 1 FROM academics.sections") == []


async def test_an_accent_of_its_own_makes_nobody_another_student(campus: Campus, api: ApiUnderTest) -> None:
    await campus.section(course=await campus.course("CS1"), code="A")
    registrar, apart = await api.as_role(Role.REGISTRAR), "E\u0301"
    student = {"number": f"{apart}9", "first_name": f"{apart}va", "last_name": "L"}
    assert (await registrar.post("/api/students", json=student)).json()["number"] == "\u00c99"
    place = {"course_code": "CS1", "section_code": "A"}

    for letter in (apart, "\u00c9"):
        line = {"student_number": f"{letter}9", "first_name": f"{letter}va", "last_name": "L", **place}
        made = await plan(campus, simple_csv(line, line))
        assert made["counts"]["user"] == {"unchanged": 1}
    longer = await registrar.post("/api/students", json={**student, "number": "\u0958" * 64})
    assert longer.status_code == 400  # it would have 128 characters
