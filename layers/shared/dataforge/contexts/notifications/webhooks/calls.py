"""Calls about a webhook, which may belong to a workspace: whoever may not read it finds nothing."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends

from dataforge.contexts.notifications.webhooks.announcements import announce_webhook
from dataforge.contexts.notifications.webhooks.domain import webhook_missing
from dataforge.contexts.notifications.webhooks.queries import workspace_of_webhook
from dataforge.http.auth import require
from dataforge.http.call import Call
from dataforge.kernel.access import Action, Kind, Resource


async def require_webhook(call: Call, action: Action, kind: Kind, webhook_id: UUID) -> None:
    """Raise unless the caller may do this with the webhook."""
    workspace = await call.query(workspace_of_webhook, webhook_id)
    await call.require(action, Resource(kind, workspace=workspace), webhook_missing(webhook_id))


def on_webhook(action: Action, kind: Kind) -> Any:  # noqa: ANN401 - FastAPI's marker
    """What a route about a webhook says of who may ask: `Annotated[Call, on_webhook(Action.READ, Kind.WEBHOOK)]`."""

    async def webhook_call(webhook_id: UUID, call: Annotated[Call, require(action, kind, replays=False)]) -> Call:
        await require_webhook(call, action, kind, webhook_id)
        return call

    return Depends(webhook_call)


async def tell_worker(call: Call, webhook_id: UUID) -> None:
    """Tell `worker` that there is something to do."""
    await announce_webhook(call.platform.queue("jobs"), webhook_id)
