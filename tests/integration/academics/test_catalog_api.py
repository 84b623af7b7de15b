"""The catalogue over HTTP."""

from datetime import datetime
from typing import Any

import httpx
import pytest

from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role
from tests.builders.academics import Campus
from tests.builders.api import ApiUnderTest
from tests.builders.time import NOW

SEMESTER = {
    "code": "2026-FALL",
    "starts_on": "2026-09-07",
    "ends_on": "2026-12-18",
    "add_by": "2026-09-18",
    "drop_by": "2026-10-02",
    "withdraw_by": "2026-11-13",
    "max_credits": 18,
}


@pytest.fixture
async def registrar(api: ApiUnderTest) -> httpx.AsyncClient:
    return await api.as_role(Role.REGISTRAR)


async def made(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    response = await client.post(path, json=body)
    assert response.status_code == 201, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def made_course(client: httpx.AsyncClient, code: str = "CS101", **more: Any) -> dict[str, Any]:
    departments = (await client.get("/api/departments")).json()["items"]
    department = (
        departments[0] if departments else await made(client, "/api/departments", {"code": "CS", "name": "Computing"})
    )
    body = {"code": code, "title": "Introduction", "credits": 3, "department_id": department["id"], **more}
    return await made(client, "/api/courses", body)


async def test_a_department_is_made_read_changed_and_deleted(registrar: httpx.AsyncClient) -> None:
    created = await registrar.post("/api/departments", json={"code": "MATH", "name": "Mathematics"})
    location = created.headers["Location"]

    changed = await registrar.patch(location, json={"name": "Maths"}, headers={"If-Match": created.headers["ETag"]})
    replaced = await registrar.put(
        location, json={"code": "MA", "name": "Maths"}, headers={"If-Match": changed.headers["ETag"]}
    )
    deleted = await registrar.delete(location, headers={"If-Match": replaced.headers["ETag"]})

    assert created.status_code == 201
    assert changed.json()["name"] == "Maths"
    assert replaced.json()["code"] == "MA"
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await registrar.get(location)).status_code == 404


async def test_a_change_without_if_match_is_refused(registrar: httpx.AsyncClient) -> None:
    created = await registrar.post("/api/departments", json={"code": "MATH", "name": "Mathematics"})

    response = await registrar.patch(created.headers["Location"], json={"name": "Maths"})

    assert (response.status_code, response.json()["code"]) == (428, "precondition_required")


async def test_a_change_of_what_somebody_else_changed_is_refused(registrar: httpx.AsyncClient) -> None:
    created = await registrar.post("/api/semesters", json=SEMESTER)
    old = {"If-Match": created.headers["ETag"]}
    await registrar.patch(created.headers["Location"], json={"max_credits": 12}, headers=old)

    response = await registrar.patch(created.headers["Location"], json={"max_credits": 21}, headers=old)

    assert (response.status_code, response.json()["code"]) == (412, "stale_version")
    assert response.headers["ETag"] == '"2"'


async def test_a_second_code_that_differs_in_case_only_is_refused(registrar: httpx.AsyncClient) -> None:
    await made_course(registrar, "CS101")

    departments = (await registrar.get("/api/departments")).json()["items"]
    body = {"code": "cs101", "title": "Again", "department_id": departments[0]["id"]}
    response = await registrar.post("/api/courses", json=body)

    assert (response.status_code, response.json()["code"]) == (409, "already_exists")


async def test_a_semester_whose_deadlines_are_out_of_order_is_refused_with_their_places(
    registrar: httpx.AsyncClient,
) -> None:
    body = {**SEMESTER, "drop_by": "2026-09-01", "withdraw_by": "2027-01-01"}

    response = await registrar.post("/api/semesters", json=body)

    assert response.status_code == 400
    assert {item["pointer"] for item in response.json()["errors"]} == {"/drop_by", "/withdraw_by"}


