"""The gauges of all contexts, read one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.platform.observability import logger
from dataforge.platform.ops import Gauge, Shown

PATIENCE_MS = 1_000
"""How long one gauge may take: what hangs must not hide the others."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a gauge shows now: null for nothing to measure, and not `known` when it could not be read in time."""

    context: str
    gauge: Gauge
    value: float | None
    known: bool = True

    @property
    def worrying(self) -> bool:
        """Whether somebody should look at it."""
        limit = self.gauge.worrying_above
        return not self.known or (limit is not None and self.value is not None and self.value > limit)


async def read_gauges(connection: AsyncConnection, shown: Sequence[Shown]) -> list[Reading]:
    """Every gauge; one that fails or takes too long is not known, and the others are read."""
    await connection.execute(text(f"SET LOCAL statement_timeout = {PATIENCE_MS}"))
    readings = []
    for context, gauge in ((part.context, gauge) for part in shown for gauge in part.ops.gauges):
        try:
            async with connection.begin_nested():
                value = await connection.scalar(text(gauge.sql))
            readings.append(Reading(context, gauge, None if value is None else float(value)))
        except DBAPIError:
            logger.warning("gauge not read", gauge=f"{context}.{gauge.name}", exc_info=True)
            readings.append(Reading(context, gauge, None, known=False))
    return readings
