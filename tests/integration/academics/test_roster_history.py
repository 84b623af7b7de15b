"""Plans of rosters as a list with their history; what a row changes, before and after; the template."""

from typing import Any

import httpx
import pytest

from dataforge.kernel.principal import Role
from tests.builders.academics import Campus
from tests.builders.api import ApiUnderTest
from tests.builders.rosters import apply, oneroster_zip, plan, school, simple_csv

CSV = {"Content-Type": "text/csv"}


def line(number: str, section: str = "A", **more: Any) -> dict[str, Any]:
    return {"student_number": number, "course_code": "CS1", "section_code": section, **more}


async def changed_rows(registrar: httpx.AsyncClient, plan_id: object, kind: str, action: str) -> list[tuple[Any, Any]]:
    """Before and after of the rows of a plan, over HTTP."""
    answer = await registrar.get(f"/api/rosters/plans/{plan_id}/rows", params={"kind": kind, "action": action})
    assert answer.status_code == 200, answer.text
    return [(row["before"], row["after"]) for row in answer.json()["items"]]


async def test_plans_are_listed_with_who_made_and_who_applied_them(api: ApiUnderTest, campus: Campus) -> None:
    await campus.section(course=await campus.course("CS1"), code="A")
    semester, registrar = await campus.semester(), await api.as_role(Role.REGISTRAR)
    admin = await api.add_user(Role.ADMIN, display_name="Grace Hopper")
    content = simple_csv(line("1", first_name="Ada", last_name="L"))
    plans = [await registrar.post(f"/api/rosters/{semester}/plans", content=content, headers=CSV) for _ in range(3)]
    first = plans[0].json()
    applying = await (await api.as_user(admin, Role.ADMIN)).post(
        f"/api/rosters/plans/{first['id']}/apply", json={"plan_hash": first["plan_hash"]}
    )

    listed = (await registrar.get("/api/rosters/plans")).json()["items"]
    applied = (await registrar.get("/api/rosters/plans", params={"state": "applied"})).json()["items"]
    elsewhere = {"semester_id": str(await campus.semester(code="OTHER"))}

    assert applying.status_code == 200, applying.text
    assert [item["id"] for item in listed] == [answer.json()["id"] for answer in reversed(plans)]
    assert [(item["id"], item["applied_by_name"], item["has_rows"]) for item in applied] == [
        (first["id"], "Grace Hopper", True)
    ]
    assert listed[0]["created_by_name"].startswith("Registrar")
    assert (await registrar.get("/api/rosters/plans", params=elsewhere)).json()["items"] == []
    page = (await registrar.get("/api/rosters/plans", params={"limit": 2})).json()
    rest = (await registrar.get("/api/rosters/plans", params={"limit": 2, "cursor": page["next_cursor"]})).json()
    assert [item["id"] for item in page["items"] + rest["items"]] == [item["id"] for item in listed]
    assert (await (await api.as_role(Role.INSTRUCTOR)).get("/api/rosters/plans")).status_code == 403


async def test_a_change_of_a_student_says_what_was_before_and_what_is_after(api: ApiUnderTest, campus: Campus) -> None:
    await campus.section(course=await campus.course("CS1"), code="A")
    registrar = await api.as_role(Role.REGISTRAR)
    await campus.student(number="1", first_name="Ada", last_name="Byron", email="ada@example.org")
    await campus.student(number="2", first_name="Alan", last_name="Turing")

    made = await plan(
        campus,
        simple_csv(line("1", last_name="Lovelace", email="lovelace@example.org"), line("2", first_name="Alan")),
    )

    assert await changed_rows(registrar, made["id"], "user", "change") == [
        ({"last_name": "Byron", "email": "ada@example.org"}, {"last_name": "Lovelace", "email": "lovelace@example.org"})
    ]
    assert await changed_rows(registrar, made["id"], "user", "unchanged") == [(None, None)]


