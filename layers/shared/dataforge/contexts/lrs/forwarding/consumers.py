"""What runs behind the messages of subscriptions, and what the minute's job does for them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dataforge.contexts.lrs.forwarding.announcements import announce
from dataforge.contexts.lrs.forwarding.queries import due_subscriptions
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.platform.observability import logger

if TYPE_CHECKING:
    from dataforge.contexts.lrs.module import LrsServices


async def deliver_statements(message: Mapping[str, Any], services: "LrsServices") -> None:
    """`{"subscription_id": …}`: deliver what is due, and send the message again if more will be due soon."""
    try:
        subscription_id = UUID(str(message["subscription_id"]))
    except (KeyError, ValueError):
        logger.warning("a message about no subscription")
        return
    seconds = await services.deliverer.deliver(subscription_id)
    if seconds is not None:
        await announce(services.platform.queue("jobs"), subscription_id, seconds=seconds + 1)


async def announce_due(services: "LrsServices") -> dict[str, int]:
    """Tell `worker` of subscriptions that have something to do, and forget deliveries of long ago."""
    async with services.database.read_only() as connection:
        due = await due_subscriptions(connection)
    for subscription_id in due:
        await announce(services.platform.queue("jobs"), subscription_id)
    async with services.unit_of_work(LrsUnitOfWork) as uow:
        forgotten = await uow.deliveries.forget()
        await uow.commit()
    return {"announced": len(due), "forgotten": forgotten}
