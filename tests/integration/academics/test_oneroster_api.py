"""OneRoster 1.2 over HTTP, and rosters over HTTP."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from tests.builders.academics import Campus
from tests.builders.api import ApiUnderTest
from tests.builders.rosters import simple_csv

BASE = "/api/oneroster/v1p2"


@pytest.fixture
async def registrar(api: ApiUnderTest) -> httpx.AsyncClient:
    return await api.as_role(Role.REGISTRAR)


async def test_the_six_collections_refer_to_each_other(
    registrar: httpx.AsyncClient, campus: Campus, api: ApiUnderTest
) -> None:
    teacher = await api.add_user(Role.INSTRUCTOR, display_name="Grace Hopper")
    section = await campus.section(instructor_id=teacher)
    student = await campus.student(first_name="Ada", last_name="Lovelace", number="L1")
    enrollment = await campus.enroll(student, section)

    found: dict[str, Any] = {}
    for name in ("orgs", "academicSessions", "courses", "classes", "users", "enrollments"):
        response = await registrar.get(f"{BASE}/{name}")
        assert response.status_code == 200, response.text
        found |= response.json()

    assert found["enrollments"][0]["sourcedId"] == str(enrollment.enrollment.id)
    assert found["enrollments"][0]["user"]["sourcedId"] == str(student)
    assert found["enrollments"][0]["class"]["href"] == f"{BASE}/classes/{section}"
    assert found["classes"][0]["course"]["sourcedId"] == found["courses"][0]["sourcedId"]
    assert found["classes"][0]["terms"][0]["sourcedId"] == found["academicSessions"][0]["sourcedId"]
    assert found["courses"][0]["org"]["sourcedId"] == found["orgs"][0]["sourcedId"]
    assert {user["role"] for user in found["users"]} == {"student", "teacher"}
    followed = await registrar.get(found["enrollments"][0]["class"]["href"])
    assert followed.json()["class"] == found["classes"][0]


async def test_a_teacher_has_the_address_that_is_proved(
    registrar: httpx.AsyncClient, campus: Campus, api: ApiUnderTest
) -> None:
    claimed = await api.add_user(Role.INSTRUCTOR, email="claimed@example.org", email_confirmed_at=None)
    proved = await api.add_user(Role.INSTRUCTOR, email="proved@example.org")
    for teacher in (claimed, proved):
        await campus.section(instructor_id=teacher)

    users = (await registrar.get(f"{BASE}/users")).json()["users"]

    found = {user["sourcedId"]: user.get("email") for user in users}
    assert found == {str(claimed): None, str(proved): "proved@example.org"}


async def test_pages_are_linked_and_counted(registrar: httpx.AsyncClient, campus: Campus) -> None:
    await campus.many_students(5)
    first = await registrar.get(f"{BASE}/users", params={"limit": 2})

    seen, url = [], first.links["first"]["url"]
    while url:
        page = await registrar.get(url)
        seen += [user["sourcedId"] for user in page.json()["users"]]
        url = page.links.get("next", {}).get("url", "")

    assert first.headers["X-Total-Count"] == "5"
    assert len(seen) == len(set(seen)) == 5
    assert first.links["last"]["url"].endswith("offset=4")


async def test_links_and_references_start_where_the_client_knows_the_api(
    registrar: httpx.AsyncClient, campus: Campus
) -> None:
    await campus.enroll(await campus.student(), await campus.section())
    await campus.many_students(2)
    behind = {"X-Forwarded-Prefix": "/school/lrs"}

    users = await registrar.get(f"{BASE}/users", params={"limit": 1}, headers=behind)
    enrollment = (await registrar.get(f"{BASE}/enrollments", headers=behind)).json()["enrollments"][0]

    assert users.links["next"]["url"].startswith(f"/school/lrs{BASE}/users?")
    for name, collection in (("user", "users"), ("class", "classes"), ("school", "orgs")):
        assert enrollment[name]["href"] == f"/school/lrs{BASE}/{collection}/{enrollment[name]['sourcedId']}"
        followed = await registrar.get(enrollment[name]["href"].removeprefix("/school/lrs"))
        assert followed.status_code == 200


async def test_a_reference_can_be_followed_whatever_is_in_the_sourced_id(
    registrar: httpx.AsyncClient, campus: Campus, database: Database
) -> None:
    await campus.section()
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE academics.departments SET sourced_id = 'Org/7 a%b?#'"))

    course = (await registrar.get(f"{BASE}/courses")).json()["courses"][0]
    followed = await registrar.get(course["org"]["href"])

    assert followed.json()["org"]["sourcedId"] == course["org"]["sourcedId"] == "Org/7 a%b?#"


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("familyName='Hopper'", ["Hopper"]),
        ("familyName!='Hopper'", ["O'Neil", "Zuse"]),
        ("familyName~'OP'", ["Hopper"]),
        ("familyName='O''Neil'", ["O'Neil"]),
        ("familyName='Hopper' OR familyName='Zuse'", ["Hopper", "Zuse"]),
        ("familyName>'I' and familyName<'P'", ["O'Neil"]),
        ("dateLastModified>'2026-01-01' AND givenName='Konrad'", ["Zuse"]),
        ("familyName=''' OR 1=1 --'", []),
    ],
)
async def test_filters_select(registrar: httpx.AsyncClient, campus: Campus, given: str, names: list[str]) -> None:
    for first, last in (("Grace", "Hopper"), ("Konrad", "Zuse"), ("Margaret", "O'Neil")):
        await campus.student(first_name=first, last_name=last)

    response = await registrar.get(f"{BASE}/users", params={"filter": given, "sort": "familyName"})

    assert [user["familyName"] for user in response.json()["users"]] == names


@pytest.mark.parametrize(
    "params",
    [
        {"filter": "password='x'"},
        {"filter": "familyName"},
        {"filter": "familyName='x' familyName='y'"},
        {"filter": "familyName='x' AND"},
        {"filter": "dateLastModified>'yesterday'"},
        {"sort": "number; drop table"},
        {"fields": "sourcedId,secret"},
        {"limit": "0"},
        {"offset": "-1"},
        {"orderBy": "up"},
    ],
)
async def test_what_cannot_be_selected_is_refused(registrar: httpx.AsyncClient, params: dict[str, str]) -> None:
    response = await registrar.get(f"{BASE}/users", params=params)

    assert response.status_code == 400
    assert response.json()["code"] in ("invalid_selection", "validation_failed")


async def test_order_and_fields_are_chosen(registrar: httpx.AsyncClient, campus: Campus) -> None:
    for code in ("A1", "B1"):
        await campus.course(code)

    params = {"sort": "courseCode", "orderBy": "desc", "fields": "courseCode,title"}
    courses = (await registrar.get(f"{BASE}/courses", params=params)).json()["courses"]

    assert [course["courseCode"] for course in courses] == ["B1", "A1"]
    assert set(courses[0]) == {"courseCode", "title"}


async def test_what_is_not_there_is_not_found(registrar: httpx.AsyncClient) -> None:
    assert (await registrar.get(f"{BASE}/orgs/nowhere")).status_code == 404
    assert (await registrar.get(f"{BASE}/demographics")).status_code in (400, 404)


@pytest.mark.parametrize("role", [Role.LEARNER, Role.INSTRUCTOR, Role.ANALYST])
async def test_rosters_are_for_registrars(api: ApiUnderTest, role: Role) -> None:
    client = await api.as_role(role)

    assert (await client.get(f"{BASE}/users")).status_code == 403
    assert (await client.post("/api/rosters/uploads", json={})).status_code == 403


async def test_a_roster_is_planned_read_and_applied_over_http(registrar: httpx.AsyncClient, campus: Campus) -> None:
    await campus.section(course=await campus.course("CS1"), code="A")
    row = {
        "student_number": "1",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "course_code": "CS1",
        "section_code": "A",
    }
    semester = await campus.semester()

    planned = await registrar.post(
        f"/api/rosters/{semester}/plans", content=simple_csv(row), headers={"Content-Type": "text/csv"}
    )
    plan = planned.json()
    rows = (await registrar.get(f"{planned.headers['Location']}/rows", params={"kind": "enrollment"})).json()["items"]
    applied = await registrar.post(f"{planned.headers['Location']}/apply", json={"plan_hash": plan["plan_hash"]})
    again = await registrar.post(f"{planned.headers['Location']}/apply", json={"plan_hash": plan["plan_hash"]})

    assert planned.status_code == 201
    assert (plan["state"], plan["counts"]["enrollment"]) == ("planned", {"create": 1})
    assert [(item["line"], item["action"], item["outcome"]) for item in rows] == [(2, "create", "ENROLLED")]
    assert (applied.status_code, applied.json()["state"]) == (200, "applied")
    assert again.json() == applied.json()


async def test_a_stale_plan_answers_409(registrar: httpx.AsyncClient, campus: Campus) -> None:
    section = await campus.section(course=await campus.course("CS1"), code="A")
    row = {
        "student_number": "1",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "course_code": "CS1",
        "section_code": "A",
    }
    headers = {"Content-Type": "text/csv"}
    plan = (
        await registrar.post(f"/api/rosters/{await campus.semester()}/plans", content=simple_csv(row), headers=headers)
    ).json()
    await campus.enroll(await campus.student(), section)

    response = await registrar.post(f"/api/rosters/plans/{plan['id']}/apply", json={"plan_hash": plan["plan_hash"]})

    assert (response.status_code, response.json()["code"]) == (409, "plan_stale")


@pytest.mark.parametrize(
    ("params", "media_type", "status"),
    [
        ({}, "application/xml", 415),
        ({}, "application/json", 400),
        ({"mode": "sideways"}, "text/csv", 400),
        ({"waive": "hold"}, "text/csv", 400),
        ({"waive": "capacity", "waive_reason": "because"}, "text/csv", 400),
        ({"format": "xml"}, "text/csv", 400),
    ],
)
async def test_a_bad_plan_request_is_refused(
    registrar: httpx.AsyncClient, campus: Campus, params: dict[str, str], media_type: str, status: int
) -> None:
    response = await registrar.post(
        f"/api/rosters/{await campus.semester()}/plans",
        params=params,
        content=simple_csv(),
        headers={"Content-Type": media_type},
    )

    assert response.status_code == status


async def test_an_upload_goes_to_a_key_of_its_own_whatever_the_file_is_called(registrar: httpx.AsyncClient) -> None:
    body = {"filename": "../../etc/roster.ZIP", "size_bytes": 10, "sha256": "0" * 64}

    upload = (await registrar.post("/api/rosters/uploads", json=body)).json()

    assert upload["upload_key"].startswith("uploads/rosters/")
    assert ".." not in upload["upload_key"]
    assert upload["upload_key"].endswith(".zip")
    assert f"/{upload['upload_key']}?X-Amz-" in upload["url"]


async def test_a_key_outside_of_uploads_is_refused(registrar: httpx.AsyncClient, campus: Campus) -> None:
    body = {"semester_id": str(await campus.semester()), "upload_key": "credentials/secret.json"}

    response = await registrar.post("/api/rosters/plans", json=body)

    assert (response.status_code, response.json()["code"]) == (400, "roster_unreadable")
