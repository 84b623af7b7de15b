"""The schedule: every quarter of an hour, remind who is due."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dataforge.contexts.notifications.messages.commands import SendWaiting
from dataforge.contexts.notifications.reminders.commands import RemindDue, remind_due
from dataforge.contexts.notifications.reminders.domain import KIND
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from dataforge.contexts.notifications.module import NotificationsServices


async def send_daily_reminders(_payload: Mapping[str, Any], services: "NotificationsServices") -> dict[str, Any]:
    """Plan what is due, put it on its way and send what is waiting; may run twice at once and be killed anywhere."""
    result = await run(services.unit_of_work(NotificationsUnitOfWork), remind_due, RemindDue())
    sent = await services.message_sender.send_waiting(SendWaiting(kinds=frozenset({KIND})))
    return {"run": result.run_key, "mine": result.plan is not None, "plan": result.counts, "messages": sent}
