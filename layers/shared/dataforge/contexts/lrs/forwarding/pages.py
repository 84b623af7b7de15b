"""Subscriptions for administrators: to whom statements are sent, how that goes, a test, and what was given up."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import ValidationError
from starlette.responses import Response

from dataforge.contexts.lrs.forwarding import commands, queries, wire
from dataforge.contexts.lrs.forwarding.calls import announce_from
from dataforge.contexts.lrs.forwarding.domain import SubscriptionKind
from dataforge.contexts.lrs.module import LrsServices
from dataforge.contexts.lrs.statements.domain import parse_json
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.texts import Text
from dataforge.kernel.validation import plain_message
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.db.versioned_rows import Change, Delete
from dataforge.platform.deliveries.domain import DeliveryState
from dataforge.web.calls import Chosen, PageCall, require_page
from dataforge.web.routing import page_router

router = page_router("lrs")

PAGE = "/ui/admin/subscriptions"
_ROWS = 100
_SHOWN = 30
_TEXTS = ("name", "url", "username", "password", "agent", "verb", "activity", "registration")
_FILTERS = ("agent", "verb", "activity", "registration")
_EMPTY = {**dict.fromkeys(_TEXTS, ""), "kind": SubscriptionKind.WEBHOOK.value, "related": ""}


@router.get(PAGE)
async def list_page(call: Annotated[PageCall, require_page(Action.READ, Kind.SUBSCRIPTION)]) -> Response:
    """To whom statements are sent."""
    return await _list(call, _EMPTY)


@router.post(PAGE)
async def create_page(call: Annotated[PageCall, require_page(Action.CREATE, Kind.SUBSCRIPTION)]) -> Response:
    """Make a subscription; a webhook's secret is on this page and on no other."""
    given = {**_EMPTY, **{name: call.form.get(name, "").strip() for name in (*_TEXTS, "kind", "related")}}
    services = call.services(LrsServices)
    try:
        body = wire.SubscriptionIn.model_validate(_body(given))
        command = commands.CreateSubscription(
            body.values(), services.secret_box, services.settings.private_receivers, body.password
        )
        made = await run(call.unit_of_work(LrsUnitOfWork), commands.create_subscription, command)
    except (ValidationError, DataForgeError) as error:
        return await _list(call, {**given, "password": ""}, _said(error))
    await announce_from(call, made.row["id"])
    if made.secret is None:
        return call.go_on("success", Text("Statements are sent there from now on."), PAGE, made.row["id"])
    return call.page("lrs/new_subscription.html", status=201, made=made.row, secret=made.secret)


@router.get(f"{PAGE}/{{subscription_id}}")
async def subscription_page(
    subscription_id: UUID,
    call: Annotated[PageCall, require_page(Action.READ, Kind.SUBSCRIPTION)],
    cursor: Cursor = None,
    state: Annotated[DeliveryState | None, Chosen] = None,
) -> Response:
    """One subscription with its log."""
    subscription = await call.query(queries.get_subscription, subscription_id)
    log = await call.query(
        queries.list_deliveries, subscription_id, after=call.after(cursor), limit=_SHOWN, state=state
    )
    return call.page(
        "lrs/subscription.html",
        subscription=subscription,
        deliveries=log.rows,
        state=state or "",
        states=[(item.value, item.value.capitalize()) for item in DeliveryState],
        first=cursor is None,
        following=call.following(log.next_key),
    )


@router.post(f"{PAGE}/{{subscription_id}}/test")
async def test_page(
    subscription_id: UUID, call: Annotated[PageCall, require_page(Action.CHANGE, Kind.SUBSCRIPTION)]
) -> Response:
    """Send a test."""
    command = commands.TestSubscription(subscription_id)
    await run(call.unit_of_work(LrsUnitOfWork), commands.test_subscription, command)
    await announce_from(call, subscription_id)
    return call.go_on("success", Text("The test is on its way; the log shows how it went."), PAGE, subscription_id)


@router.post(f"{PAGE}/{{subscription_id}}/redrive")
async def redrive_page(
    subscription_id: UUID, call: Annotated[PageCall, require_page(Action.CHANGE, Kind.SUBSCRIPTION)]
) -> Response:
    """Try what was given up again."""
    command = commands.RedriveDeliveries(subscription_id)
    number = await run(call.unit_of_work(LrsUnitOfWork), commands.redrive_deliveries, command)
    await announce_from(call, subscription_id)
    what = Text("1 delivery is") if number == 1 else Text("{number} deliveries are", number=number)
    return call.go_on("success", Text("{what} tried again.", what=what), PAGE, subscription_id)


@router.post(f"{PAGE}/{{subscription_id}}/switch")
async def switch_page(
    subscription_id: UUID, call: Annotated[PageCall, require_page(Action.CHANGE, Kind.SUBSCRIPTION)]
) -> Response:
    """Switch a subscription on or off, as the form says."""
    services, enabled = call.services(LrsServices), call.form.get("enabled") == "true"
    change = Change(subscription_id, "*", {"enabled": enabled})
    command = commands.ChangeSubscription(change, services.secret_box, services.settings.private_receivers)
    await run(call.unit_of_work(LrsUnitOfWork), commands.change_subscription, command)
    await announce_from(call, subscription_id)
    text = Text("It goes on where it stopped.") if enabled else Text("Nothing is sent until it is switched on.")
    return call.go_on("success", text, PAGE, subscription_id)


@router.post(f"{PAGE}/{{subscription_id}}/delete")
async def delete_page(
    subscription_id: UUID, call: Annotated[PageCall, require_page(Action.DELETE, Kind.SUBSCRIPTION)]
) -> Response:
    """End a subscription."""
    command = Delete(subscription_id, "*")
    await run(call.unit_of_work(LrsUnitOfWork), commands.delete_subscription, command)
    return call.go_on("success", Text("The subscription is deleted."), PAGE)


async def _list(call: PageCall, given: dict[str, str], error: str | None = None) -> Response:
    page = await call.query(queries.list_subscriptions, after=None, limit=_ROWS, kind=None)
    return call.page(
        "lrs/subscriptions.html",
        status=200 if error is None else 400,
        subscriptions=page.rows,
        given=given,
        error=error,
        kinds=[("webhook", "Webhook (Standard Webhooks)"), ("lrs", "Another record store (xAPI)")],
    )


def _body(given: dict[str, str]) -> dict[str, Any]:
    """What a form says, for the same model as the API's."""
    chosen: dict[str, Any] = {name: given[name] for name in _FILTERS if given[name]}
    if "agent" in chosen:
        words = given["agent"]
        chosen["agent"] = parse_json(words.encode()) if words.startswith("{") else {"mbox": f"mailto:{words}"}
    return {
        "kind": given["kind"],
        "name": given["name"],
        "url": given["url"],
        "username": given["username"] or None,
        "password": given["password"] or None,
        "filter": {**chosen, "related": bool(given["related"])},
    }


def _said(error: ValidationError | DataForgeError) -> str:
    if isinstance(error, DataForgeError):
        return error.detail
    said = [(".".join(map(str, item["loc"])), plain_message(item)) for item in error.errors()]
    return " ".join(f"{place.capitalize()} {text}." if place else f"{text.capitalize()}." for place, text in said)
