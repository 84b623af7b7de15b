"""Global resources: one's own, shared to be read, written or copied."""

import pytest

from tests.builders.workspaces import Space, refusal, taken


async def resource(space: Space, level: str | None = None, **body: object) -> str:
    """The id of a resource of the owner, shared for this."""
    path = f"/api/user-profiles/{space.people['owner'].id}/resources"
    given = {"resource_type": "contact", "name": "Grace", "resource_data": {"phone": "1"}, **body}
    made = taken(await space["owner"].post(path, json=given), 201)
    if level:
        taken(await space["owner"].put(f"{space.path}/resources/{made['id']}", json={"access_level": level}))
    return str(made["id"])


async def test_a_resource_is_made_changed_listed_and_deleted(space: Space) -> None:
    own = f"/api/user-profiles/{space.people['owner'].id}/resources"
    first = await resource(space)
    await resource(space, resource_type="snippet")
    twice = await space["owner"].post(own, json={"resource_type": "contact", "name": "Grace"})
    changed = taken(
        await space["owner"].patch(f"{own}/{first}", json={"name": "Grace H."}, headers={"If-Match": '"1"'})
    )

    assert refusal(twice) == (409, "already_exists")
    assert (changed["name"], changed["resource_data"], changed["revision"]) == ("Grace H.", {"phone": "1"}, 2)
    snippets = taken(await space["owner"].get(own, params={"resource_type": "snippet"}))["items"]
    assert [item["resource_type"] for item in snippets] == ["snippet"]
    assert (await space["owner"].delete(f"{own}/{first}")).status_code == 204
    assert refusal(await space["owner"].get(f"{own}/{first}")) == (404, "resource_not_found")


@pytest.mark.parametrize(("level", "write", "copy"), [("read", 403, 403), ("write", 200, 403), ("copy", 403, 201)])
async def test_a_level_allows_what_it_says(space: Space, level: str, write: int, copy: int) -> None:
    shared = f"{space.path}/resources/{await resource(space, level)}"

    read = taken(await space["viewer"].get(shared))
    data = {"resource_data": {"phone": "2"}}
    changed = await space["editor"].patch(shared, json=data, headers={"If-Match": "*"})
    copied = await space["viewer"].post(f"{shared}/copy")

    assert (read["access_level"], read["resource_data"]) == (level, {"phone": "1"})
    assert (changed.status_code, copied.status_code) == (write, copy)
    refused = {refusal(answer) for answer in (changed, copied) if answer.status_code >= 400}
    assert refused == {(403, "resource_access_missing")}


async def test_a_copy_is_ones_own(space: Space) -> None:
    shared = f"{space.path}/resources/{await resource(space, 'copy')}"
    copy = (await space["viewer"].post(f"{shared}/copy")).headers["Location"]
    taken(await space["owner"].delete(shared), 204)

    assert taken(await space["viewer"].get(copy))["name"] == "Grace"
    assert refusal(await space["viewer"].get(shared)) == (404, "resource_not_found")
    assert refusal(await space["owner"].get(copy)) == (404, "profile_not_found")


async def test_only_ones_own_is_shared_and_administrators_may_end_it(space: Space) -> None:
    resource_id = await resource(space, "read")
    shared = f"{space.path}/resources/{resource_id}"

    others = await space["editor"].put(shared, json={"access_level": "write"})
    by_editor = await space["editor"].delete(shared)
    listed = taken(await space["viewer"].get(space.path))["shared_resources"]
    ended = await space["admin"].delete(shared)

    assert refusal(others) == (404, "resource_not_found")
    assert refusal(by_editor) == (403, "workspace_role_missing")
    assert [(item["resource_id"], item["access_level"]) for item in listed] == [(resource_id, "read")]
    assert ended.status_code == 204
