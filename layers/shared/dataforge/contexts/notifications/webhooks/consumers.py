"""Events that webhooks hear of, the messages of webhooks, and what the minute's job does for them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.contexts.notifications.webhooks import commands
from dataforge.contexts.notifications.webhooks.announcements import announce_webhook
from dataforge.contexts.notifications.webhooks.queries import due_webhooks
from dataforge.contexts.workspaces.contract import WorkspaceDeleted
from dataforge.kernel.events import Event
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.observability import logger

if TYPE_CHECKING:
    from dataforge.contexts.notifications.module import NotificationsServices


async def send_to_webhooks(event: Event, services: "NotificationsServices") -> None:
    """Put an event on its way to the webhooks that hear of it; `announce_due_webhooks` of the same minute tells."""
    await run(services.unit_of_work(NotificationsUnitOfWork), commands.put_on_its_way, event)


async def end_webhooks(event: WorkspaceDeleted, services: "NotificationsServices") -> None:
    """Delete the webhooks of a workspace that is no more; a second time nothing is left to do."""
    await run(services.unit_of_work(NotificationsUnitOfWork), commands.forget_webhooks, event.workspace_id)


async def deliver_events(message: Mapping[str, Any], services: "NotificationsServices") -> None:
    """`{"webhook_id": …}`: deliver what is due, and send the message again if more will be due soon."""
    try:
        webhook_id = UUID(str(message["webhook_id"]))
    except (KeyError, ValueError):
        logger.warning("a message about no webhook")
        return
    seconds = await services.event_deliverer.deliver(webhook_id)
    if seconds is not None:
        await announce_webhook(services.platform.queue("jobs"), webhook_id, seconds=seconds + 1)


async def announce_due_webhooks(services: "NotificationsServices") -> dict[str, int]:
    """Tell `worker` of webhooks that have something to do, and forget deliveries of long ago."""
    async with services.database.read_only() as connection:
        due = await due_webhooks(connection, services.clock.now())
    for webhook_id in due:
        await announce_webhook(services.platform.queue("jobs"), webhook_id)
    async with services.unit_of_work(NotificationsUnitOfWork) as uow:
        forgotten = await uow.event_deliveries.forget()
        await uow.commit()
    return {"announced": len(due), "forgotten": forgotten}