@pytest.mark.parametrize(
    "change",
    [
        {"code": ""},
        {"code": "a\nb"},
        {"credits": -1},
        {"credits": "NaN"},
        {"capacity": 2**40},
        {"title": "x" * 256},
        {"unknown": 1},
        {"department_id": "none"},
        {"state": "deleted"},
    ],
)
async def test_a_bad_course_is_refused_and_the_place_is_named(
    registrar: httpx.AsyncClient, change: dict[str, Any]
) -> None:
    course = await made_course(registrar)
    body = {"code": "X1", "title": "X", "department_id": course["department_id"], **change}

    response = await registrar.post("/api/courses", json=body)

    assert response.status_code == 400
    assert [item["pointer"] for item in response.json()["errors"]] == [f"/{next(iter(change))}"]


async def test_an_unknown_department_is_named(registrar: httpx.AsyncClient) -> None:
    unknown = "00000000-0000-7000-8000-000000000000"

    response = await registrar.post("/api/courses", json={"code": "X1", "title": "X", "department_id": unknown})

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "/department_id"


async def test_a_course_goes_from_draft_to_published_to_archived_and_not_back(registrar: httpx.AsyncClient) -> None:
    course = await made_course(registrar)
    path = f"/api/courses/{course['id']}"
    steps = []

    for state in ("archived", "published", "draft", "archived", "published"):
        response = await registrar.patch(path, json={"state": state}, headers={"If-Match": "*"})
        steps.append((state, response.status_code))

    assert course["state"] == "draft"
    assert steps == [("archived", 409), ("published", 200), ("draft", 409), ("archived", 200), ("published", 409)]


async def test_learners_do_not_see_drafts(registrar: httpx.AsyncClient, api: ApiUnderTest) -> None:
    draft = await made_course(registrar, "D1")
    published = await made_course(registrar, "P1", state="published")
    learner = await api.as_role(Role.LEARNER)

    listed = (await learner.get("/api/courses")).json()["items"]

    assert [course["id"] for course in listed] == [published["id"]]
    assert (await learner.get(f"/api/courses/{draft['id']}")).status_code == 404
    assert (await registrar.get(f"/api/courses/{draft['id']}")).status_code == 200


async def test_what_has_enrolments_is_never_deleted(registrar: httpx.AsyncClient, campus: Campus) -> None:
    section, student = await campus.section(capacity=0, waitlist_capacity=0), await campus.student()
    await campus.enroll(student, section)
    [row] = await campus.rows("SELECT course_id, semester_id FROM academics.sections")
    paths = [
        f"/api/sections/{section}",
        f"/api/courses/{row['course_id']}",
        f"/api/semesters/{row['semester_id']}",
        f"/api/students/{student}",
        f"/api/departments/{await campus.department()}",
    ]

    answers = [await registrar.delete(path, headers={"If-Match": "*"}) for path in paths]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(409, "in_use")}


async def test_search_finds_the_beginnings_of_words_in_any_order(registrar: httpx.AsyncClient) -> None:
    await made_course(registrar, "CS-101", title="Introduction to Programming", description="Python, mostly")
    await made_course(registrar, "HIS 7", title="History of Programming Languages")

    async def found(q: str) -> list[str]:
        response = await registrar.get("/api/courses", params={"q": q})
        return [course["code"] for course in response.json()["items"]]

    assert await found("prog intro") == ["CS-101"]
    assert await found("PROGRAMMING") == ["CS-101", "HIS 7"]
    assert await found("cs-101") == ["CS-101"]
    assert await found("pyth") == ["CS-101"]
    assert await found("rust") == []
    assert await found("' OR 1=1 --") == []
    assert await found("!!") == ["CS-101", "HIS 7"]


async def test_filters_by_department_semester_and_open_seats(registrar: httpx.AsyncClient, campus: Campus) -> None:
    full, free = await campus.course("FULL"), await campus.course("FREE")
    await campus.course("NOT-OFFERED")
    await campus.section(course=full, capacity=0)
    await campus.section(course=free, capacity=1)
    semester = str(await campus.semester())

    async def found(**params: Any) -> list[str]:
        return [course["code"] for course in (await registrar.get("/api/courses", params=params)).json()["items"]]

    assert await found(semester_id=semester) == ["FREE", "FULL"]
    assert await found(semester_id=semester, open_seats=True) == ["FREE"]
    assert await found(department_id="00000000-0000-7000-8000-000000000000") == []
    sections = (await registrar.get("/api/sections", params={"open_seats": True})).json()["items"]
    assert [(item["course_code"], item["open_seats"]) for item in sections] == [("FREE", 1)]


