"""Repos and vaults: names, remotes, limits, roles, locks."""

import asyncio

import pytest
from sqlalchemy import text

from tests.builders.workspaces import Space, refusal, taken


@pytest.mark.parametrize("kind", ["repos", "vaults"])
async def test_one_is_made_read_changed_listed_and_deleted(space: Space, kind: str) -> None:
    made = await space["editor"].post(f"{space.path}/{kind}", json={"name": "Site", "metadata": {"team": "web"}})
    address = made.headers["Location"]
    changed = await space["editor"].patch(
        address, json={"path": "src/site"}, headers={"If-Match": made.headers["ETag"]}
    )
    stale = await space["editor"].patch(address, json={"path": "x"}, headers={"If-Match": made.headers["ETag"]})
    await space["editor"].post(f"{space.path}/{kind}", json={"name": "another"})

    assert taken(made, 201)["path"] == "Site"
    assert taken(await space["viewer"].get(address)) == changed.json()
    assert (changed.json()["path"], changed.json()["metadata"]) == ("src/site", {"team": "web"})
    assert refusal(stale) == (412, "stale_version")
    page = taken(await space["viewer"].get(f"{space.path}/{kind}", params={"limit": 1}))
    rest = taken(await space["viewer"].get(f"{space.path}/{kind}", params={"limit": 1, "cursor": page["next_cursor"]}))
    assert [item["name"] for item in page["items"] + rest["items"]] == ["another", "Site"]
    assert refusal(await space["editor"].delete(address)) == (403, "workspace_role_missing")
    assert (await space["admin"].delete(address)).status_code == 204
    assert refusal(await space["admin"].get(address)) == (404, f"{kind[:-1]}_not_found")


@pytest.mark.parametrize("kind", ["repos", "vaults"])
async def test_a_name_is_used_once_in_a_workspace(space: Space, kind: str) -> None:
    await space.post(f"/{kind}", name="Site")
    other = await space.post(f"/{kind}", name="Other")

    again = await space["owner"].post(f"{space.path}/{kind}", json={"name": "SITE"})
    renamed = await space["owner"].patch(
        f"{space.path}/{kind}/{other['id']}", json={"name": "site"}, headers={"If-Match": "*"}
    )

    assert {refusal(again), refusal(renamed)} == {(409, "already_exists")}


@pytest.mark.parametrize("kind", ["repos", "vaults"])
@pytest.mark.parametrize("name", [*(f"a{sign}b" for sign in '/\\<>:"|?*\x01'), "..", "a.", ""])
async def test_a_name_that_is_no_file_name_is_refused(space: Space, kind: str, name: str) -> None:
    answer = await space["owner"].post(f"{space.path}/{kind}", json={"name": name})

    assert refusal(answer) == (400, "validation_failed")
    assert answer.json()["errors"][0]["pointer"] == "/name"


@pytest.mark.parametrize(("kind", "limit"), [("repo", 100), ("vault", 20)])
async def test_a_workspace_has_a_limited_number_even_when_many_ask_at_once(space: Space, kind: str, limit: int) -> None:
    async with space.api.database.transaction() as connection:
        statement = (
            f"INSERT INTO workspaces.{kind}s (id, workspace_id, name, path, created_at, updated_at)"
            " SELECT gen_random_uuid(), :workspace, 'n' || number, 'p', now(), now()"
            " FROM generate_series(1, :count) number"
        )
        await connection.execute(text(statement), {"workspace": space.id, "count": limit - 1})

    answers = await asyncio.gather(
        *(space["editor"].post(f"{space.path}/{kind}s", json={"name": f"late {n}"}) for n in range(4))
    )

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert {refusal(answer) for answer in answers if answer.status_code == 409} == {(409, f"{kind}_limit_exceeded")}


async def test_a_remote_is_kept_and_cleared(space: Space) -> None:
    made = await space.post("/repos", name="site", remote_url="git@git.example.org:acme/site.git")
    address = f"{space.path}/repos/{made['id']}"

    refused = await space["owner"].patch(address, json={"remote_url": "ftp://x/y"}, headers={"If-Match": "*"})
    cleared = taken(await space["owner"].patch(address, json={"remote_url": None}, headers={"If-Match": "*"}))

    assert made["remote_url"] == "git@git.example.org:acme/site.git"
    assert refusal(refused) == (400, "validation_failed")
    assert (cleared["remote_url"], cleared["last_synced"]) == (None, None)


async def test_a_locked_vault_stays_as_it_is_until_an_administrator_unlocks_it(space: Space) -> None:
    vault = f"{space.path}{await space.vault()}"
    by_editor = await space["editor"].post(f"{vault}/lock")
    locked = taken(await space["admin"].post(f"{vault}/lock"))
    again = taken(await space["admin"].post(f"{vault}/lock"))
    change = await space["owner"].patch(vault, json={"name": "New"}, headers={"If-Match": "*"})
    deletion = await space["owner"].delete(vault)
    unlocked = taken(await space["owner"].post(f"{vault}/unlock"))

    assert refusal(by_editor) == (403, "workspace_role_missing")
    assert (locked["is_locked"], locked["locked_by"]) == (True, str(space.people["admin"].id))
    assert again == locked
    assert {refusal(change), refusal(deletion)} == {(423, "vault_locked")}
    assert (unlocked["is_locked"], unlocked["locked_at"]) == (False, None)
    taken(await space["editor"].patch(vault, json={"name": "New"}, headers={"If-Match": "*"}))


async def test_a_viewer_changes_nothing(space: Space) -> None:
    vault = await space.vault()

    answers = [
        await space["viewer"].post(f"{space.path}/repos", json={"name": "x"}),
        await space["viewer"].post(f"{space.path}/vaults", json={"name": "x"}),
        await space["viewer"].patch(f"{space.path}{vault}", json={"name": "x"}, headers={"If-Match": "*"}),
        await space["viewer"].post(f"{space.path}/invitations", json={"email": "x@example.org"}),
        await space["viewer"].get(f"{space.path}/invitations"),
    ]

    assert {refusal(answer) for answer in answers} == {(403, "workspace_role_missing")}
