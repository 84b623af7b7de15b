"""REST of subscriptions, for administrators: webhooks and forwarding to other record stores."""

from typing import Annotated, Any
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.lrs.forwarding import commands, queries, wire
from dataforge.contexts.lrs.forwarding.calls import announce_from
from dataforge.contexts.lrs.forwarding.domain import SubscriptionKind
from dataforge.contexts.lrs.module import LrsServices
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.openapi import UNKEYED
from dataforge.http.paging import Cursor, Limit
from dataforge.http.versioned_rows import PROBLEMS, VERSIONED, no_content, versioned
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.db.versioned_rows import Change, Delete
from dataforge.platform.deliveries.domain import DeliveryState

router = context_router("lrs")

ADDRESS = "/api/xapi/subscriptions"


async def _row(call: Call, subscription_id: UUID) -> dict[str, Any]:
    return await call.query(queries.get_subscription, subscription_id)


@router.get(ADDRESS, response_model=wire.SubscriptionPage)
async def list_subscriptions(
    call: Annotated[Call, require(Action.READ, Kind.SUBSCRIPTION)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    kind: SubscriptionKind | None = None,
) -> Response:
    """To whom statements are sent, and how that goes."""
    page = await call.query(queries.list_subscriptions, after=call.after(cursor), limit=limit, kind=kind)
    return call.page_response(page, limit=limit)


@router.post(ADDRESS, status_code=201, response_model=wire.NewSubscriptionOut, openapi_extra={UNKEYED: True})
async def create_subscription(
    body: wire.SubscriptionIn, call: Annotated[Call, require(Action.CREATE, Kind.SUBSCRIPTION)]
) -> Response:
    """Send statements to a webhook or another store; a webhook's signing secret is shown this once."""
    services = call.services(LrsServices)
    command = commands.CreateSubscription(
        body.values(), services.secret_box, services.settings.private_receivers, body.password
    )
    made = await run(call.unit_of_work(LrsUnitOfWork), commands.create_subscription, command)
    subscription_id = UUID(str(made.row["id"]))
    row = {**await _row(call, subscription_id), "secret": made.secret}
    await announce_from(call, subscription_id)
    return versioned(row, status=201, location=call.address(ADDRESS, subscription_id))


@router.get(ADDRESS + "/{subscription_id}", response_model=wire.SubscriptionOut, responses=PROBLEMS)
async def get_subscription(
    subscription_id: UUID, call: Annotated[Call, require(Action.READ, Kind.SUBSCRIPTION)]
) -> Response:
    """One subscription: what waits, what is dead, how far behind it is, and its last error."""
    return versioned(await _row(call, subscription_id))


@router.patch(ADDRESS + "/{subscription_id}", response_model=wire.SubscriptionOut, responses=VERSIONED)
async def change_subscription(
    subscription_id: UUID,
    body: wire.SubscriptionPatch,
    call: Annotated[Call, require(Action.CHANGE, Kind.SUBSCRIPTION)],
) -> Response:
    """Change a subscription, or switch it off and on; needs If-Match."""
    services = call.services(LrsServices)
    change = Change(subscription_id, call.expected_revision(), body.changes())
    command = commands.ChangeSubscription(
        change, services.secret_box, services.settings.private_receivers, body.password
    )
    await run(call.unit_of_work(LrsUnitOfWork), commands.change_subscription, command)
    await announce_from(call, subscription_id)
    return versioned(await _row(call, subscription_id))


@router.delete(ADDRESS + "/{subscription_id}", status_code=204, responses=VERSIONED)
async def delete_subscription(
    subscription_id: UUID, call: Annotated[Call, require(Action.DELETE, Kind.SUBSCRIPTION)]
) -> Response:
    """End a subscription, with what waits for it; needs If-Match."""
    command = Delete(subscription_id, call.expected_revision())
    return await call.execute(LrsUnitOfWork, commands.delete_subscription, command, no_content)


@router.post(ADDRESS + "/{subscription_id}/secret", response_model=wire.SecretOut, openapi_extra={UNKEYED: True})
async def replace_secret(
    subscription_id: UUID, call: Annotated[Call, require(Action.CHANGE, Kind.SUBSCRIPTION)]
) -> Response:
    """Replace a webhook's signing secret; for 24 hours both sign, so that no delivery is refused."""
    command = commands.ReplaceSecret(subscription_id, call.services(LrsServices).secret_box)
    secret = await run(call.unit_of_work(LrsUnitOfWork), commands.replace_secret, command)
    return json_response({"secret": secret})


@router.post(
    ADDRESS + "/{subscription_id}/test", status_code=202, response_model=wire.TestOut, openapi_extra={UNKEYED: True}
)
async def test_subscription(
    subscription_id: UUID, call: Annotated[Call, require(Action.CHANGE, Kind.SUBSCRIPTION)]
) -> Response:
    """Send a test, also while the subscription is switched off; its delivery shows how that went."""
    command = commands.TestSubscription(subscription_id)
    delivery_id = await run(call.unit_of_work(LrsUnitOfWork), commands.test_subscription, command)
    await announce_from(call, subscription_id)
    return json_response({"delivery_id": delivery_id}, status=202)


@router.get(ADDRESS + "/{subscription_id}/deliveries", response_model=wire.DeliveryPage, responses=PROBLEMS)
async def list_deliveries(
    subscription_id: UUID,
    call: Annotated[Call, require(Action.READ, Kind.SUBSCRIPTION)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    state: DeliveryState | None = None,
) -> Response:
    """The delivery log, newest first; those that are dead wait to be redriven, for 30 days."""
    page = await call.query(
        queries.list_deliveries, subscription_id, after=call.after(cursor), limit=limit, state=state
    )
    return call.page_response(page, limit=limit)


@router.post(ADDRESS + "/{subscription_id}/redrive", response_model=wire.RedriveOut, openapi_extra={UNKEYED: True})
async def redrive_deliveries(
    subscription_id: UUID, call: Annotated[Call, require(Action.CHANGE, Kind.SUBSCRIPTION)]
) -> Response:
    """Try every dead delivery again, in order."""
    return await _redrive(call, commands.RedriveDeliveries(subscription_id))


@router.post(
    ADDRESS + "/{subscription_id}/deliveries/{delivery_id}/redrive",
    response_model=wire.RedriveOut,
    openapi_extra={UNKEYED: True},
)
async def redrive_delivery(
    subscription_id: UUID, delivery_id: UUID, call: Annotated[Call, require(Action.CHANGE, Kind.SUBSCRIPTION)]
) -> Response:
    """Try one dead delivery again; one that is not dead stays as it is."""
    return await _redrive(call, commands.RedriveDeliveries(subscription_id, delivery_id))


async def _redrive(call: Call, command: commands.RedriveDeliveries) -> Response:
    number = await run(call.unit_of_work(LrsUnitOfWork), commands.redrive_deliveries, command)
    await announce_from(call, command.subscription_id)
    return json_response({"redriven": number})
