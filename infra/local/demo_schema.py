"""The demo's schema: thirty tables of a training department, deployed in two versions with a year's rows between."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import psycopg

from infra.local.errors import LocalStackError

SAMPLE = Path(__file__).with_name("samples") / "training_schema"
WORKSPACE = "Training department"
_SECONDS = 120


def version(number: int) -> dict[str, Any]:
    """The target document of a version, 1 or 2."""
    document: dict[str, Any] = json.loads((SAMPLE / f"version_{number}.json").read_text())
    return document


def rows() -> str:
    """SQL that fills version 1."""
    return (SAMPLE / "rows.sql").read_text()


def ensure_schema(api: httpx.Client, database_url: str) -> str:
    """A workspace with the sample in its second version; returns its id, and does nothing where that is there.

    `database_url` is that of the owner of all tables. Raises LocalStackError when something is refused or fails.
    """
    workspace_id = _workspace(api)
    namespace = f"ws_{workspace_id.replace('-', '')[16:]}"
    done = len(_call(api, "GET", "/api/schema/revisions", params={"workspace_id": workspace_id})["items"])
    if done == 0:
        _deploy(api, workspace_id, version(1))
    if done < 2:
        with psycopg.connect(database_url) as connection:
            connection.execute("SELECT set_config('search_path', %s, true)", [namespace])
            if connection.execute("SELECT FROM sites LIMIT 1").fetchone() is None:
                connection.execute(rows().encode())
        _deploy(api, workspace_id, version(2))
    return workspace_id


def _workspace(api: httpx.Client) -> str:
    me = _call(api, "GET", "/api/users/me")["id"]
    path = f"/api/user-profiles/{me}/workspaces"
    known = {row["name"]: row["id"] for row in _call(api, "GET", path)["items"]}
    if WORKSPACE not in known:
        body = {"name": WORKSPACE, "description": "The sample of schemas: thirty tables in their second version"}
        known[WORKSPACE] = _call(api, "POST", path, json=body)["id"]
    return str(known[WORKSPACE])


def _deploy(api: httpx.Client, workspace_id: str, target: dict[str, Any]) -> None:
    plan = _call(api, "POST", "/api/schema/preview", json={"workspace_id": workspace_id, "target": target})
    lost = sorted({item["object"] for item in plan["changes"] if item["needs_confirmation"]})
    body = {"workspace_id": workspace_id, "plan_id": plan["plan_id"], "plan_hash": plan["plan_hash"]}
    asked = _call(api, "POST", "/api/schema/deploy", json={**body, "confirmations": lost})
    deadline = time.monotonic() + _SECONDS
    while True:
        found = _call(api, "GET", f"/api/schema/deployments/{asked['id']}")
        if found["status"] == "succeeded":
            return
        if found["finished_at"] is not None or time.monotonic() > deadline:
            message = f"The demo's schema was not deployed: {found['status']} {json.dumps(found['error'])}"
            raise LocalStackError(message, "See the logs of schema-deployer.")
        time.sleep(0.3)


def _call(api: httpx.Client, method: str, path: str, **sent: Any) -> dict[str, Any]:  # noqa: ANN401 - httpx's own
    answer = api.request(method, path, **sent)
    if answer.status_code >= 400:
        message = f"The demo was refused: {method} {path}: {answer.status_code} {answer.text[:300]}"
        raise LocalStackError(message, "See the logs.")
    return dict(answer.json())
