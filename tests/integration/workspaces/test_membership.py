"""Members, roles, transfer, and the last owner."""

import asyncio

import pytest

from tests.builders.workspaces import Space, join, new_workspace, person, refusal, taken


def member(space: Space, name: str) -> str:
    return f"{space.path}/members/{space.people[name].id}"


async def roles(space: Space) -> dict[str, str]:
    return {
        item["username"]: item["role"] for item in taken(await space["owner"].get(f"{space.path}/members"))["items"]
    }


async def test_an_administrator_changes_roles_but_makes_and_moves_no_owner(space: Space) -> None:
    taken(await space["admin"].patch(member(space, "viewer"), json={"role": "editor"}))
    made = await space["admin"].patch(member(space, "editor"), json={"role": "owner"})
    demoted = await space["admin"].patch(member(space, "owner"), json={"role": "viewer"})
    removed = await space["admin"].delete(member(space, "owner"))
    by_editor = await space["editor"].patch(member(space, "viewer"), json={"role": "viewer"})

    assert {refusal(answer) for answer in (made, demoted, removed)} == {(403, "workspace_not_owned")}
    assert refusal(by_editor) == (403, "workspace_role_missing")
    assert await roles(space) == {"owner": "owner", "admin": "admin", "editor": "editor", "viewer": "editor"}


async def test_the_last_owner_stays(space: Space) -> None:
    left = await space["owner"].delete(member(space, "owner"))
    demoted = await space["owner"].patch(member(space, "owner"), json={"role": "viewer"})

    assert {refusal(left), refusal(demoted)} == {(409, "last_owner")}


async def test_of_two_owners_who_leave_at_once_one_stays(space: Space) -> None:
    for name in ("admin", "editor"):
        taken(await space["owner"].patch(member(space, name), json={"role": "owner"}))
    taken(await space["owner"].post(f"{space.path}/transfer", json={"user_id": str(space.people["admin"].id)}))
    taken(await space["owner"].delete(member(space, "owner")), 204)
    taken(await space["editor"].post(f"{space.path}/transfer", json={"user_id": str(space.people["editor"].id)}))

    answers = await asyncio.gather(
        space["admin"].delete(member(space, "admin")), space["editor"].delete(member(space, "editor"))
    )

    assert sorted(answer.status_code for answer in answers) == [204, 409]
    left = taken(await space["editor"].get(f"{space.path}/members"))["items"]
    assert [(item["username"], item["role"]) for item in left] == [("editor", "owner"), ("viewer", "viewer")]


async def test_a_member_leaves_and_sees_it_no_more(space: Space) -> None:
    assert (await space["viewer"].delete(member(space, "viewer"))).status_code == 204

    assert refusal(await space["viewer"].get(space.path)) == (404, "workspace_not_found")
    assert refusal(await space["admin"].delete(member(space, "viewer"))) == (404, "member_not_found")


async def test_a_transfer_makes_the_workspace_somebody_elses(space: Space) -> None:
    target = {"user_id": str(space.people["viewer"].id)}
    by_admin = await space["admin"].post(f"{space.path}/transfer", json=target)
    to_stranger = await space["owner"].post(
        f"{space.path}/transfer", json={"user_id": str(space.people["stranger"].id)}
    )
    done = taken(await space["owner"].post(f"{space.path}/transfer", json=target))

    assert refusal(by_admin) == (403, "workspace_not_owned")
    assert refusal(to_stranger) == (404, "member_not_found")
    assert done["owner_id"] == target["user_id"]
    assert (await roles(space))["viewer"] == "owner"
    assert (await space["owner"].delete(member(space, "owner"))).status_code == 204


async def test_a_transfer_respects_the_new_owners_names_and_number(space: Space) -> None:
    viewer = space.people["viewer"]
    await new_workspace(viewer, "ACME")

    same_name = await space["owner"].post(f"{space.path}/transfer", json={"user_id": str(viewer.id)})
    for number in range(49):
        await new_workspace(viewer, f"W{number}")
    full = await space["owner"].post(f"{space.path}/transfer", json={"user_id": str(viewer.id)})

    assert refusal(same_name) == (409, "already_exists")
    assert refusal(full) == (409, "workspace_limit_exceeded")


async def test_members_come_in_pages(space: Space) -> None:
    newcomer = await person(space.api, "zoe")
    await join(space, newcomer, "viewer")
    names, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = taken(await space["viewer"].get(f"{space.path}/members", params=query))
        names += [item["username"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert names == ["admin", "editor", "owner", "viewer", "zoe"]


@pytest.mark.parametrize("role", ["viewer", "editor"])
async def test_a_role_holds_from_the_next_request_on(space: Space, role: str) -> None:
    taken(await space["owner"].patch(member(space, "admin"), json={"role": role}))

    answer = await space["admin"].patch(member(space, "viewer"), json={"role": "viewer"})

    assert refusal(answer) == (403, "workspace_role_missing")
