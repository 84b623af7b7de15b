"""Who may do what with the schema of a workspace."""

from uuid import UUID

import httpx
import pytest

from tests.builders.api import ApiUnderTest
from tests.builders.schemas import SchemasUnderTest, column, table
from tests.builders.workspaces import Space, join, new_workspace, person

ROLES = ("owner", "admin", "editor", "viewer", "stranger")
LOOKS = ("current", "plans/{plan}", "deployments/{deployment}", "revisions", "drift", "trash")
PLANS = ("validate", "preview", "revisions/1/rollback", "drift/adopt", "drift/restore")
DEPLOYS = ("deploy", "deployments/{deployment}/cancel", "deployments/{deployment}/resume")


@pytest.fixture
async def space(schemas: SchemasUnderTest, api: ApiUnderTest) -> Space:
    """The workspace with people of every role; a stranger owns another one."""
    found = Space(api, str(schemas.workspace_id), {"owner": schemas.owner})
    for role in ROLES[1:]:
        found.people[role] = await person(api, f"the_{role}")
        if role == "stranger":
            await new_workspace(found.people[role])
        else:
            await join(found, found.people[role], role)
    return found


async def known(schemas: SchemasUnderTest) -> dict[str, str]:
    """Ids of a plan and of a deployment that has ended."""
    plan = await schemas.preview(table("people"))
    return {"plan": plan["plan_id"], "hash": plan["plan_hash"], "deployment": (await schemas.deploy(plan))["id"]}


async def ask(client: httpx.AsyncClient, path: str, workspace_id: UUID | str, ids: dict[str, str]) -> httpx.Response:
    address, params = f"/api/schema/{path.format(**ids)}", {"workspace_id": str(workspace_id)}
    if path in LOOKS:
        return await client.get(address, params=None if path.startswith("deployments/") else params)
    target = {"tables": [table("people", column("age"))]}
    body = (
        {**params, "plan_id": ids["plan"], "plan_hash": ids["hash"]}
        if path == "deploy"
        else params
        if path.startswith("drift/")
        else {**params, "target": target}
    )
    return await client.post(address, params=params if path.startswith("revisions/") else None, json=body)


async def test_everybody_may_do_what_their_role_allows_and_strangers_learn_nothing(
    schemas: SchemasUnderTest, space: Space
) -> None:
    ids = await known(schemas)

    found = {
        (role, path): (await ask(space[role], path, schemas.workspace_id, ids)).json().get("code")
        for role in ROLES
        for path in (*LOOKS, *PLANS, *DEPLOYS)
    }

    for (role, path), code in found.items():
        of_deployment = path.startswith("deployments")
        if role == "stranger":
            assert code == ("deployment_not_found" if of_deployment else "workspace_not_found"), (role, path)
        elif (role == "viewer" and path not in LOOKS) or (role == "editor" and path in DEPLOYS):
            assert code == "workspace_role_missing", (role, path)
        else:
            assert code in (None, "plan_stale", "deployment_ended", "no_drift"), (role, path, code)


async def test_what_belongs_to_another_workspace_is_not_found(schemas: SchemasUnderTest, space: Space) -> None:
    ids = await known(schemas)
    other = await new_workspace(space.people["stranger"], "Another")

    codes = [(await ask(space["stranger"], path, other, ids)).json()["code"] for path in ("plans/{plan}", "deploy")]

    assert codes == ["plan_not_found", "plan_not_found"]


async def test_the_schema_of_an_archived_workspace_can_be_looked_at_and_not_changed(
    schemas: SchemasUnderTest, space: Space
) -> None:
    ids = await known(schemas)
    await space.post("/archive", 200)

    looked = await ask(space["owner"], "current", schemas.workspace_id, ids)
    refused = {(await ask(space["owner"], path, schemas.workspace_id, ids)).json()["code"] for path in PLANS + DEPLOYS}

    assert looked.status_code == 200
    assert refused == {"workspace_archived"}


async def test_an_answer_is_not_repeated_to_somebody_who_may_no_longer_deploy(
    schemas: SchemasUnderTest, space: Space
) -> None:
    plan = await schemas.preview(table("people"))
    body = {"workspace_id": space.id, "plan_id": plan["plan_id"], "plan_hash": plan["plan_hash"]}
    sent = {"json": body, "headers": {"Idempotency-Key": "k"}}
    first = await space["admin"].post("/api/schema/deploy", **sent)
    await space["owner"].delete(f"{space.path}/members/{space.people['admin'].id}")

    again = await space["admin"].post("/api/schema/deploy", **sent)

    assert (first.status_code, again.status_code) == (202, 404)
