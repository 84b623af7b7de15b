"""Accounts that became one, in what people are sent."""

from typing import TYPE_CHECKING

from dataforge.contexts.identity.contract import AccountsMerged
from dataforge.contexts.notifications.preferences.repository import merge_recipients

if TYPE_CHECKING:
    from dataforge.contexts.notifications.module import NotificationsServices


async def follow_merge(event: AccountsMerged, services: "NotificationsServices") -> None:
    """Let messages, preferences and dates follow; a second time nothing is left to do."""
    async with services.database.transaction() as connection:
        await merge_recipients(connection, merged=event.merged, kept=event.kept)
