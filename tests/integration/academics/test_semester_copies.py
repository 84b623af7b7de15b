"""A semester is copied: previewed, then made by the hash, whole, once, and without the people who were in it."""

from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from dataforge.contexts.academics.sections.domain import Meeting
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from tests.builders.academics import Campus
from tests.builders.api import ApiUnderTest

MONDAYS, NIGHTS = Meeting(1, time(9), time(10, 30), "A1"), Meeting(5, time(22), time(2, 0, 30))
SPRING = {"code": "2027S", "starts_on": "2027-03-01"}


class Term:
    """A semester with sections, as a registrar sees it."""

    def __init__(self, campus: Campus, client: httpx.AsyncClient, semester: UUID) -> None:
        self.campus = campus
        self.client = client
        self.path = f"/api/semesters/{semester}/copies"

    async def planned(self, **body: Any) -> dict[str, Any]:
        answer = await self.client.post(f"{self.path}/preview", json=SPRING | body)
        assert answer.status_code == 200, answer.text
        plan: dict[str, Any] = answer.json()
        return plan

    async def make(self, plan: dict[str, Any]) -> httpx.Response:
        return await self.client.post(self.path, json={"plan_hash": plan["plan_hash"]})

    async def sections(self, semester: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await self.client.get("/api/sections", params={"semester_id": semester})).json()[
            "items"
        ]
        return items


@pytest.fixture
async def term(api: ApiUnderTest, campus: Campus) -> Term:
    semester = await campus.semester(code="2026F", time_zone="Europe/Berlin")
    return Term(campus, await api.as_role(Role.REGISTRAR), semester)


async def offered(term: Term, code: str, **values: Any) -> UUID:
    [row] = await term.campus.rows("SELECT id FROM academics.semesters WHERE code = '2026F'")
    return await term.campus.section(semester_id=row["id"], code=code, **values)


async def test_a_copy_has_the_sections_at_other_dates_and_nobody_in_them(api: ApiUnderTest, term: Term) -> None:
    teacher, campus = await api.add_user(Role.INSTRUCTOR), term.campus
    section = await offered(term, "A", meetings=(MONDAYS, NIGHTS), instructor_id=teacher, capacity=12)
    await campus.enroll(await campus.student(), section)
    await campus.resize(section, state="closed")

    plan = await term.planned()
    nothing_yet = await campus.rows("SELECT 1 FROM academics.semesters WHERE code = '2027S'")
    made = await term.make(plan)

    assert nothing_yet == []
    assert plan["counts"] == {"create": 1, "exists": 0, "skip": 0}
    assert made.status_code == 201, made.text
    semester = (await term.client.get(made.headers["Location"])).json()
    assert {name: semester[name] for name in ("code", "starts_on", "ends_on", "add_by", "drop_by", "time_zone")} == {
        "code": "2027S",
        "starts_on": "2027-03-01",
        "ends_on": str(date(2026, 12, 18) + (date(2027, 3, 1) - date(2026, 9, 7))),
        "add_by": str(date(2026, 9, 18) + timedelta(175)),
        "drop_by": str(date(2026, 10, 2) + timedelta(175)),
        "time_zone": "Europe/Berlin",
    }
    [copy] = await term.sections(semester["id"])
    assert copy["id"] == plan["sections"][0]["section_id"] != str(section)
    assert copy["meetings"] == [
        {"weekday": 1, "starts": "09:00", "ends": "10:30", "room": "A1"},
        {"weekday": 5, "starts": "22:00", "ends": "02:00", "room": ""},
    ]
    assert [meeting["ends"] for meeting in plan["sections"][0]["meetings"]] == ["10:30", "02:00:30"]
    assert (copy["capacity"], copy["waitlist_capacity"], copy["enrolled_count"]) == (12, 5, 0)
    assert (copy["instructor_id"], copy["state"], copy["sourced_id"]) == (str(teacher), "open", None)


async def test_a_copy_twice_is_one_copy(term: Term) -> None:
    await offered(term, "A", meetings=(MONDAYS,))
    plan = await term.planned()

    first, second = await term.make(plan), await term.make(plan)
    again = await term.planned()
    third = await term.make(again)

    assert (first.status_code, second.status_code, third.status_code) == (201, 201, 201), third.text
    assert first.json() == second.json()
    assert again["counts"] == {"create": 0, "exists": 1, "skip": 0}
    assert again["semester"]["exists"]
    assert len(await term.sections(first.json()["semester_id"])) == 1
    assert len(await term.campus.rows("SELECT 1 FROM academics.semesters")) == 2
    audited = await term.campus.rows("SELECT 1 FROM platform.audit_log WHERE action = 'semester.copied'")
    assert len(audited) == 1


