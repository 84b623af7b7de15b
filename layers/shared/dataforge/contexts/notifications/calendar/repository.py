"""The write SQL of what calendars were sent."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.notifications.calendar.domain import Change, Method
from dataforge.contexts.notifications.tables import calendar_events

# One statement for thousands of rows, with a parameter for each column. What somebody else has announced in the
# meantime is left as it is.
_PUT = text(
    "INSERT INTO notifications.calendar_events AS e (user_id, lesson_id, sequence, state, title, lesson_url, "
    "lesson_date, start_time, duration_minutes, zone, changed_at) SELECT n.*, :now FROM unnest("
    "CAST(:user_id AS uuid[]), CAST(:lesson_id AS uuid[]), CAST(:sequence AS int[]), CAST(:state AS text[]), "
    "CAST(:title AS text[]), CAST(:lesson_url AS text[]), CAST(:lesson_date AS date[]), CAST(:start_time AS time[]), "
    "CAST(:duration_minutes AS int[]), CAST(:zone AS text[])) n ON CONFLICT (user_id, lesson_id) DO UPDATE SET "
    "sequence = excluded.sequence, state = excluded.state, title = excluded.title, lesson_url = excluded.lesson_url, "
    "lesson_date = excluded.lesson_date, start_time = excluded.start_time, "
    "duration_minutes = excluded.duration_minutes, zone = excluded.zone, changed_at = excluded.changed_at "
    "WHERE e.sequence < excluded.sequence"
)
_CLAIM = text("SELECT pg_try_advisory_xact_lock(hashtext('notifications.calendar_events'))")
_FIELDS = ("lesson_id", "title", "lesson_url", "lesson_date", "start_time", "duration_minutes", "zone")


class CalendarEvents:
    """Events in `notifications.calendar_events`."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def claim(self) -> bool:
        """Whether nobody else announces dates; nobody does until the transaction ends."""
        return bool(await self._connection.scalar(_CLAIM))

    async def forget_before(self, day: date) -> int:
        """Delete what calendars were sent of days before one; returns how many.

        What was cancelled stays: it may come back, and then needs a greater SEQUENCE.
        """
        old = (calendar_events.c.state == "invited") & (calendar_events.c.lesson_date < day)
        return (await self._connection.execute(delete(calendar_events).where(old))).rowcount

    async def put(self, changes: Sequence[Change]) -> None:
        """Keep what calendars are sent."""
        if not changes:
            return
        values: dict[str, object] = {
            name: [getattr(change.invitation.lesson, name) for change in changes] for name in _FIELDS
        }
        values["user_id"] = [change.user_id for change in changes]
        values["sequence"] = [change.invitation.sequence for change in changes]
        values["state"] = [
            "cancelled" if change.invitation.method is Method.CANCEL else "invited" for change in changes
        ]
        await self._connection.execute(_PUT, {**values, "now": self._now})
