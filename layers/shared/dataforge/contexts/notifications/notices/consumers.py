"""The subscriber of everything that people hear of."""

from typing import TYPE_CHECKING

from dataforge.contexts.notifications.notices.commands import Notify, notify
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.kernel.events import Event
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from dataforge.contexts.notifications.module import NotificationsServices


async def put_on_its_way(event: Event, services: "NotificationsServices") -> None:
    """Add the messages that an event leads to; they are sent by the next job of the same minute."""
    await run(services.unit_of_work(NotificationsUnitOfWork), notify, Notify(event))
