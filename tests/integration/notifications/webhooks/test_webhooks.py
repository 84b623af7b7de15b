"""Who may look after which webhooks, and what is refused."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from dataforge.contexts.notifications.webhooks import commands
from dataforge.kernel.principal import Role
from tests.builders.datasets import ok
from tests.builders.webhooks import WEBHOOKS, WebhookDesk
from tests.builders.workspaces import refusal

HOOK = "https://hooks.example.org/in"


async def test_those_of_the_organisation_are_for_administrators(desk: WebhookDesk) -> None:
    made = await desk.subscribe(HOOK)
    registrar = await desk.api.as_role(Role.REGISTRAR)

    for client in (registrar, desk.space["owner"]):
        body = {"name": "Mine", "url": HOOK}
        assert (await client.post(WEBHOOKS, json=body)).status_code == 403
        assert (await client.get(f"{WEBHOOKS}/{made['id']}")).status_code == 404
        assert ok(await client.get(WEBHOOKS))["items"] == []


async def test_those_of_a_workspace_are_for_whoever_keeps_it(desk: WebhookDesk) -> None:
    body = {"name": "Ours", "url": HOOK, "workspace_id": desk.space.id}
    made = ok(await desk.space["admin"].post(WEBHOOKS, json=body), 201)
    path = f"{WEBHOOKS}/{made['id']}"

    statuses = {}
    for name in ("owner", "admin", "editor", "viewer", "stranger"):
        client = desk.space[name]
        statuses[name] = (
            (await client.get(path)).status_code,
            (await client.post(WEBHOOKS, json={**body, "name": f"Of {name}"})).status_code,
            (await client.post(f"{path}/test")).status_code,
        )

    assert statuses == {
        "owner": (200, 201, 202),
        "admin": (200, 201, 202),
        "editor": (404, 403, 404),
        "viewer": (404, 403, 404),
        "stranger": (404, 404, 404),
    }
    listed = ok(await desk.space["owner"].get(WEBHOOKS, params={"workspace_id": desk.space.id}))["items"]
    assert [item["name"] for item in listed] == ["Ours", "Of owner", "Of admin"]
    assert "secret" not in listed[0]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://hooks.example.org/", "must begin with https://"),
        ("https://10.0.0.1/", "which is no public address"),
        ("https://169.254.169.254/latest/meta-data", "which is no public address"),
        ("https://[fd00::1]/", "which is no public address"),
        ("https://me:secret@hooks.example.org/", "neither a user nor a fragment"),
    ],
)
async def test_only_public_addresses_are_sent_to(
    desk: WebhookDesk, monkeypatch: pytest.MonkeyPatch, url: str, words: str
) -> None:
    settings = desk.api.platform.settings.model_copy(update={"private_receivers": False})
    monkeypatch.setattr(desk.api.platform, "settings", settings)

    answer = await desk.admin.post(WEBHOOKS, json={"name": "In", "url": url})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/url")
    assert words in answer.json()["detail"]


@pytest.mark.parametrize(
    ("types", "in_workspace", "pointer"),
    [
        (["no.such_event"], False, "/event_types/0"),
        (["webhooks.test"], False, "/event_types/0"),
        (["records.lesson_completed", "academics.promotion_due"], False, "/event_types/1"),
        (["identity.password_changed"], True, "/event_types/0"),
    ],
)
async def test_types_are_those_that_it_can_hear_of(
    desk: WebhookDesk, types: list[str], in_workspace: bool, pointer: str
) -> None:
    body: dict[str, Any] = {"name": "In", "url": HOOK, "event_types": types}
    answer = await desk.admin.post(WEBHOOKS, json=body | ({"workspace_id": desk.space.id} if in_workspace else {}))

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


async def test_changes_need_the_version_that_was_read_and_are_audited_without_the_secret(desk: WebhookDesk) -> None:
    made = await desk.subscribe(HOOK)
    path = f"{WEBHOOKS}/{made['id']}"
    changes = {"name": "Other", "event_types": ["records.lesson_completed"]}

    assert (await desk.admin.patch(path, json=changes)).status_code == 428
    assert (await desk.admin.patch(path, json=changes, headers={"If-Match": '"9"'})).status_code == 412
    changed = ok(await desk.admin.patch(path, json=changes, headers={"If-Match": '"1"'}))
    ok(await desk.admin.delete(path, headers={"If-Match": f'"{changed["revision"]}"'}), 204)

    assert (changed["name"], changed["event_types"]) == ("Other", ["records.lesson_completed"])
    assert refusal(await desk.admin.get(path)) == (404, "not_found")
    query = text("SELECT action, before, after FROM platform.audit_log WHERE entity = 'webhook' ORDER BY id")
    async with desk.api.database.read_only() as connection:
        entries = (await connection.execute(query)).all()
    assert [item.action for item in entries] == ["webhook.created", "webhook.changed", "webhook.deleted"]
    assert made["secret"] not in str(entries)


async def test_there_are_so_many_and_no_more_also_when_two_are_made_at_once(
    desk: WebhookDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "MOST_WEBHOOKS", 2)
    await desk.subscribe(HOOK)

    answers = await asyncio.gather(*(desk.admin.post(WEBHOOKS, json={"name": "In", "url": HOOK}) for _ in range(3)))
    inside = await desk.space["owner"].post(WEBHOOKS, json={"name": "I", "url": HOOK, "workspace_id": desk.space.id})

    assert sorted(item.status_code for item in answers) == [201, 409, 409]
    assert inside.status_code == 201


async def test_what_is_not_there_is_not_found(desk: WebhookDesk) -> None:
    made = await desk.subscribe(HOOK)

    assert (await desk.admin.get(f"{WEBHOOKS}/{uuid4()}/deliveries")).status_code == 404
    assert (await desk.admin.get(f"{WEBHOOKS}/{made['id']}/deliveries/{uuid4()}")).status_code == 404
    assert (await desk.admin.post(f"{WEBHOOKS}/{uuid4()}/replays", json={"failed": True})).status_code == 404


async def test_the_body_of_a_delivery_is_shown(desk: WebhookDesk) -> None:
    made = await desk.subscribe(HOOK)
    delivery_id = ok(await desk.admin.post(f"{WEBHOOKS}/{made['id']}/test"), 202)["delivery_id"]

    shown = ok(await desk.admin.get(f"{WEBHOOKS}/{made['id']}/deliveries/{delivery_id}"))

    assert (shown["state"], shown["is_test"]) == ("waiting", True)
    assert shown["body"]["type"] == "webhooks.test"
    assert shown["body"]["data"] == {"webhook_id": made["id"]}
