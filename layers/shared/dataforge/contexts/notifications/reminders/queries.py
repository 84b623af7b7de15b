"""What reminders are planned from, and what became of earlier runs."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.notifications.preferences.queries import unwanted
from dataforge.contexts.notifications.reminders.domain import (
    KIND,
    Cadence,
    Learner,
    OpenLesson,
    ReminderPlan,
    Rhythm,
    Withheld,
    is_due,
    plan_reminders,
)
from dataforge.contexts.notifications.suppressions.domain import Scope, email_hash
from dataforge.contexts.notifications.suppressions.queries import suppressed
from dataforge.contexts.notifications.tables import cadences, messages, runs
from dataforge.kernel.errors import NotFound
from dataforge.kernel.paging import Page
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict

_LEARNERS = text(
    "SELECT d.user_id, d.email, d.display_name, d.time_zone, d.reminder_time, d.quiet_from, d.quiet_to, d.locale "
    "FROM identity.directory d WHERE d.suspended_at IS NULL "
    "AND EXISTS (SELECT FROM learning.active_members m WHERE m.user_id = d.user_id)"
)
_PEOPLE = text(
    "SELECT d.user_id, d.email, d.display_name, d.time_zone, d.reminder_time, d.quiet_from, d.quiet_to, d.locale "
    "FROM identity.directory d WHERE d.suspended_at IS NULL AND d.user_id = ANY(:ids)"
)
_OPEN = text(
    "SELECT o.user_id, o.cohort_id, o.lesson_id, o.title, o.lesson_url, o.lesson_number, o.lesson_date "
    "FROM learning.open_lessons o WHERE o.lesson_date <= :latest AND o.user_id = ANY(:ids)"
)
_COHORT = text("SELECT workspace_id FROM learning.cohorts WHERE cohort_id = :cohort_id")
_A_DAY = timedelta(days=1)  # no zone is further from UTC


async def learners_of(connection: AsyncConnection, ids: list[UUID]) -> dict[UUID, Learner]:
    """Those of the people who are there and not suspended."""
    found = await connection.execute(_PEOPLE, {"ids": ids})
    return {row.user_id: _learner(row) for row in found}


async def reminder_plan(connection: AsyncConnection, at: datetime) -> ReminderPlan:
    """What a run at an instant would send: everybody whose hour has come and who was not reminded on their day yet."""
    known = select(messages.c.dedupe_key).where(
        messages.c.kind == KIND, messages.c.local_date.between((at - _A_DAY).date(), (at + _A_DAY).date())
    )
    reminded = set((await connection.scalars(known)).all())
    due = [
        learner
        for learner in (_learner(row) for row in await connection.execute(_LEARNERS))
        if is_due(learner, at) and f"{KIND}:{learner.user_id}:{learner.today(at).isoformat()}" not in reminded
    ]
    if not due:
        return ReminderPlan(at, ())
    ids = [learner.user_id for learner in due]
    latest = max(learner.today(at) for learner in due)
    lessons = [
        OpenLesson(
            row.user_id, row.cohort_id, row.lesson_id, row.title, row.lesson_url, row.lesson_number, row.lesson_date
        )
        for row in await connection.execute(_OPEN, {"latest": latest, "ids": ids})
    ]
    rhythms = {
        row.cohort_id: Rhythm(Cadence(row.cadence), row.weekday) for row in await connection.execute(select(cadences))
    }
    return plan_reminders(at, due, lessons, rhythms, await withheld_from(connection, due))


async def withheld_from(connection: AsyncConnection, learners: list[Learner]) -> dict[UUID, Withheld]:
    """Who of the learners gets no reminders, and why."""
    hashes = {learner.user_id: email_hash(learner.email) for learner in learners}
    silent = await suppressed(connection, hashes.values(), Scope.REMINDER)
    declined = await unwanted(connection, hashes, KIND)
    found = dict.fromkeys(declined, Withheld.NOT_WANTED)
    return found | {user_id: Withheld.SUPPRESSED for user_id, hashed in hashes.items() if hashed in silent}


def cohort_missing(cohort_id: UUID) -> NotFound:
    """The refusal for a cohort that is not there, and for everybody who may not read it."""
    return NotFound(Text("There is no cohort {cohort_id}.", cohort_id=cohort_id))


async def workspace_of_cohort(connection: AsyncConnection, cohort_id: UUID) -> UUID | None:
    """The workspace that a cohort belongs to, None for one of the organisation; raises NotFound."""
    row = (await connection.execute(_COHORT, {"cohort_id": cohort_id})).one_or_none()
    if row is None:
        raise cohort_missing(cohort_id)
    workspace_id: UUID | None = row.workspace_id
    return workspace_id


async def cadence_of(connection: AsyncConnection, cohort_id: UUID) -> dict[str, Any]:
    """How often a cohort is reminded; raises NotFound."""
    await workspace_of_cohort(connection, cohort_id)
    row = (await connection.execute(select(cadences).where(cadences.c.cohort_id == cohort_id))).one_or_none()
    if row is None:
        return {"cohort_id": cohort_id, "cadence": Cadence.DAILY.value, "weekday": None, "revision": 0}
    return {"cohort_id": cohort_id, "cadence": row.cadence, "weekday": row.weekday, "revision": row.revision}


async def find_run(connection: AsyncConnection, run_key: str) -> dict[str, Any] | None:
    """What `TaskStatusRead` says of a run; None when there is none."""
    columns = ("name", "run_key", "status", "attempt", "started_at", "finished_at", "counts", "error")
    query = select(*(runs.c[name] for name in columns)).where(runs.c.run_key == run_key)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else row_dict(row)


async def get_run(connection: AsyncConnection, run_key: str) -> dict[str, Any]:
    """The same; raises NotFound."""
    found = await find_run(connection, run_key)
    if found is None:
        message = Text("There was no run {run_key!r}.", run_key=run_key[:80])
        raise NotFound(message)
    return found


async def list_runs(connection: AsyncConnection, *, after: tuple[Any, ...] | None, limit: int) -> Page[dict[str, Any]]:
    """Runs, newest first."""
    query = select(runs).order_by(runs.c.started_at.desc(), runs.c.run_key.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(
            tuple_(runs.c.started_at, runs.c.run_key) < tuple_(datetime.fromisoformat(after[0]), after[1])
        )
    rows = [row_dict(row) for row in await connection.execute(query)]
    more, rows = len(rows) > limit, rows[:limit]
    return Page(rows, (rows[-1]["started_at"].isoformat(), rows[-1]["run_key"]) if more else None)


def _learner(row: Any) -> Learner:  # noqa: ANN401 - a row of the directory
    return Learner(
        row.user_id,
        row.email,
        row.display_name,
        row.time_zone,
        row.reminder_time,
        row.quiet_from,
        row.quiet_to,
        row.locale,
    )
