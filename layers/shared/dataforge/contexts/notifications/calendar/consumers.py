"""Maintenance of calendars: every minute, what is new is announced."""

from typing import TYPE_CHECKING

from dataforge.contexts.notifications.calendar.commands import AnnounceDates
from dataforge.contexts.notifications.calendar.commands import announce_dates as announce
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from dataforge.contexts.notifications.module import NotificationsServices


async def announce_dates(services: "NotificationsServices") -> dict[str, int]:
    """Put on their way the lesson dates that calendars have not heard of."""
    return dict(await run(services.unit_of_work(NotificationsUnitOfWork), announce, AnnounceDates()))
