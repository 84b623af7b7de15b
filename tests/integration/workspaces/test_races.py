"""Two at once, where only one may: owners, seats, invitations, limits."""

import asyncio
from uuid import UUID, uuid4

from sqlalchemy import text

from dataforge.contexts.workspaces.module import WorkspacesServices
from tests.builders.workspaces import Space, join, new_workspace, person, refusal, taken

ACCEPT = "/api/workspace-invitations/accept"


def member(space: Space, name: str) -> str:
    return f"{space.path}/members/{space.people[name].id}"


async def roles(space: Space) -> dict[str, str]:
    listed = taken(await space["viewer"].get(f"{space.path}/members"))["items"]
    return {item["username"]: item["role"] for item in listed}


def token_of(space: Space, invitation: str) -> str:
    return space.api.platform.get(WorkspacesServices).invitation_token(UUID(invitation), 1)


async def two_owners(space: Space) -> None:
    """Make the administrator an owner beside the owner."""
    taken(await space["owner"].patch(member(space, "admin"), json={"role": "owner"}))


async def test_of_two_owners_who_demote_each_other_the_first_one_does(space: Space) -> None:
    await two_owners(space)
    # Whoever it counts as cannot be demoted; let it be neither of them.
    taken(await space["owner"].post(f"{space.path}/transfer", json={"user_id": str(space.people["editor"].id)}))

    answers = await asyncio.gather(
        space["owner"].patch(member(space, "admin"), json={"role": "viewer"}),
        space["admin"].patch(member(space, "owner"), json={"role": "viewer"}),
    )

    assert sorted(answer.status_code for answer in answers) == [200, 403]
    assert sorted((await roles(space)).values()) == ["owner", "owner", "viewer", "viewer"]


async def test_an_owner_who_leaves_while_the_other_is_demoted_leaves_an_owner(space: Space) -> None:
    await two_owners(space)

    left, demoted = await asyncio.gather(
        space["admin"].delete(member(space, "admin")),
        space["owner"].patch(member(space, "owner"), json={"role": "editor"}),
    )

    assert (left.status_code, refusal(demoted)) == (204, (409, "last_owner"))
    assert "owner" in (await roles(space)).values()


async def test_of_two_transfers_at_once_both_leave_it_with_one_owner_it_counts_as(space: Space) -> None:
    await two_owners(space)
    targets = {name: {"user_id": str(space.people[name].id)} for name in ("editor", "viewer")}

    answers = await asyncio.gather(
        space["owner"].post(f"{space.path}/transfer", json=targets["editor"]),
        space["admin"].post(f"{space.path}/transfer", json=targets["viewer"]),
    )

    assert [answer.status_code for answer in answers] == [200, 200]
    owner = taken(await space["viewer"].get(space.path))["owner_id"]
    assert owner in {target["user_id"] for target in targets.values()}
    assert (await roles(space)) == dict.fromkeys(("owner", "admin", "editor", "viewer"), "owner")


async def test_a_transfer_to_somebody_who_makes_their_fiftieth_at_once_exceeds_no_limit(space: Space) -> None:
    viewer = space.people["viewer"]
    for number in range(49):
        await new_workspace(viewer, f"W{number}")

    answers = await asyncio.gather(
        space["owner"].post(f"{space.path}/transfer", json={"user_id": str(viewer.id)}),
        viewer.client.post(f"/api/user-profiles/{viewer.id}/workspaces", json={"name": "Late"}),
    )

    statuses = [answer.status_code for answer in answers]
    assert statuses in ([200, 409], [409, 201])
    [refused] = [answer for answer in answers if answer.status_code == 409]
    assert refusal(refused) == (409, "workspace_limit_exceeded")


