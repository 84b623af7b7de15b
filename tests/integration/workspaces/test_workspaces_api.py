"""Workspaces and profiles as clients see them."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from dataforge.contexts.workspaces.module import MODULE, WorkspacesServices
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from tests.builders.api import ApiUnderTest
from tests.builders.workspaces import Space, maintenance, new_workspace, person, refusal, taken


def listed(space: Space, role: str) -> str:
    return f"/api/user-profiles/{space.people[role].id}/workspaces"


async def test_a_workspace_is_made_read_and_changed(space: Space) -> None:
    owner = space["owner"]
    body = {"name": "Research", "workspace_type": "research", "settings": {"colour": "green"}}
    made = await owner.post(listed(space, "owner"), json=body)
    read = await owner.get(made.headers["Location"])
    etag = read.headers["ETag"]

    changed = await owner.patch(made.headers["Location"], json={"description": "Why?"}, headers={"If-Match": etag})
    stale = await owner.patch(made.headers["Location"], json={"name": "Other"}, headers={"If-Match": etag})
    unasked = await owner.patch(made.headers["Location"], json={"name": "Other"})

    assert taken(read) == made.json()
    assert (made.json()["role"], made.json()["workspace_type"]) == ("owner", "research")
    assert (changed.json()["description"], changed.json()["settings"]) == ("Why?", {"colour": "green"})
    assert (refusal(stale), refusal(unasked)) == ((412, "stale_version"), (428, "precondition_required"))


async def test_a_name_is_used_once_by_an_owner_whatever_its_capitals(space: Space) -> None:
    again = await space["owner"].post(listed(space, "owner"), json={"name": "ACME"})
    elsewhere = await space["stranger"].post(listed(space, "stranger"), json={"name": "Acme"})
    other = await new_workspace(space.people["owner"], "Other")
    renamed = await space["owner"].patch(f"/api/workspaces/{other}", json={"name": "acme"}, headers={"If-Match": "*"})

    assert refusal(again) == (409, "already_exists")
    assert elsewhere.status_code == 201
    assert refusal(renamed) == (409, "already_exists")


async def test_the_fifty_first_workspace_is_refused_even_when_two_ask_at_once(api: ApiUnderTest) -> None:
    ada = await person(api, "ada")
    for number in range(48):
        await new_workspace(ada, f"W{number}")
    path = f"/api/user-profiles/{ada.id}/workspaces"

    answers = await asyncio.gather(*(ada.client.post(path, json={"name": f"Late {n}"}) for n in range(5)))

    assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409, 409]
    assert {refusal(answer) for answer in answers if answer.status_code == 409} == {(409, "workspace_limit_exceeded")}


async def test_lists_have_pages_filters_and_numbers(space: Space) -> None:
    for name in ("Beta", "alpha"):
        await new_workspace(space.people["owner"], name)
    await space.vault()
    await space.post("/repos", name="site")
    owner, path = space["owner"], listed(space, "owner")

    first = taken(await owner.get(path, params={"limit": 2}))
    second = taken(await owner.get(path, params={"limit": 2, "cursor": first["next_cursor"]}))
    viewed = taken(await space["viewer"].get(listed(space, "viewer"), params={"role": "viewer"}))
    found = taken(await owner.get(path, params={"search": "ALPH", "archived": "false"}))

    assert [item["name"] for item in first["items"] + second["items"]] == ["Acme", "alpha", "Beta"]
    assert second["next_cursor"] is None
    acme = first["items"][0]
    assert (acme["repo_count"], acme["vault_count"], acme["member_count"]) == (1, 1, 4)
    assert [(item["name"], item["role"]) for item in viewed["items"]] == [("Acme", "viewer")]
    assert [item["name"] for item in found["items"]] == ["alpha"]


async def test_stats_count_what_there_is(space: Space) -> None:
    await space.vault()
    for name in ("site", "infra"):
        await space.post("/repos", name=name)

    stats = taken(await space["viewer"].get(f"{space.path}/stats"))

    assert stats["workspace_id"] == space.id
    assert (stats["repo_count"], stats["vault_count"], stats["total_resources"]) == (2, 1, 3)
    assert stats["member_count"] == 4


async def test_only_an_archived_workspace_is_deleted_and_only_by_an_owner(space: Space) -> None:
    early = await space["owner"].delete(space.path)
    not_owned = [await space["admin"].post(f"{space.path}/archive"), await space["admin"].delete(space.path)]
    archived = taken(await space["owner"].post(f"{space.path}/archive"))
    deleted = await space["owner"].delete(space.path)
    gone = await space["owner"].get(space.path)

    assert refusal(early) == (409, "workspace_deletion_not_allowed")
    assert {refusal(answer) for answer in not_owned} == {(403, "workspace_not_owned")}
    assert archived["archived_at"] is not None
    assert (deleted.status_code, refusal(gone)) == (204, (404, "workspace_not_found"))
    assert taken(await space["owner"].get(listed(space, "owner")))["items"] == []


async def test_an_archived_workspace_is_read_only_until_it_is_unarchived(space: Space) -> None:
    vault = await space.vault()
    taken(await space["owner"].post(f"{space.path}/archive"))
    owner, any_revision = space["owner"], {"If-Match": "*"}

    writes = [
        await owner.patch(space.path, json={"name": "New"}, headers=any_revision),
        await owner.post(f"{space.path}/repos", json={"name": "site"}),
        await owner.post(f"{space.path}/vaults", json={"name": "Second"}),
        await owner.patch(f"{space.path}{vault}", json={"name": "Third"}, headers=any_revision),
        await owner.delete(f"{space.path}{vault}"),
        await owner.post(f"{space.path}{vault}/lock"),
        await owner.post(f"{space.path}/invitations", json={"email": "new@example.org"}),
        await owner.patch(f"{space.path}/members/{space.people['editor'].id}", json={"role": "viewer"}),
    ]

    assert {refusal(answer) for answer in writes} == {(409, "workspace_archived")}
    assert taken(await space["viewer"].get(f"{space.path}{vault}"))["name"] == "Handbook"
    taken(await owner.post(f"{space.path}/unarchive"))
    taken(await owner.post(f"{space.path}/repos", json={"name": "site"}), 201)


async def test_what_was_deleted_is_erased_after_thirty_days(space: Space, clock: FixedClock) -> None:
    await space.vault()
    taken(await space["owner"].post(f"{space.path}/archive"))
    taken(await space["owner"].delete(space.path), 204)
    services = maintenance(space.api).get(WorkspacesServices)
    job = MODULE.jobs()["workspaces"]
    async with space.api.database.transaction() as connection:
        await connection.execute(text("UPDATE workspaces.workspaces SET export_key = 'workspaces/x/exports/x.zip'"))

    clock.advance(timedelta(days=29))
    early = await job(services)
    clock.advance(timedelta(days=2))
    late = await job(services)

    assert (early["erased_workspaces"], late["erased_workspaces"]) == (0, 1)
    async with space.api.database.read_only() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM workspaces.vaults")) == 0


async def test_a_profile_is_for_those_who_share_a_workspace(space: Space) -> None:
    viewer, editor = space.people["viewer"], space.people["editor"]
    made = taken(
        await viewer.client.post("/api/user-profiles", json={"about": "I read.", "preferences": {"theme": "dark"}}), 201
    )
    again = await viewer.client.post("/api/user-profiles", json={})
    path = f"/api/user-profiles/{viewer.id}"

    seen = taken(await editor.client.get(path))
    strange = await space["stranger"].get(path)
    by_admin = taken(await (await space.api.as_role(Role.ADMIN)).get(path))
    not_own = await editor.client.patch(path, json={"about": "x"}, headers={"If-Match": "*"})

    assert refusal(again) == (409, "already_exists")
    assert (made["preferences"], seen["preferences"], by_admin["preferences"]) == ({"theme": "dark"}, None, None)
    assert (seen["about"], seen["username"]) == ("I read.", "viewer")
    assert {refusal(strange), refusal(not_own)} == {(404, "profile_not_found")}
    names = [item["username"] for item in taken(await editor.client.get("/api/user-profiles"))["items"]]
    assert names == ["owner", "viewer"]


async def test_a_profile_is_changed_and_deleted_by_its_person(space: Space) -> None:
    path = f"/api/user-profiles/{space.people['owner'].id}"
    changed = await space["owner"].patch(path, json={"about": "Hi"}, headers={"If-Match": '"1"'})
    in_use = await space["owner"].delete(path)
    newcomer = await person(space.api, "newcomer")
    taken(await newcomer.client.post("/api/user-profiles", json={}), 201)

    assert (taken(changed)["about"], changed.headers["ETag"]) == ("Hi", '"2"')
    assert refusal(in_use) == (409, "profile_in_use")
    assert (await newcomer.client.delete(f"/api/user-profiles/{newcomer.id}")).status_code == 204
    assert refusal(await newcomer.client.get(f"/api/user-profiles/{newcomer.id}")) == (404, "profile_not_found")


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": "x" * 256},
        {"name": "a\u0007b"},
        {"name": "a", "settings": {"k": "x" * 20_000}},
        {"name": "a", "workspace_type": "secret"},
        {"name": "a", "owner_id": "x"},
    ],
)
async def test_a_workspace_that_breaks_rules_is_refused(space: Space, body: dict[str, object]) -> None:
    assert refusal(await space["owner"].post(listed(space, "owner"), json=body)) == (400, "validation_failed")
