"""What runs every minute behind the statements."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dataforge.contexts.lrs.contract import LessonDirectory, StatementMatching
from dataforge.contexts.lrs.flat_rows.commands import FailPending, FlattenPending, fail_pending, flatten_pending
from dataforge.contexts.lrs.flat_rows.domain import HomePages
from dataforge.contexts.lrs.maintenance.repository import finish_run, forget, start_run
from dataforge.contexts.lrs.matching.commands import MatchBackfill, match_lessons, match_people
from dataforge.contexts.lrs.search.commands import AddMissingKeys, add_missing_keys
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.kernel.clock import Clock
from dataforge.kernel.errors import Unavailable
from dataforge.platform.aws.sqs import Queue
from dataforge.platform.db.database import Database
from dataforge.platform.db.refusals import refused
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.observability import logger

if TYPE_CHECKING:
    from dataforge.contexts.lrs.load.consumers import StatementLoader
    from dataforge.contexts.lrs.module import LrsServices

LOOKBACK = timedelta(days=1)
_PAGE = 500


class IncrementalEtl:
    """The minute's run: drain the queue where no stream does, flatten what is not flat, match the backfill, forget.

    `queue` is None where the stream drains it. `budget_seconds` bounds the run.
    """

    NAME = "incremental_etl"

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        home_pages: HomePages,
        lessons: LessonDirectory,
        matching: StatementMatching,
        loader: "StatementLoader",
        queue: Queue | None,
        budget_seconds: float = 40.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._clock = clock
        self._home_pages = home_pages
        self._lessons = lessons
        self._matching = matching
        self._loader = loader
        self._queue = queue
        self._budget = budget_seconds
        self._monotonic = monotonic

    async def run(self, *, lookback: timedelta | None = LOOKBACK) -> dict[str, int]:
        """One run; returns counts. `lookback` None compares all of raw with all of flat. Status: `task_status`."""
        now, deadline = self._clock.now(), self._monotonic() + self._budget
        run_key = now.strftime("%Y-%m-%dT%H:%MZ")
        async with self._database.transaction() as connection:
            await start_run(connection, self.NAME, run_key, now)
        counts, failure = dict.fromkeys(("drained", "keyed", "flattened", "failed", "matched", "forgotten"), 0), None
        try:
            await self._drain(counts, deadline)
            await self._add_keys(counts, deadline)
            since = datetime(1, 1, 1, tzinfo=UTC) if lookback is None else now - lookback
            await self._flatten(counts, deadline, since)
            backfill = MatchBackfill(self._lessons, self._matching)
            # Apart, so that neither holds rows of progress while it waits for statements.
            for match in (match_lessons, match_people):
                counts["matched"] += await run(self._unit_of_work(), match, backfill)
            async with self._database.transaction() as connection:
                counts["forgotten"] = sum((await forget(connection, now)).values())
        except Exception as error:
            failure = f"{type(error).__name__}: {error}"
            raise
        finally:
            await self._finish(run_key, counts, failure)
        return counts

    async def _drain(self, counts: dict[str, int], deadline: float) -> None:
        # Half of the time at most: what was drained is to be flattened in the same run.
        while self._queue is not None and self._monotonic() < deadline - self._budget / 2:
            received = await self._queue.receive()
            if not received:
                return
            failed = set(await self._loader.load([item.record for item in received]))
            done = [item.receipt_handle for item in received if item.record.message_id not in failed]
            await self._queue.delete(done)
            counts["drained"] += len(done)
            if failed:
                return

    async def _add_keys(self, counts: dict[str, int], deadline: float) -> None:
        while self._monotonic() < deadline - self._budget / 2:
            added = await run(self._unit_of_work(), add_missing_keys, AddMissingKeys())
            counts["keyed"] += added
            if not added:
                return

    async def _flatten(self, counts: dict[str, int], deadline: float, since: datetime) -> None:
        """Page through what is not flat; a page the database refuses is halved until the statement stands alone."""
        after, limit = None, _PAGE
        while self._monotonic() < deadline:
            command = FlattenPending(since, self._home_pages, self._lessons, after=after, limit=limit)
            try:
                page = await run(self._unit_of_work(), flatten_pending, command)
                limit = min(_PAGE, limit * 2)
            except Exception as error:
                if not refused(error):
                    raise
                if limit > 1:
                    limit //= 2
                    continue
                page = await run(self._unit_of_work(), fail_pending, FailPending(since, after, error))
            counts["flattened"] += page.flattened
            counts["failed"] += len(page.failed)
            if page.last is None:
                return
            after = page.last

    async def _finish(self, run_key: str, counts: Mapping[str, int], failure: str | None) -> None:
        try:
            async with self._database.transaction() as connection:
                await finish_run(connection, self.NAME, run_key, self._clock.now(), counts=counts, error=failure)
        except Unavailable:
            logger.warning("status of the run not written", run_key=run_key)

    def _unit_of_work(self) -> LrsUnitOfWork:
        return LrsUnitOfWork(self._database, clock=self._clock)


async def run_incremental_etl(services: "LrsServices") -> dict[str, int]:
    """The incremental ETL as a maintenance job."""
    return await services.incremental_etl.run()
