"""What routes and pages of subscriptions have in common."""

from uuid import UUID

from dataforge.contexts.lrs.forwarding.announcements import announce
from dataforge.http.call import Call


async def announce_from(call: Call, subscription_id: UUID) -> None:
    """Tell `worker` that there is something to do."""
    await announce(call.platform.queue("jobs"), subscription_id)
