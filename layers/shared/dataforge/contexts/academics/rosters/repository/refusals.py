"""What the database refuses of a plan, in the words of the product."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DataError, IntegrityError

from dataforge.contexts.academics.rosters.domain.plans import PlanRefused
from dataforge.kernel.texts import Text
from dataforge.platform.db.refusals import constraint_of, table_of


@asynccontextmanager
async def refused_by_constraint() -> AsyncIterator[None]:
    """Turn what a database refuses of several changes at once into PlanRefused: nothing of them is done."""
    try:
        yield
    except (IntegrityError, DataError) as error:
        table, constraint = (table_of(error) or "rows").replace("_", " "), constraint_of(error)
        message = Text(
            "The {table} as they are now do not allow what the plan does; nothing was applied. Plan again.", table=table
        )
        raise PlanRefused(message, facts={"constraint": constraint} if constraint else {}) from error
