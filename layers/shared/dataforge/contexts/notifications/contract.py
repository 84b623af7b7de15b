"""What other contexts may know of notifications: runs of reminders, and the events they publish."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from dataforge.kernel.events import Event


@dataclass(frozen=True, slots=True)
class WebhookDisabled(Event):
    """A webhook was switched off because nothing could be delivered; `keepers` may see to it.

    `workspace_id` is None for one of the organisation.
    """

    name = "notifications.webhook_disabled"
    about = "webhook_id"

    webhook_id: UUID
    webhook_name: str
    workspace_id: UUID | None
    reason: str
    keepers: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class TaskStatusRead:
    """A run of a scheduled task: queued, running, succeeded, failed or retrying.

    `counts` says what it did, `error` why its last attempt failed, `attempt` which one that was.
    """

    name: str
    run_key: str
    status: str
    attempt: int
    started_at: datetime
    finished_at: datetime | None
    counts: Mapping[str, int]
    error: str | None


@dataclass(frozen=True, slots=True)
class IncompleteUser:
    """Somebody whose hour has come and who has not completed lessons that are due, on their own date."""

    user_id: UUID
    local_date: date
    lesson_ids: tuple[UUID, ...]


class DailyReminders(Protocol):
    """Reminders of lessons that are due, as the schedule does them every quarter of an hour."""

    async def get_incomplete_users(self, at: datetime) -> Sequence[IncompleteUser]:
        """Who would be reminded at an instant, in order of their ids; nobody twice on their day."""
        ...

    async def schedule_daily_reminders(self) -> TaskStatusRead:
        """Put on their way the reminders that are due now; the same quarter of an hour again changes nothing."""
        ...

    async def send_daily_reminders(self) -> Mapping[str, int]:
        """Send reminders that are on their way; counts by what became of each."""
        ...

    async def get_task_status(self, run_key: str) -> TaskStatusRead | None:
        """What became of a run; None when there was none of this key."""
        ...
