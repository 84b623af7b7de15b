"""The schedule: every quarter of an hour, remind who is due."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataforge.contexts.notifications.module import NotificationsServices


async def send_daily_reminders(_payload: Mapping[str, Any], services: "NotificationsServices") -> dict[str, Any]:
    """Plan what is due, put it on its way and send what is waiting; may run twice at once and be killed anywhere."""
    result = await services.daily_reminders.plan_due()
    sent = await services.daily_reminders.send_daily_reminders()
    return {"run": result.run_key, "mine": result.plan is not None, "plan": result.counts, "messages": dict(sent)}
