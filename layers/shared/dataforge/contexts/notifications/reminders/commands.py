"""Plan reminders and put them on their way; say how often a cohort is reminded."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dataforge.contexts.notifications.messages.domain import Status
from dataforge.contexts.notifications.reminders.domain import (
    KIND,
    NothingMoved,
    Reminder,
    ReminderPlan,
    Rhythm,
    slot_key,
)
from dataforge.contexts.notifications.reminders.queries import cadence_of, reminder_plan
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.kernel.errors import PlanStale
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.versioned_rows import require_revision


@dataclass(frozen=True, slots=True)
class RemindDue:
    """The scheduler's run: what is due now, once in a quarter of an hour."""


@dataclass(frozen=True, slots=True)
class SendReminders:
    """Apply a plan that somebody has looked at: exactly what it says, or nothing."""

    at: datetime
    plan_hash: str


@dataclass(frozen=True, slots=True)
class SetCadence:
    """Say how often a cohort is reminded; `expected` is the revision the caller read (`*`: any)."""

    cohort_id: UUID
    rhythm: Rhythm
    expected: str


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run put on its way; None: somebody else did this run."""

    run_key: str
    plan: ReminderPlan | None
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class FailedRun:
    """A run whose attempt was rolled back, and the error it ended with."""

    run_key: str
    error: str


@dataclass(frozen=True, slots=True)
class SentByRun:
    """What became of messages that were sent along with a run, by their status."""

    run_key: str
    counts: Mapping[str, int]


async def note_failure(command: FailedRun, uow: NotificationsUnitOfWork) -> None:
    """Write that the attempt has failed, in a transaction of its own: the run's is gone."""
    await uow.runs.fail(command.run_key, uow.now, command.error)


async def note_sent(command: SentByRun, uow: NotificationsUnitOfWork) -> None:
    """Add to the counts of the run; one that nobody has begun has none."""
    await uow.runs.add_counts(command.run_key, {f"mails_{status}": count for status, count in command.counts.items()})


async def remind_due(_command: RemindDue, uow: NotificationsUnitOfWork) -> RunResult:
    """Plan and put on their way what is due; the same slot again changes nothing."""
    key = slot_key(uow.now)
    if not await uow.runs.begin(key, uow.now):
        return RunResult(key, None, {})
    return await _put_on_its_way(key, await reminder_plan(uow.connection, uow.now), uow)


async def send_reminders(command: SendReminders, uow: NotificationsUnitOfWork) -> RunResult:
    """Raises PlanStale when what the plan saw has moved, NothingMoved for an instant that is not there yet."""
    if command.at > uow.now:
        message = Text("A plan for an instant in the future can be looked at and not applied; wait for it.")
        raise NothingMoved(message)
    plan = await reminder_plan(uow.connection, command.at)
    if plan.hash != command.plan_hash:
        message = Text(
            "Who would be reminded of what has changed since the preview; nothing was sent. Look at it again."
        )
        raise PlanStale(message, facts={"plan_hash": plan.hash})
    key = f"plan:{plan.hash}"
    if not await uow.runs.begin(key, command.at):
        message = Text("This plan has been applied.")
        raise PlanStale(message, facts={"plan_hash": plan.hash})
    uow.audit(AuditEntry("sent", "reminders", plan.hash, after={"reminders": len(plan.sent)}))
    return await _put_on_its_way(key, plan, uow)


async def _put_on_its_way(key: str, plan: ReminderPlan, uow: NotificationsUnitOfWork) -> RunResult:
    added = await uow.messages.add([_row(item, uow.now) for item in plan.reminders])
    counts = {"planned": len(plan.sent), "added": added}
    counts |= Counter(item.withheld.value for item in plan.reminders if item.withheld is not None)
    await uow.runs.end(key, plan.hash, counts)
    return RunResult(key, plan, counts)


def _row(item: Reminder, now: datetime) -> dict[str, object]:
    return {
        "id": uuid7(),
        "user_id": item.learner.user_id,
        "kind": KIND,
        "local_date": item.local_date,
        "dedupe_key": item.dedupe_key,
        "content": {
            "lessons": [
                {"title": lesson.title, "url": lesson.url, "date": lesson.lesson_date.isoformat()}
                for lesson in item.lessons
            ]
        },
        "status": Status.PENDING if item.withheld is None else Status.SUPPRESSED,
        "last_error": item.withheld,
        "not_before": now,
    }


async def set_cadence(command: SetCadence, uow: NotificationsUnitOfWork) -> UUID:
    """Raises NotFound, PreconditionFailed."""
    before = await cadence_of(uow.connection, command.cohort_id)
    revision = await uow.cadences.lock(command.cohort_id)
    require_revision(command.expected, revision, Text("The cadence"))
    await uow.cadences.put(command.cohort_id, command.rhythm, revision + 1)
    after = {"cadence": command.rhythm.cadence.value, "weekday": command.rhythm.weekday}
    was = {"cadence": before["cadence"], "weekday": before["weekday"]}
    uow.audit(AuditEntry("changed", "reminder_cadence", str(command.cohort_id), before=was, after=after))
    return command.cohort_id
