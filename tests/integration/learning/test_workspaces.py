"""Cohorts and lessons of a workspace, what is reported of them, and how they are kept from everybody else."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.emulator import EmulatedAws
from tests.builders.workspaces import Space, open_space, refusal, taken

ANY = {"If-Match": "*"}
URL = "https://lms.example.org/lesson"


@pytest.fixture
async def api(database: Database, clock: FixedClock, emulator: EmulatedAws) -> AsyncIterator[ApiUnderTest]:
    """An API that announces launches, and gives players their credentials."""
    queue, bucket = emulator.queue(), emulator.bucket()
    async with ApiUnderTest(database, clock, statements_queue_url=queue, data_bucket=bucket) as api:
        yield api


@pytest.fixture
async def space(api: ApiUnderTest) -> Space:
    """A workspace whose owner and the owner of another one are instructors of the organisation."""
    space = await open_space(api)
    for name in ("owner", "stranger"):
        who = space.people[name]
        await promote(api, who.id, Role.INSTRUCTOR)
        who.client = await api.as_user(who.id, Role.INSTRUCTOR)
    return space


async def promote(api: ApiUnderTest, user_id: UUID, role: Role) -> None:
    admin = await api.as_role(Role.ADMIN)
    taken(await admin.patch(f"/api/users/{user_id}", json={"role": role.value}, headers=ANY))


async def cohort(space: Space, name: str = "Blue", *, by: str = "editor", inside: bool = True) -> str:
    body = {"name": name} | ({"workspace_id": space.id} if inside else {})
    return str(taken(await space[by].post("/api/cohorts", json=body), 201)["id"])


async def lesson(client: httpx.AsyncClient, number: int, **body: Any) -> dict[str, Any]:
    given = {"lesson_url": f"{URL}/{number}", "title": f"Lesson {number}", **body}
    return dict(taken(await client.post("/api/lessons", json=given), 201))


async def reported(space: Space) -> None:
    """Wait until reports are of what has been until now."""
    matching = space.api.platform.get(StatementMatching)
    async with space.api.database.read_only() as connection:
        now = await connection.scalar(text("SELECT clock_timestamp()"))
    while True:
        async with space.api.database.read_only() as connection:
            if await matching.reported_through(connection) > now:
                return
        await asyncio.sleep(0.1)


async def test_viewers_read_a_cohort_editors_change_it_and_administrators_delete_it(space: Space) -> None:
    path = f"/api/cohorts/{await cohort(space)}"

    read = [(await space[name].get(path)).status_code for name in ("owner", "viewer")]
    changed = [
        (await space[name].patch(path, json={"team": "A"}, headers=ANY)).status_code for name in ("viewer", "editor")
    ]
    made = await space["viewer"].post("/api/cohorts", json={"name": "Red", "workspace_id": space.id})
    deleted = [(await space[name].delete(path, headers=ANY)).status_code for name in ("editor", "admin")]

    assert (read, changed, deleted) == ([200, 200], [403, 200], [403, 204])
    assert refusal(made) == (403, "workspace_role_missing")


async def test_nobody_else_finds_it_whatever_their_role_in_the_organisation(space: Space, api: ApiUnderTest) -> None:
    inside, outside = await cohort(space), await cohort(space, by="stranger", inside=False)

    refused = {
        name: (await space["stranger"].request(method, f"/api/cohorts/{item}{path}", json={}, headers=ANY)).text
        for method, path in (("GET", ""), ("GET", "/members"), ("GET", "/completions"), ("DELETE", ""))
        for name, item in {f"inside {method} {path}": inside, f"unknown {method} {path}": str(uuid4())}.items()
    }
    lists = [
        [item["id"] for item in taken(await client.get("/api/cohorts"))["items"]]
        for client in (space["stranger"], space["viewer"], space["owner"], await api.as_role(Role.ADMIN))
    ]
    asked = taken(await space["stranger"].get("/api/cohorts", params={"workspace_id": space.id}))

    assert all("There is no cohort" in text for text in refused.values())
    assert lists[:2] == [[outside], [inside]]
    assert set(lists[2]) == set(lists[3]) == {inside, outside}
    assert asked["items"] == []


async def test_members_of_a_workspaces_cohort_are_in_the_workspace(space: Space) -> None:
    path = f"/api/cohorts/{await cohort(space)}/members"
    viewer, stranger = space.people["viewer"].id, space.people["stranger"].id

    ours = await space["editor"].put(f"{path}/{viewer}")
    others = await space["editor"].put(f"{path}/{stranger}")
    unknown = await space["editor"].put(f"{path}/{uuid4()}")
    by_teacher = await space["owner"].put(f"{path}/{stranger}")

    assert (ours.status_code, by_teacher.status_code) == (204, 204)
    assert refusal(others) == refusal(unknown) == (404, "unknown_person")


async def test_a_lesson_is_of_the_workspace_of_its_cohort(space: Space) -> None:
    group, elsewhere = await cohort(space), await cohort(space, by="stranger", inside=False)

    by_cohort = await lesson(space["owner"], 1, cohort_id=group)
    of_all = await lesson(space["owner"], 2, workspace_id=space.id)
    body = {"lesson_url": f"{URL}/3", "title": "3"}
    mixed = await space["owner"].post("/api/lessons", json={**body, "cohort_id": elsewhere, "workspace_id": space.id})
    section = await space["owner"].post(
        "/api/lessons", json={**body, "workspace_id": space.id, "section_id": str(uuid4())}
    )
    moved = await space["owner"].patch(f"/api/lessons/{of_all['id']}", json={"cohort_id": elsewhere}, headers=ANY)

    assert [item["workspace_id"] for item in (by_cohort, of_all)] == [space.id, space.id]
    assert [refusal(answer) for answer in (mixed, section, moved)] == [(400, "validation_failed")] * 3


async def test_who_claims_activity_ids_needs_a_role_for_that_besides(space: Space) -> None:
    body = {"lesson_url": f"{URL}/1", "title": "1", "workspace_id": space.id}

    by_editor = await space["editor"].post("/api/lessons", json=body)
    by_stranger = await space["stranger"].post("/api/lessons", json=body)

    assert refusal(by_editor) == (403, "forbidden")
    assert refusal(by_stranger) == (404, "workspace_not_found")


async def test_lessons_reports_launches_and_cadences_follow_the_same_rule(space: Space) -> None:
    group = await cohort(space)
    content = {"content_url": "https://content.example.org/"}
    item = await lesson(space["owner"], 1, cohort_id=group, **content)
    reads = [
        f"/api/lessons/{item['id']}",
        f"/api/lessons/{item['id']}/aliases",
        f"/api/lessons/{item['id']}/incomplete",
        f"/api/lessons/{item['id']}/launches",
        f"/api/reminder-cadences/{group}",
        f"/api/cohorts/{group}/completions",
    ]

    inside = [(await space["viewer"].get(path)).status_code for path in reads]
    outside = [(await space["stranger"].get(path)).status_code for path in reads]
    launch = [await space[name].post(f"/api/lessons/{item['id']}/launches", json={}) for name in ("stranger", "viewer")]
    launched = launch[1].json()["id"]
    ended = [await space[name].post(f"/api/launches/{launched}/end") for name in ("stranger", "editor")]

    assert (inside, outside) == ([200] * len(reads), [404] * len(reads))
    assert [answer.status_code for answer in launch] == [404, 201]
    assert [answer.status_code for answer in ended] == [404, 200]
    for client, seen in ((space["stranger"], []), (space["viewer"], [item["id"]])):
        assert [row["id"] for row in taken(await client.get("/api/lessons"))["items"]] == seen


async def test_a_lesson_without_a_cohort_is_for_the_cohorts_of_its_workspace(space: Space) -> None:
    inside, outside = await cohort(space), await cohort(space, "Red", by="stranger", inside=False)
    ours = await lesson(space["owner"], 1, workspace_id=space.id)
    theirs = await lesson(space["stranger"], 2)
    admin = await space.api.as_role(Role.ADMIN)
    for group, name in ((inside, "viewer"), (outside, "admin")):
        taken(await admin.put(f"/api/cohorts/{group}/members/{space.people[name].id}"), 204)

    await reported(space)

    missing = {
        title: [row["user_id"] for row in taken(await admin.get(f"/api/lessons/{item['id']}/incomplete"))["items"]]
        for title, item in (("ours", ours), ("theirs", theirs))
    }

    assert missing == {"ours": [str(space.people["viewer"].id)], "theirs": [str(space.people["admin"].id)]}


async def test_in_an_archived_workspace_nothing_of_it_changes(space: Space) -> None:
    group = await cohort(space)
    item = await lesson(space["owner"], 1, cohort_id=group)
    taken(await space["owner"].post(f"{space.path}/archive"))
    admin = await space.api.as_role(Role.ADMIN)

    answers = [
        await client.request(method, path, json=body, headers=ANY)
        for client in (space["owner"], admin)
        for method, path, body in (
            ("PATCH", f"/api/cohorts/{group}", {"team": "B"}),
            ("POST", "/api/cohorts", {"name": "New", "workspace_id": space.id}),
            ("PUT", f"/api/cohorts/{group}/members/{space.people['viewer'].id}", None),
            ("PATCH", f"/api/lessons/{item['id']}", {"title": "B"}),
            ("DELETE", f"/api/lessons/{item['id']}", None),
            ("PUT", f"/api/reminder-cadences/{group}", {"cadence": "daily"}),
        )
    ]

    assert {refusal(answer) for answer in answers} == {(409, "workspace_archived")}
    assert taken(await space["viewer"].get(f"/api/cohorts/{group}"))["name"] == "Blue"
