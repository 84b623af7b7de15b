"""How notifications is wired: its services, and what they serve and do."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from dataforge.contexts.identity.contract import AccountsMerged
from dataforge.contexts.notifications.contract import DailyReminders
from dataforge.contexts.workspaces.contract import WorkspaceDeleted
from dataforge.kernel.events import Event
from dataforge.platform.module import Command, Consumer, Job, Module, Receiver, Subscriber
from dataforge.platform.services import Services

if TYPE_CHECKING:
    from dataforge.contexts.notifications.messages.commands import MessageSender
    from dataforge.contexts.notifications.reminders.published import StoredDailyReminders
    from dataforge.contexts.notifications.suppressions.links import UnsubscribeLinks
    from dataforge.contexts.notifications.webhooks.deliverer import EventDeliverer
    from dataforge.platform.ops import Ops
    from dataforge.platform.personal_data import PersonalData
    from dataforge.platform.sealing import SecretBox

NOTIFICATIONS = "dataforge.contexts.notifications"


class NotificationsServices(Services):
    """The parts of notifications."""

    @cached_property
    def unsubscribe_links(self) -> "UnsubscribeLinks":
        """Makes and opens the links by which a mail can be unsubscribed from."""
        from dataforge.contexts.notifications.suppressions.links import UnsubscribeLinks

        return UnsubscribeLinks(self.platform.cursors, self.settings.public_base_url)

    @cached_property
    def daily_reminders(self) -> "StoredDailyReminders":
        """Plans and sends reminders, and answers for runs."""
        from dataforge.contexts.notifications.reminders.published import StoredDailyReminders

        return StoredDailyReminders(self)

    @cached_property
    def message_sender(self) -> "MessageSender":
        """Sends what is waiting."""
        from dataforge.contexts.notifications.messages.commands import MessageSender

        return MessageSender(self)

    @cached_property
    def event_deliverer(self) -> "EventDeliverer":
        """Sends events to webhooks."""
        from dataforge.contexts.notifications.webhooks.deliverer import EventDeliverer

        return EventDeliverer(self)

    @cached_property
    def secret_box(self) -> "SecretBox":
        """Encrypts the secrets of webhooks."""
        from dataforge.platform.sealing import SecretBox

        key = self.platform.secrets.read(self.settings.app_secret_arn)["cursor_key"].encode()
        return SecretBox(key, "dataforge webhooks")


def _commands() -> Mapping[str, Command[NotificationsServices]]:
    from dataforge.contexts.notifications.reminders import consumers

    return {"send_daily_reminders": consumers.send_daily_reminders}


def _jobs() -> Mapping[str, Job[NotificationsServices]]:
    from dataforge.contexts.notifications.calendar.consumers import announce_dates
    from dataforge.contexts.notifications.messages.consumers import send_waiting
    from dataforge.contexts.notifications.webhooks.consumers import announce_due_webhooks

    return {"lesson_dates": announce_dates, "notifications": send_waiting, "webhooks": announce_due_webhooks}


def _feedback() -> Consumer[NotificationsServices]:
    from dataforge.contexts.notifications.feedback.consumers import feedback_messages

    return feedback_messages


def _subscribers() -> Mapping[type[Event], Sequence[Subscriber[NotificationsServices]]]:
    from dataforge.contexts.notifications.notices.consumers import put_on_its_way
    from dataforge.contexts.notifications.notices.domain import NOTICED
    from dataforge.contexts.notifications.preferences.consumers import follow_merge
    from dataforge.contexts.notifications.webhooks.consumers import end_webhooks, send_to_webhooks
    from dataforge.contexts.notifications.webhooks.events import PUBLISHED

    hearers: dict[type[Event], tuple[Subscriber[NotificationsServices], ...]] = {}
    for kinds, hear in ((NOTICED, put_on_its_way), (PUBLISHED, send_to_webhooks)):
        for kind in kinds:
            hearers[kind] = (*hearers.get(kind, ()), hear)
    hearers[AccountsMerged] = (follow_merge, *hearers[AccountsMerged])
    # After the webhooks of the organisation have heard of it.
    hearers[WorkspaceDeleted] = (*hearers[WorkspaceDeleted], end_webhooks)
    return hearers


def _messages() -> Mapping[str, Receiver[NotificationsServices]]:
    from dataforge.contexts.notifications.webhooks import announcements, consumers

    return {announcements.MESSAGE: consumers.deliver_events}


def _personal_data() -> "PersonalData[NotificationsServices]":
    from dataforge.contexts.notifications.personal_data import personal_data

    return personal_data()


def _ops() -> "Ops":
    from dataforge.contexts.notifications.ops import ops

    return ops()


MODULE = Module(
    name="notifications",
    services=NotificationsServices,
    routers={
        "api": {
            "/api/debug/reminder-preview": f"{NOTIFICATIONS}.reminders.routes",
            "/api/reminders": f"{NOTIFICATIONS}.reminders.routes",
            "/api/reminder-cadences": f"{NOTIFICATIONS}.reminders.routes",
            "/api/calendar": f"{NOTIFICATIONS}.calendar.routes",
            "/api/calendar.ics": f"{NOTIFICATIONS}.calendar.routes",
            "/api/notification-preferences": f"{NOTIFICATIONS}.preferences.routes",
            "/api/unsubscribe": f"{NOTIFICATIONS}.suppressions.routes",
            "/api/webhooks": f"{NOTIFICATIONS}.webhooks.routes",
            "/ui/webhooks": f"{NOTIFICATIONS}.webhooks.pages",
            "/ui/test-reminders": f"{NOTIFICATIONS}.reminders.pages",
            "/ui/notification-preferences": f"{NOTIFICATIONS}.preferences.pages",
            "/ui/unsubscribe": f"{NOTIFICATIONS}.suppressions.pages",
        }
    },
    offers={DailyReminders: lambda platform: platform.get(NotificationsServices).daily_reminders},
    commands={"reminders": _commands, "maintenance": _commands},
    consumers={"notifier": _feedback},
    jobs=_jobs,
    subscribers=_subscribers,
    messages=_messages,
    personal_data=_personal_data,
    ops=_ops,
)
