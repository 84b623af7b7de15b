"""Webhooks of repos: their secrets, deliveries of every host, and those that change nothing."""

import asyncio
import hmac
import json
from base64 import b64decode, b64encode
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from dataforge.contexts.workspaces.remotes import repository
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.contexts.workspaces.webhooks.commands import forget_deliveries
from dataforge.contexts.workspaces.webhooks.domain import KEPT_FOR, TRIES
from dataforge.platform.db.unit_of_work import run
from tests.builders.workspaces import Space, refusal, taken

MAIN, OTHER, NOTHING = "a" * 40, "b" * 40, "0" * 40
REMOTE = "https://git.example.org/acme/site.git"


class Hook:
    """A repo with a webhook, and its host."""

    def __init__(self, space: Space, repo: dict[str, Any], client: httpx.AsyncClient) -> None:
        self.space, self.path, self.client = space, f"{space.path}/repos/{repo['id']}", client
        self.address = f"/api/repo-webhooks/{repo['id']}"
        self.secret = ""

    @classmethod
    async def of(cls, space: Space, remote_url: str | None = REMOTE) -> "Hook":
        hook = cls(space, await space.post("/repos", name="site", remote_url=remote_url), await space.api.client())
        await hook.rotate()
        return hook

    async def rotate(self) -> dict[str, Any]:
        made = taken(await self.space["editor"].post(f"{self.path}/webhook-secret"), 201)
        self.secret = made["secret"]
        return dict(made)

    async def send(self, body: bytes | dict[str, Any], **headers: str) -> httpx.Response:
        """A delivery signed as GitHub does, unless headers say otherwise."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {"x-github-event": "push", "content-type": "application/json"}
        if not {"x_gitlab_token", "webhook_signature", "x_hub_signature_256"} & set(headers):
            named["x-hub-signature-256"] = "sha256=" + hmac.new(self.secret.encode(), content, "sha256").hexdigest()
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post(self.address, content=content, headers=named)

    async def repo(self) -> dict[str, Any]:
        return dict(taken(await self.space["viewer"].get(self.path)))

    async def refs(self) -> dict[str, str]:
        page = taken(await self.space["viewer"].get(f"{self.path}/refs"))
        return {item["name"]: item["hash"] for item in page["items"]}


def push(ref: str = "refs/heads/main", after: str = MAIN, **repository: Any) -> dict[str, Any]:
    return {"ref": ref, "after": after, "repository": {"clone_url": REMOTE, "default_branch": "main", **repository}}


@pytest.fixture
async def hook(space: Space) -> Hook:
    return await Hook.of(space)


async def test_a_push_moves_the_ref_and_says_when(hook: Hook) -> None:
    answer = await hook.send(push(), x_github_delivery="d1")
    repo = await hook.repo()

    assert (answer.status_code, answer.json()) == (200, {"status": "taken"})
    assert await hook.refs() == {"refs/heads/main": MAIN}
    assert repo["default_branch"] == "main"
    assert repo["last_synced"] == hook.space.api.platform.clock.now().isoformat().replace("+00:00", "Z")
    assert repo["revision"] == 3  # made, given a secret, pushed to


async def test_the_same_delivery_counts_once_even_when_it_comes_twice_at_once(hook: Hook) -> None:
    answers = await asyncio.gather(*(hook.send(push(), x_github_delivery="d1") for _ in range(4)))
    await hook.send(push(after=OTHER), x_github_delivery="d2")
    again = await hook.send(push(), x_github_delivery="d1")

    assert sorted(answer.json()["status"] for answer in answers) == ["known", "known", "known", "taken"]
    assert again.json() == {"status": "known"}
    assert await hook.refs() == {"refs/heads/main": OTHER}


async def test_a_ping_is_answered_and_changes_nothing(hook: Hook) -> None:
    before = await hook.repo()

    answer = await hook.send({"zen": "Keep it logically awesome."}, x_github_event="ping")

    assert answer.json() == {"status": "pong"}
    assert await hook.repo() == before


@pytest.mark.parametrize("how", ["token", "signature"])
async def test_gitlab_sends_the_secret_or_signs(how: str, hook: Hook) -> None:
    project = {"git_http_url": REMOTE, "default_branch": "trunk"}
    body = json.dumps({"object_kind": "push", "ref": "refs/heads/trunk", "after": MAIN, "project": project}).encode()
    at = str(int(hook.space.api.platform.clock.now().timestamp()))
    digest = hmac.digest(b64decode(hook.secret[6:]), f"d1.{at}.".encode() + body, "sha256")
    proof = (
        {"x_gitlab_token": hook.secret}
        if how == "token"
        else {"webhook_id": "d1", "webhook_timestamp": at, "webhook_signature": "v1," + b64encode(digest).decode()}
    )

    answer = await hook.send(body, x_github_event="", x_gitlab_event="Push Hook", **proof)

    assert answer.json() == {"status": "taken"}
    assert await hook.refs() == {"refs/heads/trunk": MAIN}


async def test_a_deleted_branch_goes_and_other_events_tell_of_the_default_branch_only(hook: Hook) -> None:
    await hook.send(push())
    await hook.send(push("refs/heads/old", OTHER))
    await hook.send(push("refs/heads/old", NOTHING))
    renamed = await hook.send({"repository": push(default_branch="trunk")["repository"]}, x_github_event="repository")
    ignored = await hook.send({"repository": {"clone_url": REMOTE}}, x_github_event="star")

    assert (renamed.json(), ignored.json()) == ({"status": "taken"}, {"status": "ignored"})
    assert await hook.refs() == {"refs/heads/main": MAIN}
    assert (await hook.repo())["default_branch"] == "trunk"


async def test_a_push_that_arrives_late_does_not_undo_a_later_one(hook: Hook) -> None:
    await hook.send(push(after=OTHER, pushed_at=1_800_000_100))
    await hook.send(push(after=MAIN, pushed_at=1_800_000_000))
    await hook.send(push(after=NOTHING, pushed_at=1_800_000_000))

    assert await hook.refs() == {"refs/heads/main": OTHER}


async def test_without_the_right_signature_nothing_is_said_of_the_repo(hook: Hook) -> None:
    wrong = [
        await hook.send(push(), x_hub_signature_256="sha256=" + "0" * 64),
        await hook.send(push(), x_gitlab_token="wrong"),
        await hook.client.post(hook.address, json=push()),
        await hook.client.post(f"/api/repo-webhooks/{uuid4()}", json=push()),
    ]
    answers = {(refusal(answer), answer.json()["detail"]) for answer in wrong}

    assert {code for code, _ in answers} == {(401, "webhook_signature_invalid")}
    assert len(answers) == 1
    assert await hook.refs() == {}


async def test_a_new_secret_ends_the_one_before_and_without_one_nothing_is_taken(hook: Hook) -> None:
    first = hook.secret
    made = await hook.rotate()
    old = await hook.send(push(), x_gitlab_token=first)
    new = await hook.send(push(), x_gitlab_token=made["secret"])
    taken(await hook.space["editor"].delete(f"{hook.path}/webhook-secret"), 204)
    none = await hook.send(push(), x_gitlab_token=made["secret"])

    assert made["url"].endswith(hook.address)
    assert (refusal(old), new.status_code) == ((401, "webhook_signature_invalid"), 200)
    assert refusal(none) == (401, "webhook_signature_invalid")
    assert (await hook.repo())["webhook_secret_at"] is None


async def test_the_secret_is_shown_once_to_editors_and_kept_sealed(hook: Hook) -> None:
    viewer = await hook.space["viewer"].post(f"{hook.path}/webhook-secret")
    async with hook.space.api.database.transaction() as connection:
        (sealed,) = (await connection.execute(text("SELECT webhook_secret FROM workspaces.repos"))).scalars()

    assert refusal(viewer) == (403, "workspace_role_missing")
    assert hook.secret.encode() not in bytes(sealed)
    assert "webhook_secret" not in await hook.repo()


@pytest.mark.parametrize("address", ["https://git.example.org/acme/other.git", "https://evil.example/acme/site.git"])
async def test_another_repository_is_refused(address: str, hook: Hook) -> None:
    answer = await hook.send(push(clone_url=address))

    assert refusal(answer) == (422, "webhook_other_repository")
    assert await hook.refs() == {}


async def test_a_repo_without_a_remote_takes_nothing(space: Space) -> None:
    hook = await Hook.of(space, None)

    assert refusal(await hook.send(push())) == (422, "webhook_other_repository")


async def test_an_archived_workspace_does_not_change(hook: Hook) -> None:
    await hook.space.post("/archive", 200)

    answer = await hook.send(push(), x_github_delivery="d1")
    await hook.space.post("/unarchive", 200)
    again = await hook.send(push(), x_github_delivery="d1")

    assert refusal(answer) == (409, "workspace_archived")
    assert again.json() == {"status": "taken"}  # what was refused is not remembered


async def test_a_signed_body_that_is_no_json_is_refused(hook: Hook) -> None:
    assert refusal(await hook.send(b"{")) == (400, "malformed_body")


async def test_refs_of_too_many_are_not_kept(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "MAX_REFS", 1)
    await hook.send(push())
    await hook.send(push("refs/heads/more", OTHER))
    await hook.send(push(after=OTHER))

    assert await hook.refs() == {"refs/heads/main": OTHER}
    assert (await hook.repo())["refs_truncated"]


async def test_one_address_delivers_so_often_a_minute(hook: Hook) -> None:
    statuses = [(await hook.client.post(hook.address, content=b"")).status_code for _ in range(TRIES + 1)]

    assert set(statuses[:TRIES]) == {401}
    assert statuses[TRIES] == 429


async def test_old_deliveries_are_forgotten(hook: Hook) -> None:
    await hook.send(push(), x_github_delivery="d1")
    platform = hook.space.api.platform_of("maintenance")
    platform.clock.advance(KEPT_FOR + timedelta(seconds=1))  # type: ignore[attr-defined]

    gone = await run(WorkspacesUnitOfWork(platform.database, clock=platform.clock), forget_deliveries, None)

    assert gone == 1
