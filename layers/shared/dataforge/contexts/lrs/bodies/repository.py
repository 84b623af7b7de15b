"""Partitions of bodies, and the way there of bodies from before."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.platform.db.database import Database
from dataforge.platform.observability import logger

_LOCK_NOT_AVAILABLE = "55P03"
_MAKE = text("SELECT lrs.make_statement_partition(:month)")
_DROP = text("SELECT lrs.drop_statement_partition(:month)")
_MISSING = text(
    "SELECT month FROM unnest(CAST(:months AS date[])) AS month "
    "WHERE to_regclass('lrs.statement_bodies_' || to_char(month, '\"y\"YYYY\"m\"MM')) IS NULL ORDER BY month"
)
_WAITING = text(
    "SELECT 1 FROM lrs.statement_storage WHERE moved_at IS NULL AND partitioned_from <= clock_timestamp() "
    "FOR UPDATE SKIP LOCKED"
)
_PAGE = (
    "SELECT statement_id, stored_at FROM records.statements_raw, lrs.statement_storage s "
    "WHERE (stored_at, statement_id) > (coalesce(s.moved_through_at, '-infinity'), "
    "coalesce(s.moved_through_id, '00000000-0000-0000-0000-000000000000')) "
    "ORDER BY stored_at, statement_id LIMIT :limit"
)
_MONTHS = text(
    f"SELECT DISTINCT CAST(date_trunc('month', stored_at AT TIME ZONE 'UTC') AS date) FROM ({_PAGE}) AS page"
)
_MOVE = text(
    f"WITH page AS MATERIALIZED ({_PAGE}), "
    "old AS MATERIALIZED (SELECT r.stored_at, r.statement_id, r.payload FROM records.statements_raw r "
    "JOIN page USING (statement_id) WHERE r.payload IS NOT NULL ORDER BY r.statement_id FOR UPDATE OF r), "
    "bodies AS (INSERT INTO lrs.statement_bodies (stored_at, statement_id, payload) "
    "SELECT stored_at, statement_id, payload FROM old ON CONFLICT DO NOTHING), "
    "emptied AS (UPDATE records.statements_raw r SET payload = NULL FROM old WHERE r.statement_id = old.statement_id) "
    "SELECT (SELECT count(*) FROM old) AS moved, stored_at, statement_id FROM page "
    "ORDER BY stored_at DESC, statement_id DESC LIMIT 1"
)
_AT = text("UPDATE lrs.statement_storage SET moved_through_at = :at, moved_through_id = :id")
_DONE = text("UPDATE lrs.statement_storage SET moved_at = clock_timestamp()")
_ORPHANS = text(
    "DELETE FROM lrs.statement_bodies b WHERE b.stored_at >= :since AND b.stored_at < :until "
    "AND NOT EXISTS (SELECT 1 FROM records.statements_raw r WHERE r.statement_id = b.statement_id)"
)


async def make_partitions(database: Database, months: Iterable[date]) -> int:
    """Make the partitions of months that have none, each in a transaction of its own; how many were made.

    One that somebody's long transaction keeps from being made is left to the next run: bodies go into the default
    partition meanwhile, and are moved when it is made.
    """
    wanted = sorted(months)
    async with database.read_only() as connection:
        missing = (await connection.execute(_MISSING, {"months": wanted})).scalars().all()
    return sum([await _alone(database, _MAKE, month) for month in missing])


async def drop_partition(database: Database, month: date) -> bool:
    """Drop the partition of a month that has no statements left; False when it has some, or is in use."""
    return await _alone(database, _DROP, month)


async def _alone(database: Database, statement: Any, month: date) -> bool:  # noqa: ANN401 - a SQLAlchemy clause
    try:
        async with database.transaction() as connection:
            return bool(await connection.scalar(statement, {"month": month}))
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        logger.warning("partition in use, tried again later", month=month.isoformat())
        return False


class Bodies:
    """Bodies, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def months_to_move(self, limit: int) -> list[date]:
        """The months of the next page of bodies that are still beside their ids; locks the move."""
        if (await self._connection.execute(_WAITING)).one_or_none() is None:
            return []
        return list((await self._connection.execute(_MONTHS, {"limit": limit})).scalars())

    async def move(self, limit: int) -> tuple[int, bool]:
        """Move a page of bodies from beside their ids to their partitions: how many, and whether there may be more."""
        if (await self._connection.execute(_WAITING)).one_or_none() is None:
            return 0, False
        last = (await self._connection.execute(_MOVE, {"limit": limit})).one_or_none()
        if last is None:
            await self._connection.execute(_DONE)
            return 0, False
        await self._connection.execute(_AT, {"at": last.stored_at, "id": last.statement_id})
        return last.moved, True

    async def delete_orphans(self, since: datetime, until: datetime) -> int:
        """Delete bodies of no statement between two moments; how many."""
        return (await self._connection.execute(_ORPHANS, {"since": since, "until": until})).rowcount
