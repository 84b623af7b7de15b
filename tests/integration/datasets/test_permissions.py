"""Who may do what: grants, their audit, and a walk over every route as the wrong person."""

import asyncio
from collections.abc import Iterator
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import text

from dataforge.http.openapi import requirement_of
from dataforge.kernel.access import Action, Kind, Level, Resource
from dataforge.kernel.principal import Principal, Role
from dataforge.kernel.rules import RULES
from dataforge.platform.access import Decisions
from dataforge.platform.db.database import Database
from tests.builders.datasets import COMMIT, DatasetsUnderTest, new_dataset, ok, refused

# Routes about no single dataset; each line is a decision.
WITHOUT_LEVEL = {
    ("GET", "/api/datasets"),
    ("POST", "/api/datasets"),
    ("GET", "/api/datasets/tags"),
    ("GET", "/api/datasets/jobs/{job_id}"),
}
SAMPLES = {"ref": "main", "commit_id": COMMIT, "kind": "user", "number": "1", "version": "main"}


def routes(datasets: DatasetsUnderTest) -> Iterator[tuple[str, APIRoute]]:
    datasets.app.contexts.load_all()
    for route in datasets.app.contexts.routes():
        if route.path_format.startswith("/api/datasets"):
            for method in sorted(route.methods or ()):
                yield method, route


def level_of(route: APIRoute) -> Level | None:
    needed = requirement_of(route)
    if needed is None or "dataset_id" not in route.param_convertors:
        return None
    return RULES[needed.kind, needed.action].level


def address(route: APIRoute, dataset_id: str) -> str:
    values = {name: SAMPLES.get(name, str(uuid4())) for name in route.param_convertors}
    return route.path_format.format(**{**values, "dataset_id": dataset_id})


async def statuses(
    datasets: DatasetsUnderTest, client: httpx.AsyncClient, dataset_id: str, levels: set[Level]
) -> dict[tuple[str, str], tuple[int, str]]:
    answers = {}
    for method, route in routes(datasets):
        if level_of(route) in levels:
            response = await client.request(method, address(route, dataset_id), json={}, headers={"If-Match": "*"})
            answers[method, route.path_format] = refused(response)
    assert answers
    return answers


async def test_every_route_names_the_level_it_needs(datasets: DatasetsUnderTest) -> None:
    without = {(method, route.path_format) for method, route in routes(datasets) if level_of(route) is None}

    assert without == WITHOUT_LEVEL


async def test_a_stranger_finds_nothing_anywhere(datasets: DatasetsUnderTest) -> None:
    owner, stranger = await datasets.analyst(), await datasets.analyst()
    dataset_id = await new_dataset(owner)

    answers = await statuses(datasets, stranger, dataset_id, set(Level))

    assert {key: answer for key, answer in answers.items() if answer != (404, "dataset_not_found")} == {}


@pytest.mark.parametrize(
    ("held", "beyond"), [("read", {Level.WRITE, Level.ADMIN}), ("write", {Level.ADMIN})], ids=["reader", "writer"]
)
async def test_a_level_that_is_too_low_is_refused(datasets: DatasetsUnderTest, held: str, beyond: set[Level]) -> None:
    owner = await datasets.analyst()
    dataset_id = await new_dataset(owner)
    member = await datasets.member(owner, dataset_id, held)

    answers = await statuses(datasets, member, dataset_id, beyond)

    assert {key: answer for key, answer in answers.items() if answer != (403, "dataset_access")} == {}


async def test_a_deleted_dataset_is_found_by_nobody(datasets: DatasetsUnderTest) -> None:
    owner = await datasets.analyst()
    dataset_id = await new_dataset(owner)
    ok(await owner.delete(f"/api/datasets/{dataset_id}", headers={"If-Match": "*"}), 204)

    answers = await statuses(datasets, owner, dataset_id, {Level.READ, Level.WRITE})

    assert set(answers.values()) == {(404, "dataset_not_found")}