async def test_a_move_and_a_drop_say_what_becomes_of_the_enrolment(api: ApiUnderTest, campus: Campus) -> None:
    course, registrar = await campus.course("CS1"), await api.as_role(Role.REGISTRAR)
    one = await campus.section(course=course, code="A", capacity=1)
    await campus.section(course=course, code="B")
    await campus.enroll(await campus.student(number="1"), one)
    await campus.enroll(await campus.student(number="2"), one)

    made = await plan(campus, simple_csv(line("1", "B")), mode="full")

    assert await changed_rows(registrar, made["id"], "enrollment", "change") == [
        ({"section_code": "A"}, {"section_code": "B"})
    ]
    assert await changed_rows(registrar, made["id"], "enrollment", "drop") == [
        ({"status": "ENROLLED"}, {"status": "DROPPED"}),
        ({"status": "WAITLISTED"}, {"status": "DROPPED"}),
    ]


async def test_changes_of_the_catalogue_say_which_fields_become_different(api: ApiUnderTest, campus: Campus) -> None:
    registrar = await api.as_role(Role.REGISTRAR)
    await campus.semester(code="FALL")
    campus._semester = (await campus.rows("SELECT id FROM academics.semesters"))[0]["id"]
    teachers = [await api.add_user(Role.INSTRUCTOR, email=f"{name}@example.org") for name in ("grace", "alan")]
    first = await plan(campus, oneroster_zip(**school()), "oneroster")
    linked = await changed_rows(registrar, first["id"], "session", "change")
    await apply(campus, first)
    changed = school()
    changed["orgs"][0]["name"] = "Informatics"
    changed["courses"][0] |= {"title": "Beginnings", "metadata.credits": "5"}
    changed["classes"][0]["metadata.capacity"] = "3"
    changed["users"][0] |= {"familyName": "Byron", "identifier": "S99"}
    changed["users"][-1]["email"] = "alan@example.org"

    made = await plan(campus, oneroster_zip(**changed), "oneroster")

    assert linked == [({"sourced_id": None}, {"sourced_id": "t1"})]
    assert await changed_rows(registrar, made["id"], "org", "change") == [
        ({"name": "Computing"}, {"name": "Informatics"})
    ]
    assert await changed_rows(registrar, made["id"], "course", "change") == [
        ({"title": "Introduction", "credits": 4.0}, {"title": "Beginnings", "credits": 5.0})
    ]
    assert await changed_rows(registrar, made["id"], "class", "change") == [({"capacity": 2}, {"capacity": 3})]
    assert await changed_rows(registrar, made["id"], "user", "change") == [
        ({"last_name": "L1", "number": "S1"}, {"last_name": "Byron", "number": "S99"})
    ]
    assert await changed_rows(registrar, made["id"], "enrollment", "change") == [
        ({"instructor_id": str(teachers[0])}, {"instructor_id": str(teachers[1])})
    ]


@pytest.mark.parametrize(("separator", "first"), [("comma", b","), ("semicolon", b";"), ("tab", b"\t")])
async def test_the_template_becomes_a_plan_when_it_is_filled_in(
    api: ApiUnderTest, campus: Campus, separator: str, first: bytes
) -> None:
    await campus.section(course=await campus.course("CS1"), code="A")
    registrar, semester = await api.as_role(Role.REGISTRAR), await campus.semester()
    template = await registrar.get("/api/rosters/template.csv", params={"separator": separator, "excel": "true"})

    content = template.content + first.join((b"1", b"CS1", b"A", b"Ada", "Lövelace".encode(), b"", b"")) + b"\r\n"
    answer = await registrar.post(f"/api/rosters/{semester}/plans", content=content, headers=CSV)

    assert template.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert template.headers["Content-Disposition"] == 'attachment; filename="roster.csv"'
    assert answer.json()["counts"] == {"user": {"create": 1}, "enrollment": {"create": 1}}
    assert (await registrar.get("/api/rosters/template.csv", params={"separator": "bar"})).status_code == 400
    assert (await (await api.as_role(Role.LEARNER)).get("/api/rosters/template.csv")).status_code == 403


@pytest.mark.parametrize(
    "header", ["Student Number;Course Code;Section Code", "studentNumber\tcourseCode\tsectionCode"]
)
async def test_headers_as_people_and_programs_spell_them_are_taken(campus: Campus, header: str) -> None:
    await campus.section(course=await campus.course("CS1"), code="A")
    await campus.student(number="1")
    separator = ";" if ";" in header else "\t"

    made = await plan(campus, f"{header}\r\n1{separator}CS1{separator}A\r\n".encode())

    assert made["counts"]["enrollment"] == {"create": 1}
