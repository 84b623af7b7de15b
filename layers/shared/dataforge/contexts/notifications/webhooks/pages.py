"""Webhooks for whoever keeps them: the organisation's and those of workspaces, their logs, and what is sent again."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import ValidationError
from starlette.responses import Response

from dataforge.contexts.notifications.module import NotificationsServices
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.contexts.notifications.webhooks import commands, queries, wire
from dataforge.contexts.notifications.webhooks.calls import require_webhook, tell_worker
from dataforge.contexts.notifications.webhooks.domain import readable
from dataforge.contexts.notifications.webhooks.events import TYPES
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind, Resource
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.rules import may_any
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.db.versioned_rows import Change, Delete
from dataforge.platform.deliveries.domain import DeliveryState
from dataforge.web.calls import Chosen, ChosenId, PageCall, require_page
from dataforge.web.forms import ACCEPTED, Refusal, refusal_of
from dataforge.web.routing import page_router

router = page_router("notifications")

PAGE = "/ui/webhooks"
WEBHOOK = PAGE + "/{webhook_id}"
_ROWS = 100
_SHOWN = 30
_CHOSEN = "type-"
_NEW = {"name": "", "url": "", "workspace_id": ""}


@router.get(PAGE)
async def webhooks_page(
    call: Annotated[PageCall, require_page(Action.READ, Kind.WEBHOOK)],
    cursor: Cursor = None,
    workspace_id: ChosenId = None,
) -> Response:
    """Webhooks that somebody keeps, and a form for another one."""
    given = {**_NEW, "workspace_id": str(workspace_id or "")}
    return await _list(call, given, cursor=cursor, workspace_id=workspace_id)


@router.post(PAGE)
async def create_webhook(call: Annotated[PageCall, require_page(Action.CREATE, Kind.WEBHOOK)]) -> Response:
    """Make a webhook; its secret is on this page and on no other."""
    given = {name: call.form.get(name, "").strip() for name in _NEW}
    services = call.services(NotificationsServices)
    try:
        body = wire.WebhookIn.model_validate(
            {**given, "workspace_id": given["workspace_id"] or None, "event_types": _types(call.form)}
        )
        await call.require(Action.CREATE, Resource(Kind.WEBHOOK, workspace=body.workspace_id))
        command = commands.CreateWebhook(
            body.name,
            body.url,
            tuple(body.event_types),
            body.workspace_id,
            services.secret_box,
            services.settings.private_receivers,
        )
        created = await run(call.unit_of_work(NotificationsUnitOfWork), commands.create_webhook, command)
    except (ValidationError, DataForgeError) as error:
        return await _list(call, given, refusal_of(error, given))
    return _secret(call, created.id, body.name, created.secret, status=201)


@router.get(WEBHOOK)
async def webhook_page(
    webhook_id: UUID,
    call: Annotated[PageCall, require_page(Action.READ, Kind.WEBHOOK)],
    cursor: Cursor = None,
    state: Annotated[DeliveryState | None, Chosen] = None,
) -> Response:
    """One webhook with its log."""
    await require_webhook(call, Action.READ, Kind.WEBHOOK, webhook_id)
    return await _one(call, webhook_id, cursor=cursor, state=state)


@router.post(WEBHOOK)
async def change_webhook(
    webhook_id: UUID, call: Annotated[PageCall, require_page(Action.CHANGE, Kind.WEBHOOK)]
) -> Response:
    """Change where it goes and what it hears of."""
    await require_webhook(call, Action.CHANGE, Kind.WEBHOOK, webhook_id)
    given = {name: call.form.get(name, "").strip() for name in ("name", "url")}
    try:
        body = wire.WebhookPatch.model_validate({**given, "event_types": _types(call.form)})
        await _change(call, webhook_id, call.form.get("revision", ""), body.changes())
    except (ValidationError, DataForgeError) as error:
        return await _one(call, webhook_id, given, refusal_of(error, given))
    return call.go_on("success", Text("The change is saved."), PAGE, webhook_id)


@router.post(WEBHOOK + "/switch")
async def switch_webhook(
    webhook_id: UUID, call: Annotated[PageCall, require_page(Action.CHANGE, Kind.WEBHOOK)]
) -> Response:
    """Switch it on or off, as the form says."""
    await require_webhook(call, Action.CHANGE, Kind.WEBHOOK, webhook_id)
    enabled = call.form.get("enabled") == "true"
    await _change(call, webhook_id, "*", {"enabled": enabled})
    text = Text("It goes on with what waits.") if enabled else Text("Nothing is sent until it is switched on.")
    return call.go_on("success", text, PAGE, webhook_id)


@router.post(WEBHOOK + "/test")
async def send_test(webhook_id: UUID, call: Annotated[PageCall, require_page(Action.CHANGE, Kind.WEBHOOK)]) -> Response:
    """Send a test."""
    await require_webhook(call, Action.CHANGE, Kind.WEBHOOK, webhook_id)
    await run(call.unit_of_work(NotificationsUnitOfWork), commands.test_webhook, commands.TestWebhook(webhook_id))
    await tell_worker(call, webhook_id)
    return call.go_on("success", Text("The test is on its way; the log shows how it went."), PAGE, webhook_id)


@router.post(WEBHOOK + "/secret")
async def replace_secret(
    webhook_id: UUID, call: Annotated[PageCall, require_page(Action.CHANGE, Kind.WEBHOOK)]
) -> Response:
    """Make another secret; it is on this page and on no other."""
    await require_webhook(call, Action.CHANGE, Kind.WEBHOOK, webhook_id)
    command = commands.ReplaceSecret(webhook_id, call.services(NotificationsServices).secret_box)
    secret = await run(call.unit_of_work(NotificationsUnitOfWork), commands.replace_secret, command)
    row = await call.query(queries.get_webhook, webhook_id)
    return _secret(call, webhook_id, row["name"], secret, replaced=True)


@router.post(WEBHOOK + "/replays")
async def replay_webhook(
    webhook_id: UUID, call: Annotated[PageCall, require_page(Action.CHANGE, Kind.WEBHOOK)]
) -> Response:
    """Send again: one delivery, what was given up, or what has happened since a day (in UTC)."""
    await require_webhook(call, Action.CHANGE, Kind.WEBHOOK, webhook_id)
    given = {name: value for name, value in call.form.items() if name in ("delivery_id", "failed", "since") and value}
    try:
        if "since" in given:
            given["since"] = _instant(given["since"])
        body = wire.ReplayIn.model_validate(given)
        command = commands.Replay(webhook_id, body.delivery_id, body.failed, body.since)
        number = await run(call.unit_of_work(NotificationsUnitOfWork), commands.replay, command)
    except (ValidationError, DataForgeError) as error:
        return await _one(call, webhook_id, refusal=refusal_of(error, ("since",)))
    await tell_worker(call, webhook_id)
    text = (
        Text("What has happened since then is looked for and sent again.")
        if number is None
        else Text.counted("{count} delivery is sent again.", "{count} deliveries are sent again.", count=number)
    )
    return call.go_on("success", text, PAGE, webhook_id)


@router.post(WEBHOOK + "/delete")
async def delete_webhook(
    webhook_id: UUID, call: Annotated[PageCall, require_page(Action.DELETE, Kind.WEBHOOK)]
) -> Response:
    """End it."""
    await require_webhook(call, Action.DELETE, Kind.WEBHOOK, webhook_id)
    await run(call.unit_of_work(NotificationsUnitOfWork), commands.delete_webhook, Delete(webhook_id, "*"))
    return call.go_on("success", Text("The webhook is deleted."), PAGE)


@router.get(WEBHOOK + "/deliveries/{delivery_id}")
async def delivery_page(
    webhook_id: UUID, delivery_id: UUID, call: Annotated[PageCall, require_page(Action.READ, Kind.WEBHOOK)]
) -> Response:
    """One delivery: the body that is sent, and what became of it."""
    await require_webhook(call, Action.READ, Kind.WEBHOOK, webhook_id)
    delivery = await call.query(queries.get_event_delivery, webhook_id, delivery_id)
    return call.page(
        "notifications/webhook_delivery.html",
        webhook=await call.query(queries.get_webhook, webhook_id),
        delivery=delivery,
        body=readable(delivery["body"]),
    )


async def _list(
    call: PageCall,
    given: Mapping[str, str],
    refusal: Refusal = ACCEPTED,
    *,
    cursor: str | None = None,
    workspace_id: UUID | None = None,
) -> Response:
    reach = await call.decisions.reach(Action.READ, Kind.WEBHOOK)
    page = await call.query(
        queries.list_webhooks, reach, after=call.after(cursor), limit=_ROWS, workspace_id=workspace_id
    )
    spaces = await call.query(queries.kept_workspaces, call.user_id)
    everywhere = may_any(call.principal, Action.CREATE, Kind.WEBHOOK)
    return call.page(
        "notifications/webhooks.html",
        refusal=refusal,
        webhooks=page.rows,
        names=await call.query(queries.workspace_names, [row["workspace_id"] for row in page.rows]),
        given=given,
        chosen=_types(call.form),
        types=_listed_types(),
        places=[*([("", Text("The whole organisation"))] if everywhere else []), *spaces],
        workspace_id=workspace_id,
        first=cursor is None,
        following=call.following(page.next_key) if refusal is ACCEPTED else None,
    )


async def _one(
    call: PageCall,
    webhook_id: UUID,
    given: Mapping[str, str] | None = None,
    refusal: Refusal = ACCEPTED,
    *,
    cursor: str | None = None,
    state: DeliveryState | None = None,
) -> Response:
    webhook = await call.query(queries.get_webhook, webhook_id)
    after = call.after(cursor) if refusal is ACCEPTED else None
    log = await call.query(queries.list_event_deliveries, webhook_id, after=after, limit=_SHOWN, state=state)
    return call.page(
        "notifications/webhook.html",
        refusal=refusal,
        webhook=webhook,
        place=(await call.query(queries.workspace_names, [webhook["workspace_id"]])).get(webhook["workspace_id"]),
        given=given or {"name": webhook["name"], "url": webhook["url"]},
        chosen=_types(call.form) if given else webhook["event_types"],
        types=_listed_types(),
        deliveries=log.rows,
        state=state or "",
        states=[(item.value, item.value.capitalize()) for item in DeliveryState],
        first=cursor is None,
        following=call.following(log.next_key) if refusal is ACCEPTED else None,
    )


def _secret(
    call: PageCall, webhook_id: UUID, name: str, secret: str, *, status: int = 200, replaced: bool = False
) -> Response:
    shown = call.page(
        "notifications/webhook_secret.html",
        status=status,
        webhook_id=webhook_id,
        name=name,
        secret=secret,
        replaced=replaced,
    )
    shown.headers["Cache-Control"] = "no-store"
    return shown


async def _change(call: PageCall, webhook_id: UUID, revision: str, changes: Mapping[str, Any]) -> None:
    private = call.services(NotificationsServices).settings.private_receivers
    command = commands.ChangeWebhook(Change(webhook_id, revision, changes), private)
    await run(call.unit_of_work(NotificationsUnitOfWork), commands.change_webhook, command)
    await tell_worker(call, webhook_id)


def _types(form: Mapping[str, str]) -> list[str]:
    """The types that are ticked; none is every one."""
    return sorted(name.removeprefix(_CHOSEN) for name in form if name.startswith(_CHOSEN))


def _listed_types() -> list[tuple[str, str]]:
    return sorted((item.type, item.description) for item in TYPES.values())


def _instant(given: str) -> str:
    """The instant of a field for date and time, which has no offset; what is none is refused by the model."""
    try:
        return datetime.fromisoformat(given).replace(tzinfo=UTC).isoformat()
    except ValueError:
        return given