class TestGrants:
    async def test_raise_and_lower_what_a_person_may_do(self, datasets: DatasetsUnderTest) -> None:
        owner = await datasets.analyst()
        dataset_id = await new_dataset(owner)
        user_id = await datasets.add_user(Role.VIEWER)
        person = await datasets.as_user(user_id, Role.VIEWER)
        grant = f"/api/datasets/{dataset_id}/permissions/user/{user_id}"
        branch = {"name": "mine"}

        ok(await owner.put(grant, json={"level": "read"}))
        as_reader = await person.post(f"/api/datasets/{dataset_id}/refs", json=branch)
        ok(await owner.put(grant, json={"level": "write"}))
        as_writer = await person.post(f"/api/datasets/{dataset_id}/refs", json=branch)
        ok(await owner.delete(grant), 204)
        as_stranger = await person.get(f"/api/datasets/{dataset_id}")

        assert [r.status_code for r in (as_reader, as_writer, as_stranger)] == [403, 201, 404]

    async def test_are_audited(self, datasets: DatasetsUnderTest, database: Database) -> None:
        owner = await datasets.analyst()
        dataset_id = await new_dataset(owner)
        path = f"/api/datasets/{dataset_id}/permissions/user/{await datasets.add_user(Role.VIEWER)}"

        ok(await owner.put(path, json={"level": "read"}))
        ok(await owner.put(path, json={"level": "write"}))
        ok(await owner.delete(path), 204)

        async with database.read_only() as connection:
            query = text(
                "SELECT action, before->>'level', after->>'level' FROM platform.audit_log "
                "WHERE entity = 'dataset_permission' AND entity_id = :id ORDER BY id"
            )
            rows = [tuple(row) for row in await connection.execute(query, {"id": dataset_id})]
        assert rows == [("granted", None, "read"), ("granted", "read", "write"), ("revoked", "write", None)]

    async def test_name_people(self, datasets: DatasetsUnderTest) -> None:
        owner = await datasets.analyst()
        dataset_id = await new_dataset(owner)
        user_id = await datasets.add_user(Role.VIEWER, display_name="Ada")
        ok(await owner.put(f"/api/datasets/{dataset_id}/permissions/user/{user_id}", json={"level": "read"}))

        listed = ok(await owner.get(f"/api/datasets/{dataset_id}/permissions"))["items"]

        assert ("Ada", "read") in [(item["name"], item["level"]) for item in listed]

    async def test_are_given_to_people_who_exist_and_are_active_only(
        self, datasets: DatasetsUnderTest, database: Database
    ) -> None:
        owner = await datasets.analyst()
        path = f"/api/datasets/{await new_dataset(owner)}/permissions/user"
        person = await datasets.add_user(Role.VIEWER)
        ok(await owner.put(f"{path}/{person}", json={"level": "read"}))
        async with database.transaction() as connection:
            await connection.execute(
                text("UPDATE identity.users SET suspended_at = now() WHERE id = :id"), {"id": person}
            )

        unknown = await owner.put(f"{path}/{uuid4()}", json={"level": "read"})
        suspended = await owner.put(f"{path}/{person}", json={"level": "admin"})

        assert (refused(unknown), refused(suspended)) == ((404, "unknown_person"), (409, "person_suspended"))
        assert [item["pointer"] for item in suspended.json()["errors"]] == ["path:subject_id"]
        ok(await owner.delete(f"{path}/{person}"), 204)

    async def test_to_a_workspace_count_for_those_in_it(self, datasets: DatasetsUnderTest) -> None:
        owner_id = await datasets.add_user(Role.ANALYST)
        owner, colleague_id = await datasets.as_user(owner_id, Role.ANALYST), await datasets.add_user(Role.VIEWER)
        colleague = await datasets.as_user(colleague_id, Role.VIEWER)
        workspace = await datasets.add_workspace(owner_id, colleague_id)
        dataset_id = await new_dataset(owner)
        path = f"/api/datasets/{dataset_id}"
        grants = f"{path}/permissions/workspace/{workspace}"
        assert (await colleague.get(path)).status_code == 404

        listed = ok(await owner.put(grants, json={"level": "write"}))["items"]

        assert [item["subject_kind"] for item in listed] == ["user", "workspace"]
        assert ok(await colleague.get(path))["permission"] == "write"
        assert [item["id"] for item in ok(await colleague.get("/api/datasets"))["items"]] == [dataset_id]
        asked = (await datasets.sql_client(colleague)).post(f"{path}/refs/main/sql", json={"sql": "SELECT 1 AS one"})
        assert ok(await asked)["rows"]
        stranger = await datasets.as_role(Role.ANALYST)
        assert (await stranger.get(path)).status_code == 404
        ok(await owner.delete(grants), 204)
        assert (await colleague.get(path)).status_code == 404

    async def test_to_a_workspace_count_wherever_it_is_asked(self, datasets: DatasetsUnderTest) -> None:
        owner_id, colleague_id = await datasets.add_user(Role.ANALYST), await datasets.add_user(Role.VIEWER)
        owner, workspace = (
            await datasets.as_user(owner_id, Role.ANALYST),
            await datasets.add_workspace(owner_id, colleague_id),
        )
        dataset_id = await new_dataset(owner)
        ok(await owner.put(f"/api/datasets/{dataset_id}/permissions/workspace/{workspace}", json={"level": "write"}))

        async def may(person: UUID, action: Action) -> bool:
            decisions = Decisions(datasets.platform, Principal(person, Role.VIEWER))
            return await decisions.can(action, Resource(Kind.REF, dataset=UUID(dataset_id)))

        assert await may(colleague_id, Action.CHANGE)
        assert not await may(colleague_id, Action.PROTECT)
        assert await may(owner_id, Action.PROTECT)
        assert not await may(await datasets.add_user(Role.VIEWER), Action.READ)

    async def test_to_a_workspace_need_one_that_the_caller_is_in(self, datasets: DatasetsUnderTest) -> None:
        owner, admin = await datasets.analyst(), await datasets.as_role(Role.ADMIN)
        path = f"/api/datasets/{await new_dataset(owner)}/permissions/workspace"
        workspace = await datasets.add_workspace(await datasets.add_user(Role.VIEWER))

        elsewhere = await owner.put(f"{path}/{workspace}", json={"level": "read"})
        unknown = await admin.put(f"{path}/{uuid4()}", json={"level": "read"})

        assert refused(elsewhere) == refused(unknown) == (403, "not_a_member")
        assert [item["pointer"] for item in elsewhere.json()["errors"]] == ["path:subject_id"]
        ok(await admin.put(f"{path}/{workspace}", json={"level": "read"}))

    async def test_the_last_administrator_stays(self, datasets: DatasetsUnderTest) -> None:
        user_id = await datasets.add_user(Role.ANALYST)
        owner = await datasets.as_user(user_id, Role.ANALYST)
        path = f"/api/datasets/{await new_dataset(owner)}/permissions/user/{user_id}"

        removed = await owner.delete(path)
        lowered = await owner.put(path, json={"level": "write"})

        assert refused(removed) == refused(lowered) == (409, "last_dataset_admin")

    async def test_two_administrators_removing_each_other_leave_one(self, datasets: DatasetsUnderTest) -> None:
        first_id, second_id = await datasets.add_user(Role.ANALYST), await datasets.add_user(Role.ANALYST)
        first, second = await datasets.as_user(first_id, Role.ANALYST), await datasets.as_user(second_id, Role.ANALYST)
        path = f"/api/datasets/{await new_dataset(first)}/permissions/user"
        ok(await first.put(f"{path}/{second_id}", json={"level": "admin"}))

        answers = await asyncio.gather(first.delete(f"{path}/{second_id}"), second.delete(f"{path}/{first_id}"))

        first_status, second_status = sorted(answer.status_code for answer in answers)
        assert first_status == 204
        assert second_status in (403, 404, 409)
