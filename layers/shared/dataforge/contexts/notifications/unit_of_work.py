"""The unit of work of the commands of notifications."""

from dataforge.contexts.notifications.calendar.repository import CalendarEvents
from dataforge.contexts.notifications.messages.repository import Messages
from dataforge.contexts.notifications.preferences.repository import Preferences
from dataforge.contexts.notifications.reminders.repository import Cadences, Runs
from dataforge.contexts.notifications.suppressions.repository import Suppressions
from dataforge.contexts.notifications.webhooks.repository import EventDeliveries, WebhookRows
from dataforge.platform.db.unit_of_work import SqlUnitOfWork


class NotificationsUnitOfWork(SqlUnitOfWork):
    """A transaction with the repositories of notifications."""

    @property
    def messages(self) -> Messages:
        """Mails that are planned, under way or sent."""
        return Messages(self.connection, self.now)

    @property
    def calendar_events(self) -> CalendarEvents:
        """What calendars were sent."""
        return CalendarEvents(self.connection, self.now)

    @property
    def cadences(self) -> Cadences:
        """How often cohorts are reminded."""
        return Cadences(self.connection, self.now)

    @property
    def runs(self) -> Runs:
        """Runs of reminders."""
        return Runs(self.connection, self.now)

    @property
    def suppressions(self) -> Suppressions:
        """Addresses that get no mail."""
        return Suppressions(self.connection, self.now)

    @property
    def preferences(self) -> Preferences:
        """What people want to hear of."""
        return Preferences(self.connection)

    @property
    def webhooks(self) -> WebhookRows:
        """To whom events go."""
        return WebhookRows(self.connection, self.now)

    @property
    def event_deliveries(self) -> EventDeliveries:
        """Events on their way to webhooks."""
        return EventDeliveries(self.connection, self.now)
