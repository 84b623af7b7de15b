"""The write SQL of plans."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.schemas.tables import plans


class Plans:
    """Plans in `schemas.plans`; they are written once."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, values: Mapping[str, Any]) -> None:
        """Insert."""
        await self._connection.execute(insert(plans).values(**values))
