"""Datasets of a workspace: what its members may do by their roles, and what nobody else may."""

from dataclasses import dataclass
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from dataforge.kernel.principal import Role
from tests.builders.datasets import DatasetsUnderTest, new_dataset, ok, refused

ANY = {"If-Match": "*"}


@dataclass
class Team:
    """A workspace, its people by role, and an owner of another one who is an instructor of the organisation."""

    datasets: DatasetsUnderTest
    workspace: str
    elsewhere: str
    ids: dict[str, UUID]
    clients: dict[str, httpx.AsyncClient]

    def __getitem__(self, name: str) -> httpx.AsyncClient:
        return self.clients[name]

    async def archive(self) -> None:
        statement = text("UPDATE workspaces.workspaces SET archived_at = now() WHERE id = :id")
        async with self.datasets.database.transaction() as connection:
            await connection.execute(statement, {"id": self.workspace})

    async def delete(self) -> None:
        statement = text("UPDATE workspaces.workspaces SET archived_at = now(), deleted_at = now() WHERE id = :id")
        async with self.datasets.database.transaction() as connection:
            await connection.execute(statement, {"id": self.workspace})

    async def restore(self) -> None:
        statement = text("UPDATE workspaces.workspaces SET deleted_at = NULL WHERE id = :id")
        async with self.datasets.database.transaction() as connection:
            await connection.execute(statement, {"id": self.workspace})


@pytest.fixture
async def team(datasets: DatasetsUnderTest) -> Team:
    names = ("owner", "admin", "editor", "viewer", "stranger")
    roles = {name: Role.INSTRUCTOR if name == "stranger" else Role.LEARNER for name in names}
    ids = {name: await datasets.add_user(role) for name, role in roles.items()}
    others = {name: ids[name] for name in ("admin", "editor", "viewer")}
    workspace = await datasets.add_workspace(ids["owner"], **others)
    elsewhere = await datasets.add_workspace(ids["stranger"])
    clients = {name: await datasets.as_user(ids[name], role) for name, role in roles.items()}
    return Team(datasets, str(workspace), str(elsewhere), ids, clients)


async def test_members_have_the_level_of_their_role(team: Team) -> None:
    path = f"/api/datasets/{await new_dataset(team['editor'], workspace_id=team.workspace)}"

    levels = {name: ok(await team[name].get(path))["permission"] for name in ("owner", "admin", "editor", "viewer")}
    branch = [await team[name].post(f"{path}/refs", json={"name": name}) for name in ("viewer", "editor")]
    changed = [await team[name].patch(path, json={"description": "x"}, headers=ANY) for name in ("editor", "admin")]

    assert levels == {"owner": "admin", "admin": "admin", "editor": "write", "viewer": "read"}
    assert [answer.status_code for answer in branch] == [403, 201]
    assert [answer.status_code for answer in changed] == [403, 200]
    assert ok(await team["owner"].get(f"{path}/permissions"))["items"] == []
    sql = await team.datasets.sql_client(team["viewer"])
    assert ok(await sql.post(f"{path}/refs/main/sql", json={"sql": "SELECT 1 AS one"}))["rows"]


async def test_only_editors_make_one_and_strangers_see_no_workspace(team: Team) -> None:
    body = {"name": "Rosters", "workspace_id": team.workspace}

    answers = {name: await team[name].post("/api/datasets", json=body) for name in ("viewer", "stranger", "editor")}
    without = await team["editor"].post("/api/datasets", json={"name": "Rosters"})

    assert refused(answers["viewer"]) == (403, "workspace_role_missing")
    assert refused(answers["stranger"]) == (404, "workspace_not_found")
    assert answers["editor"].status_code == 201
    assert refused(without) == (403, "forbidden")


async def test_an_answer_is_repeated_only_to_who_still_may_make_one(team: Team) -> None:
    sent = {"json": {"name": "Rosters", "workspace_id": team.workspace}, "headers": {"Idempotency-Key": "k"}}
    first = await team["editor"].post("/api/datasets", **sent)
    again = await team["editor"].post("/api/datasets", **sent)
    async with team.datasets.database.transaction() as connection:
        statement = text("DELETE FROM workspaces.members WHERE user_id = :id")
        await connection.execute(statement, {"id": team.ids["editor"]})

    after = await team["editor"].post("/api/datasets", **sent)

    assert (first.status_code, again.content) == (201, first.content)
    assert refused(after) == (404, "workspace_not_found")


async def test_nobody_else_sees_it_without_a_grant(team: Team) -> None:
    dataset = await new_dataset(team["owner"], workspace_id=team.workspace, tags=["secret"])
    grant = f"/api/datasets/{dataset}/permissions/user/{team.ids['stranger']}"

    before = [
        refused(await team["stranger"].get(f"/api/datasets/{dataset}")),
        ok(await team["stranger"].get("/api/datasets"))["items"],
        ok(await team["stranger"].get("/api/datasets", params={"workspace_id": team.workspace}))["items"],
        ok(await team["stranger"].get("/api/datasets/tags"))["items"],
    ]
    ok(await team["owner"].put(grant, json={"level": "read"}))

    assert before == [(404, "dataset_not_found"), [], [], []]
    assert ok(await team["stranger"].get(f"/api/datasets/{dataset}"))["permission"] == "read"


