"""Cohorts and lessons over HTTP."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from dataforge.kernel.principal import Role
from tests.builders.api import ApiUnderTest

LESSON = {"lesson_url": "https://lms.example.org/course/42", "title": "Fire safety", "lesson_number": 1}


@pytest.fixture
async def registrar(api: ApiUnderTest) -> httpx.AsyncClient:
    """Somebody who may write."""
    return await api.as_role(Role.REGISTRAR)


async def made(client: httpx.AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_cohort_is_created_read_changed_and_deleted(registrar: httpx.AsyncClient) -> None:
    created = await registrar.post("/api/cohorts", json={"name": "Blue East", "group_name": "Blue", "team": "East"})
    path = f"/api/cohorts/{created.json()['id']}"

    changed = await registrar.patch(path, json={"active": False}, headers={"If-Match": created.headers["ETag"]})
    read = await registrar.get(path)
    deleted = await registrar.delete(path, headers={"If-Match": read.headers["ETag"]})

    assert created.json()["name"] == "Blue East"
    assert (changed.json()["active"], changed.headers["ETag"]) == (False, '"2"')
    assert deleted.status_code == 204
    assert (await registrar.get(path)).status_code == 404


async def test_the_name_of_a_cohort_is_taken_once_whatever_its_case(registrar: httpx.AsyncClient) -> None:
    await made(registrar, "/api/cohorts", name="Blue East")

    answer = await registrar.post("/api/cohorts", json={"name": "BLUE east"})

    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate_cohort")


async def test_a_change_needs_the_current_version(registrar: httpx.AsyncClient) -> None:
    path = f"/api/lessons/{(await made(registrar, '/api/lessons', **LESSON))['id']}"

    missing = await registrar.patch(path, json={"title": "x"})
    stale = await registrar.patch(path, json={"title": "x"}, headers={"If-Match": '"7"'})

    assert (missing.status_code, stale.status_code) == (428, 412)
    assert stale.headers["ETag"] == '"1"'


async def test_a_cohort_with_lessons_is_not_deleted(registrar: httpx.AsyncClient) -> None:
    cohort = await made(registrar, "/api/cohorts", name="Blue East")
    await made(registrar, "/api/lessons", **LESSON, cohort_id=cohort["id"])

    answer = await registrar.delete(f"/api/cohorts/{cohort['id']}", headers={"If-Match": "*"})

    assert (answer.status_code, answer.json()["code"]) == (409, "cohort_in_use")


async def test_a_lesson_is_created_read_changed_and_deleted(registrar: httpx.AsyncClient) -> None:
    created = await registrar.post("/api/lessons", json={**LESSON, "lesson_date": "2026-09-01"})
    path = f"/api/lessons/{created.json()['id']}"

    changed = await registrar.patch(path, json={"lesson_date": None}, headers={"If-Match": created.headers["ETag"]})
    deleted = await registrar.delete(path, headers={"If-Match": changed.headers["ETag"]})

    assert created.json()["lesson_date"] == "2026-09-01"
    assert changed.json()["lesson_date"] is None
    assert deleted.status_code == 204


async def test_the_url_of_a_lesson_is_taken_once(registrar: httpx.AsyncClient) -> None:
    await made(registrar, "/api/lessons", **LESSON)

    answer = await registrar.post("/api/lessons", json={**LESSON, "title": "Another"})

    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate_lesson_url")


@pytest.mark.parametrize(
    "changes",
    [
        {"lesson_url": "no iri"},
        {"lesson_url": "https://e.org/" + "x" * 500},
        {"title": ""},
        {"title": "a\nb"},
        {"lesson_number": -1},
        {"lesson_date": "yesterday"},
        {"unknown": 1},
        {"cohort_id": "no-uuid"},
    ],
)
async def test_a_lesson_that_makes_no_sense_is_refused(registrar: httpx.AsyncClient, changes: dict[str, Any]) -> None:
    answer = await registrar.post("/api/lessons", json={**LESSON, **changes})

    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")


async def test_what_cannot_be_empty_is_not_cleared(registrar: httpx.AsyncClient) -> None:
    path = f"/api/lessons/{(await made(registrar, '/api/lessons', **LESSON))['id']}"

    answer = await registrar.patch(path, json={"title": None}, headers={"If-Match": "*"})

    assert answer.status_code == 400


async def test_a_lesson_of_an_unknown_cohort_is_refused(registrar: httpx.AsyncClient) -> None:
    answer = await registrar.post("/api/lessons", json={**LESSON, "cohort_id": str(uuid4())})

    assert answer.status_code == 404


async def test_lists_page_with_cursors_and_filter(registrar: httpx.AsyncClient) -> None:
    for name in ("C", "A", "B"):
        await made(registrar, "/api/cohorts", name=name, active=name != "B")

    first = await registrar.get("/api/cohorts", params={"limit": 2})
    second = await registrar.get(first.json()["next"])
    active = await registrar.get("/api/cohorts", params={"active": "true"})

    assert [row["name"] for row in first.json()["items"] + second.json()["items"]] == ["A", "B", "C"]
    assert second.json()["next"] is None
    assert [row["name"] for row in active.json()["items"]] == ["A", "C"]


async def test_lessons_of_a_cohort_are_listed(registrar: httpx.AsyncClient) -> None:
    cohort = await made(registrar, "/api/cohorts", name="Blue")
    await made(registrar, "/api/lessons", **LESSON)
    mine = await made(registrar, "/api/lessons", lesson_url="https://e.org/2", title="Mine", cohort_id=cohort["id"])

    page = await registrar.get("/api/lessons", params={"cohort_id": cohort["id"], "limit": 1})

    assert [row["id"] for row in page.json()["items"]] == [mine["id"]]


async def test_membership_begins_ends_and_begins_again(api: ApiUnderTest, registrar: httpx.AsyncClient) -> None:
    user_id = await api.add_user(Role.LEARNER)
    path = f"/api/cohorts/{(await made(registrar, '/api/cohorts', name='Blue'))['id']}/members"

    statuses = [
        (await registrar.put(f"{path}/{user_id}")).status_code,
        (await registrar.put(f"{path}/{user_id}")).status_code,
        (await registrar.delete(f"{path}/{user_id}")).status_code,
        (await registrar.delete(f"{path}/{user_id}")).status_code,
        (await registrar.put(f"{path}/{user_id}")).status_code,
        (await registrar.put(f"{path}/{uuid4()}")).status_code,
    ]

    members = (await registrar.get(path)).json()["items"]
    assert statuses == [204, 204, 204, 404, 204, 404]
    assert [member["user_id"] for member in members] == [str(user_id)]


async def test_members_are_people_who_exist_and_are_active(api: ApiUnderTest, registrar: httpx.AsyncClient) -> None:
    suspended = await api.add_user(Role.LEARNER, suspended_at=api.platform.clock.now())
    path = f"/api/cohorts/{(await made(registrar, '/api/cohorts', name='Blue'))['id']}/members"

    answers = [await registrar.put(f"{path}/{user_id}") for user_id in (uuid4(), suspended)]

    assert [(a.status_code, a.json()["code"], a.json()["errors"][0]["pointer"]) for a in answers] == [
        (404, "unknown_person", "path:user_id"),
        (409, "person_suspended", "path:user_id"),
    ]


@pytest.mark.parametrize("role", [Role.ANALYST, Role.LEARNER, Role.VIEWER])
async def test_who_may_not_write_is_refused(api: ApiUnderTest, role: Role) -> None:
    client = await api.as_role(role)

    answer = await client.post("/api/lessons", json=LESSON)

    assert answer.status_code == 403


async def test_an_analyst_reads(api: ApiUnderTest) -> None:
    client = await api.as_role(Role.ANALYST)

    assert (await client.get("/api/lessons")).status_code == 200


async def test_creating_twice_with_one_idempotency_key_creates_once(registrar: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "once"}

    first = await registrar.post("/api/cohorts", json={"name": "Blue"}, headers=headers)
    second = await registrar.post("/api/cohorts", json={"name": "Blue"}, headers=headers)

    assert (second.status_code, second.json()) == (201, first.json())


async def test_a_lesson_is_held_at_an_hour_by_the_clocks_of_a_zone(registrar: httpx.AsyncClient) -> None:
    hours = {"lesson_date": "2026-09-14", "start_time": "09:00", "duration_minutes": 90, "time_zone": "Europe/Berlin"}
    created = await registrar.post("/api/lessons", json={**LESSON, **hours})
    path = f"/api/lessons/{created.json()['id']}"

    cleared = {"start_time": None, "duration_minutes": None, "time_zone": None}
    changed = await registrar.patch(path, json=cleared, headers={"If-Match": created.headers["ETag"]})

    assert created.status_code == 201
    assert {name: created.json()[name] for name in hours} == {**hours, "start_time": "09:00:00"}
    assert {name: changed.json()[name] for name in cleared} == cleared


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"lesson_date": None}, "/lesson_date"),
        ({"lesson_date": "2170-01-01"}, "/lesson_date"),
        ({"lesson_date": "0001-01-01"}, "/lesson_date"),
        ({"duration_minutes": None}, "/duration_minutes"),
        ({"start_time": None, "time_zone": None}, "/start_time"),
        ({"start_time": None, "duration_minutes": None}, "/start_time"),
        ({"duration_minutes": 1441}, "/duration_minutes"),
        ({"start_time": "09:00+02:00"}, "/start_time"),
        ({"time_zone": "Mars/Olympus"}, "/time_zone"),
    ],
)
async def test_hours_are_whole_and_on_a_day(registrar: httpx.AsyncClient, fields: dict[str, Any], pointer: str) -> None:
    hours = {"lesson_date": "2026-09-14", "start_time": "09:00", "duration_minutes": 90, "time_zone": "Europe/Berlin"}
    created = await registrar.post("/api/lessons", json={**LESSON, **hours})
    path = f"/api/lessons/{created.json()['id']}"

    refused = await registrar.post("/api/lessons", json={**LESSON, **hours, **fields})
    unchanged = await registrar.patch(path, json=fields, headers={"If-Match": created.headers["ETag"]})

    for answer in (refused, unchanged):
        assert answer.status_code == 400, answer.text
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
