"""Every minute: what events lead to is sent, and what a provider did not take is tried again."""

from typing import TYPE_CHECKING

from dataforge.contexts.notifications.messages.commands import KEPT_FOR, SendWaiting, forget_old_messages
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from dataforge.contexts.notifications.module import NotificationsServices

LIMIT = 2_000  # beside everything else of a minute


async def send_waiting(services: "NotificationsServices") -> dict[str, int]:
    """Send messages whose time has come; forget old ones."""
    sent = await services.message_sender.send_waiting(SendWaiting(LIMIT))
    forgotten = await run(services.unit_of_work(NotificationsUnitOfWork), forget_old_messages, KEPT_FOR)
    return sent | ({"forgotten": forgotten} if forgotten else {})
