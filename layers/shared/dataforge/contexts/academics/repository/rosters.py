"""Writes of roster plans."""

from sqlalchemy.ext.asyncio import AsyncConnection


class SqlRosters:
    """Roster plans of PostgreSQL."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
