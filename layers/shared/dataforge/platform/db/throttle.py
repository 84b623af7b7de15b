"""How often one caller may try something: budgets of tries a minute, counted in PostgreSQL and exact under concurrency.

A try is *taken* before the work it pays for and *closed* when its outcome is known: a failure stays counted, a success
gives the try back. What is taken and not closed yet counts too, so that guesses sent in parallel gain nothing; if
whoever took it dies, it is forgotten with its window. A window begins with its first try and lasts a minute.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.kernel.throttling import Budget
from dataforge.platform.db.tables import throttles

WINDOW = timedelta(minutes=1)
# Text, because requests of credentials pay for it: building the expression costs several times what executing it does.
_SPEND_ONE = text(
    "INSERT INTO platform.throttles AS t (key, failures, in_flight, window_ends_at) VALUES (:key, 1, 0, :ends) "
    "ON CONFLICT (key) DO UPDATE SET "
    "failures = CASE WHEN t.window_ends_at <= :now THEN 1 ELSE t.failures + 1 END, "
    "in_flight = CASE WHEN t.window_ends_at <= :now THEN 0 ELSE t.in_flight END, "
    "window_ends_at = CASE WHEN t.window_ends_at <= :now THEN excluded.window_ends_at ELSE t.window_ends_at END "
    "RETURNING failures, window_ends_at"
)


class Throttle:
    """Budgets inside one transaction."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def take(self, budgets: Sequence[Budget]) -> int | None:
        """Take one try of each budget; None if all had one, else the seconds to wait: the caller must then roll back.

        A budget used up by failures opens with its next window, one used up by what is under way in a second.
        """
        return await self._spend(budgets, {"in_flight": 1})

    async def spend(self, budgets: Sequence[Budget]) -> int | None:
        """As `take`, for tries that are not given back, whatever becomes of them."""
        return await self._spend(budgets, {"failures": 1})

    async def spend_one(self, budget: Budget) -> int | None:
        """As `spend` for one budget, in one statement that may stand alone: what is refused stays counted, too."""
        values = {"key": budget.key, "now": self._now, "ends": self._now + WINDOW}
        row = (await self._connection.execute(_SPEND_ONE, values)).one()
        if row.failures <= budget.limit:
            return None
        left: timedelta = row.window_ends_at - self._now
        return max(1, math.ceil(left.total_seconds()))

    async def close(self, budgets: Sequence[Budget], *, failed: bool) -> None:
        """End a try that was taken: keep it counted if it failed, give it back otherwise."""
        await self._count(budgets, {"in_flight": -1, "failures": int(failed)})

    async def _spend(self, budgets: Sequence[Budget], change: Mapping[str, int]) -> int | None:
        counted = await self._count(budgets, change)
        waits = []
        for budget in budgets:
            row = counted[budget.key]
            if row.failures + row.in_flight > budget.limit:
                only_under_way = row.failures + change.get("in_flight", 0) <= budget.limit
                left = math.ceil((row.window_ends_at - self._now).total_seconds())
                waits.append(1 if only_under_way else max(1, left))
        return max(waits, default=None)

    async def _count(self, budgets: Sequence[Budget], change: Mapping[str, int]) -> dict[str, Any]:
        # In the order of the keys, for everybody: two callers never wait for each other in a circle.
        rows = [
            {
                "key": key,
                "window_ends_at": self._now + WINDOW,
                **{name: max(change.get(name, 0), 0) for name in ("failures", "in_flight")},
            }
            for key in sorted(budget.key for budget in budgets)
        ]
        statement = insert(throttles).values(rows)
        over = throttles.c.window_ends_at <= self._now
        new = statement.excluded
        counts = {
            name: case((over, new[name]), else_=func.greatest(throttles.c[name] + change.get(name, 0), 0))
            for name in ("failures", "in_flight")
        }
        ends = case((over, new.window_ends_at), else_=throttles.c.window_ends_at)
        upsert = statement.on_conflict_do_update(index_elements=["key"], set_={**counts, "window_ends_at": ends})
        answer = await self._connection.execute(upsert.returning(throttles))
        return {row.key: row for row in answer}