async def test_in_a_deleted_workspace_it_is_nobodys_until_the_workspace_is_restored(team: Team) -> None:
    dataset = await new_dataset(team["owner"], workspace_id=team.workspace, tags=["secret"])
    path = f"/api/datasets/{dataset}"
    ok(await team["owner"].put(f"{path}/permissions/user/{team.ids['stranger']}", json={"level": "admin"}))
    admin = await team.datasets.as_role(Role.ADMIN)
    people = (team["owner"], team["stranger"], admin)
    await team.delete()

    answers = [await client.get(path) for client in people]
    answers += [await client.delete(path, headers=ANY) for client in people]
    queried = await (await team.datasets.sql_client(team["stranger"])).post(f"{path}/refs/main/sql", json={"sql": "x"})
    lists = [ok(await client.get("/api/datasets"))["items"] for client in people]
    tags = [ok(await client.get("/api/datasets/tags"))["items"] for client in people]
    await team.restore()

    assert {refused(answer) for answer in (*answers, queried)} == {(404, "dataset_not_found")}
    assert lists == tags == [[], [], []]
    assert ok(await team["stranger"].get(path))["permission"] == "admin"


async def test_a_list_is_of_one_workspace(team: Team) -> None:
    ids = [await new_dataset(team["stranger"], name="Mine")]
    ids += [await new_dataset(team["stranger"], name="Ours", workspace_id=team.elsewhere)]

    everything = ok(await team["stranger"].get("/api/datasets"))["items"]
    ours = ok(await team["stranger"].get("/api/datasets", params={"workspace_id": team.elsewhere}))["items"]

    assert [item["id"] for item in everything] == ids
    assert [item["id"] for item in ours] == ids[1:]


async def test_a_name_is_taken_within_the_workspace_whoever_made_it(team: Team) -> None:
    await new_dataset(team["owner"], name="Rosters", workspace_id=team.workspace)

    again = await team["editor"].post("/api/datasets", json={"name": "Rosters", "workspace_id": team.workspace})

    assert refused(again) == (409, "dataset_exists")
    await new_dataset(team["stranger"], name="Rosters", workspace_id=team.elsewhere)
    await new_dataset(team["stranger"], name="Rosters")


async def test_it_moves_out_by_administrators_of_the_workspace_and_in_by_editors(team: Team) -> None:
    dataset = await new_dataset(team["owner"], workspace_id=team.workspace)
    path, out = f"/api/datasets/{dataset}", {"workspace_id": None}
    own = await new_dataset(team["stranger"])
    ok(await team["owner"].put(f"{path}/permissions/user/{team.ids['stranger']}", json={"level": "admin"}))

    into_ours = await team["stranger"].patch(f"/api/datasets/{own}", json={"workspace_id": team.workspace}, headers=ANY)
    taken_away = [
        await team["stranger"].patch(path, json={"workspace_id": target}, headers=ANY)
        for target in (None, team.elsewhere)
    ]
    by_editor = await team["editor"].patch(path, json=out, headers=ANY)
    moved = ok(await team["admin"].patch(path, json=out, headers=ANY))

    assert refused(into_ours) == (404, "workspace_not_found")
    assert {refused(answer) for answer in taken_away} == {(404, "dataset_not_found")}
    assert refused(by_editor) == (403, "dataset_access")
    assert (moved["workspace_id"], moved["permission"]) == (None, "admin")
    assert refused(await team["viewer"].get(path)) == (404, "dataset_not_found")
    back = ok(await team["admin"].patch(path, json={"workspace_id": team.workspace}, headers=ANY))
    assert back["workspace_id"] == team.workspace
    assert ok(await team["viewer"].get(path))["permission"] == "read"


async def test_in_an_archived_workspace_it_is_read_only_for_everybody(team: Team) -> None:
    path = f"/api/datasets/{await new_dataset(team['owner'], workspace_id=team.workspace)}"
    ok(await team["owner"].put(f"{path}/permissions/user/{team.ids['stranger']}", json={"level": "admin"}))
    admin = await team.datasets.as_role(Role.ADMIN)
    await team.archive()

    answers = [
        await client.patch(path, json={"description": "x"}, headers=ANY)
        for client in (team["owner"], team["stranger"], admin)
    ]
    answers += [
        await team["editor"].post(f"{path}/refs", json={"name": "b"}),
        await team["editor"].post("/api/datasets", json={"name": "n", "workspace_id": team.workspace}),
        await team["owner"].patch(path, json={"workspace_id": None}, headers=ANY),
    ]

    assert {refused(answer) for answer in answers} == {(409, "workspace_archived")}
    assert ok(await team["viewer"].get(path))["permission"] == "read"


async def test_its_editors_are_asked_to_review(team: Team) -> None:
    path = f"/api/datasets/{await new_dataset(team['owner'], workspace_id=team.workspace)}"
    ok(await team["editor"].post(f"{path}/refs", json={"name": "proposal"}), 201)
    ok(await team["editor"].post(f"{path}/reviews", json={"title": "t", "source_ref": "proposal"}), 201)

    async with team.datasets.database.read_only() as connection:
        query = text("SELECT payload FROM platform.outbox WHERE name = 'datasets.review_requested'")
        [payload] = (await connection.scalars(query)).all()

    assert set(payload["reviewers"]) == {str(team.ids[name]) for name in ("owner", "admin", "editor")}