@pytest.mark.parametrize("path", ["/api/sections", "/api/courses"])
async def test_pages_follow_each_other_without_gaps_and_repeats(
    registrar: httpx.AsyncClient, campus: Campus, path: str
) -> None:
    for number in range(7):
        await campus.section(course=await campus.course(f"K{number}"))
    seen: list[str] = []
    url: str | None = f"{path}?limit=3"

    while url is not None:
        page = (await registrar.get(url)).json()
        seen += [item["id"] for item in page["items"]]
        url = page["next"]

    whole = (await registrar.get(path)).json()["items"]
    assert len(seen) == 7
    assert seen == [item["id"] for item in whole]


async def test_a_cursor_of_another_list_is_refused(registrar: httpx.AsyncClient, campus: Campus) -> None:
    for number in range(3):
        await campus.course(f"K{number}")
    cursor = (await registrar.get("/api/courses?limit=1")).json()["next_cursor"]

    response = await registrar.get("/api/sections", params={"cursor": cursor})

    assert (response.status_code, response.json()["code"]) == (400, "invalid_cursor")


async def test_a_section_has_meetings_an_instructor_and_the_courses_capacity(
    registrar: httpx.AsyncClient, api: ApiUnderTest
) -> None:
    instructor = await api.add_user(Role.INSTRUCTOR, display_name="Grace Hopper")
    course = await made_course(registrar, capacity=25)
    semester = await made(registrar, "/api/semesters", SEMESTER)
    meetings = [{"weekday": 1, "starts": "09:00", "ends": "10:30", "room": "A1"}]
    body = {"course_id": course["id"], "semester_id": semester["id"], "code": "001", "waitlist_capacity": 5}

    section = await made(registrar, "/api/sections", {**body, "meetings": meetings, "instructor_id": str(instructor)})

    assert section["capacity"] == 25
    assert section["meetings"] == meetings
    assert section["instructor_name"] == "Grace Hopper"
    [listed] = (await registrar.get("/api/instructors")).json()["items"]
    assert (listed["display_name"], listed["sections"]) == ("Grace Hopper", 1)


@pytest.mark.parametrize(("role", "suspended_at"), [(Role.LEARNER, None), (Role.INSTRUCTOR, NOW)])
async def test_a_section_taught_by_a_learner_or_somebody_suspended_is_refused(
    registrar: httpx.AsyncClient, campus: Campus, api: ApiUnderTest, role: Role, suspended_at: datetime | None
) -> None:
    section = await campus.section()
    person = await api.add_user(role, suspended_at=suspended_at)

    response = await registrar.patch(
        f"/api/sections/{section}", json={"instructor_id": str(person)}, headers={"If-Match": "*"}
    )

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "/instructor_id"


@pytest.mark.parametrize(
    "meetings",
    [
        [{"weekday": 1, "starts": "10:00", "ends": "10:00"}],
        [{"weekday": 8, "starts": "09:00", "ends": "10:00"}],
        [{"weekday": 1, "starts": "09:00Z", "ends": "10:00"}],
        [{"weekday": 1, "starts": "09:00", "ends": "10:00"}, {"weekday": 1, "starts": "09:30", "ends": "11:00"}],
    ],
)
async def test_impossible_meetings_are_refused(
    registrar: httpx.AsyncClient, campus: Campus, meetings: list[dict[str, Any]]
) -> None:
    section = await campus.section()

    response = await registrar.patch(f"/api/sections/{section}", json={"meetings": meetings}, headers={"If-Match": "*"})

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"].startswith("/meetings/")


async def test_a_capacity_below_the_seats_taken_is_refused(registrar: httpx.AsyncClient, campus: Campus) -> None:
    section = await campus.section(capacity=2)
    await campus.enroll(await campus.student(), section)

    response = await registrar.patch(f"/api/sections/{section}", json={"capacity": 0}, headers={"If-Match": "*"})

    assert (response.status_code, response.json()["code"]) == (409, "capacity_below_enrolled")


