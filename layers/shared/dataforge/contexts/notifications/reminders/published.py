"""Reminders, as the schedule and other contexts ask for them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from dataforge.contexts.notifications.contract import IncompleteUser, TaskStatusRead
from dataforge.contexts.notifications.messages.commands import SendWaiting
from dataforge.contexts.notifications.reminders.commands import (
    FailedRun,
    RemindDue,
    RunResult,
    SentByRun,
    note_failure,
    note_sent,
    remind_due,
)
from dataforge.contexts.notifications.reminders.domain import KIND, slot_key
from dataforge.contexts.notifications.reminders.queries import find_run, reminder_plan
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from dataforge.contexts.notifications.module import NotificationsServices


class StoredDailyReminders:
    """Plans, sends and answers for runs; each may be killed anywhere and done again."""

    def __init__(self, services: "NotificationsServices") -> None:
        self._services = services

    async def get_incomplete_users(self, at: datetime) -> Sequence[IncompleteUser]:
        """Who would be reminded at an instant."""
        async with self._services.database.read_only() as connection:
            plan = await reminder_plan(connection, at)
        return [
            IncompleteUser(item.learner.user_id, item.local_date, tuple(lesson.lesson_id for lesson in item.lessons))
            for item in plan.reminders
        ]

    async def schedule_daily_reminders(self) -> TaskStatusRead:
        """Plan what is due and put it on its way; raises what the run failed with, after noting it."""
        result = await self.plan_due()
        status = await self.get_task_status(result.run_key)
        assert status is not None  # noqa: S101 - the run has just been written
        return status

    async def plan_due(self) -> RunResult:
        """The same, with what this attempt has put on its way: nothing if another one was quicker."""
        try:
            return await run(self._uow(), remind_due, RemindDue())
        except Exception as error:
            failed = FailedRun(slot_key(self._services.clock.now()), f"{type(error).__name__}: {error}"[:500])
            await run(self._uow(), note_failure, failed)
            raise

    async def send_daily_reminders(self) -> Mapping[str, int]:
        """Send what is on its way, and add up for the run of this quarter of an hour what became of it."""
        sent = await self._services.message_sender.send_waiting(SendWaiting(kinds=frozenset({KIND})))
        if sent:
            await run(self._uow(), note_sent, SentByRun(slot_key(self._services.clock.now()), sent))
        return sent

    async def get_task_status(self, run_key: str) -> TaskStatusRead | None:
        """What became of a run."""
        async with self._services.database.read_only() as connection:
            found = await find_run(connection, run_key)
        return None if found is None else TaskStatusRead(**found)

    def _uow(self) -> NotificationsUnitOfWork:
        return self._services.unit_of_work(NotificationsUnitOfWork)
