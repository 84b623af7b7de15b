"""The write SQL of reminders: cadences of cohorts, and runs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.notifications.reminders.domain import Rhythm
from dataforge.contexts.notifications.tables import cadences, runs

MAX_ATTEMPTS = 2
"""The invocation and its one repetition; whoever was not reminded is, by the next quarter of an hour's run."""


class Cadences:
    """Cadences in `notifications.cadences`."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def lock(self, cohort_id: UUID) -> int:
        """The revision of a cohort's cadence, 0 for the one every cohort begins with; locked until the end."""
        query = select(cadences.c.revision).where(cadences.c.cohort_id == cohort_id).with_for_update()
        return (await self._connection.scalar(query)) or 0

    async def put(self, cohort_id: UUID, rhythm: Rhythm, revision: int) -> None:
        """Replace a cohort's cadence; `revision` is the new one."""
        values = {
            "cadence": rhythm.cadence.value,
            "weekday": rhythm.weekday,
            "revision": revision,
            "updated_at": self._now,
        }
        statement = insert(cadences).values(cohort_id=cohort_id, **values)
        await self._connection.execute(statement.on_conflict_do_update(index_elements=["cohort_id"], set_=values))


class Runs:
    """Runs in `notifications.runs`."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def begin(self, run_key: str, at: datetime) -> bool:
        """Whether the run is ours to do: it is new, or whoever began it has not ended it.

        Two that begin at once wait for each other here; the second sees that the first has ended it.
        """
        values = {"run_key": run_key, "status": "running", "at": at, "started_at": self._now}
        statement = insert(runs).values(**values).on_conflict_do_nothing().returning(runs.c.run_key)
        is_new = await self._connection.scalar(statement) is not None
        query = select(runs.c.status).where(runs.c.run_key == run_key).with_for_update()
        if (await self._connection.scalar(query)) == "succeeded":
            return False
        if not is_new:
            again = {"status": "running", "attempt": runs.c.attempt + 1, "error": None, "started_at": self._now}
            await self._connection.execute(update(runs).where(runs.c.run_key == run_key).values(**again))
        return True

    async def fail(self, run_key: str, at: datetime, error: str) -> None:
        """Write that an attempt has failed: it is tried again, until it has been for the last time."""
        values = {"run_key": run_key, "status": "retrying", "at": at, "started_at": self._now, "error": error}
        attempt = runs.c.attempt + 1
        statement = insert(runs).values(**values)
        statement = statement.on_conflict_do_update(
            index_elements=["run_key"],
            set_={
                "attempt": attempt,
                "status": case((attempt >= MAX_ATTEMPTS, "failed"), else_="retrying"),
                "error": error,
            },
            where=runs.c.status != "succeeded",
        )
        await self._connection.execute(statement)

    async def add_counts(self, run_key: str, counts: Mapping[str, int]) -> None:
        """Add to what a run has counted."""
        query = select(runs.c.counts).where(runs.c.run_key == run_key).with_for_update()
        before = await self._connection.scalar(query)
        if before is not None:
            after = {**before, **{name: before.get(name, 0) + count for name, count in counts.items()}}
            await self._connection.execute(update(runs).where(runs.c.run_key == run_key).values(counts=after))

    async def end(self, run_key: str, plan_hash: str, counts: Mapping[str, Any]) -> None:
        """Write what came of a run."""
        done = {"status": "succeeded", "finished_at": self._now, "plan_hash": plan_hash, "counts": dict(counts)}
        await self._connection.execute(update(runs).where(runs.c.run_key == run_key).values(**done))
