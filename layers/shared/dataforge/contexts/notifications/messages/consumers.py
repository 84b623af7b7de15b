"""Maintenance of messages: what a provider did not take is tried again every minute."""

from typing import TYPE_CHECKING

from dataforge.contexts.notifications.messages.commands import SendWaiting

if TYPE_CHECKING:
    from dataforge.contexts.notifications.module import NotificationsServices

LIMIT = 2_000  # beside everything else of a minute


async def send_waiting(services: "NotificationsServices") -> dict[str, int]:
    """Send messages whose time has come."""
    return await services.message_sender.send_waiting(SendWaiting(LIMIT))