async def test_prerequisites_that_close_a_cycle_are_refused_and_the_cycle_is_spelled_out(
    registrar: httpx.AsyncClient, campus: Campus
) -> None:
    a, b, c = await campus.course("A"), await campus.course("B"), await campus.course("C")

    async def require(course: Any, *required: Any) -> httpx.Response:
        groups = [[{"course_id": str(item)}] for item in required]
        return await registrar.put(
            f"/api/courses/{course}/prerequisites", json={"groups": groups}, headers={"If-Match": "*"}
        )

    first, second = await require(a, b), await require(b, c)
    closing = await require(c, a)
    itself = await require(a, a)

    assert (first.status_code, second.status_code) == (200, 200)
    assert (closing.status_code, closing.json()["code"]) == (409, "prerequisite_cycle")
    assert closing.json()["cycle"] == ["C", "A", "B", "C"]
    assert itself.json()["cycle"] == ["A", "A"]


async def test_lessons_of_a_workspace_and_what_is_no_lesson_do_not_count_for_a_course(
    registrar: httpx.AsyncClient, campus: Campus
) -> None:
    path = f"/api/courses/{await campus.course()}/lessons"
    own, inside, nothing = await campus.lesson(), await campus.lesson(uuid7()), uuid7()

    refused = await registrar.put(path, json={"lesson_ids": [str(own), str(inside), str(nothing)]})
    taken = await registrar.put(path, json={"lesson_ids": [str(own)]})

    assert refused.status_code == 400
    assert [item["pointer"] for item in refused.json()["errors"]] == ["/lesson_ids/1", "/lesson_ids/2"]
    assert taken.json()["lesson_ids"] == [str(own)]


async def test_the_tree_of_prerequisites_tells_a_student_what_is_met_and_by_which_evidence(
    registrar: httpx.AsyncClient, campus: Campus, api: ApiUnderTest
) -> None:
    user = await api.add_user(Role.LEARNER)
    student = await campus.student(user_id=user)
    base, left, right, top = [await campus.course(code) for code in ("BASE", "LEFT", "RIGHT", "TOP")]
    await registrar.put(
        f"/api/courses/{left}/prerequisites", json={"groups": [[{"course_id": str(base)}]]}, headers={"If-Match": "*"}
    )
    groups = [
        [{"course_id": str(left), "min_score": 50}, {"course_id": str(right)}],
        [{"course_id": str(base), "kind": "co"}],
    ]
    await registrar.put(f"/api/courses/{top}/prerequisites", json={"groups": groups}, headers={"If-Match": "*"})
    await registrar.post(
        f"/api/students/{student}/completions",
        json={"course_id": str(right), "completed_on": "2025-06-30", "score": 91, "reference": "transfer 7"},
    )

    learner = await api.as_user(user, Role.LEARNER)
    tree = (await learner.get(f"/api/courses/{top}/prerequisites", params={"student_id": str(student)})).json()

    first, second = tree["groups"]
    options = {option["course"]["code"]: option for option in first["options"]}
    assert (tree["met"], first["met"], second["met"]) == (False, True, False)
    assert options["LEFT"]["met"] is False
    assert options["LEFT"]["groups"][0]["options"][0]["course"]["code"] == "BASE"
    assert options["RIGHT"]["evidence"] == {
        "source": "import",
        "reference": "transfer 7",
        "score": 91,
        "completed_on": "2025-06-30",
    }
    assert second["options"][0]["kind"] == "co"


async def test_every_change_of_the_catalogue_is_in_the_audit_log(registrar: httpx.AsyncClient, campus: Campus) -> None:
    course = await made_course(registrar)
    await registrar.patch(f"/api/courses/{course['id']}", json={"credits": 4}, headers={"If-Match": "*"})

    rows = await campus.rows("SELECT * FROM platform.audit_log WHERE entity = 'course' ORDER BY id")

    assert [row["action"] for row in rows] == ["course.created", "course.changed"]
    assert (rows[1]["before"], rows[1]["after"]) == ({"credits": "3.00"}, {"credits": "4.00"})
    assert all(row["actor_id"] is not None and row["request_id"] for row in rows)
