"""Nothing crosses: every route below a workspace, walked as somebody who is in another one."""

import re
from typing import Any

import pytest

from dataforge.http.openapi import requirement_of
from dataforge.kernel.access import Action, MemberRole
from dataforge.kernel.rules import RULES
from tests.builders.routes import routes_of
from tests.builders.workspaces import Space, refusal, taken

VAULT = "/api/workspaces/{workspace_id}/vaults/{vault_id}"
# A body that each route would take, so that it is the workspace that refuses.
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("PATCH", "/api/workspaces/{workspace_id}/members/{user_id}"): {"role": "viewer"},
    ("POST", "/api/workspaces/{workspace_id}/invitations"): {"email": "zoe@example.org"},
    ("PUT", "/api/workspaces/{workspace_id}/resources/{resource_id}"): {"access_level": "read"},
    ("PATCH", "/api/workspaces/{workspace_id}/resources/{resource_id}"): {"resource_data": {}},
    ("POST", "/api/workspaces/{workspace_id}/repos"): {"name": "x"},
    ("POST", VAULT + "/imports/uploads"): {"size_bytes": 1, "sha256": "0" * 64},
    ("POST", VAULT + "/imports/preview"): {"upload_key": "uploads/x"},
    ("POST", VAULT + "/imports"): {"plan_hash": "0" * 64},
    ("POST", "/api/workspaces/{workspace_id}/vaults"): {"name": "x"},
    ("POST", "/api/workspaces/{workspace_id}/vaults/{vault_id}/notes"): {"path": "x"},
    ("POST", "/api/workspaces/{workspace_id}/vaults/{vault_id}/move-folder"): {"folder": "a", "target": "b"},
}


async def things(space: Space, owner: str) -> dict[str, str]:
    """The ids of what is in a workspace, one of each."""
    who = space.people[owner]
    body = {"resource_type": "contact", "name": "Grace"}
    resource = taken(await who.client.post(f"/api/user-profiles/{who.id}/resources", json=body), 201)["id"]
    taken(await who.client.put(f"{space.path}/resources/{resource}", json={"access_level": "write"}))
    vault = await space.vault(f"{owner}'s")
    note = await space.post(f"{vault}/notes", path="a/note")
    return {
        "workspace_id": space.id,
        "user_id": str(space.people["viewer"].id),
        "resource_id": resource,
        "invitation_id": (await space.post("/invitations", email="new@example.org"))["id"],
        "repo_id": (await space.post("/repos", name="site"))["id"],
        "vault_id": vault.rpartition("/")[2],
        "note_id": note["id"],
        "revision": "1",
    }


def walked(space: Space) -> list[tuple[str, str]]:
    return [
        (method, route.path_format)
        for method, route in routes_of(space.api)
        if route.path_format.startswith("/api/workspaces/{workspace_id}")
    ]


async def test_a_member_of_another_workspace_finds_nothing(space: Space) -> None:
    ids, answers = await things(space, "owner"), {}
    body_of_transfer = {"user_id": ids["user_id"]}
    for method, path in walked(space):
        body = body_of_transfer if path.endswith("/transfer") else BODIES.get((method, path), {})
        answer = await space["stranger"].request(
            method, path.format(**ids), json=body, headers={"If-Match": "*", "Idempotency-Key": f"{method} {path}"}
        )
        answers[method, path] = refusal(answer)

    assert len(answers) > 25
    assert {route: answer for route, answer in answers.items() if answer != (404, "workspace_not_found")} == {}


@pytest.mark.parametrize("role", [role for role in MemberRole if role is not MemberRole.OWNER])
async def test_a_role_is_refused_what_the_table_keeps_from_it_and_nothing_that_it_may_read(
    space: Space, role: MemberRole
) -> None:
    ids, refused, readable = await things(space, "owner"), {}, {}
    ids |= {"user_id": str(space.people["owner"].id)}  # what is one's own, one may leave
    for method, route in routes_of(space.api):
        path, asked = route.path_format, requirement_of(route)
        if asked is None or not path.startswith("/api/workspaces/{workspace_id}"):
            continue
        needed = RULES[asked.kind, asked.action].member
        assert needed is not None
        if role.covers(needed) and asked.action is not Action.READ:
            continue
        body = {"user_id": ids["user_id"]} if path.endswith("/transfer") else BODIES.get((method, path), {})
        answer = await space[role].request(method, path.format(**ids), json=body, headers={"If-Match": "*"})
        if role.covers(needed):
            readable[method, path] = answer.status_code
        else:
            refused[method, path] = refusal(answer)

    missing = {(403, "workspace_role_missing"), (403, "workspace_not_owned")}
    assert refused
    assert {route: answer for route, answer in refused.items() if answer not in missing} == {}
    assert set(readable.values()) == {200}


async def test_the_ids_of_another_workspace_lead_nowhere_from_ones_own(space: Space) -> None:
    ids, answers = await things(space, "owner"), {}
    stranger = space.people["stranger"]
    own = taken(await stranger.client.get(f"/api/user-profiles/{stranger.id}/workspaces"))["items"][0]["id"]
    ids |= {"workspace_id": own}
    for method, path in walked(space):
        named = re.findall(r"{(\w+)}", path)
        if named == ["workspace_id"]:
            continue
        answer = await stranger.client.request(
            method, path.format(**ids), json=BODIES.get((method, path), {}), headers={"If-Match": "*"}
        )
        answers[method, path] = answer.status_code

    assert len(answers) > 15
    assert {route: status for route, status in answers.items() if status != 404} == {}


async def test_the_lists_of_people_are_their_own(space: Space) -> None:
    owner = space.people["owner"]
    paths = [f"/api/user-profiles/{owner.id}/{what}" for what in ("workspaces", "resources")]

    answers = [await space["viewer"].get(path) for path in paths]
    answers += [await space["viewer"].post(paths[0], json={"name": "Mine"})]
    answers += [await space["viewer"].post(paths[1], json={"resource_type": "snippet", "name": "Mine"})]

    assert {refusal(answer) for answer in answers} == {(404, "profile_not_found")}


async def test_an_answer_is_repeated_only_to_somebody_who_still_is_a_member(space: Space) -> None:
    sent = {"json": {"name": "site"}, "headers": {"Idempotency-Key": "k"}}
    first = await space["editor"].post(f"{space.path}/repos", **sent)
    again = await space["editor"].post(f"{space.path}/repos", **sent)
    taken(await space["owner"].delete(f"{space.path}/members/{space.people['editor'].id}"), 204)

    after = await space["editor"].post(f"{space.path}/repos", **sent)

    assert (first.status_code, again.content) == (201, first.content)
    assert refusal(after) == (404, "workspace_not_found")
