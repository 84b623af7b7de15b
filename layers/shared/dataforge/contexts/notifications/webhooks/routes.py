"""REST of webhooks: of the organisation for administrators, of workspaces for their owners and administrators."""

from functools import cache
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from starlette.responses import Response

from dataforge.contexts.notifications.module import NotificationsServices
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.contexts.notifications.webhooks import commands, queries, wire
from dataforge.contexts.notifications.webhooks.calls import on_webhook, tell_worker
from dataforge.contexts.notifications.webhooks.events import TEST, TEST_IS, TYPES, EventScope, schema_of_test
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.openapi import UNKEYED
from dataforge.http.paging import Cursor, Limit
from dataforge.http.versioned_rows import PROBLEMS, VERSIONED, no_content, versioned
from dataforge.kernel.access import Action, Kind, Resource
from dataforge.kernel.paging import DEFAULT_LIMIT
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.db.versioned_rows import Change, Delete
from dataforge.platform.deliveries.domain import DeliveryState

router = context_router("notifications")

ADDRESS = "/api/webhooks"
WEBHOOK = ADDRESS + "/{webhook_id}"


async def _row(call: Call, webhook_id: UUID) -> dict[str, Any]:
    return await call.query(queries.get_webhook, webhook_id)


@router.get(ADDRESS, response_model=wire.WebhookPage)
async def list_webhooks(
    call: Annotated[Call, require(Action.READ, Kind.WEBHOOK)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    workspace_id: Annotated[UUID | None, Query(description="webhooks of this workspace")] = None,
) -> Response:
    """Webhooks that the caller looks after, and how that goes."""
    reach = await call.decisions.reach(Action.READ, Kind.WEBHOOK)
    page = await call.query(
        queries.list_webhooks, reach, after=call.after(cursor), limit=limit, workspace_id=workspace_id
    )
    return call.page_response(page, limit=limit)


@router.post(ADDRESS, status_code=201, response_model=wire.NewWebhookOut, openapi_extra={UNKEYED: True})
async def create_webhook(
    body: wire.WebhookIn, call: Annotated[Call, require(Action.CREATE, Kind.WEBHOOK, replays=False)]
) -> Response:
    """Send events to an address from now on; the signing secret is shown this once."""
    await call.require(Action.CREATE, Resource(Kind.WEBHOOK, workspace=body.workspace_id))
    services = call.services(NotificationsServices)
    command = commands.CreateWebhook(
        body.name,
        body.url,
        tuple(body.event_types),
        body.workspace_id,
        services.secret_box,
        services.settings.private_receivers,
    )
    created = await run(call.unit_of_work(NotificationsUnitOfWork), commands.create_webhook, command)
    row = {**await _row(call, created.id), "secret": created.secret}
    return versioned(row, status=201, location=call.address(ADDRESS, created.id))


@router.get(ADDRESS + "/event-types", response_model=wire.EventTypeList)
async def list_event_types(_call: Annotated[Call, require(Action.READ, Kind.WEBHOOK)]) -> Response:
    """The types that webhooks hear of, and that of tests, each with the JSON Schema of what is sent."""
    return json_response({"items": _event_types()})


@cache
def _event_types() -> list[dict[str, Any]]:
    # Made with the first request: a model for each type.
    types = [(item.type, item.description, item.scope, item.schema()) for item in TYPES.values()]
    types.append((TEST, TEST_IS, EventScope.WORKSPACE, schema_of_test()))
    return [
        {"type": name, "description": description, "scope": scope.value, "body_schema": schema}
        for name, description, scope, schema in sorted(types, key=lambda item: item[0])
    ]


@router.get(WEBHOOK, response_model=wire.WebhookOut, responses=PROBLEMS)
async def get_webhook(webhook_id: UUID, call: Annotated[Call, on_webhook(Action.READ, Kind.WEBHOOK)]) -> Response:
    """One webhook: what waits, what is dead, and its last error."""
    return versioned(await _row(call, webhook_id))


@router.patch(WEBHOOK, response_model=wire.WebhookOut, responses=VERSIONED)
async def change_webhook(
    webhook_id: UUID, body: wire.WebhookPatch, call: Annotated[Call, on_webhook(Action.CHANGE, Kind.WEBHOOK)]
) -> Response:
    """Change a webhook, or switch it off and on; needs If-Match."""
    change = Change(webhook_id, call.expected_revision(), body.changes())
    command = commands.ChangeWebhook(change, call.services(NotificationsServices).settings.private_receivers)
    await run(call.unit_of_work(NotificationsUnitOfWork), commands.change_webhook, command)
    await tell_worker(call, webhook_id)
    return versioned(await _row(call, webhook_id))


@router.delete(WEBHOOK, status_code=204, responses=VERSIONED)
async def delete_webhook(webhook_id: UUID, call: Annotated[Call, on_webhook(Action.DELETE, Kind.WEBHOOK)]) -> Response:
    """End a webhook, with what waits for it and its log; needs If-Match."""
    command = Delete(webhook_id, call.expected_revision())
    return await call.execute(NotificationsUnitOfWork, commands.delete_webhook, command, no_content)


@router.post(WEBHOOK + "/secret", response_model=wire.WebhookSecretOut, openapi_extra={UNKEYED: True})
async def replace_webhook_secret(
    webhook_id: UUID, call: Annotated[Call, on_webhook(Action.CHANGE, Kind.WEBHOOK)]
) -> Response:
    """Replace the signing secret; for 24 hours both sign, so that no delivery is refused."""
    command = commands.ReplaceSecret(webhook_id, call.services(NotificationsServices).secret_box)
    secret = await run(call.unit_of_work(NotificationsUnitOfWork), commands.replace_secret, command)
    return json_response({"secret": secret})


@router.post(WEBHOOK + "/test", status_code=202, response_model=wire.WebhookTestOut, openapi_extra={UNKEYED: True})
async def test_webhook(webhook_id: UUID, call: Annotated[Call, on_webhook(Action.CHANGE, Kind.WEBHOOK)]) -> Response:
    """Send a test, also while the webhook is switched off; its delivery shows how that went."""
    command = commands.TestWebhook(webhook_id)
    delivery_id = await run(call.unit_of_work(NotificationsUnitOfWork), commands.test_webhook, command)
    await tell_worker(call, webhook_id)
    return json_response({"delivery_id": delivery_id}, status=202)


@router.get(WEBHOOK + "/deliveries", response_model=wire.EventDeliveryPage, responses=PROBLEMS)
async def list_webhook_deliveries(
    webhook_id: UUID,
    call: Annotated[Call, on_webhook(Action.READ, Kind.WEBHOOK)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    state: DeliveryState | None = None,
    event_type: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """The delivery log, newest first: what was delivered for 7 days, what was given up for 30."""
    page = await call.query(
        queries.list_event_deliveries,
        webhook_id,
        after=call.after(cursor),
        limit=limit,
        state=state,
        event_type=event_type,
    )
    return call.page_response(page, limit=limit)


@router.get(WEBHOOK + "/deliveries/{delivery_id}", response_model=wire.WholeEventDeliveryOut, responses=PROBLEMS)
async def get_webhook_delivery(
    webhook_id: UUID, delivery_id: UUID, call: Annotated[Call, on_webhook(Action.READ, Kind.WEBHOOK)]
) -> Response:
    """One delivery with the body that is sent."""
    return json_response(await call.query(queries.get_event_delivery, webhook_id, delivery_id))


@router.post(WEBHOOK + "/replays", status_code=202, response_model=wire.ReplayOut, openapi_extra={UNKEYED: True})
async def replay_webhook(
    webhook_id: UUID, body: wire.ReplayIn, call: Annotated[Call, on_webhook(Action.CHANGE, Kind.WEBHOOK)]
) -> Response:
    """Send again: one delivery, all that were given up, or all that has happened since a time.

    What is sent again keeps its `webhook-id`. What happened while the webhook was off is sent, too.
    """
    command = commands.Replay(webhook_id, body.delivery_id, body.failed, body.since)
    number = await run(call.unit_of_work(NotificationsUnitOfWork), commands.replay, command)
    await tell_worker(call, webhook_id)
    return json_response({"replayed": number}, status=202)
