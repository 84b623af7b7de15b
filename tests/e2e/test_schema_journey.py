"""Journey 6 through the gateway: preview, deploy by hash, an empty preview, and a refusal of what has moved."""

import time
from typing import Any

import httpx
import psycopg
import pytest

from infra.local.stack import LocalStack
from tests.builders.schemas import column, table

pytestmark = pytest.mark.build


def previewed(admin: httpx.Client, workspace: str, *tables: dict[str, Any]) -> dict[str, Any]:
    answer = admin.post("/api/schema/preview", json={"workspace_id": workspace, "target": {"tables": list(tables)}})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def asked(admin: httpx.Client, plan: dict[str, Any], *confirmations: str) -> httpx.Response:
    body = {name: plan[name] for name in ("workspace_id", "plan_id", "plan_hash")}
    return admin.post("/api/schema/deploy", json={**body, "confirmations": confirmations})


def ended(admin: httpx.Client, deployment: dict[str, Any]) -> dict[str, Any]:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        found: dict[str, Any] = admin.get(f"/api/schema/deployments/{deployment['id']}").json()
        if found["finished_at"] is not None:
            return found
        time.sleep(0.3)
    pytest.fail(f"the deployment did not end: {found}")


def test_a_schema_is_previewed_deployed_and_then_as_it_should_be(admin: httpx.Client, stack: LocalStack) -> None:
    me = admin.get("/api/users/me").json()["id"]
    workspace = admin.post(f"/api/user-profiles/{me}/workspaces", json={"name": "Schemas"}).json()["id"]
    people = table("people", column("name", "VARCHAR(255)", nullable=False), column("age"))

    plan = previewed(admin, workspace, people)
    answer = asked(admin, plan)
    done = ended(admin, answer.json())

    assert answer.status_code == 202, answer.text
    assert (done["status"], done["error"]) == ("succeeded", None)
    assert previewed(admin, workspace, people)["empty"] is True
    key = f"revisions/{workspace}/000001_{done['revision']}.py"
    body = stack.emulator.client("s3").get_object(Bucket=stack.facts["data_bucket"], Key=key)["Body"].read()
    assert b"def upgrade()" in body

    longer = table("people", column("name", "TEXT"), column("born", "DATE"))
    next_plan = previewed(admin, workspace, longer)
    with psycopg.connect(stack.facts["database_url"]) as connection:
        connection.execute(f"ALTER TABLE {next_plan['namespace']}.people ADD COLUMN strange int")
    stale = asked(admin, next_plan, "column people.age")
    assert (stale.status_code, stale.json()["code"]) == (409, "plan_stale")
    drift = admin.get("/api/schema/drift", params={"workspace_id": workspace}).json()
    assert [item["object"] for item in drift["adopt"]] == ["column people.strange"]

    last = previewed(admin, workspace, longer)
    finished = ended(admin, asked(admin, last, "column people.age", "column people.strange").json())
    assert (finished["status"], finished["error"]) == ("succeeded", None)
    assert previewed(admin, workspace, longer)["empty"] is True