async def test_of_two_deletions_taken_back_at_once_one_has_the_last_room(space: Space) -> None:
    viewer = space.people["viewer"]
    deleted = [await new_workspace(viewer, f"Deleted {number}") for number in range(2)]
    for workspace_id in deleted:
        taken(await viewer.client.post(f"/api/workspaces/{workspace_id}/archive"))
        taken(await viewer.client.delete(f"/api/workspaces/{workspace_id}", headers={"If-Match": "*"}), 204)
    for number in range(49):
        await new_workspace(viewer, f"W{number}")

    answers = await asyncio.gather(
        *(viewer.client.post(f"/api/workspaces/{workspace_id}/restore") for workspace_id in deleted)
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_nobody_takes_over_a_workspace_who_is_not_there(space: Space) -> None:
    answer = await space["owner"].post(f"{space.path}/transfer", json={"user_id": str(uuid4())})

    assert answer.status_code == 404


async def test_the_last_seat_is_given_once(space: Space) -> None:
    async with space.api.database.transaction() as connection:
        statement = text(
            "INSERT INTO workspaces.members (workspace_id, user_id, role, joined_at) "
            "SELECT :id, gen_random_uuid(), 'viewer', now() FROM generate_series(1, 495)"
        )
        await connection.execute(statement, {"id": space.id})

    answers = await asyncio.gather(
        *(space["owner"].post(f"{space.path}/invitations", json={"email": f"n{n}@example.org"}) for n in range(4))
    )

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    refused = {refusal(answer) for answer in answers if answer.status_code == 409}
    assert refused == {(409, "member_limit_exceeded")}


async def test_an_address_that_two_invite_at_once_is_invited_once(space: Space) -> None:
    answers = await asyncio.gather(
        *(
            space[name].post(f"{space.path}/invitations", json={"email": "zoe@example.org"})
            for name in ("owner", "admin")
        )
    )

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert [refusal(answer) for answer in answers if answer.status_code == 409] == [(409, "already_invited")]


async def test_an_invitation_is_accepted_or_revoked_and_not_both(space: Space) -> None:
    zoe = await person(space.api, "zoe")
    for _ in range(5):
        invited = (await space.post("/invitations", email=zoe.email))["id"]

        accepted, revoked = await asyncio.gather(
            zoe.client.post(ACCEPT, json={"token": token_of(space, invited)}),
            space["admin"].delete(f"{space.path}/invitations/{invited}"),
        )

        assert {accepted.status_code, revoked.status_code} in ({200, 409}, {409, 204})
        seen = (await zoe.client.get(space.path)).status_code
        assert seen == (200 if accepted.status_code == 200 else 404)
        if accepted.status_code == 200:
            taken(await zoe.client.delete(f"{space.path}/members/{zoe.id}"), 204)


async def test_two_links_to_two_workspaces_are_accepted_at_once_by_one_person(space: Space) -> None:
    zoe, other = await person(space.api, "zoe"), Space(space.api, people=space.people)
    other.id = await new_workspace(space.people["owner"], "Second")
    tokens = [
        token_of(space, (await each.post("/invitations", email=zoe.email, role="viewer"))["id"])
        for each in (space, other)
    ]

    answers = await asyncio.gather(*(zoe.client.post(ACCEPT, json={"token": token}) for token in tokens))

    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(taken(await zoe.client.get(f"/api/user-profiles/{zoe.id}/workspaces"))["items"]) == 2


async def test_nobody_joins_or_adds_anything_while_it_is_archived(space: Space) -> None:
    zoe = await person(space.api, "zoe")
    invited = (await space.post("/invitations", email=zoe.email))["id"]

    archived, joined, repo = await asyncio.gather(
        space["owner"].post(f"{space.path}/archive"),
        zoe.client.post(ACCEPT, json={"token": token_of(space, invited)}),
        space["editor"].post(f"{space.path}/repos", json={"name": "late"}),
    )

    assert archived.status_code == 200
    assert joined.status_code == 200 or refusal(joined) == (409, "workspace_archived")
    assert repo.status_code == 201 or refusal(repo) == (409, "workspace_archived")
    assert refusal(await space["editor"].post(f"{space.path}/repos", json={"name": "later"})) == (
        409,
        "workspace_archived",
    )


async def test_a_role_that_is_taken_while_it_is_used_is_used_before_or_not_at_all(space: Space) -> None:
    await join(space, await person(space.api, "zoe"), "viewer")

    changed, made = await asyncio.gather(
        space["owner"].patch(member(space, "editor"), json={"role": "viewer"}),
        space["editor"].post(f"{space.path}/vaults", json={"name": "late"}),
    )

    assert changed.status_code == 200
    assert made.status_code == 201 or refusal(made) == (403, "workspace_role_missing")