async def test_a_semester_that_is_there_gets_what_it_lacks(term: Term) -> None:
    course = await term.campus.course("CS1")
    await offered(term, "A", course=course)
    await offered(term, "B", course=course)
    other = await term.campus.semester(code="2027s", starts_on=date(2026, 9, 1))
    await term.campus.section(course=course, semester_id=other, code="A", capacity=99)

    wrong_day = await term.client.post(f"{term.path}/preview", json=SPRING)
    itself = await term.client.post(f"{term.path}/preview", json={"code": "2026f"})
    unknown = await term.client.post(f"{term.path}/preview", json={"code": "2028S"})
    plan = await term.planned(starts_on=None)
    await term.make(plan)

    assert (wrong_day.status_code, wrong_day.json()["code"]) == (409, "semester_differs")
    assert (itself.status_code, unknown.status_code) == (400, 400)
    assert [(item["code"], item["action"]) for item in plan["sections"]] == [("A", "exists"), ("B", "create")]
    assert [(item["code"], item["capacity"]) for item in await term.sections(str(other))] == [("A", 99), ("B", 10)]


async def test_what_has_ended_does_not_come_along(api: ApiUnderTest, term: Term) -> None:
    gone = await api.add_user(Role.INSTRUCTOR)
    course = await term.campus.course("OLD1")
    await offered(term, "A", course=course)
    await offered(term, "B", course=await term.campus.course("NEW1"), instructor_id=gone)
    await term.client.patch(f"/api/courses/{course}", json={"state": "archived"}, headers={"If-Match": "*"})
    admin = await api.as_role(Role.ADMIN)
    suspended = await admin.patch(f"/api/users/{gone}", json={"suspended": True}, headers={"If-Match": "*"})

    plan = await term.planned()

    assert suspended.status_code == 200, suspended.text
    assert [(item["course_code"], item["action"], item["instructor_id"]) for item in plan["sections"]] == [
        ("NEW1", "create", None),
        ("OLD1", "skip", None),
    ]
    assert "teaches no more" in plan["sections"][0]["note"]
    assert "archived" in plan["sections"][1]["note"]


@pytest.mark.parametrize("change", ["section", "semester", "new section", "target"])
async def test_a_plan_whose_semester_has_moved_is_refused_and_nothing_is_made(term: Term, change: str) -> None:
    section = await offered(term, "A")
    plan = await term.planned()
    if change == "section":
        await term.campus.resize(section, capacity=99)
    elif change == "new section":
        await offered(term, "B")
    elif change == "target":
        await term.campus.semester(code="2027S", starts_on=date(2026, 9, 1))
    else:
        path = term.path.removesuffix("/copies")
        await term.client.patch(path, json={"max_credits": 7}, headers={"If-Match": "*"})

    answer = await term.make(plan)

    assert answer.status_code == 409, answer.text
    assert answer.json()["code"] in ("plan_stale", "semester_differs")
    assert len(await term.campus.rows("SELECT 1 FROM academics.sections")) == (2 if change == "new section" else 1)


async def test_a_plan_is_good_for_an_hour_by_its_own_hash_and_for_registrars(
    api: ApiUnderTest, term: Term, clock: FixedClock
) -> None:
    await offered(term, "A")
    plan = await term.planned(instructors=False)
    other = await term.campus.semester(code="OTHER")
    instructor = await api.as_role(Role.INSTRUCTOR)

    elsewhere = await term.client.post(f"/api/semesters/{other}/copies", json={"plan_hash": plan["plan_hash"]})
    unknown = await term.make({"plan_hash": "0" * 64})
    forbidden = await instructor.post(f"{term.path}/preview", json=SPRING)
    nowhere = await term.client.post("/api/semesters/00000000-0000-7000-8000-000000000000/copies/preview", json=SPRING)
    clock.advance(timedelta(hours=1))
    term.client = await api.as_role(Role.REGISTRAR)
    late = await term.make(plan)

    assert [answer.status_code for answer in (elsewhere, unknown, forbidden, nowhere)] == [404, 404, 403, 404]
    assert (late.status_code, late.json()["code"]) == (409, "plan_expired")


async def test_a_copy_beyond_the_calendar_is_refused(term: Term) -> None:
    long = await term.campus.semester(code="LONG", ends_on=date(2029, 1, 1))

    answer = await term.client.post(
        f"/api/semesters/{long}/copies/preview", json={"code": "LAST", "starts_on": "9998-12-31"}
    )

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/starts_on")


async def test_a_large_semester_is_copied_at_once(term: Term) -> None:
    [semester] = await term.campus.rows("SELECT id FROM academics.semesters WHERE code = '2026F'")
    course = await term.campus.course("BIG1", credits=Decimal(1))
    insert = """
    INSERT INTO academics.sections (id, course_id, semester_id, code, capacity, created_at, updated_at)
    SELECT gen_random_uuid(), :course, :semester, to_char(n, 'FM00000'), 5, now(), now() FROM generate_series(1, 2000) n
    """
    async with term.campus.database.transaction() as connection:
        await connection.execute(text(insert), {"course": course, "semester": semester["id"]})

    plan = await term.planned()
    made = await term.make(plan)

    assert (plan["counts"]["create"], made.status_code) == (2000, 201), made.text
    rows = await term.campus.rows("SELECT count(*) AS n FROM academics.sections GROUP BY semester_id")
    assert [row["n"] for row in rows] == [2000, 2000]
