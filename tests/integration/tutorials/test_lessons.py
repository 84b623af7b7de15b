"""Tutorials as lessons: made once, brought up to date, and counted like every other."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from dataforge.kernel.principal import Role
from tests.builders.tutorials import TutorialSpace
from tests.builders.workspaces import Person, join, new_workspace, person, refusal, taken


@pytest.fixture
async def instructor(space: TutorialSpace) -> Person:
    """Somebody who may make lessons, and is an editor in the workspace."""
    teacher = await person(space.space.api, "teacher", Role.INSTRUCTOR)
    await join(space.space, teacher, "editor")
    return teacher


async def lesson_of(who: Person, tutorial: dict[str, Any]) -> dict[str, Any]:
    return dict(taken(await who.client.get(f"/api/lessons/{tutorial['lesson_id']}")))


async def test_a_published_tutorial_becomes_a_lesson_of_its_workspace(space: TutorialSpace, instructor: Person) -> None:
    await space.move("publish")

    tutorial = taken(await instructor.client.post(f"{space.path}/lesson", json={}))

    lesson = await lesson_of(instructor, tutorial)
    assert lesson["lesson_url"] == f"http://api.test/ui/tutorials/{space.tutorial.id}"
    assert lesson["title"] == "How to reset the router"
    assert (lesson["workspace_id"], lesson["cohort_id"]) == (str(space.workspace_id), None)
    assert tutorial["revision"] == 3


async def test_the_same_again_changes_nothing_and_another_title_arrives(
    space: TutorialSpace, instructor: Person
) -> None:
    await space.move("publish")
    first = taken(await instructor.client.post(f"{space.path}/lesson", json={}))
    before = await lesson_of(instructor, first)

    again = taken(await instructor.client.post(f"{space.path}/lesson", json={}))
    unchanged = await lesson_of(instructor, again)
    taken(await space["editor"].patch(space.path, json={"title": "Reset"}, headers={"If-Match": "*"}))
    retitled = taken(await instructor.client.post(f"{space.path}/lesson", json={}))

    assert (again, unchanged) == (first, before)
    assert retitled["lesson_id"] == first["lesson_id"]
    assert (await lesson_of(instructor, retitled))["title"] == "Reset"


async def test_a_lesson_that_was_deleted_is_made_again(space: TutorialSpace, instructor: Person) -> None:
    await space.move("publish")
    first = taken(await instructor.client.post(f"{space.path}/lesson", json={}))
    async with space.database.transaction() as connection:
        await connection.execute(text("DELETE FROM records.lessons"))

    second = taken(await instructor.client.post(f"{space.path}/lesson", json={}))

    assert second["lesson_id"] not in (None, first["lesson_id"])
    assert (await lesson_of(instructor, second))["lesson_url"].endswith(str(space.tutorial.id))


async def test_it_belongs_to_a_cohort_of_the_workspace_and_to_no_other(
    space: TutorialSpace, instructor: Person
) -> None:
    await space.move("publish")
    body = {"name": "Blue", "workspace_id": str(space.workspace_id)}
    ours = taken(await instructor.client.post("/api/cohorts", json=body), 201)["id"]
    elsewhere = await new_workspace(instructor, "Mine")
    theirs = taken(await instructor.client.post("/api/cohorts", json={"name": "Red", "workspace_id": elsewhere}), 201)
    nowhere = str(UUID(int=7))

    refused = [
        refusal(await instructor.client.post(f"{space.path}/lesson", json={"cohort_id": cohort}))
        for cohort in (theirs["id"], nowhere)
    ]
    tutorial = taken(await instructor.client.post(f"{space.path}/lesson", json={"cohort_id": ours}))

    assert refused == [(404, "not_found")] * 2
    assert (await lesson_of(instructor, tutorial))["cohort_id"] == ours
    kept = taken(await instructor.client.post(f"{space.path}/lesson", json={}))
    assert (await lesson_of(instructor, kept))["cohort_id"] == ours


async def test_a_cohort_of_the_organisation_is_refused_with_the_reason(
    space: TutorialSpace, instructor: Person
) -> None:
    await space.move("publish")
    cohort = taken(await instructor.client.post("/api/cohorts", json={"name": "Everybody"}), 201)["id"]

    answer = await instructor.client.post(f"{space.path}/lesson", json={"cohort_id": cohort})

    assert refusal(answer) == (404, "not_found")
    assert answer.json()["detail"] == f"There is no cohort {cohort} in this workspace."


async def test_a_body_without_anything_required_can_be_left_out(space: TutorialSpace, instructor: Person) -> None:
    await space.move("publish")

    lesson = taken(await instructor.client.post(f"{space.path}/lesson"))
    link = taken(await instructor.client.post(f"{space.path}/links", headers={"Content-Type": "application/json"}), 201)

    assert lesson["lesson_id"]
    assert link["token"]


async def test_drafts_become_no_lessons(space: TutorialSpace, instructor: Person) -> None:
    answer = await instructor.client.post(f"{space.path}/lesson", json={})

    assert refusal(answer) == (409, "tutorial_not_published")


async def test_editors_without_a_role_that_makes_lessons_are_refused(space: TutorialSpace) -> None:
    await space.move("publish")

    answer = await space["editor"].post(f"{space.path}/lesson", json={})

    assert refusal(answer) == (403, "forbidden")
    assert answer.json()["required_roles"] == ["admin", "instructor", "registrar"]


async def test_an_instructor_from_outside_finds_no_tutorial(space: TutorialSpace) -> None:
    await space.move("publish")
    stranger = await person(space.space.api, "outside", Role.INSTRUCTOR)

    answer = await stranger.client.post(f"{space.path}/lesson", json={})

    assert refusal(answer) == (404, "tutorial_not_found")


async def test_the_lesson_outlives_the_tutorial(space: TutorialSpace, instructor: Person) -> None:
    await space.move("publish")
    tutorial = taken(await instructor.client.post(f"{space.path}/lesson", json={}))

    taken(await space["admin"].delete(space.path, headers={"If-Match": "*"}), 204)

    assert (await lesson_of(instructor, tutorial))["title"] == "How to reset the router"
